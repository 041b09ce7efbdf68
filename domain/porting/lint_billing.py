"""Which numbers of the account move, and by which number the account is known (BTN)."""

from __future__ import annotations

from domain.porting.findings import Findings, LintSubject, error, warning
from domain.porting.numbers import classify
from domain.porting.order import OrderField
from domain.porting.words import PortKind, PortType, RemainingNumbers

__all__ = ["billing_findings"]

_FIELD = OrderField


def billing_findings(subject: LintSubject) -> Findings:
    """Findings about BTN and partial ports."""
    if subject.kind is PortKind.TOLL_FREE:
        yield from _toll_free(subject)
        return
    yield from _btn(subject)
    port_type = subject.details.port_type
    if port_type is None:
        yield warning(
            "port_type_missing",
            _FIELD.PORT_TYPE,
            "It is not said whether numbers of the account stay with the carrier.",
            "Choose full if all numbers of the account move, else partial.",
        )
    elif port_type is PortType.FULL:
        yield from _full(subject)
    else:
        yield from _partial(subject)


def _toll_free(subject: LintSubject) -> Findings:
    details = subject.details
    if details.port_type is PortType.PARTIAL:
        yield error(
            "toll_free_partial",
            _FIELD.PORT_TYPE,
            "Toll-free numbers are not tied to an account, so there is no partial port of them.",
            "Leave the port type out, or choose full.",
            submitted=details.port_type,
        )
    if details.billing_telephone_number:
        yield warning(
            "toll_free_btn",
            _FIELD.BILLING_TELEPHONE_NUMBER,
            "Toll-free numbers have no billing telephone number; it is not sent.",
            "Leave it out.",
            submitted=details.billing_telephone_number,
        )


def _btn(subject: LintSubject) -> Findings:
    btn = subject.details.billing_telephone_number
    if not btn:
        if len(subject.mobile) < len(subject.numbers):
            yield warning(
                "btn_missing",
                _FIELD.BILLING_TELEPHONE_NUMBER,
                "The billing telephone number is missing.",
                "Enter the main number at the top of the bill; it need not be one that moves.",
            )
        return
    facts = classify(btn)
    if facts.excluded is not None or facts.kind is PortKind.TOLL_FREE:
        yield error(
            "btn_shape",
            _FIELD.BILLING_TELEPHONE_NUMBER,
            "The billing telephone number is no local number of the United States or Canada.",
            "Write it as +1 and ten digits.",
            submitted=btn,
        )


def _full(subject: LintSubject) -> Findings:
    details = subject.details
    if details.new_billing_telephone_number or details.remaining_numbers_action:
        yield error(
            "full_with_remainder",
            _FIELD.PORT_TYPE,
            "The port is said to be full, and yet it says what becomes of numbers that stay.",
            "Choose partial, or leave out the new billing number and what becomes of the rest.",
            submitted=details.port_type,
        )
    elif len(subject.mobile) < len(subject.numbers):
        yield warning(
            "full_closes_account",
            _FIELD.PORT_TYPE,
            "A full port mostly closes the account, and what hangs on the lines ends, such as DSL.",
            "Move such services to another line first, or choose partial.",
        )


def _partial(subject: LintSubject) -> Findings:
    details = subject.details
    btn, new_btn = details.billing_telephone_number, details.new_billing_telephone_number
    if not btn:
        yield error(
            "partial_without_btn",
            _FIELD.BILLING_TELEPHONE_NUMBER,
            "For a partial port the carrier must know which account it is.",
            "Enter the main number at the top of the bill, also when it stays.",
        )
        return
    if new_btn and new_btn in subject.numbers:
        yield error(
            "new_btn_moves",
            _FIELD.NEW_BILLING_TELEPHONE_NUMBER,
            "The new billing number for the numbers that stay moves itself.",
            "Choose one of the numbers that stay.",
            submitted=new_btn,
        )
    if btn in subject.numbers:
        yield from _btn_moves(subject)


def _btn_moves(subject: LintSubject) -> Findings:
    details = subject.details
    if details.remaining_numbers_action is None:
        yield error(
            "remaining_numbers_undecided",
            _FIELD.REMAINING_NUMBERS_ACTION,
            "The billing telephone number moves, and it is not said what becomes of the rest.",
            "Choose keep, with a new billing number for them, or disconnect.",
        )
    elif (
        details.remaining_numbers_action is RemainingNumbers.KEEP
        and not details.new_billing_telephone_number
    ):
        yield error(
            "new_btn_missing",
            _FIELD.NEW_BILLING_TELEPHONE_NUMBER,
            "The billing telephone number moves, and the numbers that stay have no other.",
            "Choose one of the numbers that stay.",
        )
