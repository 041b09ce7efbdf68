"""Dates in messages: as the losing carrier means them, and in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain.alert_words import count

__all__ = ["day_of", "moved", "when"]

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def when(at: datetime, zone: str) -> str:
    """``Tuesday 2026-12-08, 11:30 EST (16:30 UTC)``."""
    local = at.astimezone(ZoneInfo(zone))
    said = f"{_DAYS[local.weekday()]} {local:%Y-%m-%d, %H:%M %Z}"
    utc = at.astimezone(UTC)
    if not local.utcoffset():
        return said
    day = "" if utc.date() == local.date() else f"{utc:%Y-%m-%d} "
    return f"{said} ({day}{utc:%H:%M} UTC)"


def day_of(at: datetime, zone: str) -> date:
    """The day that it is in the zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def moved(days: int) -> str:
    """``3 days later``, ``1 day earlier``."""
    return f"{count(abs(days), 'day')} {'later' if days > 0 else 'earlier'}"
