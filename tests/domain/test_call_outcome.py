"""How a call of the log ended: what people do with telephones is no failure of a trunk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.call_outcome import OUTCOME_CODES, CallOutcome, outcome_of

CODES = st.none() | st.integers(100, 699)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (486, CallOutcome.BUSY),
        (600, CallOutcome.BUSY),
        (487, CallOutcome.CANCELLED),
        (480, CallOutcome.NO_ANSWER),
        (603, CallOutcome.DECLINED),
        (607, CallOutcome.DECLINED),
        (608, CallOutcome.DECLINED),
        (404, CallOutcome.FAILED),
        (408, CallOutcome.FAILED),
        (503, CallOutcome.FAILED),
        (None, CallOutcome.FAILED),
    ],
)
def test_the_code_says_how_a_call_ended_that_nobody_answered(
    code: int | None, outcome: CallOutcome
) -> None:
    assert outcome_of(ended=True, answered=False, code=code) is outcome


@given(st.booleans(), CODES)
def test_a_call_that_goes_on_has_no_end(answered: bool, code: int | None) -> None:
    assert outcome_of(ended=False, answered=answered, code=code) is CallOutcome.IN_PROGRESS


@given(CODES)
def test_an_answered_call_was_answered_whatever_ended_it(code: int | None) -> None:
    assert outcome_of(ended=True, answered=True, code=code) is CallOutcome.ANSWERED


def test_no_code_has_two_outcomes() -> None:
    codes = [code for each in OUTCOME_CODES.values() for code in each]
    assert len(codes) == len(set(codes))
