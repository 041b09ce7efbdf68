"""What an order says, what differs between two versions of it, and what it never shows."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.porting.order import (
    Address,
    OrderField,
    PortDetails,
    PortSecrets,
    changed_fields,
    changed_secrets,
    masked,
)
from domain.porting.words import CustomerType
from tests.domain.porting.orders import NUMBER, OTHER, details

SECRETS = PortSecrets(
    account_number="A-00123", pin="4321", account_numbers={NUMBER: "B-9"}, pins={NUMBER: "8765"}
)


def test_an_address_is_written_as_on_an_envelope() -> None:
    address = Address(street="1 Main St", street_2="Suite 2", city="Reno", state="NV", zip="89501")
    assert address.lines == ("1 Main St", "Suite 2", "Reno, NV 89501", "US")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"customer_name": "ACME, Inc.", "business_name": "Other"}, "ACME, Inc."),
        ({"customer_name": "", "business_name": "ACME"}, "ACME"),
        ({"customer_name": "", "first_name": "Jane", "last_name": "Doe"}, "Jane Doe"),
        (
            {
                "customer_type": CustomerType.INDIVIDUAL,
                "customer_name": "",
                "business_name": "ACME",
                "first_name": "Jane",
            },
            "Jane",
        ),
    ],
)
def test_the_name_of_the_account_comes_from_either_generation_of_bodies(
    changes: dict[str, str], name: str
) -> None:
    assert details(**changes).account_name == name


def test_somebody_signs_and_somebody_is_informed_also_when_nobody_is_named() -> None:
    assert details().signer == "Jane Doe"
    unnamed = details(authorized_representative="")
    assert unnamed.signer == "ACME, Inc."
    assert details(authorized_representative="", first_name="Jo").signer == "Jo"
    assert unnamed.informed == ("jane@example.com",)
    assert details(notification_emails=("it@example.com",)).informed == ("it@example.com",)


def test_secrets_of_a_number_go_before_those_of_the_order() -> None:
    assert SECRETS.account_number_of(NUMBER) == "B-9"
    assert SECRETS.account_number_of(OTHER) == "A-00123"
    assert (SECRETS.pin_of(NUMBER), SECRETS.pin_of(OTHER)) == ("8765", "4321")


def test_secrets_show_nowhere() -> None:
    text = f"{SECRETS!r} {SECRETS}"
    with pytest.raises(ValidationError) as refused:
        PortSecrets.model_validate({"pin": ["12345"], "account_number": "A-00123"})
    for secret in ("A-00123", "4321", "B-9", "8765", "12345"):
        assert secret not in text
        assert secret not in str(refused.value)


def test_newer_secrets_are_added_to_those_there_are() -> None:
    merged = SECRETS.merged(PortSecrets(pin="1111", pins={OTHER: "2222"}))
    assert (merged.account_number, merged.pin) == ("A-00123", "1111")
    assert merged.pins == {NUMBER: "8765", OTHER: "2222"}
    assert merged.limited_to((OTHER,)).pins == {OTHER: "2222"}
    assert merged.limited_to((OTHER,)).account_numbers == {}


def test_pages_may_know_which_secrets_there_are() -> None:
    assert SECRETS.present == {OrderField.ACCOUNT_NUMBER, OrderField.PIN}
    assert PortSecrets(pins={NUMBER: "1"}).present == {OrderField.PIN}
    assert PortSecrets().present == frozenset()


def test_a_masked_secret_keeps_its_end_only_when_it_is_long() -> None:
    assert masked("A-00123") == "******23"
    assert masked("4321") == "******"
    assert masked(None) is None


def test_a_change_is_named_by_the_part_that_changed() -> None:
    before = details()
    home = before.service_address
    moved = before.model_copy(update={"service_address": home.model_copy(update={"city": "X"})})
    zipped = before.model_copy(update={"service_address": home.model_copy(update={"zip": "6"})})
    assert changed_fields(before, before) == frozenset()
    assert changed_fields(before, moved) == {OrderField.SERVICE_ADDRESS}
    assert changed_fields(before, zipped) == {OrderField.POSTAL_CODE}
    assert changed_fields(before, details(document_ids=())) == {OrderField.DOCUMENTS}


def test_a_name_in_another_field_is_no_other_name() -> None:
    assert changed_fields(details(), details(customer_name="", business_name="ACME, Inc.")) == set()


def test_every_part_of_an_order_is_compared() -> None:
    compared = {
        "customer_name", "business_name", "first_name", "last_name", "authorized_representative",
    }  # fmt: skip
    for name in PortDetails.model_fields.keys() - compared - {"service_address"}:
        assert changed_fields(details(), details(**{name: "another"})), name


def test_changed_secrets_are_named_and_not_shown() -> None:
    assert changed_secrets(SECRETS, SECRETS) == frozenset()
    assert changed_secrets(SECRETS, SECRETS.merged(PortSecrets(pins={OTHER: "1"}))) == {
        OrderField.PIN
    }
    assert changed_secrets(SECRETS, PortSecrets()) == {OrderField.ACCOUNT_NUMBER, OrderField.PIN}
