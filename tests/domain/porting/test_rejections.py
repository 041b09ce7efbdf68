"""Rejections: every code has its cure, and a signature is asked for only when it must be."""

from __future__ import annotations

import pytest

from domain.porting.order import OrderField
from domain.porting.rejections import (
    ALWAYS_CHANGEABLE,
    LOA_FIELDS,
    REJECTIONS,
    Fixer,
    NewLoa,
    RejectionCode,
    needs_new_loa,
    rejection_code,
    resubmission_fields,
)


@pytest.mark.parametrize("code", RejectionCode)
def test_every_code_says_who_does_what(code: RejectionCode) -> None:
    row = REJECTIONS[code]
    assert row.code is code
    assert row.fix.endswith(".")
    assert "  " not in row.fix


@pytest.mark.parametrize("code", RejectionCode)
def test_a_code_that_asks_for_a_signature_lets_something_change_that_the_letter_states(
    code: RejectionCode,
) -> None:
    row = REJECTIONS[code]
    if row.needs_new_loa is NewLoa.YES:
        assert row.fields & LOA_FIELDS
    if row.who is Fixer.CUSTOMER and row.needs_new_loa is NewLoa.NO:
        assert not row.fields & LOA_FIELDS - {OrderField.PHONE_NUMBERS}


def test_changing_what_the_letter_states_needs_a_new_signature() -> None:
    assert needs_new_loa({OrderField.CUSTOMER_NAME})
    assert not needs_new_loa({OrderField.ACCOUNT_NUMBER, OrderField.PIN, OrderField.POSTAL_CODE})


def test_a_mismatch_that_was_cured_at_the_carrier_needs_none() -> None:
    assert not needs_new_loa((), [RejectionCode.NAME_MISMATCH])
    assert needs_new_loa((), [RejectionCode.LOA_INVALID])


def test_a_letter_covers_fewer_numbers_too() -> None:
    assert needs_new_loa({OrderField.PHONE_NUMBERS})
    assert not needs_new_loa({OrderField.PHONE_NUMBERS}, numbers_only_left=True)
    assert needs_new_loa(
        {OrderField.PHONE_NUMBERS, OrderField.CUSTOMER_NAME}, numbers_only_left=True
    )


def test_a_resubmission_changes_the_failing_fields_and_what_never_matters() -> None:
    assert resubmission_fields([]) == ALWAYS_CHANGEABLE
    both = resubmission_fields([RejectionCode.PIN_INVALID, RejectionCode.POSTAL_CODE_MISMATCH])
    assert both == ALWAYS_CHANGEABLE | {OrderField.PIN, OrderField.POSTAL_CODE}
    assert resubmission_fields([RejectionCode.OTHER]) == set(OrderField)


def test_a_word_of_others_is_other() -> None:
    assert rejection_code("pin_invalid") is RejectionCode.PIN_INVALID
    assert rejection_code("E42PWA") is RejectionCode.OTHER
