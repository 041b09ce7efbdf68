"""Why a port request comes back, in our own codes, and what cures it.

Every carrier has its own list; adapters map theirs to these codes and keep raw code and text beside
them. A rejection by the losing carrier never fails an order by itself: ``recoverable`` says whether
an order can go on once the fix is made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from domain.porting.order import OrderField
from domain.porting.rejection_codes import Fixer, NewLoa, Rejection, RejectionCode
from domain.porting.rejection_rows import REJECTIONS

__all__ = [
    "ALWAYS_CHANGEABLE",
    "LOA_FIELDS",
    "REJECTIONS",
    "Fixer",
    "NewLoa",
    "Rejection",
    "RejectionCode",
    "needs_new_loa",
    "rejection_code",
    "resubmission_fields",
]

LOA_FIELDS: Final = frozenset(
    {
        OrderField.PHONE_NUMBERS,
        OrderField.CUSTOMER_TYPE,
        OrderField.CUSTOMER_NAME,
        OrderField.AUTHORIZED_REPRESENTATIVE,
        OrderField.SERVICE_ADDRESS,
        OrderField.BILLING_ADDRESS,
        OrderField.BILLING_TELEPHONE_NUMBER,
        OrderField.PORT_TYPE,
        OrderField.NEW_BILLING_TELEPHONE_NUMBER,
        OrderField.REMAINING_NUMBERS_ACTION,
        OrderField.LOSING_CARRIER,
    }
)
"""Fields that the letter of authorization states (47 CFR 64.1130(e)): changed, it says what nobody
signed. A ZIP alone is cured without a new one, so ``POSTAL_CODE`` is not among them."""

ALWAYS_CHANGEABLE: Final = frozenset(
    {
        OrderField.DOCUMENTS,
        OrderField.REQUESTED_DATE,
        OrderField.NOTIFICATION_EMAILS,
        OrderField.CUSTOMER_REFERENCE,
        OrderField.TRUNK,
    }
)
"""Fields that a resubmission may change whatever was rejected."""


def needs_new_loa(
    changed: Collection[OrderField],
    codes: Iterable[RejectionCode] = (),
    *,
    numbers_only_left: bool = False,
) -> bool:
    """Whether somebody must sign again before these changes are sent.

    A change of what the letter states asks for it, and a letter that was refused itself. A mismatch
    that was cured at the losing carrier, with nothing changed here, does not, and a letter covers
    fewer numbers too: ``numbers_only_left`` says that none came in.
    """
    stated = LOA_FIELDS - {OrderField.PHONE_NUMBERS} if numbers_only_left else LOA_FIELDS
    return not stated.isdisjoint(changed) or RejectionCode.LOA_INVALID in set(codes)


def resubmission_fields(codes: Iterable[RejectionCode]) -> frozenset[OrderField]:
    """What may change to cure these rejections."""
    return ALWAYS_CHANGEABLE.union(*(REJECTIONS[code].fields for code in codes))


def rejection_code(word: str) -> RejectionCode:
    """The code that ``word`` names; a word of others is ``OTHER``."""
    try:
        return RejectionCode(word)
    except ValueError:
        return RejectionCode.OTHER
