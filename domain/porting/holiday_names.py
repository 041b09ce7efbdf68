"""Public holidays of a country, by the ``holidays`` library.

The library works a year out when it is asked; here every year is asked for by its number alone, so
the same question has the same answer as long as the library's version stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Final

import holidays

__all__ = [
    "known_place",
    "plain_names",
    "public_holiday_names",
    "public_holidays",
]

_OBSERVED: Final = " (observed)"
_YEARS_FOR_NAMES: Final = range(2024, 2036)
"""Years enough that every holiday occurs under its plain name, and on a weekday."""


@cache
def public_holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """Every public holiday of ``year`` with its English name, days observed included.

    Raises ``NotImplementedError`` for a place that the library does not know.
    """
    found = holidays.country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    return MappingProxyType({day: name for day, name in found.items() if day.year == year})


@cache
def public_holiday_names(country: str, subdivision: str | None) -> frozenset[str]:
    """The names that holidays go by there."""
    return frozenset(
        part
        for year in _YEARS_FOR_NAMES
        for name in public_holidays(country, subdivision, year).values()
        for part in plain_names(name)
    )


def plain_names(name: str) -> tuple[str, ...]:
    """The holidays of a day that has several, without the remark that they are observed then."""
    return tuple(part.strip().removesuffix(_OBSERVED) for part in name.split(";"))


def known_place(country: str, subdivision: str | None = None) -> bool:
    """Whether the library knows the country (ISO 3166), and the state or province if one is given."""
    try:
        public_holidays(country, subdivision, _YEARS_FOR_NAMES[0])
    except NotImplementedError:
        return False
    return True
