"""Days that an order may ask for, whenever the tests run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

from domain.porting.carrier_calendar import calendar_of
from domain.porting.carrier_profile import parse_carriers

__all__ = ["good_day", "saturday_behind"]


def good_day(ahead: int = 14) -> str:
    """A day at least this many days ahead on which a carrier of no profile ports numbers gladly."""
    profile = parse_carriers((files("domain.porting") / "carriers.toml").read_text()).default
    wanted = datetime.now(UTC).date() + timedelta(days=ahead)
    return calendar_of(profile, wanted).good_date(wanted).isoformat()


def saturday_behind(day: str) -> str:
    """The first Saturday after this day."""
    first = date.fromisoformat(day) + timedelta(days=1)
    return (first + timedelta(days=(5 - first.weekday()) % 7)).isoformat()
