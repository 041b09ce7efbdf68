"""Words of number porting: states of an order and of its numbers, and what they mean to people.

Sources: the six public statuses are API contract 6.3 and 6.4; ``draft`` is ours, and no order that
was made by ``initiate`` has it. A sub-status is finer and carrier-independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = [
    "NUMBER_TERMINAL",
    "TERMINAL",
    "CustomerType",
    "NumberStatus",
    "NumberType",
    "PortKind",
    "PortType",
    "Portability",
    "PublicStatus",
    "RemainingNumbers",
    "SubStatus",
    "next_step",
    "number_public_status",
    "public_status",
    "public_text",
]


class PublicStatus(StrEnum):
    """What clients of the contract see of an order."""

    DRAFT = "draft"
    WAITING_FOR_SIGNATURE = "waiting_for_signature"
    SUBMITTED = "submitted"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class SubStatus(StrEnum):
    """Where an order stands. That a cancellation was asked for is a moment beside it."""

    DRAFT = "draft"
    VALIDATING = "validating"
    AWAITING_DOCUMENTS = "awaiting_documents"
    AWAITING_SIGNATURE = "awaiting_signature"
    IN_REVIEW = "in_review"
    SUBMITTING = "submitting"
    LSR_SENT = "lsr_sent"
    ACTION_REQUIRED = "action_required"
    SUPP_SENT = "supp_sent"
    FOC_CONFIRMED = "foc_confirmed"
    ACTIVATING = "activating"
    VERIFYING = "verifying"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partially_completed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    FAILED = "failed"


class NumberStatus(StrEnum):
    """Where one number of an order stands; the carrier's own word is kept beside it."""

    REQUESTED = "requested"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    ACTIVATING = "activating"
    PORTED = "ported"
    VERIFIED = "verified"
    REJECTED = "rejected"
    DROPPED = "dropped"
    CANCELED = "canceled"
    FAILED = "failed"


class NumberType(StrEnum):
    """What service a number is of, in the words of API contract 6.1 (``toll_free`` is written as
    the other types are)."""

    LANDLINE = "landline"
    MOBILE = "mobile"
    TOLL_FREE = "toll_free"


class PortKind(StrEnum):
    """How a number changes hands: local service requests and NPAC, or RespOrg change."""

    LOCAL = "local"
    TOLL_FREE = "toll_free"


class PortType(StrEnum):
    """Whether all numbers of the account leave, or some stay with the losing carrier."""

    FULL = "full"
    PARTIAL = "partial"


class RemainingNumbers(StrEnum):
    """What becomes of the numbers that a partial port leaves behind."""

    KEEP = "keep"
    DISCONNECT = "disconnect"


class Portability(StrEnum):
    """What a check says. ``UNKNOWN`` is no ``NO``: carriers' checks are down at times."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class CustomerType(StrEnum):
    """Whose account it is with the losing carrier (``personal`` and ``Individual`` of contract 6.3
    are one)."""

    BUSINESS = "business"
    INDIVIDUAL = "individual"


TERMINAL: Final = frozenset(
    {
        SubStatus.COMPLETED,
        SubStatus.PARTIALLY_COMPLETED,
        SubStatus.CANCELED,
        SubStatus.EXPIRED,
        SubStatus.FAILED,
    }
)
"""Sub-statuses of an order that has ended."""

NUMBER_TERMINAL: Final = frozenset(
    {NumberStatus.VERIFIED, NumberStatus.DROPPED, NumberStatus.CANCELED, NumberStatus.FAILED}
)
"""Statuses of a number for which nothing more will happen in its order."""

_PUBLIC: Final[Mapping[SubStatus, PublicStatus]] = MappingProxyType(
    {
        SubStatus.DRAFT: PublicStatus.DRAFT,
        SubStatus.VALIDATING: PublicStatus.WAITING_FOR_SIGNATURE,
        SubStatus.AWAITING_DOCUMENTS: PublicStatus.WAITING_FOR_SIGNATURE,
        SubStatus.AWAITING_SIGNATURE: PublicStatus.WAITING_FOR_SIGNATURE,
        SubStatus.IN_REVIEW: PublicStatus.SUBMITTED,
        SubStatus.SUBMITTING: PublicStatus.SUBMITTED,
        SubStatus.LSR_SENT: PublicStatus.SUBMITTED,
        SubStatus.ACTION_REQUIRED: PublicStatus.IN_PROGRESS,
        SubStatus.SUPP_SENT: PublicStatus.IN_PROGRESS,
        SubStatus.FOC_CONFIRMED: PublicStatus.IN_PROGRESS,
        SubStatus.ACTIVATING: PublicStatus.IN_PROGRESS,
        SubStatus.VERIFYING: PublicStatus.IN_PROGRESS,
        SubStatus.COMPLETED: PublicStatus.COMPLETED,
        SubStatus.PARTIALLY_COMPLETED: PublicStatus.COMPLETED,
        SubStatus.CANCELED: PublicStatus.CANCELED,
        SubStatus.EXPIRED: PublicStatus.CANCELED,
        SubStatus.FAILED: PublicStatus.FAILED,
    }
)

_TEXT: Final[Mapping[SubStatus, str]] = MappingProxyType(
    {
        SubStatus.DRAFT: "The order is a draft; nothing was sent to anybody.",
        SubStatus.VALIDATING: "We are checking the numbers and what you told us about the account.",
        SubStatus.AWAITING_DOCUMENTS: "A document is missing or cannot be used.",
        SubStatus.AWAITING_SIGNATURE: (
            "The letter of authorization waits for the signature of the authorized representative."
        ),
        SubStatus.IN_REVIEW: "The letter is signed; our porting desk looks at the order.",
        SubStatus.SUBMITTING: "The order is on its way to the carrier that takes the numbers over.",
        SubStatus.LSR_SENT: "Your present carrier has the request and has not answered yet.",
        SubStatus.ACTION_REQUIRED: (
            "The request came back; something has to be corrected before it can go on."
        ),
        SubStatus.SUPP_SENT: (
            "The corrected request was sent; your present carrier has not answered yet."
        ),
        SubStatus.FOC_CONFIRMED: "Your present carrier agreed and confirmed a date.",
        SubStatus.ACTIVATING: "The numbers are being switched over.",
        SubStatus.VERIFYING: (
            "The carriers report the switch as done; we are waiting for a call that proves it."
        ),
        SubStatus.COMPLETED: "All numbers are here and take calls.",
        SubStatus.PARTIALLY_COMPLETED: "Some numbers are here and take calls; others did not come.",
        SubStatus.CANCELED: "The order was canceled; the numbers stay with your present carrier.",
        SubStatus.EXPIRED: (
            "The order ended because what it waited for did not come in time; the numbers stay "
            "with your present carrier."
        ),
        SubStatus.FAILED: "The order ended without success; the numbers stay where they are.",
    }
)

_NEXT: Final[Mapping[SubStatus, str]] = MappingProxyType(
    {
        SubStatus.DRAFT: "Complete the draft and submit it.",
        SubStatus.VALIDATING: "Nothing to do; this takes seconds, at times minutes.",
        SubStatus.AWAITING_DOCUMENTS: (
            "Upload a complete bill that is at most 30 days old and attach it to the order."
        ),
        SubStatus.AWAITING_SIGNATURE: (
            "The authorized representative opens the link in the e-mail and signs; ask for a new "
            "link if it is lost."
        ),
        SubStatus.IN_REVIEW: "Nothing to do; the desk sends the order on or asks you.",
        SubStatus.SUBMITTING: "Nothing to do.",
        SubStatus.LSR_SENT: (
            "Nothing to do. Keep the present service and change nothing about the account."
        ),
        SubStatus.ACTION_REQUIRED: "Correct what is listed and resubmit the order.",
        SubStatus.SUPP_SENT: (
            "Nothing to do. Keep the present service and change nothing about the account."
        ),
        SubStatus.FOC_CONFIRMED: (
            "Be ready for calls on the confirmed date. Do not cancel the present service."
        ),
        SubStatus.ACTIVATING: "Nothing to do. Do not cancel the present service yet.",
        SubStatus.VERIFYING: (
            "Call the numbers from another phone. Do not cancel the present service yet."
        ),
        SubStatus.COMPLETED: "Cancel what is left of the service at the old carrier.",
        SubStatus.PARTIALLY_COMPLETED: (
            "Look at the numbers that did not come; a new order can port them."
        ),
        SubStatus.CANCELED: "Place a new order if you still want to port the numbers.",
        SubStatus.EXPIRED: "Place a new order when you have what was missing.",
        SubStatus.FAILED: "Read the reason; a new order is needed once it is gone.",
    }
)

_NUMBER_PUBLIC: Final[Mapping[NumberStatus, PublicStatus | None]] = MappingProxyType(
    {
        NumberStatus.REQUESTED: None,
        NumberStatus.SUBMITTED: None,
        NumberStatus.ACCEPTED: PublicStatus.IN_PROGRESS,
        NumberStatus.ACTIVATING: PublicStatus.IN_PROGRESS,
        NumberStatus.PORTED: PublicStatus.IN_PROGRESS,
        NumberStatus.VERIFIED: PublicStatus.COMPLETED,
        NumberStatus.REJECTED: PublicStatus.IN_PROGRESS,
        NumberStatus.DROPPED: PublicStatus.CANCELED,
        NumberStatus.CANCELED: PublicStatus.CANCELED,
        NumberStatus.FAILED: PublicStatus.FAILED,
    }
)


def public_status(sub_status: SubStatus) -> PublicStatus:
    """The contract's status of an order."""
    return _PUBLIC[sub_status]


def number_public_status(number: NumberStatus, order: SubStatus) -> PublicStatus:
    """The contract's status of a number (6.4): its own where it has one, else that of its order.

    In an order that has ended no number is under way: what is here is completed, and what did not
    come though others did has failed.
    """
    if order in TERMINAL and number not in NUMBER_TERMINAL:
        if number is NumberStatus.PORTED:
            return PublicStatus.COMPLETED
        ended = _PUBLIC[order]
        return PublicStatus.FAILED if ended is PublicStatus.COMPLETED else ended
    return _NUMBER_PUBLIC[number] or _PUBLIC[order]


def public_text(sub_status: SubStatus) -> str:
    """One sentence that tells the customer where the order stands."""
    return _TEXT[sub_status]


def next_step(sub_status: SubStatus) -> str:
    """What the customer does now."""
    return _NEXT[sub_status]
