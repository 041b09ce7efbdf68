"""What can be changed about an order at which stage, and which dates can be asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.porting.order import OrderField
from domain.porting.requested_date import FURTHEST, DateProblem, judge_date
from domain.porting.rescheduling import Manner, judge_change, supplements_left
from domain.porting.words import TERMINAL, SubStatus
from tests.domain.porting.orders import NOW, calendar, profile

FOC = NOW + timedelta(days=10)
DATE = {OrderField.REQUESTED_DATE}
NAME = {OrderField.CUSTOMER_NAME}
CONFIRMED = SubStatus.FOC_CONFIRMED


@pytest.mark.parametrize(
    ("changed", "sub_status", "more", "manner"),
    [
        (NAME, SubStatus.AWAITING_SIGNATURE, {}, Manner.EDIT),
        (NAME, SubStatus.LSR_SENT, {}, Manner.SUPPLEMENT),
        (NAME, SubStatus.ACTION_REQUIRED, {}, Manner.SUPPLEMENT),
        (DATE, CONFIRMED, {"foc_at": FOC}, Manner.SUPPLEMENT),
        (NAME, CONFIRMED, {"foc_at": FOC}, Manner.REFUSED),
        (NAME, SubStatus.ACTION_REQUIRED, {"foc_at": FOC}, Manner.SUPPLEMENT),
        (DATE, SubStatus.ACTION_REQUIRED, {"foc_at": NOW}, Manner.SUPPLEMENT),
        (DATE, CONFIRMED, {"foc_at": NOW}, Manner.REFUSED),
        (DATE, CONFIRMED, {"foc_at": FOC, "sups_after_foc": 3}, Manner.REFUSED),
        (DATE, SubStatus.LSR_SENT, {"cancel_requested": True}, Manner.REFUSED),
        (DATE, SubStatus.SUBMITTING, {}, Manner.REFUSED),
        (DATE, SubStatus.ACTIVATING, {"foc_at": FOC}, Manner.REFUSED),
        (DATE, SubStatus.COMPLETED, {}, Manner.REFUSED),
        ({OrderField.TRUNK}, SubStatus.VERIFYING, {}, Manner.LOCAL),
        ({OrderField.TRUNK}, SubStatus.FAILED, {}, Manner.REFUSED),
        (DATE | {OrderField.TRUNK}, CONFIRMED, {"foc_at": FOC}, Manner.SUPPLEMENT),
    ],
)
def test_before_the_confirmed_date_all_can_change_after_it_only_the_date(
    changed: set[OrderField], sub_status: SubStatus, more: dict[str, Any], manner: Manner
) -> None:
    verdict = judge_change(changed, sub_status, NOW, profile(), **more)
    assert verdict.manner is manner
    assert verdict.allowed is (manner is not Manner.REFUSED)
    assert bool(verdict.reason) is not verdict.allowed


def test_a_late_or_last_change_is_warned_of() -> None:
    early = judge_change(DATE, CONFIRMED, NOW, profile(), foc_at=FOC)
    late = judge_change(DATE, CONFIRMED, FOC - timedelta(hours=47), profile(), foc_at=FOC)
    last = judge_change(DATE, CONFIRMED, NOW, profile(), foc_at=FOC, sups_after_foc=2)
    assert (early.best_effort, late.best_effort, last.best_effort) == (False, True, False)
    assert "Less than 48 hours" in " ".join(late.warnings)
    assert "last change" in " ".join(last.warnings)
    assert len(early.warnings) == 1


@given(st.integers(0, 10), st.sampled_from(SubStatus), st.booleans())
def test_no_more_supplements_than_carriers_take(
    sent: int, sub_status: SubStatus, canceling: bool
) -> None:
    verdict = judge_change(
        DATE,
        sub_status,
        NOW,
        profile(),
        foc_at=FOC,
        sups_after_foc=sent,
        cancel_requested=canceling,
    )
    assert supplements_left(profile(), sent) == max(0, 3 - sent)
    if verdict.manner is Manner.SUPPLEMENT:
        assert sent < 3
        assert not canceling
    if sub_status in TERMINAL:
        assert not verdict.allowed


@pytest.mark.parametrize(
    ("wanted", "allowed", "problem", "proposed"),
    [
        (date(2026, 3, 10), True, None, date(2026, 3, 10)),
        (date(2026, 3, 9), False, DateProblem.TOO_SOON, date(2026, 3, 10)),
        (date(2026, 3, 14), False, DateProblem.NOT_A_BUSINESS_DAY, date(2026, 3, 16)),
        (date(2026, 3, 13), True, DateProblem.RISKY, date(2026, 3, 16)),
        (date(2026, 4, 6), True, DateProblem.TOO_LATE, date(2026, 3, 10)),
        (date(2026, 4, 4), False, DateProblem.NOT_A_BUSINESS_DAY, date(2026, 4, 6)),
        (date(2027, 4, 6), False, DateProblem.TOO_LATE, date(2026, 3, 10)),
        (date(2226, 4, 6), False, DateProblem.TOO_LATE, date(2026, 3, 10)),
    ],
)
def test_a_date_is_a_business_day_neither_too_soon_nor_too_late(
    wanted: date, allowed: bool, problem: DateProblem | None, proposed: date
) -> None:
    verdict = judge_date(wanted, NOW, profile(), calendar())
    assert (verdict.allowed, verdict.problem) == (allowed, problem)
    assert verdict.proposed == proposed
    assert bool(verdict.reason) is (problem is not None)


def test_a_holiday_is_named() -> None:
    before = NOW.replace(month=11, day=10)
    verdict = judge_date(date(2026, 11, 26), before, profile(), calendar())
    assert "Thanksgiving Day" in verdict.reason
    assert verdict.proposed == date(2026, 11, 30)


def test_a_carriers_longer_lead_counts_and_a_shorter_one_does_not() -> None:
    assert not judge_date(date(2026, 3, 12), NOW, profile(), calendar(), lead_days=10).allowed
    assert not judge_date(date(2026, 3, 9), NOW, profile(), calendar(), lead_days=2).allowed


@given(st.integers(-400, FURTHEST + 400))
def test_what_is_proposed_can_be_asked_for(days: int) -> None:
    verdict = judge_date(NOW.date() + timedelta(days=days), NOW, profile(), calendar())
    again = judge_date(verdict.proposed, NOW, profile(), calendar())
    assert again.allowed
    assert again.problem in (None, DateProblem.TOO_LATE)
