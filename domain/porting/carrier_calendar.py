"""The calendar of a losing carrier, made of public holidays and its profile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from domain.porting.business_time import BusinessCalendar
from domain.porting.carrier_profile import CarrierProfile
from domain.porting.holiday_names import plain_names, public_holidays

__all__ = ["calendar_of"]

_YEARS_BACK: Final = 1
_YEARS_AHEAD: Final = 2
"""A port takes weeks; the furthest date that is asked for lies a year ahead."""


def calendar_of(profile: CarrierProfile, around: date) -> BusinessCalendar:
    """The carrier's calendar for the year of ``around``, the one before and the two after."""
    years = range(around.year - _YEARS_BACK, around.year + _YEARS_AHEAD + 1)
    first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
    off = {day: name for year in years for day, name in _of_year(profile, year)}
    off |= dict.fromkeys(profile.extra_holidays, "holiday of the carrier")
    return BusinessCalendar(
        zone=profile.time_zone,
        holidays=off,
        opens=profile.opens,
        cutoff=profile.cutoff,
        first=first,
        last=last,
    )


def _of_year(profile: CarrierProfile, year: int) -> Iterator[tuple[date, str]]:
    for day, name in public_holidays(profile.country, profile.subdivision, year).items():
        names = plain_names(name)
        if not set(names) <= set(profile.working_holidays):
            yield day, name
        for each in set(names) & set(profile.holidays_after):
            yield day + timedelta(days=1), f"day after {each}"
    for written in profile.yearly_holidays:
        month, day_of_month = (int(part) for part in written.split("-"))
        try:
            yield date(year, month, day_of_month), "holiday of the carrier"
        except ValueError:
            # 29 February, in a year that has none.
            continue
