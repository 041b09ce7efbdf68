"""Quiet hours: when people are not to be disturbed by what can wait."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.alert_kinds import Severity

__all__ = ["QuietHours", "quiet_until"]

_DAY: Final = timedelta(days=1)
_WEEK: Final = 7


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("must be a time zone of the IANA database, like Europe/Berlin") from error
    return name


def _wall_time(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("must have no offset: the zone says it")
    return value


WallTime = Annotated[time, AfterValidator(_wall_time)]


class QuietHours(BaseModel):
    """From ``start`` to ``end`` by the clock of ``zone``, on ``days`` (0 is Monday).

    They may pass midnight and belong to the day they begin on; with equal times they last a whole
    day. Alerts of ``pierced_by`` and above are told all the same.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    start: WallTime
    end: WallTime
    zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)]
    days: tuple[Annotated[int, Field(ge=0, lt=_WEEK)], ...] = tuple(range(_WEEK))
    pierced_by: Severity = Severity.CRITICAL


def quiet_until(quiet: QuietHours | None, severity: Severity, now: datetime) -> datetime | None:
    """When something of this severity may be told; ``None`` when it may be told now.

    Never later than the day a week from now: quiet hours without an end would be silence.
    """
    if quiet is None or severity.rank >= quiet.pierced_by.rank:
        return None
    zone, moment = ZoneInfo(quiet.zone), now
    for _ in range(_WEEK + 1):
        end = _end(quiet, zone, moment)
        if end is None:
            break
        moment = end
    return moment if moment > now else None


def _end(quiet: QuietHours, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """The end of the quiet hours that hold at the moment."""
    today = moment.astimezone(zone).date()
    for day in (today - _DAY, today):
        if day.weekday() not in quiet.days:
            continue
        begins, ends = _at(day, quiet.start, zone), _at(_last_day(quiet, day), quiet.end, zone)
        if begins <= moment < ends:
            return ends.astimezone(moment.tzinfo)
    return None


def _last_day(quiet: QuietHours, day: date) -> date:
    return day if quiet.start < quiet.end else day + _DAY


def _at(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """A wall time as a moment of UTC: comparisons within a zone would ignore its changes."""
    return datetime.combine(day, wall, zone).astimezone(ZoneInfo("UTC"))
