"""What every rejection means to the people who have to cure it.

Sources: 47 CFR 52.36 for what a losing carrier may ask for, 64.1130 and 64.1190 for letters and
freezes; the fixes are practice.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain.porting.order import OrderField
from domain.porting.rejection_codes import Fixer, NewLoa, Rejection, RejectionCode

__all__ = ["REJECTIONS"]

_CODE = RejectionCode
_FIELD = OrderField


def _customer(
    code: RejectionCode,
    fix: str,
    *fields: OrderField,
    loa: NewLoa = NewLoa.NO,
    closes: bool = False,
) -> Rejection:
    return Rejection(code, fix, Fixer.CUSTOMER, loa, frozenset(fields), closes_carrier_order=closes)


def _operator(code: RejectionCode, fix: str, *, recoverable: bool = True) -> Rejection:
    return Rejection(
        code, fix, Fixer.OPERATOR, NewLoa.NO, frozenset({_FIELD.PHONE_NUMBERS}), recoverable
    )


_ROWS: Final = (
    _customer(
        _CODE.ACCOUNT_NUMBER_MISMATCH,
        "Enter the account number as the newest bill prints it, with its leading zeros and dashes. "
        "Resellers of mobile service have one for leaving that often differs from the one you log "
        "in with: ask for the port-out account number.",
        _FIELD.ACCOUNT_NUMBER,
    ),
    _customer(
        _CODE.PIN_REQUIRED,
        "Ask your present carrier for a number transfer PIN and enter it. The voicemail PIN and the "
        "password of the portal are different things.",
        _FIELD.PIN,
    ),
    _customer(
        _CODE.PIN_INVALID,
        "Ask your present carrier for a new number transfer PIN and enter it on the same day: such "
        "PINs are valid for a few days. The voicemail PIN and the portal's password do not work.",
        _FIELD.PIN,
    ),
    _customer(
        _CODE.NAME_MISMATCH,
        "Write the name exactly as the carrier has it, with every comma, initial and company form "
        "such as Inc. Ask the carrier for the customer service record, or copy the bill.",
        _FIELD.CUSTOMER_NAME,
        _FIELD.CUSTOMER_TYPE,
        loa=NewLoa.YES,
    ),
    _customer(
        _CODE.AUTHORIZED_PERSON_MISMATCH,
        "The person who signs must be listed on the account: have the person added at your present "
        "carrier, or let somebody sign who is listed.",
        _FIELD.AUTHORIZED_REPRESENTATIVE,
        _FIELD.AUTHORIZED_REPRESENTATIVE_EMAIL,
        loa=NewLoa.YES,
    ),
    _customer(
        _CODE.ADDRESS_MISMATCH,
        "Enter the service address, where the line is installed, as the carrier has it; a billing "
        "address or a P.O. box is not meant. The customer service record shows it.",
        _FIELD.SERVICE_ADDRESS,
        _FIELD.POSTAL_CODE,
        loa=NewLoa.YES,
    ),
    _customer(
        _CODE.POSTAL_CODE_MISMATCH,
        "Enter the ZIP of the account; for mobile service it is the one bills are sent to.",
        _FIELD.POSTAL_CODE,
    ),
    _customer(
        _CODE.BTN_MISMATCH,
        "Enter the main number of the account, at the top of the bill. It need not be one of the "
        "numbers you move.",
        _FIELD.BILLING_TELEPHONE_NUMBER,
        _FIELD.ACCOUNT_NUMBER,
        loa=NewLoa.MAYBE,
    ),
    _customer(
        _CODE.MAIN_BTN_PORTING,
        "You move the main number of the account but keep others there. Name a new main number for "
        "those that stay, or move all.",
        _FIELD.PORT_TYPE,
        _FIELD.NEW_BILLING_TELEPHONE_NUMBER,
        _FIELD.REMAINING_NUMBERS_ACTION,
        _FIELD.PHONE_NUMBERS,
        loa=NewLoa.YES,
    ),
    _customer(
        _CODE.NUMBER_NOT_ON_ACCOUNT,
        "Your present carrier does not find the number on this account. Take it out of the order, "
        "or enter the account that it belongs to.",
        _FIELD.PHONE_NUMBERS,
        _FIELD.ACCOUNT_NUMBER,
        _FIELD.BILLING_TELEPHONE_NUMBER,
        loa=NewLoa.YES,
        closes=True,
    ),
    _customer(
        _CODE.NUMBER_INACTIVE,
        "A number that is disconnected cannot be ported. Have your present carrier restore it, then "
        "resubmit, or take it out of the order.",
        _FIELD.PHONE_NUMBERS,
        closes=True,
    ),
    _customer(
        _CODE.NUMBER_LOCKED,
        "Have your present carrier lift the port protection, number lock or carrier freeze, then "
        "resubmit.",
        _FIELD.PIN,
    ),
    _customer(
        _CODE.SPECIAL_FEATURE,
        "A hunt group, DSL, ISDN or remote call forwarding hangs on the number. Have your present "
        "carrier remove it, then resubmit. DSL on that line may end.",
        _FIELD.PHONE_NUMBERS,
    ),
    _customer(
        _CODE.PENDING_ORDER,
        "Another order is open on the account, such as an upgrade or a move. Let it finish or have "
        "it canceled, then resubmit.",
    ),
    Rejection(
        _CODE.SPLIT_REQUIRED,
        "The numbers do not belong to one account or carrier. We split the order; each part needs "
        "the data of its own account.",
        Fixer.SYSTEM,
        NewLoa.MAYBE,
        frozenset({_FIELD.PHONE_NUMBERS, _FIELD.ACCOUNT_NUMBER, _FIELD.BILLING_TELEPHONE_NUMBER}),
    ),
    _operator(
        _CODE.NOT_PORTABLE,
        "No carrier of ours serves the place of this number. Forward it from where it is, or keep "
        "it there and connect that carrier as a trunk.",
        recoverable=False,
    ),
    _operator(
        _CODE.MANUAL_ONLY,
        "The carriers exchange this number by hand. The porting desk does it, which takes longer.",
    ),
    _operator(
        _CODE.ALREADY_HERE,
        "The number is already with the carrier that takes numbers over for us. It needs a transfer "
        "between accounts, no port.",
        recoverable=False,
    ),
    _customer(
        _CODE.LOA_INVALID,
        "The letter of authorization was refused. We write it anew; please sign again.",
        _FIELD.AUTHORIZED_REPRESENTATIVE,
        _FIELD.AUTHORIZED_REPRESENTATIVE_EMAIL,
        _FIELD.CUSTOMER_NAME,
        _FIELD.SERVICE_ADDRESS,
        _FIELD.BILLING_ADDRESS,
        _FIELD.POSTAL_CODE,
        loa=NewLoa.YES,
    ),
    _customer(
        _CODE.BILL_INVALID,
        "Upload the newest bill, at most 30 days old, with whole pages that show the name, the "
        "address and the number.",
        _FIELD.DOCUMENTS,
    ),
    Rejection(
        _CODE.FOC_PROBLEM,
        "The date does not work for the losing carrier or has passed. Choose a later business day; "
        "we propose the next good one.",
        Fixer.SYSTEM,
        NewLoa.NO,
        frozenset({_FIELD.REQUESTED_DATE}),
    ),
    _operator(
        _CODE.NPAC_CONFLICT,
        "The losing carrier disputes the switch in the porting database. The porting desk calls it; "
        "keep your present service until it is settled.",
    ),
    _operator(
        _CODE.CARRIER_UNRESPONSIVE,
        "The losing carrier has not answered. The porting desk presses it; a call by you to its "
        "support helps too.",
    ),
    _customer(
        _CODE.ACCOUNT_STANDING,
        "Your present carrier names a debt or a contract. That is no reason to refuse a port, but "
        "it may bill you a fee, and a number that it disconnects is lost. Settle it there, then "
        "resubmit.",
    ),
    _operator(
        _CODE.TOLLFREE_SPARE,
        "Nobody holds this toll-free number, so there is nothing to port; it can be reserved anew.",
        recoverable=False,
    ),
    _operator(
        _CODE.TOLLFREE_UNAVAILABLE,
        "The toll-free registry withholds this number; it cannot be ported.",
        recoverable=False,
    ),
    _customer(
        _CODE.TOLLFREE_DENIED,
        "The responsible organization refused. Ask it what differs from its record, correct that, "
        "and sign a new letter.",
        _FIELD.CUSTOMER_NAME,
        _FIELD.AUTHORIZED_REPRESENTATIVE,
        _FIELD.SERVICE_ADDRESS,
        _FIELD.POSTAL_CODE,
        _FIELD.PHONE_NUMBERS,
        loa=NewLoa.YES,
    ),
    _customer(
        _CODE.TOLLFREE_DISCONNECTED,
        "The toll-free number is disconnected. Have the present provider restore it, then "
        "resubmit; otherwise the porting desk tries by hand.",
        _FIELD.PHONE_NUMBERS,
    ),
    _operator(
        _CODE.TOLLFREE_TRANSITIONAL,
        "The toll-free number is between two holders. The porting desk moves it by hand, or it "
        "becomes free after some months.",
    ),
    _customer(
        _CODE.TOLLFREE_MULTIPLE_RESPORGS,
        "These toll-free numbers are with more than one responsible organization. Keep those of one "
        "in this order and place another for the rest.",
        _FIELD.PHONE_NUMBERS,
        loa=NewLoa.YES,
    ),
    Rejection(
        _CODE.OTHER,
        "The carrier's own words say more. The porting desk looks at it and tells you what to do.",
        Fixer.OPERATOR,
        NewLoa.MAYBE,
        frozenset(_FIELD),
    ),
)

REJECTIONS: Final[Mapping[RejectionCode, Rejection]] = MappingProxyType(
    {row.code: row for row in _ROWS}
)
"""Every code with its row."""
