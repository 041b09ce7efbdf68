"""What is known before anything is ordered: checks, groups, business days, reasons of rejections."""

from __future__ import annotations

from datetime import date as Day
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, Field

from domain.porting.rejections import REJECTIONS, Fixer, NewLoa, Rejection, RejectionCode
from domain.porting.words import Portability, PortKind

__all__ = [
    "EXAMPLE_BUSINESS_DAYS",
    "EXAMPLE_CHECK",
    "EXAMPLE_CODES",
    "EXAMPLE_GROUP",
    "BusinessDaysView",
    "CheckResult",
    "CheckView",
    "DayOffView",
    "ExcludedView",
    "GroupView",
    "ReasonView",
    "RejectionCodeList",
    "RejectionCodeView",
]

EXAMPLE_GROUP: Final[dict[str, Any]] = {
    "phone_numbers": ["+14150000000"],
    "kind": "local",
    "country": "US",
    "losing_carrier": "Example Telephone",
    "spid": "901X",
    "carrier_profile": "default",
    "lead_days": 7,
    "earliest_target_date": "2026-03-16",
    "suggested_target_date": "2026-03-16",
}
EXAMPLE_CHECK: Final[dict[str, Any]] = {
    "results": [
        {
            "phone_number": "+14150000000",
            "portable": True,
            "number_type": "landline",
            "pin_required": False,
            "portability": "yes",
            "reason": None,
            "losing_carrier": "Example Telephone",
            "lead_days": None,
            "checked_at": "2026-03-09T12:00:00Z",
        }
    ],
    "groups": [EXAMPLE_GROUP],
    "advice": [],
}
EXAMPLE_CODES: Final[dict[str, Any]] = {
    "rejection_codes": [
        {
            "code": "name_mismatch",
            "fix": REJECTIONS[RejectionCode.NAME_MISMATCH].fix,
            "who": "customer",
            "needs_new_loa": "yes",
            "recoverable": True,
            "fields": ["customer_name"],
        }
    ]
}
EXAMPLE_BUSINESS_DAYS: Final[dict[str, Any]] = {
    "carrier_profile": "default",
    "label": "Generic carrier in the United States",
    "time_zone": "America/New_York",
    "cutoff": "13:00",
    "from": "2026-03-13",
    "n": 1,
    "date": "2026-03-16",
    "days": ["2026-03-16"],
    "days_off": [
        {"date": "2026-03-14", "reason": "Saturday"},
        {"date": "2026-03-15", "reason": "Sunday"},
    ],
    "earliest_target_date": "2026-03-20",
    "suggested_target_date": "2026-03-23",
}


class ReasonView(BaseModel):
    """Why a number cannot be ordered, or why it is not known."""

    code: Annotated[str, Field(description="For programs; those of carriers' verdicts are listed.")]
    text: Annotated[str, Field(description="For people.")]


class CheckResult(BaseModel):
    """What the winning carrier says of a number."""

    phone_number: str
    portable: Annotated[bool, Field(description="`false` also when it is not known.")]
    number_type: Annotated[str, Field(description="`landline`, `mobile`, `toll-free`, `unknown`.")]
    pin_required: bool
    portability: Portability
    reason: ReasonView | None
    losing_carrier: Annotated[
        str | None, Field(description="Who has the number; the bill's brand may be its reseller.")
    ]
    lead_days: Annotated[
        int | None, Field(description="Calendar days that the carrier asks for itself.")
    ]
    checked_at: Annotated[
        AwareDatetime | None, Field(description="Null: the carrier could not be asked.")
    ]


class GroupView(BaseModel):
    """Numbers that go into one order."""

    phone_numbers: list[str]
    kind: PortKind
    country: str
    losing_carrier: str | None
    spid: str | None
    carrier_profile: Annotated[str, Field(description="Whose calendar and periods hold.")]
    lead_days: int
    earliest_target_date: Day
    suggested_target_date: Annotated[
        Day, Field(description="The first date that leaves a business day to put things right.")
    ]


class ExcludedView(BaseModel):
    """A number that is in no order."""

    phone_number: str
    reason: ReasonView


class CheckView(BaseModel):
    """Numbers one by one, and how they would be ordered."""

    results: list[CheckResult]
    groups: list[GroupView]
    advice: Annotated[list[str], Field(description="What to know before ordering, for people.")]


class RejectionCodeView(BaseModel):
    """Why an order may come back, and what cures it."""

    code: RejectionCode
    fix: str
    who: Annotated[Fixer, Field(description="Who can make the fix.")]
    needs_new_loa: Annotated[NewLoa, Field(description="`maybe`: it depends on what changes.")]
    recoverable: Annotated[bool, Field(description="Whether an order can go on after the fix.")]
    fields: Annotated[list[str], Field(description="What a resubmission may change for it.")]

    @classmethod
    def of(cls, known: Rejection) -> RejectionCodeView:
        """A row of the table."""
        return cls(
            code=known.code,
            fix=known.fix,
            who=known.who,
            needs_new_loa=known.needs_new_loa,
            recoverable=known.recoverable,
            fields=sorted(known.fields),
        )


class RejectionCodeList(BaseModel):
    """Every code."""

    rejection_codes: list[RejectionCodeView]


class DayOffView(BaseModel):
    """A day on which the carrier does not work."""

    date: Day
    reason: str


class BusinessDaysView(BaseModel):
    """Business days of a losing carrier."""

    carrier_profile: str
    label: str
    time_zone: str
    cutoff: Annotated[str, Field(description="Local time until which a day still counts.")]
    from_: Annotated[Day, Field(alias="from", serialization_alias="from")]
    n: int
    date: Annotated[Day, Field(description="The `n`th business day behind `from`.")]
    days: list[Day]
    days_off: Annotated[list[DayOffView], Field(description="Days in between that do not count.")]
    earliest_target_date: Annotated[Day, Field(description="Of an order that is placed on `from`.")]
    suggested_target_date: Day
