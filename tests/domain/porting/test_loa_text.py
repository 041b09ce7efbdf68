"""The letter of authorization: what it has to say, from the template to the text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from domain.porting.loa_template import PLACES, InvalidTemplate, LoaTemplate, parse_template
from domain.porting.loa_text import LoaContent, LoaFacts, compose
from domain.porting.words import CustomerType, PortKind, PortType, RemainingNumbers
from tests.domain.porting.orders import NUMBER, OTHER, details

TEXT = (files("domain.porting") / "loa_template_v1.toml").read_text()
FACTS = LoaFacts(
    order_id="port_1",
    revision=2,
    kind=PortKind.LOCAL,
    details=details(),
    numbers=(OTHER, NUMBER),
    losing_carrier="Old Telephone",
    winning_carrier="New Carrier",
    agent="Voice Platform",
    contact="porting@example.com",
    issued_on=date(2026, 3, 3),
    link_days=30,
    account_hint="******23",
)


def template() -> LoaTemplate:
    return parse_template(TEXT)


def letter(**changes: Any) -> LoaContent:
    return compose(template(), replace(FACTS, **changes))


def test_the_letter_states_what_the_rule_asks_for() -> None:
    made = letter()
    said = " ".join(made.paragraphs)
    assert "ACME, Inc. (the customer) decides to change" in said
    assert "from Old Telephone to New Carrier" in said
    assert "appoints Voice Platform as its agent" in said
    assert "only one provider for each kind of service" in said
    assert "may charge a fee" in said
    assert made.numbers == (NUMBER, OTHER)
    fields = dict(made.fields)
    assert fields["Business name on the account"] == "ACME, Inc."
    assert fields["Billing and service address"] == "1 Main St, Springfield, IL 62701, US"
    assert fields["Account number"] == "******23"
    assert fields["Date of this letter"] == "2026-03-03"
    assert (made.document_id, made.template_version) == ("port_1-2", "2026-11")


def test_a_billing_address_of_its_own_stands_beside_the_service_address() -> None:
    home = details().service_address
    billing = home.model_copy(update={"street": "P.O. Box 12"})
    fields = dict(letter(details=details(billing_address=billing)).fields)
    assert fields["Billing address"] == "P.O. Box 12, Springfield, IL 62701, US"
    assert fields["Service address"] == "1 Main St, Springfield, IL 62701, US"


def test_who_signs_stands_under_it_and_means_to() -> None:
    made = letter(details=details(authorized_representative_title="CFO"))
    assert made.signature_fields == (
        ("Name", "Jane Doe"),
        ("Title", "CFO"),
        ("E-mail", "jane@example.com"),
    )
    assert "I intend to sign" in made.signature_statement


def test_a_partial_port_says_what_becomes_of_the_rest() -> None:
    staying = dict(letter(details=details(new_billing_telephone_number=OTHER)).fields)
    assert staying["Billing telephone number"] == "+14155550199"
    assert staying["Other numbers of the account"] == "stay with the present carrier"
    assert staying["Their new billing number"] == OTHER
    ended = details(remaining_numbers_action=RemainingNumbers.DISCONNECT)
    assert dict(letter(details=ended).fields)["Other numbers of the account"] == "are disconnected"
    full = dict(letter(details=details(port_type=PortType.FULL)).fields)
    assert "Other numbers of the account" not in full


def test_a_toll_free_letter_is_about_the_responsible_organization() -> None:
    made = letter(kind=PortKind.TOLL_FREE, numbers=("+18005550100",))
    assert "responsible organization" in made.title
    assert "Billing telephone number" not in dict(made.fields)


def test_what_is_not_known_is_left_out_or_written_around() -> None:
    person = details(customer_type=CustomerType.INDIVIDUAL, requested_date=date(2026, 3, 12))
    made = letter(losing_carrier="", account_hint=None, details=person)
    fields = dict(made.fields)
    assert fields["Name on the account"] == "ACME, Inc."
    assert fields["Desired date"] == "2026-03-12"
    assert "Account number" not in fields
    assert fields["Present carrier"] == "the present carrier"


def test_names_are_printed_and_never_filled_in_or_split() -> None:
    tricky = "{agent} {0} Ünal\n\nNguyễn & Söhne %s"
    made = letter(details=details(customer_name=tricky))
    assert made.paragraphs[0].startswith(tricky)
    assert len(made.paragraphs) == len(letter().paragraphs)


def test_the_disclosure_tells_what_the_law_asks_for_and_has_a_hash() -> None:
    shown = letter().disclosure
    said = " ".join(shown.paragraphs)
    for word in (
        "on paper",
        "withdraw your consent",
        "no charge",
        "porting@example.com",
        "30 days",
    ):
        assert word in said
    assert shown.consent.startswith("I have read this")
    assert len(shown.sha256) == 64
    assert shown.sha256 != letter(link_days=20).disclosure.sha256
    assert shown == letter().disclosure


def test_every_word_in_braces_is_filled_in() -> None:
    said = repr(letter())
    assert not [place for place in PLACES if f"{{{place}}}" in said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version =", "not TOML"),
        ("version = '1'", "local: Field required"),
        (TEXT.replace("{agent} as its", "{pin} as its", 1), "local.text: .*known are agent"),
        (TEXT.replace("{agent} as its", "{agent.x} as its", 1), "agent.x} cannot be filled in"),
        (TEXT.replace("{agent} as its", "{agent!r} as its", 1), "cannot be filled in"),
        (TEXT.replace("{agent} as its", "{agent:>9} as its", 1), "cannot be filled in"),
        (TEXT.replace("{agent} as its", "{agent as its", 1), "local.text: .*brace"),
        (TEXT.replace('"2026-11"', '"our own"', 1), "version: String should match"),
        (TEXT + '\n[more]\nx = "y"', "more: Extra inputs"),
    ],
)
def test_a_wrong_template_says_where_it_is_wrong(text: str, said: str) -> None:
    with pytest.raises(InvalidTemplate, match=said):
        parse_template(text)
