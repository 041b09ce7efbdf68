"""The state machine of a target, by simulated observations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.health import (
    CALLS_FORGIVEN,
    MAX_MAINTENANCE,
    HealthState,
    Observation,
    Observed,
    Step,
    TargetHealth,
    Transition,
    expire,
    explain,
    observe,
)
from domain.health_rule import STANDARD_RULE, HealthRule, HealthSource

NOW = 1_773_064_980.0
"""2026-03-09 14:03:00 UTC."""

PROBE_SECONDS = 4.0
BY_CALLS = HealthRule(source=HealthSource.CALLS)
UP = TargetHealth(HealthState.HEALTHY, since=NOW - 3600, seq=1, last_at=NOW - 60, last_status=200)
OUT = TargetHealth(
    HealthState.DOWN, since=NOW - 60, seq=2, misses=3, reason="3 of 3 probes unanswered"
)


def reply(status: int, at: float = NOW, retry_after: int | None = None) -> Observation:
    return Observation(at, Observed.REPLY, status, 12.0, retry_after)


def missed(kind: Observed = Observed.TIMEOUT, at: float = NOW) -> Observation:
    return Observation(at, kind)


def call(status: int | None, at: float = NOW) -> Observation:
    return Observation(at, Observed.CALL, status)


def probed(
    health: TargetHealth,
    answer: Callable[[float], Observation],
    *,
    times: int,
    takes: float = 0.0,
) -> tuple[list[Step], list[float]]:
    """Probe as often as the machine asks for; the steps, and when each probe was sent."""
    steps: list[Step] = []
    sent: list[float] = []
    at = NOW
    for _ in range(times):
        sent.append(at - NOW)
        step = observe(health, answer(at + takes), STANDARD_RULE)
        steps.append(step)
        health = step.health
        at += takes + (60.0 if step.again_in is None else step.again_in)
    return steps, sent


def test_silence_is_confirmed_after_5_and_10_seconds_and_down_after_27() -> None:
    steps, sent = probed(UP, lambda at: missed(Observed.TIMEOUT, at), times=3, takes=PROBE_SECONDS)

    assert sent == [0.0, 9.0, 23.0]
    assert [step.health.state for step in steps] == ["healthy", "healthy", "down"]
    assert steps[-1].transition == Transition(
        seq=2,
        at=NOW + 27.0,
        before=HealthState.HEALTHY,
        after=HealthState.DOWN,
        reason="3 of 3 probes unanswered",
        misses=3,
        goods=0,
    )
    assert steps[-1].health.since == NOW + 27.0


@pytest.mark.parametrize("kind", [Observed.REFUSED, Observed.RESET, Observed.CLOSED])
def test_a_refusal_is_confirmed_within_one_and_a_half_seconds(kind: Observed) -> None:
    steps, sent = probed(UP, lambda at: missed(kind, at), times=3)
    assert sent == [0.0, 0.5, 1.5]
    assert [step.transition is not None for step in steps] == [False, False, True]


def test_one_good_reply_ends_a_doubt() -> None:
    doubted = observe(observe(UP, missed(), STANDARD_RULE).health, missed(), STANDARD_RULE).health
    assert doubted.misses == 2
    step = observe(doubted, reply(200), STANDARD_RULE)
    assert (step.health.misses, step.transition, step.again_in) == (0, None, None)


def test_three_good_replies_10_seconds_apart_bring_it_back() -> None:
    steps, sent = probed(OUT, lambda at: reply(200, at), times=3)
    assert sent == [0.0, 10.0, 20.0]
    assert [step.health.state for step in steps] == ["down", "down", "healthy"]
    assert steps[-1].transition is not None
    assert (steps[-1].transition.goods, steps[-1].health.goods) == (3, 0)
    assert steps[-1].transition.reason == "3 replies in a row, the last answered 200"


def test_a_miss_between_good_replies_starts_the_count_again() -> None:
    health = observe(OUT, reply(200), STANDARD_RULE).health
    health = observe(health, missed(), STANDARD_RULE).health
    assert (health.state, health.goods, health.misses) == ("down", 0, 3)
    steps, _ = probed(health, lambda at: reply(200, at), times=3)
    assert [step.health.state for step in steps] == ["down", "down", "healthy"]


@pytest.mark.parametrize(
    ("status", "state"), [(200, "healthy"), (401, "reachable"), (500, "degraded")]
)
def test_the_first_thing_seen_decides_at_once(status: int, state: str) -> None:
    step = observe(TargetHealth(), reply(status), STANDARD_RULE)
    assert step.health.state == state
    assert step.transition is not None
    assert (step.transition.before, step.health.seq) == ("unchecked", 1)


def test_what_was_never_seen_takes_three_misses_too() -> None:
    steps, _ = probed(TargetHealth(), lambda at: missed(at=at), times=3)
    assert [step.health.state for step in steps] == ["unchecked", "unchecked", "down"]


def test_a_peer_that_answers_in_turns_keeps_its_state() -> None:
    health = UP
    for status in (401, 200, 500, 200, 401, 500, 401, 500, 401, 500):
        step = observe(health, reply(status), STANDARD_RULE)
        assert step.transition is None
        health = step.health
    assert health.state == "healthy"


def test_degraded_is_looked_at_again_soon_and_a_shade_of_up_is_not() -> None:
    degraded, sent = probed(UP, lambda at: reply(500, at), times=3)
    assert sent == [0.0, 10.0, 20.0]
    assert degraded[-1].health.state == "degraded"
    reachable, sent = probed(UP, lambda at: reply(401, at), times=3)
    assert sent == [0.0, 60.0, 120.0]
    assert reachable[-1].health.state == "reachable"


def test_an_idle_connection_that_was_closed_is_checked_at_once_and_is_no_miss() -> None:
    step = observe(UP, missed(Observed.IDLE_CLOSED), STANDARD_RULE)
    assert step == Step(UP, again_in=0.0)


def test_retry_after_is_a_maintenance_window() -> None:
    step = observe(UP, reply(503, retry_after=120), STANDARD_RULE)
    assert step.health.state == "down"
    assert step.health.maintenance_until == NOW + 120
    assert step.again_in == 120.0
    assert step.transition is not None
    assert step.transition.reason == "answered 503 with Retry-After: 120"


def test_a_peer_cannot_keep_us_from_looking_for_longer_than_an_hour() -> None:
    step = observe(UP, reply(503, retry_after=604_800), STANDARD_RULE)
    assert step.again_in == MAX_MAINTENANCE == 3600.0


def test_load_that_is_shed_for_a_moment_is_confirmed_not_sooner_than_asked() -> None:
    step = observe(UP, reply(503, retry_after=7), STANDARD_RULE)
    assert (step.health.state, step.health.misses, step.again_in) == ("healthy", 1, 7.0)
    plain = observe(UP, reply(503), STANDARD_RULE)
    assert (plain.health.misses, plain.again_in) == (1, 5.0)


def test_misses_within_the_window_were_announced() -> None:
    health = observe(UP, reply(503, retry_after=120), STANDARD_RULE).health
    assert observe(health, missed(at=NOW + 60), STANDARD_RULE) == Step(health)
    assert expire(health, NOW + 119, STANDARD_RULE) is None
    ended = expire(health, NOW + 120, STANDARD_RULE)
    assert ended is not None
    assert (ended.health.maintenance_until, ended.health.state) == (None, "down")


def test_a_window_that_is_asked_for_again_is_longer_but_no_change_of_state() -> None:
    health = observe(UP, reply(503, retry_after=120), STANDARD_RULE).health
    step = observe(health, reply(503, at=NOW + 100, retry_after=60), STANDARD_RULE)
    assert step.transition is None
    assert step.health.maintenance_until == NOW + 160


def test_a_good_reply_ends_the_window() -> None:
    health = observe(UP, reply(503, retry_after=120), STANDARD_RULE).health
    step = observe(health, call(200, at=NOW + 30), STANDARD_RULE)
    assert (step.health.maintenance_until, step.health.goods, step.again_in) == (None, 1, 10.0)


def test_failed_calls_count_beside_options() -> None:
    health = observe(UP, missed(), STANDARD_RULE).health
    health = observe(health, call(503, at=NOW + 6), STANDARD_RULE).health
    step = observe(health, missed(at=NOW + 12), STANDARD_RULE)
    assert step.health.state == "down"


def test_calls_that_fail_together_are_one_miss() -> None:
    health = UP
    for at in (0.0, 0.1, 0.2, 1.0, 4.9):
        health = observe(health, call(None, at=NOW + at), STANDARD_RULE).health
    assert (health.state, health.misses) == ("healthy", 1)


def test_a_call_that_works_ends_a_doubt_and_leaves_the_shade_to_options() -> None:
    doubted = observe(UP, missed(), STANDARD_RULE).health
    step = observe(doubted, call(404), STANDARD_RULE)
    assert (step.health.state, step.health.misses, step.transition) == ("healthy", 0, None)


def test_judged_by_calls_alone_options_change_nothing() -> None:
    for options in (reply(200), missed(), missed(Observed.IDLE_CLOSED)):
        assert observe(UP, options, BY_CALLS) == Step(UP)
    refused = Observation(NOW, Observed.REFUSED, of_call=True)
    assert observe(UP, refused, BY_CALLS).health.misses == 1


def test_judged_by_calls_alone_a_target_that_is_down_may_be_called_again() -> None:
    health, step = UP, Step(UP)
    for number in range(3):
        step = observe(health, call(None, at=NOW + 10 * number), BY_CALLS)
        assert step.again_in is None
        health = step.health
    assert step.transition is not None
    assert step.transition.reason == "3 of 3 calls unanswered"
    since = NOW + 20

    assert expire(health, since + CALLS_FORGIVEN - 1, BY_CALLS) is None
    again = expire(health, since + CALLS_FORGIVEN, BY_CALLS)
    assert again is not None
    assert again.health.state == "unchecked"
    assert again.transition is not None
    assert observe(again.health, call(486, at=since + 400), BY_CALLS).health.state == "healthy"
    assert expire(health, since + CALLS_FORGIVEN, STANDARD_RULE) is None


def test_a_state_explains_itself() -> None:
    def said(health: TargetHealth, after: float = 0.0) -> str:
        return explain(health, now=NOW + after, next_at=NOW + after + 8)

    down = probed(UP, lambda at: missed(at=at), times=3, takes=PROBE_SECONDS)[0][-1].health
    assert said(down, 30) == (
        "down since 14:03:27 UTC: 3 of 3 probes unanswered; next probe in 8 s; "
        "back after 3 good replies"
    )
    coming = observe(down, reply(200), STANDARD_RULE).health
    assert said(coming, 30).endswith("next probe in 8 s; back after 2 more good replies")
    nearly = observe(coming, reply(200), STANDARD_RULE).health
    assert said(nearly, 30).endswith("back after 1 more good reply")
    doubted = observe(UP, missed(), STANDARD_RULE).health
    assert said(doubted) == (
        "healthy since 13:03:00 UTC, but 1 of 3 probes unanswered; next probe in 8 s; "
        "down after 3 in a row"
    )
    assert said(TargetHealth()) == "not checked yet; next probe in 8 s"
    waiting = observe(UP, reply(503, retry_after=120), STANDARD_RULE).health
    assert said(waiting) == (
        "down since 14:03:00 UTC: answered 503 with Retry-After: 120; "
        "not probed before 14:05:00 UTC, as it asks; back after 3 good replies"
    )
    old = observe(UP, reply(200), STANDARD_RULE).health
    assert explain(old, now=NOW + 86_400, next_at=None) == (
        "healthy since 2026-03-09 13:03:00 UTC: answered 200; judged by calls alone"
    )


@pytest.mark.parametrize(
    ("kind", "status", "missed_by"),
    [
        (Observed.TIMEOUT, None, Observed.TIMEOUT),
        (Observed.REFUSED, None, Observed.REFUSED),
        (Observed.REPLY, 408, Observed.TIMEOUT),
        (Observed.REPLY, 503, Observed.REPLY),
        (Observed.CALL, None, Observed.TIMEOUT),
        (Observed.CALL, 503, Observed.CALL),
    ],
)
def test_how_it_was_missed_is_remembered_until_it_is_back(
    kind: Observed, status: int | None, missed_by: Observed
) -> None:
    health = TargetHealth(HealthState.HEALTHY, since=0.0, seq=1)
    at = 100.0
    for _ in range(3):
        at += 10
        health = observe(health, Observation(at, kind, status), STANDARD_RULE).health
        assert health.missed_by is missed_by
    assert health.state is HealthState.DOWN
    for state in (HealthState.DOWN, HealthState.DOWN, HealthState.HEALTHY):
        at += 10
        health = observe(health, Observation(at, Observed.REPLY, 200), STANDARD_RULE).health
        assert health.state is state
        assert health.missed_by is (missed_by if state is HealthState.DOWN else None)
