"""The codes of rejections, and what is known of each. The rows are in ``rejection_rows``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.porting.order import OrderField

__all__ = ["Fixer", "NewLoa", "Rejection", "RejectionCode"]


class RejectionCode(StrEnum):
    """What is wrong, whichever carrier said it."""

    ACCOUNT_NUMBER_MISMATCH = "account_number_mismatch"
    PIN_REQUIRED = "pin_required"
    PIN_INVALID = "pin_invalid"
    NAME_MISMATCH = "name_mismatch"
    AUTHORIZED_PERSON_MISMATCH = "authorized_person_mismatch"
    ADDRESS_MISMATCH = "address_mismatch"
    POSTAL_CODE_MISMATCH = "postal_code_mismatch"
    BTN_MISMATCH = "btn_mismatch"
    MAIN_BTN_PORTING = "main_btn_porting"
    NUMBER_NOT_ON_ACCOUNT = "number_not_on_account"
    NUMBER_INACTIVE = "number_inactive"
    NUMBER_LOCKED = "number_locked"
    SPECIAL_FEATURE = "special_feature"
    PENDING_ORDER = "pending_order"
    SPLIT_REQUIRED = "split_required"
    NOT_PORTABLE = "not_portable"
    MANUAL_ONLY = "manual_only"
    ALREADY_HERE = "already_here"
    LOA_INVALID = "loa_invalid"
    BILL_INVALID = "bill_invalid"
    FOC_PROBLEM = "foc_problem"
    NPAC_CONFLICT = "npac_conflict"
    CARRIER_UNRESPONSIVE = "carrier_unresponsive"
    ACCOUNT_STANDING = "account_standing"
    TOLLFREE_SPARE = "tollfree_spare"
    TOLLFREE_UNAVAILABLE = "tollfree_unavailable"
    TOLLFREE_DENIED = "tollfree_denied"
    TOLLFREE_DISCONNECTED = "tollfree_disconnected"
    TOLLFREE_TRANSITIONAL = "tollfree_transitional"
    TOLLFREE_MULTIPLE_RESPORGS = "tollfree_multiple_resporgs"
    OTHER = "other"


class Fixer(StrEnum):
    """Who can make the fix."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    SYSTEM = "system"


class NewLoa(StrEnum):
    """Whether the fix asks for a new signature; ``MAYBE`` depends on the fields that change."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One code: the fix in plain words, and what a resubmission may change for it.

    ``closes_carrier_order`` says that carriers end their order with it, so what follows is a new
    submission to the carrier and no supplement.
    """

    code: RejectionCode
    fix: str
    who: Fixer
    needs_new_loa: NewLoa
    fields: frozenset[OrderField]
    recoverable: bool = True
    closes_carrier_order: bool = False
