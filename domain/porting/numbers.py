"""What kind of number it is, and which numbers can go into one order.

Sources: the North American Numbering Plan as the ``phonenumbers`` library knows it; local numbers are
ported between carriers of one country through its number portability database, toll-free numbers by
a change of the responsible organization (RespOrg). An order goes to one losing carrier, so numbers of
several carriers, kinds or countries make several orders. Whether somebody holds a number is not asked:
only its area code counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from domain.porting.portability import PortabilityCheck
from domain.porting.rejection_codes import RejectionCode
from domain.porting.rejections import REJECTIONS
from domain.porting.words import Portability, PortKind

__all__ = [
    "PORTED_COUNTRIES",
    "Exclusion",
    "ExclusionReason",
    "Grouping",
    "NumberFacts",
    "OrderGroup",
    "classify",
    "group_for_orders",
]

PORTED_COUNTRIES: Final = frozenset({"US", "CA", "PR", "VI", "GU", "AS", "MP"})
"""Countries and territories whose numbers are ported through the North American database; the rest
of the numbering plan has arrangements of its own."""

_NANP: Final = re.compile(r"\+1([0-9]{3})[0-9]{7}")
_SAMPLE: Final = "2345678"
"""A subscriber part that nearly every area code can have, so that the area code alone decides."""


class ExclusionReason(StrEnum):
    """Why a number is in no order."""

    NOT_NORTH_AMERICAN = "not_north_american"
    UNKNOWN_AREA_CODE = "unknown_area_code"
    PREMIUM_RATE = "premium_rate"
    PERSONAL = "personal"
    COUNTRY_NOT_SERVED = "country_not_served"
    NOT_PORTABLE = "not_portable"


_WORDS: Final[Mapping[ExclusionReason, str]] = {
    ExclusionReason.NOT_NORTH_AMERICAN: (
        "Only numbers of the United States and Canada can be ported; it begins with another code "
        "than +1 or has not ten digits behind it."
    ),
    ExclusionReason.UNKNOWN_AREA_CODE: "Its area code is not in use; check the number.",
    ExclusionReason.PREMIUM_RATE: "Premium rate numbers cannot be ported.",
    ExclusionReason.PERSONAL: "Numbers of personal services (5XX) are not ported between carriers.",
    ExclusionReason.COUNTRY_NOT_SERVED: (
        "Its country shares +1 but not the porting database; port it with a carrier there."
    ),
    ExclusionReason.NOT_PORTABLE: "The carrier says that the number cannot be ported.",
}


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What the number itself says. ``country`` is an ISO 3166 code; of toll-free numbers, which
    belong to no country of the plan, it is ``US``. ``excluded`` says why it cannot be ported."""

    kind: PortKind
    country: str | None
    excluded: ExclusionReason | None = None


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """Numbers for one order, in the order in which they were given. ``spid`` and ``losing_carrier``
    are ``None`` when the check could not say them."""

    kind: PortKind
    country: str
    spid: str | None
    losing_carrier: str | None
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A number that is in no group, and why, for people; ``code`` is the carrier's verdict."""

    number: str
    reason: ExclusionReason
    text: str
    code: RejectionCode | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """Every number once: in one group or among the excluded."""

    groups: tuple[OrderGroup, ...]
    excluded: tuple[Exclusion, ...]

    @property
    def mixed(self) -> bool:
        """Whether several orders are needed."""
        return len(self.groups) > 1


def classify(number: str) -> NumberFacts:
    """What kind of number this is (E.164 with ``+``)."""
    written = _NANP.fullmatch(number)
    if written is None:
        return NumberFacts(PortKind.LOCAL, None, ExclusionReason.NOT_NORTH_AMERICAN)
    return _of_area_code(written[1])


def group_for_orders(
    checks: Iterable[PortabilityCheck], *, accounts: Mapping[str, str] | None = None
) -> Grouping:
    """Sort numbers into orders by losing carrier, kind, country and account.

    ``accounts`` tells apart numbers of different accounts with one carrier: any word per number that
    is equal for equal accounts. Numbers whose carrier nobody knows make an order of their own, so
    that a guess does not hold up the others. A number that is given twice counts once, the first
    time. Numbers that are not portable are excluded; those of which it is not known are not.
    """
    groups: dict[tuple[object, ...], list[PortabilityCheck]] = {}
    excluded: dict[str, Exclusion] = {}
    once = {each.number: each for each in reversed(list(checks))}
    for check in reversed(once.values()):
        facts = classify(check.number)
        exclusion = _exclusion(check, facts)
        if exclusion is not None:
            excluded[check.number] = exclusion
            continue
        carrier = check.spid or (None, check.losing_carrier)
        account = (accounts or {}).get(check.number)
        key = (facts.kind, _country(check, facts), carrier, account)
        groups.setdefault(key, []).append(check)
    return Grouping(tuple(_group(each) for each in groups.values()), tuple(excluded.values()))


def _exclusion(check: PortabilityCheck, facts: NumberFacts) -> Exclusion | None:
    if facts.excluded is not None and not _newer(check, facts):
        return Exclusion(check.number, facts.excluded, _WORDS[facts.excluded])
    if check.portability is not Portability.NO:
        return None
    reason = ExclusionReason.NOT_PORTABLE
    text = check.reason or _WORDS[reason]
    if check.code is not None:
        text = REJECTIONS[check.code].fix
    return Exclusion(check.number, reason, text, check.code)


def _country(check: PortabilityCheck, facts: NumberFacts) -> str:
    return facts.country or check.country or "US"


def _newer(check: PortabilityCheck, facts: NumberFacts) -> bool:
    """Whether a carrier knows an area code that the library does not know yet."""
    return facts.excluded is ExclusionReason.UNKNOWN_AREA_CODE and check.portable


def _group(checks: list[PortabilityCheck]) -> OrderGroup:
    first = checks[0]
    facts = classify(first.number)
    named = (each.losing_carrier for each in checks if each.losing_carrier)
    return OrderGroup(
        kind=facts.kind,
        country=_country(first, facts),
        spid=first.spid or None,
        losing_carrier=next(named, None),
        numbers=tuple(each.number for each in checks),
    )


@cache
def _of_area_code(code: str) -> NumberFacts:
    parsed = phonenumbers.parse(f"+1{code}{_SAMPLE}")
    country = phonenumbers.region_code_for_number(parsed) or _small_countries().get(code)
    match phonenumbers.number_type(parsed):
        case PhoneNumberType.TOLL_FREE:
            return NumberFacts(PortKind.TOLL_FREE, "US")
        case PhoneNumberType.PREMIUM_RATE:
            return NumberFacts(PortKind.LOCAL, country, ExclusionReason.PREMIUM_RATE)
        case PhoneNumberType.PERSONAL_NUMBER:
            return NumberFacts(PortKind.LOCAL, country, ExclusionReason.PERSONAL)
    if country is None:
        return NumberFacts(PortKind.LOCAL, None, ExclusionReason.UNKNOWN_AREA_CODE)
    if country not in PORTED_COUNTRIES:
        return NumberFacts(PortKind.LOCAL, country, ExclusionReason.COUNTRY_NOT_SERVED)
    return NumberFacts(PortKind.LOCAL, country)


@cache
def _small_countries() -> Mapping[str, str]:
    """Area codes of islands whose few exchanges leave the sample out, by the library's examples."""
    examples = {
        country: phonenumbers.example_number(country)
        for country in phonenumbers.region_codes_for_country_code(1)
    }
    return {
        str(number.national_number)[:3]: country
        for country, number in examples.items()
        if number is not None
    }
