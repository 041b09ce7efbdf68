"""What the linter finds before anybody signs, and that it keeps secrets."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.porting.findings import Finding, LintSubject, warning
from domain.porting.linter import Severity, lint
from domain.porting.order import Address, OrderField, PortSecrets
from domain.porting.words import CustomerType, NumberType, PortKind
from tests.domain.porting.orders import NOW, NUMBER, OTHER, check, details, profile, subject

TODAY = NOW.date()


def codes(**changes: Any) -> set[str]:
    return {each.code for each in lint(subject(**changes))}


def of_details(**changes: Any) -> set[str]:
    return codes(details=details(**changes))


def finding(code: str, **changes: Any) -> Finding:
    [found] = [each for each in lint(subject(**changes)) if each.code == code]
    return found


def test_an_order_that_is_in_order_has_no_findings() -> None:
    assert lint(subject()) == ()
    assert of_details(requested_date=date(2026, 3, 10)) == set()


def test_every_finding_says_what_it_is_and_what_to_change_errors_first() -> None:
    found = lint(subject(details=details(customer_name="", document_ids=()), secrets=PortSecrets()))
    assert [each.severity for each in found] == sorted(each.severity for each in found)
    assert all(each.what.endswith(".") and each.to_change.endswith(".") for each in found)


def test_no_finding_can_carry_a_secret() -> None:
    with pytest.raises(ValueError, match="never shows the pin"):
        warning("x", OrderField.PIN, "What.", "Change.", submitted="4321")


@pytest.mark.parametrize("field", ["account_number", "pin"])
@settings(max_examples=30)
@given(value=st.text(min_size=4, max_size=12))
def test_findings_about_secrets_never_show_them(field: str, value: str) -> None:
    secret = f"{value}\u2603{value}"
    secrets = PortSecrets.model_validate({field: secret, "pins": {OTHER: secret}})
    found = lint(subject(secrets=secrets))
    assert secret not in repr(found)


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"customer_name": " "}, "customer_name_missing", Severity.ERROR),
        ({"customer_name": "ACME\nInc"}, "customer_name_unprintable", Severity.ERROR),
        ({"customer_name": "ACME  Inc"}, "customer_name_spaces", Severity.WARNING),
        (
            {"authorized_representative": "Bartholomew Featherstone"},
            "representative_long",
            Severity.WARNING,
        ),
        ({"authorized_representative": "Jane"}, "representative_no_person", Severity.WARNING),
        ({"authorized_representative": "ACME LLC"}, "representative_no_person", Severity.WARNING),
        ({"document_ids": ()}, "documents_missing", Severity.WARNING),
        ({"document_date": TODAY - timedelta(days=31)}, "bill_old", Severity.WARNING),
        ({"document_date": TODAY + timedelta(days=1)}, "bill_from_the_future", Severity.ERROR),
        ({"requested_date": date(2026, 3, 9)}, "date_too_soon", Severity.ERROR),
        ({"requested_date": date(2026, 3, 14)}, "date_not_a_business_day", Severity.ERROR),
        ({"requested_date": date(2026, 3, 13)}, "date_risky", Severity.WARNING),
        ({"requested_date": date(2026, 4, 13)}, "date_too_late", Severity.WARNING),
    ],
)
def test_names_papers_and_dates(changes: dict[str, Any], code: str, severity: Severity) -> None:
    assert finding(code, details=details(**changes)).severity is severity


def test_a_fresh_bill_is_good() -> None:
    assert of_details(document_date=TODAY - timedelta(days=30)) == set()


def test_a_company_is_no_individual_and_an_individual_signs_alone() -> None:
    person = {"customer_type": CustomerType.INDIVIDUAL}
    assert "customer_type_doubtful" in of_details(**person)
    assert "representative_not_holder" in of_details(**person, customer_name="John Smith")
    assert of_details(**person, customer_name="JANE DOE") == set()


@pytest.mark.parametrize(
    ("bill", "said"),
    [
        ("Acme, Inc.", "upper and lower case"),
        ("ACME Inc", "spaces, commas, dots or accents"),
        ("ACME Incorporated", "company form"),
        ("Apex", "the names differ"),
    ],
)
def test_the_name_is_compared_with_the_bill_letter_by_letter(bill: str, said: str) -> None:
    found = finding("name_differs_from_bill", bill_name=bill)
    assert said in found.what
    assert found.submitted == "ACME, Inc."
    assert codes(bill_name="ACME, Inc.") == set()


def address(**changes: Any) -> set[str]:
    made = {"street": "1 Main St", "city": "Springfield", "state": "IL", "zip": "62701"}
    return of_details(service_address=Address(**{**made, **changes}))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"street": ""}, "street_missing"),
        ({"city": " "}, "city_missing"),
        ({"street": "P.O. Box 12"}, "po_box"),
        ({"street_2": "PO BOX 12"}, "po_box"),
        ({"street": "Post Office Box 3"}, "po_box"),
        ({"street": "Main St"}, "street_number_missing"),
        ({"street": "1 Main St, Suite"}, "unit_incomplete"),
        ({"street": "1 Willis Tower"}, "unit_missing"),
        ({"state": "Illinois"}, "state_unknown"),
        ({"zip": "6270"}, "zip_shape"),
        ({"zip": "62701-12"}, "zip_shape"),
        ({"zip": "94105"}, "zip_elsewhere"),
        ({"country": "DE"}, "country_not_served"),
        ({"country": "CA", "state": "ON", "zip": "62701"}, "zip_shape"),
        ({"country": "CA", "state": "BC", "zip": "M5V 2T6"}, "zip_elsewhere"),
    ],
)
def test_the_service_address(changes: dict[str, str], code: str) -> None:
    assert address(**changes) == {code}


@pytest.mark.parametrize(
    "changes",
    [
        {"street": "1 Willis Tower", "street_2": "Suite 200"},
        {"street": "1 Main Building, 12th Floor"},
        {"street": "1 Main St, Suite", "street_2": "12"},
        {"zip": "62701-1234", "state": "il", "country": "us"},
        {"country": "CA", "state": "ON", "zip": "m5v2t6"},
        {"state": "NY", "zip": "06390"},
    ],
)
def test_an_address_as_people_write_it_is_left_alone(changes: dict[str, str]) -> None:
    assert address(**changes) == set()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("A-00 123", "account_number_spaces"),
        ("A-00\n123", "account_number_unprintable"),
        ("+14155550100", "account_number_plus"),
        ("415-555-0199", "account_number_is_btn"),
        ("1 415 555 0199", "account_number_is_btn"),
        ("4155550123", "account_number_looks_like_phone"),
    ],
)
def test_the_shape_of_an_account_number(value: str, code: str) -> None:
    assert code in codes(secrets=PortSecrets(account_number=value))
    own = finding(code, secrets=PortSecrets(account_number="A-1", account_numbers={NUMBER: value}))
    assert own.number == NUMBER


def test_a_missing_account_number_names_the_number_that_lacks_it() -> None:
    assert finding("account_number_missing", secrets=PortSecrets()).number == NUMBER
    some = PortSecrets(account_numbers={NUMBER: "A-1"})
    found = finding("account_number_missing", numbers=(NUMBER, OTHER), secrets=some)
    assert (found.number, found.what) == (OTHER, "1 of the numbers have no account number.")
    assert (
        finding("account_number_missing", numbers=(NUMBER, OTHER), secrets=PortSecrets()).number
        is None
    )


def mobile(pin: str | None = "4321", **changes: Any) -> LintSubject:
    return subject(
        checks={NUMBER: check(number_type=NumberType.MOBILE)},
        secrets=PortSecrets(account_number="A-1", pin=pin),
        details=details(**changes),
    )


def test_a_mobile_number_needs_its_pin() -> None:
    [found] = lint(mobile(None))
    assert (found.code, found.number) == ("pin_missing", NUMBER)
    assert lint(mobile()) == ()
    asked = codes(checks={NUMBER: check(pin_required=True)})
    assert asked == {"pin_missing"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pin_received_on": TODAY + timedelta(days=1)}, "pin_from_the_future"),
        ({"pin_received_on": TODAY - timedelta(days=8)}, "pin_expired"),
        ({"pin_received_on": TODAY - timedelta(days=6)}, "pin_expires_soon"),
        ({"pin_expires_on": TODAY - timedelta(days=1)}, "pin_expired"),
        ({"pin_expires_on": TODAY}, "pin_expires_soon"),
    ],
)
def test_a_pin_is_good_for_some_days(changes: dict[str, Any], code: str) -> None:
    assert {each.code for each in lint(mobile(**changes))} == {code}


def test_a_pin_that_is_young_or_of_unknown_age_is_good() -> None:
    assert lint(mobile(pin_received_on=TODAY)) == ()
    assert lint(mobile(pin_expires_on=TODAY + timedelta(days=2))) == ()
    timeless = profile(pin_days=0)
    old = details(pin_received_on=TODAY - timedelta(days=80))
    assert (
        codes(details=old, profile=timeless, secrets=PortSecrets(account_number="A", pin="4321"))
        == set()
    )


def test_a_pin_is_no_password() -> None:
    assert {each.code for each in lint(mobile("my pass word"))} == {"pin_shape"}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"billing_telephone_number": None}, {"btn_missing", "partial_without_btn"}),
        ({"billing_telephone_number": "555"}, {"btn_shape"}),
        ({"billing_telephone_number": "+18005550100"}, {"btn_shape"}),
        ({"port_type": None}, {"port_type_missing"}),
        ({"port_type": "full"}, {"full_closes_account"}),
        ({"port_type": "full", "remaining_numbers_action": "keep"}, {"full_with_remainder"}),
        ({"billing_telephone_number": NUMBER}, {"remaining_numbers_undecided"}),
        (
            {"billing_telephone_number": NUMBER, "remaining_numbers_action": "keep"},
            {"new_btn_missing"},
        ),
        (
            {
                "billing_telephone_number": NUMBER,
                "remaining_numbers_action": "keep",
                "new_billing_telephone_number": OTHER,
            },
            set(),
        ),
        ({"billing_telephone_number": NUMBER, "remaining_numbers_action": "disconnect"}, set()),
        ({"new_billing_telephone_number": NUMBER}, {"new_btn_moves"}),
    ],
)
def test_what_moves_and_what_stays(changes: dict[str, Any], found: set[str]) -> None:
    read = type(details()).model_validate({**details().model_dump(), **changes})
    assert codes(details=read) == found


def test_mobile_numbers_need_no_billing_number_and_close_no_line() -> None:
    full = {"port_type": "full", "billing_telephone_number": None}
    read = type(details()).model_validate({**details().model_dump(), **full})
    assert {
        each.code for each in lint(mobile(**{name: getattr(read, name) for name in full}))
    } == set()


def test_toll_free_numbers_are_a_businesss_and_have_no_account_to_part() -> None:
    assert codes(kind=PortKind.TOLL_FREE) == {"toll_free_partial", "toll_free_btn"}
    plain = details(
        port_type=None,
        billing_telephone_number=None,
        customer_type=CustomerType.INDIVIDUAL,
        customer_name="Jane Doe",
    )
    assert codes(kind=PortKind.TOLL_FREE, details=plain) == {"toll_free_needs_business"}


def test_the_longest_lead_of_any_number_counts() -> None:
    wanted = details(requested_date=date(2026, 3, 12))
    checks = {NUMBER: check(lead_days=3), OTHER: check(OTHER, lead_days=12)}
    assert codes(details=wanted, checks=checks) == {"date_too_soon"}
    assert codes(details=wanted, checks={NUMBER: check()}) == set()
