"""Business days of a losing carrier.

Source: 47 CFR 52.35: Monday to Friday, less the losing carrier's own holidays, in the time of its
region; an order that is accurate by 13:00 counts on that day, a later one as if it had come at 8:00
of the next business day. Days are counted on the carrier's own calendar, so a change of clocks moves
no day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["MAX_DAYS", "BusinessCalendar", "CalendarEnds"]

MAX_DAYS: Final = 500
"""Business days that may be asked for at once: two years, more than any port takes."""

_DAY: Final = timedelta(days=1)
_FRIDAY: Final = 4
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_GOOD_DATE_SEARCH: Final = 14


class CalendarEnds(ValueError):
    """The question concerns a day whose holidays are not known."""


class BusinessCalendar(BaseModel):
    """Which days count, and from when to when.

    ``zone`` is an IANA name, ``holidays`` names every day off of the years from ``first`` to
    ``last``. ``opens`` and ``cutoff`` are local times. Moments in are aware, moments out are UTC.
    It survives as JSON, so what was counted once can be counted again though holidays were added.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    zone: str
    holidays: Mapping[date, str] = Field(default_factory=dict)
    opens: time = time(8)
    cutoff: time = time(13)
    first: date = date.min
    last: date = date.max

    def local_date(self, moment: datetime) -> date:
        """The day that it is at the carrier."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def reason_off(self, day: date) -> str | None:
        """Why ``day`` does not count: a weekday or a holiday's name. Raises ``CalendarEnds``."""
        if not self.first <= day <= self.last:
            raise CalendarEnds(
                f"Holidays are known from {self.first} to {self.last}; {day} is outside."
            )
        if day.weekday() > _FRIDAY:
            return _WEEKDAYS[day.weekday()]
        return self.holidays.get(day)

    def is_business_day(self, day: date) -> bool:
        """Whether the carrier works on ``day``. Raises ``CalendarEnds``."""
        return self.reason_off(day) is None

    def next_business_day(self, day: date) -> date:
        """``day`` itself, or the first business day after it. Raises ``CalendarEnds``."""
        while not self.is_business_day(day):
            day += _DAY
        return day

    def shift_day(self, day: date, days: int) -> date:
        """The business day that is ``days`` of them after ``day``, before it when negative.

        ``day`` need not be one; with 0 it is returned as it is. Raises ``CalendarEnds``, and
        ``ValueError`` beyond ``MAX_DAYS``.
        """
        if abs(days) > MAX_DAYS:
            raise ValueError(f"At most {MAX_DAYS} business days can be counted; {days} were asked.")
        step = _DAY if days > 0 else -_DAY
        for _ in range(abs(days)):
            day += step
            while not self.is_business_day(day):
                day += step
        return day

    def counted(self, moment: datetime) -> datetime:
        """From when on something that came at ``moment`` counts."""
        local = moment.astimezone(ZoneInfo(self.zone))
        day, at = local.date(), local.time()
        if self.is_business_day(day) and at <= self.cutoff:
            return self._utc(day, max(at, self.opens))
        return self._utc(self.next_business_day(day + _DAY), self.opens)

    def add_business_days(self, moment: datetime, count: int) -> datetime:
        """The moment ``count`` business days after the one from which ``moment`` counts, at the same
        time of day; a negative ``count`` leads back from the day of ``moment`` itself. For
        deadlines. Raises as ``shift_day`` does."""
        return self.shift(moment if count < 0 else self.counted(moment), count)

    def shift(self, moment: datetime, days: int) -> datetime:
        """``days`` business days from the day of ``moment``, at the same local time; the cut-off
        plays no part. For dates that are agreed, such as the freeze before a FOC date."""
        local = moment.astimezone(ZoneInfo(self.zone))
        return self._utc(self.shift_day(local.date(), days), local.time())

    def opening(self, day: date) -> datetime:
        """When the carrier opens on ``day``."""
        return self._utc(day, self.opens)

    def at(self, day: date, when: time) -> datetime:
        """The moment of a local time of day."""
        return self._utc(day, when)

    def available_from(self, moment: datetime, days: int) -> datetime:
        """The midnight after which a port can be done that has ``days`` business days, 1 or more.

        The day from which the order counts is the first of them (47 CFR 52.35: one for a simple
        port, four for others).
        """
        first = self.local_date(self.counted(moment))
        return self._utc(self.shift_day(first, days - 1) + _DAY, time(0))

    def business_days_between(self, start: datetime, end: datetime) -> int:
        """How many business days end between two moments; 0 when ``end`` is not later.

        ``start`` counts as in ``add_business_days``, whose inverse this is.
        """
        day, until = self.local_date(self.counted(start)), self.local_date(end)
        count = 0
        while day < until:
            day += _DAY
            count += self.is_business_day(day)
        return count

    def earliest_target_date(self, now: datetime, lead_days: int) -> date:
        """The first business day that is at least ``lead_days`` calendar days ahead."""
        return self.next_business_day(self.local_date(now) + timedelta(days=lead_days))

    def good_date(self, earliest: date) -> date:
        """The first day from ``earliest`` on that leaves a business day to put things right.

        A port on a Friday or before a holiday that goes wrong stays wrong until the carriers work
        again. Where two weeks have no such day it is the first business day.
        """
        for ahead in range(_GOOD_DATE_SEARCH):
            day = earliest + ahead * _DAY
            if self.is_business_day(day) and self.is_business_day(day + _DAY):
                return day
        return self.next_business_day(earliest)

    def risk_of(self, day: date) -> str | None:
        """Why a port on this business day is unwise: what the day after it is."""
        return self.reason_off(day + _DAY)

    def _utc(self, day: date, when: time) -> datetime:
        return datetime.combine(
            day, when.replace(tzinfo=None, fold=0), ZoneInfo(self.zone)
        ).astimezone(UTC)
