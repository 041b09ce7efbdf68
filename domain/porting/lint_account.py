"""The account: its number, its main number (BTN), its PIN, and what stays of it.

Source: 47 CFR 52.36 for account number, ZIP and passcode. Account numbers and PINs are looked at and
never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from domain.porting.findings import Findings, LintSubject, error, warning
from domain.porting.order import OrderField

__all__ = ["account_findings", "pin_findings"]

_NANP: Final = re.compile(r"\+?1?[2-9][0-9]{2}[2-9][0-9]{6}")
_PIN: Final = re.compile(r"[0-9A-Za-z]{4,15}")
_FIELD = OrderField


def account_findings(subject: LintSubject) -> Findings:
    """Findings about account numbers."""
    given = list(_given(subject.secrets.account_number, subject.secrets.account_numbers))
    without = [each for each in subject.numbers if not subject.secrets.account_number_of(each)]
    if without:
        yield warning(
            "account_number_missing",
            _FIELD.ACCOUNT_NUMBER,
            "There is no account number."
            if len(without) == len(subject.numbers)
            else f"{len(without)} of the numbers have no account number.",
            "Copy it from the newest bill; most carriers refuse a request without it.",
            number=without[0] if len(without) == 1 else None,
        )
    for value, number in given:
        yield from _account_number(subject, value, number)


def _account_number(subject: LintSubject, value: str, number: str | None) -> Findings:
    field = _FIELD.ACCOUNT_NUMBER
    as_printed = "Copy it from the newest bill, with the zeros and dashes that are printed."
    if not value.isprintable():
        yield error(
            "account_number_unprintable",
            field,
            "The account number has a line break or another control character in it.",
            as_printed,
            number=number,
        )
    elif any(each.isspace() for each in value):
        yield warning(
            "account_number_spaces",
            field,
            "The account number has spaces in it.",
            as_printed,
            number=number,
        )
    bare = re.sub(r"[\s().-]", "", value)
    btn = subject.details.billing_telephone_number
    if bare.startswith("+"):
        yield error(
            "account_number_plus",
            field,
            "The account number begins with +, as telephone numbers do.",
            as_printed,
            number=number,
        )
    elif btn and bare.removeprefix("1") == btn.removeprefix("+1"):
        yield warning(
            "account_number_is_btn",
            field,
            "The account number is the billing telephone number.",
            "Some landline carriers do it so; if the bill has another number named account, "
            "take that.",
            number=number,
        )
    elif _NANP.fullmatch(bare):
        yield warning(
            "account_number_looks_like_phone",
            field,
            "The account number looks like a telephone number.",
            as_printed,
            number=number,
        )


def pin_findings(subject: LintSubject) -> Findings:
    """Findings about transfer PINs: missing ones, their shape and their age."""
    needing = {number for number, check in subject.checks.items() if check.pin_required}
    for number in subject.numbers:
        needs = number in needing or number in subject.mobile
        if needs and not subject.secrets.pin_of(number):
            yield warning(
                "pin_missing",
                _FIELD.PIN,
                "Mobile numbers need the number transfer PIN of their carrier.",
                "Ask the carrier for one and enter it shortly before the order is sent: it is valid "
                "for days only.",
                number=number,
            )
    given = list(_given(subject.secrets.pin, subject.secrets.pins))
    for value, concerned in given:
        if _PIN.fullmatch(value) is None:
            yield warning(
                "pin_shape",
                _FIELD.PIN,
                "Transfer PINs have 4 to 15 digits or letters and no spaces.",
                "Enter the number transfer PIN; a password or a voicemail PIN is not meant.",
                number=concerned,
            )
    if given:
        yield from _pin_age(subject)


def _pin_age(subject: LintSubject) -> Findings:
    details, today = subject.details, subject.today
    anew = "Ask the carrier for a new one shortly before the order is sent."
    received, expires = details.pin_received_on, details.pin_expires_on
    if received is not None and received > today:
        yield error(
            "pin_from_the_future",
            _FIELD.PIN,
            f"The PIN is said to be from {received}, which is yet to come.",
            "Enter the day on which you got it.",
        )
        return
    lifetime = subject.profile.pin_days
    if expires is None and received is not None and lifetime:
        expires = received + timedelta(days=lifetime)
    if expires is None:
        return
    if expires < today:
        yield warning(
            "pin_expired",
            _FIELD.PIN,
            f"The PIN was valid until {expires}, as far as we know.",
            anew,
        )
    elif expires <= today + timedelta(days=1):
        yield warning(
            "pin_expires_soon",
            _FIELD.PIN,
            f"The PIN is valid until {expires}; the order may be sent later.",
            anew,
        )


def _given(shared: str | None, own: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Every secret with the number that it is for alone."""
    if shared:
        yield shared, None
    yield from ((value, number) for number, value in own.items())
