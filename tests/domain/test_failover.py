"""Where calls go, and when they come back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.failover_commands import FailBack
from domain.failover_picture import FailoverRules
from domain.failover_route import RouteWord
from domain.failover_state import AlertKind, Cause
from domain.health_observation import HealthState, Observed
from domain.trunk_config import Failback, FailoverTrigger
from tests.domain.failovers import (
    DOWN,
    HEALTHY,
    RULES,
    failed_over,
    settled,
)

MANUAL = RULES.model_copy(update={"failback": Failback.MANUAL})


def test_calls_go_to_the_primary_first() -> None:
    desk = settled()
    assert (desk.position, desk.route.cause) == (0, Cause.PRIMARY)
    assert [each.position for each in desk.route.next] == [1]
    assert desk.route.generation == 1


def test_a_primary_that_goes_down_loses_its_calls_at_once() -> None:
    desk = failed_over()
    assert (desk.position, desk.route.cause) == (1, Cause.TIMEOUT)
    assert desk.route.since == desk.now
    assert desk.route.next[0].standing is RouteWord.DOWN


def test_a_reply_that_means_down_is_no_timeout() -> None:
    desk = settled()
    desk.becomes(0, DOWN, Observed.REPLY)
    assert desk.route.cause is Cause.UNREACHABLE


def test_calls_return_after_five_minutes_without_a_break() -> None:
    desk = failed_over()
    desk.after(minutes=3)
    back = desk.now
    assert desk.becomes(0, HEALTHY).wake_at == back + timedelta(minutes=5)
    assert desk.route.held_until == back + timedelta(minutes=5)
    desk.after(minutes=4, seconds=59)
    assert desk.position == 1
    desk.after(seconds=1)
    assert (desk.position, desk.route.cause) == (0, Cause.FAILED_BACK)


def test_the_customer_decides_how_long_the_first_hold_down_is() -> None:
    desk = failed_over(rules=FailoverRules(enabled=True, hold_down_seconds=60))
    desk.becomes(0, HEALTHY)
    assert desk.route.held_until == desk.now + timedelta(seconds=60)
    desk.after(seconds=60)
    assert desk.position == 0
    desk.becomes(0, DOWN)
    desk.becomes(0, HEALTHY)
    assert desk.route.held_until == desk.now + timedelta(seconds=120)


def test_a_hold_down_that_the_customer_changes_counts_at_once() -> None:
    desk = failed_over()
    desk.becomes(0, HEALTHY)
    desk.rules = FailoverRules(enabled=True, hold_down_seconds=3600)
    desk.after(minutes=6)
    assert desk.position == 1
    desk.rules = FailoverRules(enabled=True, hold_down_seconds=30)
    desk.after(seconds=0)
    assert desk.position == 0


def test_a_break_starts_the_hold_down_again() -> None:
    desk = failed_over()
    desk.becomes(0, HEALTHY)
    desk.after(minutes=4)
    desk.becomes(0, DOWN)
    desk.after(seconds=10)
    desk.becomes(0, HEALTHY)
    desk.after(minutes=4)
    assert desk.position == 1
    desk.after(minutes=1)
    assert desk.position == 0


def test_a_break_between_two_decisions_counts_too() -> None:
    desk = failed_over()
    desk.becomes(0, HEALTHY)
    desk.now += timedelta(minutes=5)
    # It was down and came back while nobody looked: its state is young.
    assert desk.becomes(0, HEALTHY).route.held_until == desk.now + timedelta(minutes=5)


def test_manual_failback_waits_for_an_operator_and_says_when_it_is_ready() -> None:
    desk = failed_over(rules=MANUAL)
    desk.becomes(0, HEALTHY)
    assert not desk.route.ready_to_fail_back
    desk.after(minutes=5)
    assert desk.route.ready_to_fail_back
    desk.after(hours=10)
    assert desk.position == 1
    assert any("ready to fail back: failback is manual" in said for said in desk.route.why)


def test_the_hold_down_doubles_with_each_flap_and_then_waits_for_an_operator() -> None:
    desk = settled()
    held = []
    for _ in range(6):
        desk.becomes(0, DOWN)
        assert desk.position == 1
        desk.after(seconds=30)
        desk.becomes(0, HEALTHY)
        if desk.route.held_until is None:
            break
        held.append((desk.route.held_until - desk.now) / timedelta(minutes=1))
        desk.after(hours=1)
        if desk.position == 1:
            break
    assert held == [5, 10, 20, 40, 60, 60]
    desk.after(days=2)
    assert desk.position == 1
    assert desk.route.ready_to_fail_back
    assert [each.kind for each in desk.route.alerts] == [AlertKind.FLAPPING]
    desk.becomes(1, DOWN)
    assert desk.position == 0
    desk.becomes(1, HEALTHY)
    desk.becomes(0, DOWN)
    desk.becomes(0, HEALTHY)
    desk.after(hours=2)
    assert desk.position == 1
    desk.order(FailBack())
    assert (desk.position, desk.route.alerts) == (0, ())


def test_failures_that_are_hours_apart_are_no_flapping() -> None:
    desk = settled()
    for _ in range(8):
        desk.after(hours=7)
        desk.becomes(0, DOWN)
        desk.after(seconds=30)
        desk.becomes(0, HEALTHY)
        assert desk.route.held_until == desk.now + timedelta(minutes=5)
        desk.after(minutes=5)
        assert desk.position == 0


@pytest.mark.parametrize(
    ("triggers", "missed_by", "moves"),
    [
        ((FailoverTrigger.UNREACHABLE,), Observed.REPLY, True),
        ((FailoverTrigger.UNREACHABLE,), Observed.TIMEOUT, True),
        ((FailoverTrigger.UNREACHABLE,), Observed.REFUSED, True),
        ((FailoverTrigger.TIMEOUT,), Observed.TIMEOUT, True),
        ((FailoverTrigger.TIMEOUT,), Observed.REPLY, False),
        ((FailoverTrigger.TIMEOUT,), Observed.REFUSED, False),
        ((FailoverTrigger.AUTH_FAILURE,), Observed.TIMEOUT, False),
        ((), Observed.TIMEOUT, False),
    ],
)
def test_only_an_enabled_trigger_moves_calls(
    triggers: tuple[FailoverTrigger, ...], missed_by: Observed, moves: bool
) -> None:
    desk = settled(rules=RULES.model_copy(update={"triggers": triggers}))
    desk.becomes(0, DOWN, missed_by)
    assert desk.position == int(moves)
    if not moves:
        assert any("is not among the failover triggers" in said for said in desk.route.why)


def test_without_failover_the_primary_keeps_its_calls() -> None:
    desk = settled(rules=FailoverRules(enabled=False))
    desk.becomes(0, DOWN)
    assert (desk.position, desk.route.next) == (0, ())


def test_the_next_working_endpoint_takes_over_in_order_of_priority() -> None:
    desk = settled(endpoints=3)
    desk.becomes(1, DOWN)
    desk.becomes(0, DOWN)
    assert desk.position == 2
    assert [each.position for each in desk.route.next] == [0, 1]


def test_calls_return_step_by_step_as_endpoints_prove_themselves() -> None:
    desk = settled(endpoints=3)
    desk.becomes(1, DOWN)
    desk.becomes(0, DOWN)
    desk.after(minutes=30)
    desk.becomes(1, HEALTHY)
    desk.after(minutes=4)
    desk.becomes(0, HEALTHY)
    desk.after(minutes=1)
    assert desk.position == 1
    # Where calls have just moved they stay as long as an endpoint must have worked.
    desk.after(minutes=4, seconds=59)
    assert desk.position == 1
    desk.after(seconds=1)
    assert desk.position == 0


def test_calls_return_though_nothing_new_is_seen() -> None:
    desk = settled(endpoints=3)
    desk.becomes(0, DOWN)
    desk.becomes(0, HEALTHY)
    decision = desk.becomes(1, DOWN)
    assert (desk.position, decision.wake_at) == (2, desk.now + timedelta(minutes=10))
    desk.after(minutes=10)
    assert desk.position == 0


def test_from_one_that_fails_calls_go_to_the_steady_one_before_the_shaky_one() -> None:
    desk = settled(endpoints=3)
    desk.after(hours=1)
    desk.becomes(0, DOWN)
    desk.becomes(0, HEALTHY)
    desk.becomes(1, DOWN)
    assert desk.position == 2


def test_when_all_are_down_calls_stay_on_the_primary_and_somebody_is_told() -> None:
    desk = failed_over()
    decision = desk.becomes(1, DOWN)
    assert (desk.position, desk.route.cause) == (0, Cause.NO_HEALTHY_ENDPOINT)
    assert [each.kind for each in decision.raised] == [AlertKind.NO_HEALTHY_ENDPOINT]
    assert "No endpoint works" in desk.route.why[0]
    later = desk.after(minutes=1)
    assert later.raised == ()
    assert desk.route.alerts == decision.raised
    assert desk.becomes(1, HEALTHY).cleared == (AlertKind.NO_HEALTHY_ENDPOINT,)
    assert desk.position == 1


def test_the_end_of_a_total_failure_is_no_flap() -> None:
    desk = failed_over()
    for _ in range(8):
        desk.becomes(1, DOWN)
        desk.after(minutes=1)
        desk.becomes(1, HEALTHY)
        desk.after(minutes=1)
    assert len(desk.state.left) == 1


def test_degraded_is_left_for_something_better_and_for_nothing_else() -> None:
    desk = settled()
    desk.becomes(1, HealthState.UNCHECKED)
    desk.becomes(0, HealthState.DEGRADED)
    assert desk.position == 0
    desk.becomes(1, HEALTHY)
    assert (desk.position, desk.route.cause) == (1, Cause.DEGRADED)


@pytest.mark.parametrize("failback", list(Failback))
def test_from_a_degraded_one_calls_return_only_after_the_hold_down(failback: Failback) -> None:
    desk = failed_over(rules=RULES.model_copy(update={"failback": failback}))
    desk.becomes(1, HealthState.DEGRADED)
    desk.becomes(0, HEALTHY)
    desk.after(minutes=4, seconds=59)
    assert desk.position == 1
    desk.after(seconds=1)
    assert desk.position == 0


def test_a_degraded_endpoint_is_better_than_none() -> None:
    desk = settled()
    desk.becomes(1, HealthState.DEGRADED)
    desk.becomes(0, DOWN)
    assert desk.position == 1
    assert desk.route.alerts == ()
