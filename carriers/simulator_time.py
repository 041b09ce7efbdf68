"""When things happen at the simulated losing carrier: its business days, divided by the order's scale.

Only waiting is divided. A request is heard when it is heard, and what follows lies as far behind it as
the calendar says, divided: with a scale of 10,000 a business week takes a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final

from domain.porting.business_time import BusinessCalendar
from domain.porting.holiday_names import public_holidays

__all__ = ["ACTIVATION_TIME", "Clock", "calendar_around"]

ACTIVATION_TIME: Final = time(11, 30)
"""Local time at which numbers are switched on the committed day."""

LEAD: Final = timedelta(days=7)
"""From the request to the date where none was asked for."""

_ZONE: Final = "America/New_York"


@cache
def calendar_around(year: int) -> BusinessCalendar:
    """The losing carrier's calendar: the public holidays of the United States, Eastern time."""
    holidays = {
        day: name
        for each in range(year - 1, year + 3)
        for day, name in public_holidays("US", None, each).items()
    }
    return BusinessCalendar(zone=_ZONE, holidays=holidays)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as it passes for one order since the command at ``start``."""

    start: datetime
    scale: float

    @property
    def calendar(self) -> BusinessCalendar:
        """The losing carrier's calendar."""
        return calendar_around(self.start.year)

    def after(self, wait: timedelta) -> datetime:
        """So much time after the start."""
        return self.start + wait / self.scale

    def after_business_days(self, count: int) -> datetime:
        """So many business days after the start."""
        return self._divided(self.calendar.add_business_days(self.start, count))

    def committed(self, requested: date | None, *, answer_days: int) -> datetime:
        """The date that the losing carrier commits itself to when it answers after so many days.

        It is the business day that was asked for, or the next one, never the day of the answer.
        """
        answered = self.calendar.local_date(
            self.calendar.add_business_days(self.start, answer_days)
        )
        wanted = requested or self.calendar.local_date(self.start + LEAD)
        day = self.calendar.next_business_day(max(wanted, answered + timedelta(days=1)))
        return self._divided(self.calendar.at(day, ACTIVATION_TIME))

    def moved(self, foc_at: datetime, days: int) -> datetime:
        """The moment so many business days behind a committed one."""
        real = self.start + (foc_at - self.start) * self.scale
        return self._divided(self.calendar.shift(real, days))

    def _divided(self, real: datetime) -> datetime:
        return self.start + (real - self.start) / self.scale
