"""What the simulated carrier refuses, and that whatever it is told its pictures stay true."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.base import CarrierRefused, PortSubmission
from carriers.simulator_rules import FREEZE
from carriers.simulator_script import CLOSED, course
from carriers.simulator_state import Scenario, SimulatedOrder
from carriers.simulator_webhooks import due_webhooks, webhooks
from domain.porting.rejections import RejectionCode
from domain.porting.state import CommandKind
from domain.porting.words import PortKind
from tests.carriers.orders import (
    DAY,
    MONDAY,
    NUMBERS,
    a_submission,
    an_order,
    looked_at,
    numbers_of,
    requested,
    told,
)

K = CommandKind
HOUR = timedelta(hours=1)
WANTED = a_submission(requested_date=date(2026, 12, 8))


@pytest.mark.parametrize(
    ("submission", "codes"),
    [
        (a_submission("+12025550101", "+12025550150"), ["split_required"]),
        (a_submission("+12025550101", "+18005550100"), ["split_required"]),
        (a_submission("+12025550101", "+12025550194"), ["split_required"]),
        (a_submission("+18005550100"), ["other"]),
        (a_submission("+12025550101", kind=PortKind.TOLL_FREE), ["other"]),
        (a_submission("+12025550190"), ["not_portable"]),
        (a_submission("+12025550191", letter=None), ["already_here", "loa_invalid"]),
        (a_submission(numbers=()), ["other"]),
    ],
)
def test_what_cannot_be_ordered_is_refused_at_once(
    submission: PortSubmission, codes: list[str]
) -> None:
    with pytest.raises(CarrierRefused) as refused:
        requested(an_order(), MONDAY, submission)
    assert [each.code for each in refused.value.rejections] == codes
    assert str(refused.value).endswith(".")


def test_an_order_is_open_once() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    for at, code in ((DAY, RejectionCode.PENDING_ORDER), (60 * DAY, RejectionCode.ALREADY_HERE)):
        with pytest.raises(CarrierRefused) as refused:
            requested(order, MONDAY + at, a_submission(attempt=2))
        assert [each.code for each in refused.value.rejections] == [code]


@pytest.mark.parametrize("kind", [K.CANCEL, K.RESCHEDULE, K.ACTIVATE, K.SUPPLEMENT])
def test_an_order_that_was_never_placed_takes_nothing(kind: CommandKind) -> None:
    with pytest.raises(CarrierRefused, match="never submitted"):
        told(an_order(), kind, MONDAY)


def test_nothing_is_changed_in_the_last_day_before_the_date() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    foc_at = course(order)[-1].foc_at
    assert foc_at is not None
    for kind in (K.CANCEL, K.RESCHEDULE):
        told(order, kind, foc_at - FREEZE, wanted=date(2026, 12, 15))
        with pytest.raises(CarrierRefused, match="24 hours"):
            told(order, kind, foc_at - FREEZE + HOUR, wanted=date(2026, 12, 15))
    fast = requested(an_order(scale=24), MONDAY, WANTED)
    foc_at = course(fast)[-1].foc_at
    assert foc_at is not None
    told(fast, K.CANCEL, foc_at - 2 * HOUR)
    with pytest.raises(CarrierRefused):
        told(fast, K.CANCEL, foc_at - HOUR / 2)


def test_after_the_commitment_only_the_date_changes_or_numbers_go() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    for numbers in (NUMBERS, (*NUMBERS[1:], "+12025550140")):
        with pytest.raises(CarrierRefused, match="only the date"):
            requested(order, MONDAY + 2 * DAY, a_submission(*numbers, attempt=2), K.SUPPLEMENT)


def test_what_is_being_switched_or_over_is_not_changed() -> None:
    order = requested(an_order(), MONDAY, WANTED)
    switching = course(order)[3].at
    for kind in (K.CANCEL, K.RESCHEDULE, K.SUPPLEMENT):
        for at in (switching, switching + DAY):
            with pytest.raises(CarrierRefused):
                told(order, kind, at)
    canceling = told(order, K.CANCEL, MONDAY + HOUR)
    # Asked once more, the answer is the same.
    told(canceling, K.CANCEL, MONDAY + HOUR)
    told(canceling, K.CANCEL, MONDAY + DAY)
    with pytest.raises(CarrierRefused):
        told(canceling, K.RESCHEDULE, MONDAY + HOUR)


def test_numbers_are_activated_from_their_date_on() -> None:
    order = requested(an_order(on_demand=True), MONDAY, WANTED)
    with pytest.raises(CarrierRefused, match="no committed date"):
        told(order, K.ACTIVATE, MONDAY)
    with pytest.raises(CarrierRefused, match="from the committed date on"):
        told(order, K.ACTIVATE, MONDAY + 2 * DAY)


@st.composite
def stories(draw: st.DrawFn) -> list[SimulatedOrder]:
    """An order after each of some commands that it took, at any times."""
    scenario = draw(st.sampled_from(Scenario))
    scale = draw(st.sampled_from([1.0, 10_000.0]))
    at = MONDAY + draw(st.timedeltas(timedelta(), 20 * DAY))
    order = an_order(scenario, scale=scale, on_demand=draw(st.booleans()))
    order = requested(order, at, a_submission(*NUMBERS[:3]))
    found = [order]
    for attempt in range(2, draw(st.integers(2, 9))):
        at += draw(st.timedeltas(timedelta(), 12 * DAY)) / scale
        kind = draw(st.sampled_from([K.SUPPLEMENT, K.RESCHEDULE, K.CANCEL, K.ACTIVATE, K.SUBMIT]))
        with suppress(CarrierRefused):
            if kind in (K.SUBMIT, K.SUPPLEMENT):
                numbers = NUMBERS[: draw(st.integers(1, 4))]
                order = requested(order, at, a_submission(*numbers, attempt=attempt), kind)
            else:
                wanted = (at + draw(st.timedeltas(timedelta(), 40 * DAY))).date()
                order = told(order, kind, at, wanted=wanted)
            found.append(order)
    return found


@settings(max_examples=50)
@given(stories())
def test_what_was_seen_stays_true_whatever_is_told_later(story: list[SimulatedOrder]) -> None:
    for before, after in pairwise(story):
        now = after.heard[-1].at
        seen = [each for each in course(before) if each.at <= now]
        assert course(after)[: len(seen)] == tuple(seen)
        sent = [each for each in webhooks(before) if each.at <= now]
        assert webhooks(after)[: len(sent)] == sent


@settings(max_examples=50)
@given(stories())
def test_pictures_are_in_order_and_lose_no_number(story: list[SimulatedOrder]) -> None:
    pictures = course(story[-1])
    assert [each.sequence for each in pictures] == list(range(len(pictures)))
    for one, next_one in pairwise(pictures):
        assert one.at <= next_one.at
        before, after = numbers_of(one), numbers_of(next_one)
        assert list(before) == list(after)[: len(before)]
        ported = {number for number, status in before.items() if status == "ported"}
        assert {after[number] for number in ported} <= {"ported"}
    told_of = {number for each in story[-1].heard for number in each.numbers}
    assert set(numbers_of(pictures[-1])) == told_of
    assert pictures[-1].status in CLOSED
    assert looked_at(story[-1], pictures[-1].at + DAY) == pictures[-1]


@settings(max_examples=50)
@given(stories())
def test_the_course_survives_being_stored(story: list[SimulatedOrder]) -> None:
    order = story[-1]
    again = SimulatedOrder.model_validate_json(order.model_dump_json())
    assert course(again) == course(order)
    told_all = again.model_copy(update={"told": len(webhooks(again))})
    assert due_webhooks(told_all, course(order)[-1].at) == []
