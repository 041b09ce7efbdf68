"""What the letter of authorization says, as data; ``papers`` makes a PDF of it.

Source: 47 CFR 64.1130. The letter is a document of its own with one purpose; it states the billing
name and address and every number, the decision to change, the agent, that a number has one provider
per kind of service, and that a fee is possible. The disclosure that goes before a signature (15
U.S.C. 7001(c)) is no part of the letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from domain.porting.loa_template import LoaTemplate
from domain.porting.order import PortDetails
from domain.porting.words import CustomerType, PortKind, PortType, RemainingNumbers

__all__ = ["Disclosure", "LoaContent", "LoaFacts", "compose"]

UNNAMED_CARRIER = "the present carrier"
"""Stands in the letter where nobody could say which carrier has the numbers."""


@dataclass(frozen=True, slots=True)
class LoaFacts:
    """What a letter is made of.

    ``revision`` counts the letters of an order from 1. ``account_hint`` is the account number as it
    may be printed, masked: the whole one goes to the carrier with the order. ``contact`` is where the
    signer can write to.
    """

    order_id: str
    revision: int
    kind: PortKind
    details: PortDetails
    numbers: tuple[str, ...]
    losing_carrier: str
    winning_carrier: str
    agent: str
    contact: str
    issued_on: date
    link_days: int
    account_hint: str | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What the signer is told first. ``sha256`` (hex) is of title, paragraphs and consent."""

    version: str
    title: str
    paragraphs: tuple[str, ...]
    consent: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LoaContent:
    """The letter. ``fields`` are labels with their values, in the order of print; ``numbers`` are
    all of the letter's, as E.164, sorted. ``document_id`` names order and revision."""

    document_id: str
    template_version: str
    title: str
    fields: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]
    numbers_title: str
    numbers: tuple[str, ...]
    signature_statement: str
    signature_fields: tuple[tuple[str, str], ...]
    disclosure: Disclosure


def compose(template: LoaTemplate, facts: LoaFacts) -> LoaContent:
    """The letter that ``template`` makes of ``facts``; the same facts make the same letter."""
    letter = template.toll_free if facts.kind is PortKind.TOLL_FREE else template.local
    values = _values(facts)
    return LoaContent(
        document_id=f"{facts.order_id}-{facts.revision}",
        template_version=template.version,
        title=_filled(letter.title, values),
        fields=_fields(facts),
        paragraphs=_paragraphs(letter.text, values),
        numbers_title=_filled(letter.numbers_title, values),
        numbers=tuple(sorted(facts.numbers)),
        signature_statement=" ".join(_paragraphs(template.signature.statement, values)),
        signature_fields=_signature_fields(facts),
        disclosure=_disclosure(template, values),
    )


def _values(facts: LoaFacts) -> Mapping[str, str]:
    return {
        "agent": facts.agent,
        "contact": facts.contact,
        "link_days": str(facts.link_days),
        "losing_carrier": facts.losing_carrier or UNNAMED_CARRIER,
        "name": facts.details.account_name,
        "order_id": facts.order_id,
        "signer": facts.details.signer,
        "winning_carrier": facts.winning_carrier,
    }


def _fields(facts: LoaFacts) -> tuple[tuple[str, str], ...]:
    details = facts.details
    business = details.customer_type is CustomerType.BUSINESS
    rows = [
        (
            "Business name on the account" if business else "Name on the account",
            details.account_name,
        ),
        *_addresses(details),
        ("Present carrier", facts.losing_carrier or UNNAMED_CARRIER),
        ("Account number", facts.account_hint or ""),
        *(_billing_fields(details) if facts.kind is PortKind.LOCAL else ()),
        ("New carrier", facts.winning_carrier),
        ("Agent", facts.agent),
        ("Desired date", "" if details.requested_date is None else str(details.requested_date)),
        ("Order", facts.order_id),
        ("Date of this letter", str(facts.issued_on)),
    ]
    return tuple(row for row in rows if row[1])


def _addresses(details: PortDetails) -> tuple[tuple[str, str], ...]:
    service = ", ".join(details.service_address.lines)
    if details.billing_address is None:
        return (("Billing and service address", service),)
    return (
        ("Billing address", ", ".join(details.billing_address.lines)),
        ("Service address", service),
    )


def _billing_fields(details: PortDetails) -> tuple[tuple[str, str], ...]:
    partial = details.port_type is PortType.PARTIAL
    stay = "stay with the present carrier"
    if details.remaining_numbers_action is RemainingNumbers.DISCONNECT:
        stay = "are disconnected"
    return (
        ("Billing telephone number", details.billing_telephone_number or ""),
        ("Other numbers of the account", stay if partial else ""),
        (
            "Their new billing number",
            (details.new_billing_telephone_number or "") if partial else "",
        ),
    )


def _signature_fields(facts: LoaFacts) -> tuple[tuple[str, str], ...]:
    details = facts.details
    rows = (
        ("Name", details.signer),
        ("Title", details.authorized_representative_title),
        ("E-mail", details.authorized_representative_email),
    )
    return tuple(row for row in rows if row[1])


def _disclosure(template: LoaTemplate, values: Mapping[str, str]) -> Disclosure:
    made = template.disclosure
    title = _filled(made.title, values)
    paragraphs = _paragraphs(made.text, values)
    consent = " ".join(_paragraphs(made.consent, values))
    shown = "\n\n".join((title, *paragraphs, consent))
    return Disclosure(
        version=made.version,
        title=title,
        paragraphs=paragraphs,
        consent=consent,
        sha256=hashlib.sha256(shown.encode()).hexdigest(),
    )


def _paragraphs(text: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """Split first, so that a name with line breaks in it makes no paragraph."""
    return tuple(
        _filled(" ".join(each.split()), values) for each in text.split("\n\n") if each.strip()
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    return text.format_map(values)
