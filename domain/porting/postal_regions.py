"""States and provinces, and how their postal codes begin.

Sources: USPS Publication 28 (two-letter codes, ZIP Code), Canada Post's addressing guidelines. Only
the first character is compared: it tells a mix-up of addresses, no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["region_fits", "regions_of", "zip_example", "zip_has_shape"]


def _begin(**starts: str) -> Mapping[str, str]:
    """First characters by state, from states by first character."""
    found: dict[str, str] = {}
    for start, states in starts.items():
        for state in states.split():
            found[state] = found.get(state, "") + start[-1]
    return MappingProxyType(found)


_BEGINNINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "US": _begin(
            _0="CT MA ME NH NJ NY PR RI VT VI AE",
            _1="DE NY PA",
            _2="DC MD NC SC VA WV",
            _3="AL FL GA MS TN AA",
            _4="IN KY MI OH",
            _5="IA MN MT ND SD WI",
            _6="IL KS MO NE",
            _7="AR LA OK TX",
            _8="AZ CO ID NM NV TX UT WY",
            _9="AK AS CA GU HI MP OR WA AP",
        ),
        "CA": _begin(
            A="NL",
            B="NS",
            C="PE",
            E="NB",
            G="QC",
            H="QC",
            J="QC",
            K="ON",
            L="ON",
            M="ON",
            N="ON",
            P="ON",
            R="MB",
            S="SK",
            T="AB",
            V="BC",
            X="NT NU",
            Y="YT",
        ),
    }
)
_SHAPES: Final = {
    "US": re.compile(r"[0-9]{5}(-[0-9]{4})?"),
    "CA": re.compile(r"[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]"),
}
_EXAMPLES: Final = {"US": "62701 or 62701-1234", "CA": "M5V 2T6"}


def regions_of(country: str) -> frozenset[str] | None:
    """The codes of its states or provinces; ``None`` for a country that is not known here."""
    known = _BEGINNINGS.get(country.upper())
    return None if known is None else frozenset(known)


def zip_has_shape(country: str, code: str) -> bool:
    """Whether ``code`` is written like one of the country, which is known here."""
    return _SHAPES[country.upper()].fullmatch(code.strip().upper()) is not None


def zip_example(country: str) -> str:
    """How a code of the country, which is known here, is written."""
    return _EXAMPLES[country.upper()]


def region_fits(country: str, region: str, code: str) -> bool:
    """Whether a well-formed code can be in a known state or province."""
    return code.strip()[0].upper() in _BEGINNINGS[country.upper()][region]
