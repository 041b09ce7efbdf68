"""Each scenario's course at the simulated carrier, weeks long, without waiting."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from carriers.base import CarrierRefused
from carriers.simulator_script import course, snapshot
from carriers.simulator_state import SCENARIO_DIGITS, Scenario
from domain.porting.order import PortSecrets
from domain.porting.rejections import RejectionCode
from domain.porting.state import CommandKind
from domain.porting.words import PortKind
from tests.carriers.orders import (
    DAY,
    MONDAY,
    MONTH,
    NUMBERS,
    a_submission,
    an_order,
    letter,
    looked_at,
    numbers_of,
    requested,
    statuses,
    told,
)

K = CommandKind
FOC = datetime(2026, 12, 8, 16, 30, tzinfo=UTC)
"""Tuesday 11:30 in New York."""
HOUR = timedelta(hours=1)
HAPPY = ["received", "submitted", "foc_confirmed", "activating", "completed"]
WANTED = a_submission(requested_date=date(2026, 12, 8))


def test_ten_numbers_are_ported() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    assert statuses(order) == HAPPY
    assert [each.at for each in course(order)] == [
        MONDAY,
        MONDAY + timedelta(minutes=10),
        MONDAY + DAY,
        FOC,
        FOC + timedelta(minutes=30),
    ]
    committed = looked_at(order, FOC - HOUR)
    assert (committed.foc_at, committed.attempt, committed.sequence) == (FOC, 1, 2)
    assert set(numbers_of(committed).values()) == {"accepted"}
    done = looked_at(order, FOC + DAY)
    assert numbers_of(done) == dict.fromkeys(NUMBERS, "ported")
    assert {each.raw for each in done.numbers} == {"Active"}
    assert snapshot(an_order(), MONDAY) is None
    # A clock that is behind the one that heard it sees the order all the same.
    assert looked_at(order, MONDAY - HOUR).status == "received"


def test_time_is_scaled_and_the_course_stays_the_same() -> None:
    order = requested(an_order(scale=10_000), MONDAY, WANTED)
    assert statuses(order) == HAPPY
    last = course(order)[-1]
    assert timedelta(seconds=60) < last.at - MONDAY < timedelta(seconds=80)
    assert last.foc_at is not None
    assert last.foc_at - MONDAY == (FOC - MONDAY) / 10_000


def test_a_rejected_pin_is_mended_by_a_supplement() -> None:
    order = requested(an_order(Scenario.PIN_INVALID), MONDAY, WANTED)
    rejected = looked_at(order, MONDAY + 2 * DAY)
    assert rejected.status == "action_required"
    assert [(each.code, each.raw_code, each.numbers) for each in rejected.rejections] == [
        (RejectionCode.PIN_INVALID, "PIN_INVALID", ())
    ]
    assert set(numbers_of(rejected).values()) == {"rejected"}
    assert course(order)[-1].status == "expired", "unless nobody mends it"
    mended = requested(order, MONDAY + 2 * DAY, a_submission(attempt=2), K.SUPPLEMENT)
    assert statuses(mended)[2:] == ["action_required", *HAPPY]
    committed = looked_at(mended, MONDAY + 4 * DAY)
    assert (committed.status, committed.attempt) == ("foc_confirmed", 2)
    assert committed.rejections == ()


def test_a_name_is_mended_by_a_new_letter_only() -> None:
    order = requested(an_order(Scenario.NAME_MISMATCH), MONDAY, WANTED)
    same = requested(order, MONDAY + 2 * DAY, a_submission(attempt=2), K.SUPPLEMENT)
    again = looked_at(same, MONDAY + 4 * DAY)
    assert [each.code for each in again.rejections] == [RejectionCode.NAME_MISMATCH]
    other = a_submission(attempt=3, letter=letter("signed again"))
    mended = requested(same, MONDAY + 4 * DAY, other, K.SUPPLEMENT)
    assert statuses(mended)[-3:] == HAPPY[2:]


@pytest.mark.parametrize(
    ("secrets", "numbers", "code"),
    [
        (PortSecrets(), ("+12025559123",), RejectionCode.PIN_REQUIRED),
        (PortSecrets(pin="0000"), NUMBERS, RejectionCode.PIN_INVALID),
        (PortSecrets(account_number="0000"), NUMBERS, RejectionCode.ACCOUNT_NUMBER_MISMATCH),
    ],
)
def test_what_is_sent_can_be_wrong_in_every_scenario(
    secrets: PortSecrets, numbers: tuple[str, ...], code: RejectionCode
) -> None:
    order = requested(an_order(), MONDAY, a_submission(*numbers, secrets=secrets))
    rejected = looked_at(order, MONDAY + 2 * DAY)
    assert [each.code for each in rejected.rejections] == [code]
    assert "0000" not in order.model_dump_json()


def test_a_wrong_zip_is_found() -> None:
    address = WANTED.details.service_address.model_copy(update={"zip": "00000"})
    details = WANTED.details.model_copy(update={"service_address": address})
    order = requested(an_order(), MONDAY, a_submission(details=details))
    rejected = looked_at(order, MONDAY + 2 * DAY)
    assert [each.code for each in rejected.rejections] == [RejectionCode.POSTAL_CODE_MISMATCH]


def test_one_pin_of_several_is_wrong() -> None:
    numbers = ("+12025559121", "+12025559122")
    secrets = PortSecrets(pins={numbers[0]: "4711", numbers[1]: "0000"})
    order = requested(an_order(), MONDAY, a_submission(*numbers, secrets=secrets))
    rejected = looked_at(order, MONDAY + 2 * DAY)
    assert [each.numbers for each in rejected.rejections] == [numbers[1:]]
    assert numbers_of(rejected) == {numbers[0]: "submitted", numbers[1]: "rejected"}


def test_the_losing_carrier_moves_its_date() -> None:
    order = requested(an_order(Scenario.FOC_MOVED), MONDAY, WANTED)
    assert statuses(order) == [*HAPPY[:3], "foc_confirmed", *HAPPY[3:]]
    dates = [each.foc_at for each in course(order)[2:4]]
    assert dates == [FOC, FOC + 3 * DAY]
    assert course(order)[3].at < FOC


def test_a_new_date_is_committed_anew_three_times() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    at = MONDAY + 2 * DAY
    for number in range(3):
        wanted = date(2026, 12, 10) + number * DAY * 5
        order = told(order, K.RESCHEDULE, at, wanted=wanted)
        assert looked_at(order, at).foc_at is not None, "the old date stands until there is another"
        at += 4 * DAY
        moved = looked_at(order, at).foc_at
        assert moved is not None
        assert moved.date() >= wanted
    with pytest.raises(CarrierRefused, match="3 times"):
        told(order, K.RESCHEDULE, at, wanted=date(2027, 1, 5))
    assert course(order)[-1].status == "completed"


def test_the_fourth_change_may_end_the_order() -> None:
    order = requested(an_order(Scenario.SUP_LIMIT), MONDAY, WANTED)
    at = MONDAY + 2 * DAY
    for number in range(4):
        order = told(order, K.RESCHEDULE, at, wanted=date(2026, 12, 10 + 5 * number))
        at += 4 * DAY
    assert course(order)[-1].status == "canceled"


def test_a_date_before_the_answer_is_a_change_like_any() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    order = told(order, K.RESCHEDULE, MONDAY + HOUR, wanted=date(2026, 12, 10))
    assert course(order)[-1].foc_at == FOC + 2 * DAY


def test_a_late_cancellation_is_taken_and_loses() -> None:
    order = requested(an_order(Scenario.LATE_CANCEL), MONDAY, WANTED)
    order = told(order, K.CANCEL, FOC - HOUR)
    assert statuses(order) == [*HAPPY[:3], "cancel_pending", *HAPPY[3:]]
    assert set(numbers_of(course(order)[-1]).values()) == {"ported"}


@pytest.mark.parametrize("scenario", [Scenario.HAPPY, Scenario.LATE_CANCEL])
def test_a_cancellation_in_time_ends_the_order(scenario: Scenario) -> None:
    order = requested(an_order(scenario), MONDAY, WANTED)
    order = told(order, K.CANCEL, MONDAY + HOUR)
    assert statuses(order)[-2:] == ["cancel_pending", "canceled"]
    assert set(numbers_of(course(order)[-1]).values()) == {"canceled"}


def test_a_dispute_at_activation_is_settled_by_a_new_date() -> None:
    order = requested(an_order(Scenario.ACTIVATION_CONFLICT), MONDAY, WANTED)
    disputed = looked_at(order, FOC + HOUR)
    assert disputed.status == "action_required"
    assert [each.code for each in disputed.rejections] == [RejectionCode.NPAC_CONFLICT]
    for kind in (K.RESCHEDULE, K.SUPPLEMENT):
        if kind is K.RESCHEDULE:
            settled = told(order, kind, FOC + 2 * HOUR, wanted=date(2026, 12, 15))
        else:
            settled = requested(order, FOC + 2 * HOUR, a_submission(attempt=2), kind)
        assert statuses(settled)[-3:] == HAPPY[2:]
        assert set(numbers_of(course(settled)[-1]).values()) == {"ported"}


def test_one_number_of_ten_is_rejected_for_good() -> None:
    order = requested(an_order(Scenario.NUMBER_REJECTED), MONDAY, WANTED)
    committed = looked_at(order, FOC - HOUR)
    assert committed.status == "foc_confirmed"
    assert [(each.code, each.numbers) for each in committed.rejections] == [
        (RejectionCode.NUMBER_NOT_ON_ACCOUNT, NUMBERS[-1:])
    ]
    done = numbers_of(course(order)[-1])
    assert done.pop(NUMBERS[-1]) == "rejected"
    assert set(done.values()) == {"ported"}
    without = requested(order, FOC - 3 * DAY, a_submission(*NUMBERS[:-1], attempt=2), K.SUPPLEMENT)
    assert numbers_of(course(without)[-1])[NUMBERS[-1]] == "canceled"
    alone = requested(an_order(Scenario.NUMBER_REJECTED), MONDAY, a_submission(NUMBERS[0]))
    assert course(alone)[-1].status == "completed"


def test_a_number_left_out_after_the_commitment_changes_nothing_else() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    fewer = a_submission(*NUMBERS[1:], attempt=2)
    order = requested(order, MONDAY + 2 * DAY, fewer, K.SUPPLEMENT)
    last = course(order)[-1]
    assert (last.foc_at, last.attempt, last.status) == (FOC, 2, "completed")
    done = numbers_of(last)
    assert done.pop(NUMBERS[0]) == "canceled"
    assert set(done.values()) == {"ported"}


def test_a_silent_carrier_answers_after_six_business_days() -> None:
    order = requested(an_order(Scenario.SILENT), MONDAY, WANTED)
    assert looked_at(order, MONDAY + 7 * DAY).status == "submitted"
    # The date that was asked for has the answer on it, so it is the day after.
    assert course(order)[-1].foc_at == FOC + DAY


def test_a_holiday_week_takes_longer() -> None:
    before_thanksgiving = datetime(2026, 11, 25, 19, tzinfo=UTC)
    order = requested(
        an_order(), before_thanksgiving, a_submission(requested_date=date(2026, 12, 25))
    )
    answered = course(order)[2]
    # After the cut-off it counts from Friday 8:00 on, and the next business day is Monday.
    assert answered.at == datetime(2026, 11, 30, 13, tzinfo=UTC)
    assert answered.foc_at == datetime(2026, 12, 28, 16, 30, tzinfo=UTC)


def test_a_change_of_clocks_moves_no_local_time() -> None:
    october = datetime(2026, 10, 20, 14, tzinfo=UTC)
    dates = [
        course(requested(an_order(), october, a_submission(requested_date=wanted)))[-1].foc_at
        for wanted in (date(2026, 10, 30), date(2026, 11, 2))
    ]
    assert dates == [
        datetime(2026, 10, 30, 15, 30, tzinfo=UTC),
        datetime(2026, 11, 2, 16, 30, tzinfo=UTC),
    ]


def test_toll_free_numbers_take_two_days_to_be_answered() -> None:
    submission = a_submission("+18005550100", kind=PortKind.TOLL_FREE)
    order = requested(an_order(kind=PortKind.TOLL_FREE), MONDAY, submission)
    assert course(order)[2].at == MONDAY + 2 * DAY
    assert course(order)[-1].status == "completed"


def test_an_order_on_demand_waits_for_its_activation() -> None:
    order = requested(an_order(on_demand=True), MONDAY, WANTED)
    assert looked_at(order, FOC + HOUR).status == "foc_confirmed"
    assert looked_at(order, FOC + DAY).status == "completed", "carriers switch at the window's end"
    active = told(order, K.ACTIVATE, FOC + HOUR)
    assert looked_at(active, FOC + 2 * HOUR).status == "completed"
    again = told(active, K.ACTIVATE, FOC + HOUR + timedelta(minutes=5))
    assert course(again)[-1] == course(active)[-1]


def test_an_order_that_was_closed_can_be_placed_again() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    order = told(order, K.CANCEL, MONDAY + HOUR)
    again = requested(order, MONDAY + 2 * DAY, a_submission(attempt=2))
    assert statuses(again)[-5:] == HAPPY
    assert set(numbers_of(course(again)[-1]).values()) == {"ported"}


@pytest.mark.parametrize(("digits", "scenario"), SCENARIO_DIGITS.items())
def test_the_first_number_chooses_unless_somebody_did(digits: str, scenario: Scenario) -> None:
    numbers = (f"+1202555{digits}", "+12025550130")
    asked = requested(an_order(), MONDAY, a_submission(*numbers))
    chosen = requested(an_order(scenario), MONDAY, a_submission("+12025550131", "+12025550130"))
    assert statuses(asked) == statuses(chosen)
    overruled = requested(an_order(Scenario.HAPPY), MONDAY, a_submission(*numbers))
    assert statuses(overruled) == HAPPY


def test_an_order_comes_to_its_end_within_two_months() -> None:
    for scenario in Scenario:
        last = course(requested(an_order(scenario), MONDAY, WANTED))[-1]
        assert last.at < MONDAY + 2 * MONTH
