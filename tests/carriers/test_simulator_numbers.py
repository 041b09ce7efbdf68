"""What the simulated carrier says of a number follows from its digits, by the table in its docstring."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.simulator_numbers import LOSING_CARRIERS, check_number
from domain.porting.numbers import group_for_orders
from domain.porting.rejections import RejectionCode


@pytest.mark.parametrize(
    ("number", "portable", "number_type", "pin", "spid"),
    [
        # The examples of the contract.
        ("+14150000000", "yes", "landline", False, "901X"),
        ("+14150000001", "yes", "mobile", True, "903X"),
        ("+12025550101", "yes", "landline", False, "901X"),
        ("+12025550150", "yes", "landline", False, "902X"),
        ("+12025550189", "yes", "landline", False, "902X"),
        ("+12025559123", "yes", "mobile", True, "903X"),
        ("+12025550193", "unknown", None, False, None),
        ("+12025550194", "yes", "landline", False, None),
        ("+18005550100", "yes", "toll_free", False, "SMX01"),
        ("+18885559100", "yes", "toll_free", False, "SMX01"),
    ],
)
def test_a_number_is_what_its_digits_say(
    number: str, portable: str, number_type: str | None, pin: bool, spid: str | None
) -> None:
    check = check_number(number)
    found = (check.portability, check.number_type, check.pin_required, check.spid)
    assert found == (portable, number_type, pin, spid)
    assert check.losing_carrier == LOSING_CARRIERS.get(spid or "")
    assert check.code is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+12025550190", RejectionCode.NOT_PORTABLE),
        ("+12025550191", RejectionCode.ALREADY_HERE),
        ("+12025550192", RejectionCode.MANUAL_ONLY),
        ("+442079460000", RejectionCode.NOT_PORTABLE),
        ("+18005550001", RejectionCode.TOLLFREE_SPARE),
        ("+18005550002", RejectionCode.TOLLFREE_UNAVAILABLE),
        ("+18005550003", RejectionCode.TOLLFREE_DENIED),
        ("+18005550004", RejectionCode.TOLLFREE_DISCONNECTED),
        ("+18005550005", RejectionCode.TOLLFREE_TRANSITIONAL),
    ],
)
def test_a_number_that_cannot_be_ported_has_a_code_and_a_reason(
    number: str, code: RejectionCode
) -> None:
    check = check_number(number)
    assert (check.portability, check.code) == ("no", code)
    assert check.reason.endswith(".")


def test_some_numbers_take_longer() -> None:
    numbers = ("+12025550195", "+18005550100", "+12025550100")
    assert [check_number(each).lead_days for each in numbers] == [14, 10, None]


def test_two_losing_carriers_make_two_orders() -> None:
    numbers = ["+12025550101", "+12025550150", "+12025550102", "+12025550190"]
    grouping = group_for_orders([check_number(each) for each in numbers])
    assert [(each.spid, each.numbers) for each in grouping.groups] == [
        ("901X", ("+12025550101", "+12025550102")),
        ("902X", ("+12025550150",)),
    ]
    assert [each.number for each in grouping.excluded] == ["+12025550190"]


@given(st.from_regex(r"\+[1-9][0-9]{3,14}", fullmatch=True))
def test_every_number_has_an_answer(number: str) -> None:
    check = check_number(number)
    assert check.number == number
    assert (check.code is None) == (check.portability != "no")
