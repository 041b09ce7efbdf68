"""What the linter says of an order: findings, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from domain.porting.business_time import BusinessCalendar
from domain.porting.carrier_profile import CarrierProfile
from domain.porting.order import SECRET_FIELDS, OrderField, PortDetails, PortSecrets
from domain.porting.portability import PortabilityCheck
from domain.porting.words import NumberType, PortKind

__all__ = ["Finding", "Findings", "LintSubject", "Severity", "error", "warning"]


class Severity(StrEnum):
    """An error is refused by carriers for certain, a warning often or with bad luck."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what it is, and what to change.

    ``code`` is stable, for programs. ``submitted`` is the value, never that of a secret; ``number``
    is the phone number that it is about, if it is about one.
    """

    severity: Severity
    code: str
    field: OrderField
    what: str
    to_change: str
    submitted: str | None = None
    number: str | None = None

    def __post_init__(self) -> None:
        if self.submitted is not None and self.field in SECRET_FIELDS:
            raise ValueError(f"A finding never shows the {self.field} that was submitted.")


Findings = Iterator[Finding]
"""What a rule yields."""


@dataclass(frozen=True, slots=True)
class LintSubject:
    """An order of one kind and losing carrier, as it would be sent at ``now``.

    ``checks`` are what is known of its numbers. ``bill_name`` is the name as the bill or the
    customer service record prints it, where somebody read it.
    """

    details: PortDetails
    secrets: PortSecrets
    numbers: tuple[str, ...]
    kind: PortKind
    profile: CarrierProfile
    calendar: BusinessCalendar
    now: datetime
    checks: Mapping[str, PortabilityCheck] = field(default_factory=dict)
    bill_name: str | None = None

    @property
    def today(self) -> date:
        """The day that it is at the losing carrier."""
        return self.calendar.local_date(self.now)

    @property
    def mobile(self) -> tuple[str, ...]:
        """The numbers that are known to be mobile ones."""
        return tuple(each for each in self.numbers if self._type(each) is NumberType.MOBILE)

    @property
    def lead_days(self) -> int | None:
        """The longest lead that a carrier names for any of the numbers, in days."""
        leads = [check.lead_days for check in self.checks.values() if check.lead_days is not None]
        return max(leads, default=None)

    def _type(self, number: str) -> NumberType | None:
        check = self.checks.get(number)
        return None if check is None else check.number_type


def error(
    code: str,
    field: OrderField,
    what: str,
    to_change: str,
    *,
    submitted: str | None = None,
    number: str | None = None,
) -> Finding:
    """A finding that carriers refuse for certain."""
    return Finding(Severity.ERROR, code, field, what, to_change, submitted, number)


def warning(
    code: str,
    field: OrderField,
    what: str,
    to_change: str,
    *,
    submitted: str | None = None,
    number: str | None = None,
) -> Finding:
    """A finding that may bring the order back."""
    return Finding(Severity.WARNING, code, field, what, to_change, submitted, number)
