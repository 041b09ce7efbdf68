"""Numbers and rejections in the pictures that the simulated carrier gives of an order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from carriers.simulator_state import Flaw
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierRejection, NumberSnapshot
from domain.porting.words import NumberStatus

__all__ = ["changed", "moved", "rejection_of", "told"]

_N = NumberStatus

_RAW: Final[Mapping[NumberStatus, str]] = MappingProxyType(
    {
        _N.SUBMITTED: "Pending",
        _N.ACCEPTED: "Concurred",
        _N.ACTIVATING: "Sending",
        _N.PORTED: "Active",
        _N.REJECTED: "Conflict",
        _N.CANCELED: "Cancelled",
    }
)
"""Words of a number's life in the porting database (NPAC)."""

_TEXT: Final[Mapping[RejectionCode, str]] = MappingProxyType(
    {
        RejectionCode.PIN_INVALID: "The PIN provided does not match the account.",
        RejectionCode.PIN_REQUIRED: "A PIN is required for this account.",
        RejectionCode.NAME_MISMATCH: "The end user name does not match the customer service record.",
        RejectionCode.NPAC_CONFLICT: "The old service provider has placed the subscription in conflict.",
        RejectionCode.NUMBER_NOT_ON_ACCOUNT: "The telephone number is not on this account.",
        RejectionCode.ACCOUNT_NUMBER_MISMATCH: "The account number does not match.",
        RejectionCode.POSTAL_CODE_MISMATCH: "The ZIP code does not match the account.",
    }
)


def told(
    known: tuple[NumberSnapshot, ...], wanted: tuple[str, ...], *, anew: bool
) -> tuple[NumberSnapshot, ...]:
    """The numbers that a request leaves and brings; those that it leaves out stay, canceled.

    With ``anew`` the losing carrier looks again at those that it rejected.
    """
    before = {each.number: each for each in known}
    kept = [each if each.number in wanted else moved(each, _N.CANCELED) for each in known]
    again = [
        changed(each, _N.SUBMITTED)
        if anew and each.number in wanted and each.status in (_N.REJECTED, _N.CANCELED)
        else each
        for each in kept
    ]
    new = [
        NumberSnapshot(number=number, status=_N.SUBMITTED, raw=_RAW[_N.SUBMITTED])
        for number in wanted
        if number not in before
    ]
    return (*again, *new)


def moved(
    each: NumberSnapshot, status: NumberStatus, rejection: RejectionCode | None = None
) -> NumberSnapshot:
    """The number with this status, unless it has come or gone before, or was rejected and would go on."""
    gone = each.status in (_N.PORTED, _N.CANCELED)
    refused = each.status is _N.REJECTED and status in (_N.ACCEPTED, _N.ACTIVATING, _N.PORTED)
    return each if gone or refused else changed(each, status, rejection)


def changed(
    each: NumberSnapshot, status: NumberStatus, rejection: RejectionCode | None = None
) -> NumberSnapshot:
    """The number with this status."""
    return each.model_copy(update={"status": status, "raw": _RAW[status], "rejection": rejection})


def rejection_of(flaw: Flaw) -> CarrierRejection:
    """What the losing carrier says of a flaw."""
    return CarrierRejection(
        code=flaw.code,
        raw_code=flaw.code.value.upper(),
        text=_TEXT.get(flaw.code, "The request was rejected."),
        numbers=flaw.numbers,
    )
