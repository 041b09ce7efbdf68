"""Every scenario from the signature to the order's end: the life cycle and the carrier together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from carriers.simulator_state import Scenario
from domain.porting.events import CancelAsked, DropAsked, RescheduleAsked
from domain.porting.state import Warned
from domain.porting.words import NumberStatus, SubStatus
from tests.carriers.lives import Simulated
from tests.carriers.orders import DAY, NUMBERS

S, N = SubStatus, NumberStatus
HAPPY = [
    S.AWAITING_SIGNATURE,
    S.LSR_SENT,
    S.FOC_CONFIRMED,
    S.ACTIVATING,
    S.COMPLETED,
]


def seen_path(life: Simulated) -> list[SubStatus]:
    """Where the order stood, without what lasts no time."""
    return [each for each in life.path if each in (*HAPPY, S.ACTION_REQUIRED, S.SUPP_SENT)]


@pytest.mark.parametrize("scale", [1.0, 10_000.0])
@pytest.mark.parametrize(
    "scenario",
    [
        Scenario.HAPPY,
        Scenario.SILENT,
        Scenario.FOC_MOVED,
        Scenario.REPLY_LOST,
        Scenario.WEBHOOK_DUPLICATED,
        Scenario.WEBHOOK_REORDERED,
        Scenario.WEBHOOK_FORGED,
        Scenario.WEBHOOK_LOST,
    ],
)
def test_the_numbers_come(scenario: Scenario, scale: float) -> None:
    life = Simulated(scenario, scale=scale)
    started = life.now
    life.until()
    assert life.state.sub_status is S.COMPLETED
    assert set(life.number_statuses) == {N.VERIFIED}
    assert [each for each in seen_path(life) if each is not S.AWAITING_SIGNATURE][:2] == HAPPY[1:3]
    assert life.now - started < timedelta(days=25) / scale + timedelta(seconds=20)
    if scenario is Scenario.FOC_MOVED:
        assert Warned.FOC_MOVED in life.state.warnings


def test_a_rejected_pin_is_mended() -> None:
    life = Simulated(Scenario.PIN_INVALID)
    life.until(S.ACTION_REQUIRED)
    life.resubmit()
    life.until()
    assert life.state.sub_status is S.COMPLETED
    assert S.SUPP_SENT in life.path


def test_a_name_is_mended_by_a_new_letter() -> None:
    life = Simulated(Scenario.NAME_MISMATCH)
    life.until(S.ACTION_REQUIRED)
    life.resubmit("signed again")
    assert life.state.letter == 2
    life.until()
    assert life.state.sub_status is S.COMPLETED


def test_a_rejection_that_nobody_mends_expires_and_frees_the_numbers() -> None:
    life = Simulated(Scenario.PIN_INVALID)
    life.until()
    assert life.state.sub_status is S.EXPIRED
    assert set(life.number_statuses) == {N.CANCELED}


def test_a_dispute_at_activation_is_settled() -> None:
    life = Simulated(Scenario.ACTIVATION_CONFLICT)
    life.until(S.ACTION_REQUIRED)
    life.resubmit()
    life.until()
    assert life.state.sub_status is S.COMPLETED


def test_nine_of_ten_come() -> None:
    life = Simulated(Scenario.NUMBER_REJECTED)
    life.until()
    assert life.state.sub_status is S.PARTIALLY_COMPLETED
    assert life.number_statuses == [N.VERIFIED] * 9 + [N.FAILED]


def test_the_rejected_one_can_be_left_out() -> None:
    life = Simulated(Scenario.NUMBER_REJECTED)
    life.until(S.FOC_CONFIRMED)
    life.on(DropAsked(position=len(NUMBERS) - 1))
    assert life.refused == []
    life.until()
    assert life.number_statuses[:9] == [N.VERIFIED] * 9
    assert life.number_statuses[9] in (N.DROPPED, N.CANCELED)


def test_a_cancellation_in_time_keeps_the_numbers_where_they_are() -> None:
    life = Simulated(Scenario.HAPPY)
    life.until(S.FOC_CONFIRMED)
    life.on(CancelAsked())
    life.until()
    assert life.state.sub_status is S.CANCELED
    assert set(life.number_statuses) == {N.CANCELED}


def test_a_port_that_is_through_beats_a_late_cancellation() -> None:
    life = Simulated(Scenario.LATE_CANCEL)
    life.until(S.FOC_CONFIRMED)
    assert life.state.foc_at is not None
    life.pass_time(life.state.foc_at - life.now - timedelta(hours=30))
    life.on(CancelAsked())
    assert life.refused == []
    assert life.state.cancel_requested_at is not None
    life.until()
    assert life.state.sub_status is S.COMPLETED
    assert Warned.CANCEL_MISSED in life.state.warnings


@pytest.mark.parametrize("scenario", [Scenario.HAPPY, Scenario.SUP_LIMIT])
def test_the_date_changes_three_times_and_no_more(scenario: Scenario) -> None:
    life = Simulated(scenario)
    life.until(S.FOC_CONFIRMED)
    for number in range(4):
        life.wanted = date(2026, 12, 15) + 5 * number * DAY
        life.on(RescheduleAsked(revision=life.state.details + 1, requested=life.wanted))
        life.pass_time(3 * DAY)
    assert life.refused == ["too_many_changes"]
    assert life.state.foc_changes == 4
    life.until()
    assert life.state.sub_status is S.COMPLETED


def test_without_a_call_the_carriers_word_counts_after_a_while() -> None:
    life = Simulated(Scenario.HAPPY, heals=False)
    life.until()
    assert life.state.sub_status is S.COMPLETED
    assert Warned.UNVERIFIED in life.state.warnings


def test_a_holiday_week_moves_dates_to_business_days() -> None:
    life = Simulated(
        Scenario.HAPPY, now=datetime(2026, 12, 17, 20, tzinfo=UTC), wanted=date(2026, 12, 25)
    )
    life.until(S.FOC_CONFIRMED)
    assert life.state.foc_at == datetime(2026, 12, 28, 16, 30, tzinfo=UTC)
    life.until()
    assert life.state.sub_status is S.COMPLETED
