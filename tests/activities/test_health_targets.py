"""When a watched target is looked at, by a clock that the test moves."""

from __future__ import annotations

import pytest

from activities.health_samples import hours_of
from activities.health_targets import WatchedTarget
from domain.health import HealthState, Observation, Observed, TargetHealth
from domain.health_history import HourTotals, OutcomeClass, summed
from domain.health_rule import HealthPreset, HealthRule, HealthSource
from domain.health_schedule import due, next_due
from domain.probe_target import ProbeProfile, TargetIdentity
from sip.net.health_prober import ProbeJob
from sip.transports import Transport
from storage.health_config import LoadedRule

NOW = 1_773_064_980.0
IDENTITY = TargetIdentity("192.0.2.1", 5060, Transport.UDP, ProbeProfile("sip.example.com"))
TARGET_ID = IDENTITY.target_id
JOB = ProbeJob(TARGET_ID, "192.0.2.1", 5060, Transport.UDP, "sip.example.com")
UP = TargetHealth(HealthState.HEALTHY, since=NOW - 3600, seq=1, last_at=NOW - 60, last_status=200)
OUT = TargetHealth(HealthState.DOWN, since=NOW - 60, seq=2, misses=3)
STANDARD, BY_CALLS = HealthRule(), HealthRule(source=HealthSource.CALLS)


def watched(*standings: tuple[HealthRule, TargetHealth]) -> WatchedTarget:
    rules = [LoadedRule(rule, health, None) for rule, health in standings or [(STANDARD, UP)]]
    target = WatchedTarget(TARGET_ID, 0, JOB, rules, 60.0)
    target.start(NOW, probed_until=NOW, again=False, wanted_at=None)
    return target


def answer(target: WatchedTarget, kind: Observed = Observed.REPLY, **values: int) -> None:
    """End the probe that is out, at once."""
    at, target.asked_at = target.asked_at, 0.0
    status = values.get("status", 200 if kind is Observed.REPLY else None)
    seen = Observation(at, kind, status, 12.0, values.get("retry_after"))
    target.see(seen, own=True)


def totals_of(target: WatchedTarget) -> HourTotals:
    return summed(hour.totals for hour in hours_of(TARGET_ID, target.samples))


def test_rounds_follow_the_schedule() -> None:
    target = watched()
    number, at = next_due(TARGET_ID, NOW)
    for round_number in range(number, number + 5):
        assert target.next_at == due(TARGET_ID, round_number)
        assert target.begin(target.next_at + 0.03)
        assert (target.regular, target.missed) == (True, 0)
        answer(target)
    assert at == due(TARGET_ID, number)


def test_a_takeover_begins_what_was_due_and_no_more() -> None:
    target = watched()
    number, at = next_due(TARGET_ID, NOW)
    target.start(at + 12, probed_until=at - 1, again=False, wanted_at=None)
    assert target.next_at == at
    target.start(at + 12, probed_until=at + 1, again=False, wanted_at=None)
    assert target.next_at == due(TARGET_ID, number + 1)


def test_after_a_long_absence_one_round_is_made_up_for() -> None:
    target = watched()
    back = NOW + 86_400
    target.start(back, probed_until=NOW, again=False, wanted_at=None)
    assert back - 66 < target.next_at
    assert target.begin(max(target.next_at, back))
    assert target.next_at > back


def test_what_was_in_flight_is_asked_again_at_once() -> None:
    target = watched()
    target.start(NOW, probed_until=NOW, again=True, wanted_at=None)
    assert target.next_at == NOW
    assert target.begin(NOW)
    assert not target.regular


def test_a_doubt_that_was_loaded_is_followed_up_when_it_was_to_be() -> None:
    doubted = TargetHealth(HealthState.HEALTHY, misses=1)
    target = watched((STANDARD, doubted))
    target.start(NOW, probed_until=NOW, again=False, wanted_at=NOW + 3)
    assert target.next_at == NOW + 3
    settled = watched()
    settled.start(NOW, probed_until=NOW, again=False, wanted_at=NOW + 3)
    assert settled.next_at == settled.due_at


def test_a_doubt_comes_before_the_round_and_takes_its_place() -> None:
    target = watched()
    assert target.begin(target.next_at)
    first = target.asked_at
    answer(target, Observed.TIMEOUT)
    assert (target.next_at, target.extra_at) == (first + 5.0, first + 5.0)
    # The round falls due while the confirmation is waited for: one request does for both.
    target.due_at = first + 4.0
    assert target.begin(target.next_at)
    assert (target.regular, target.missed) == (True, 0)
    assert target.next_at == target.due_at > first + 5.0
    assert target.extra_at is None


def test_rounds_that_were_slept_through_are_missed() -> None:
    target = watched()
    assert target.begin(target.next_at + 180)
    assert target.missed in (2, 3)


def test_a_probe_that_is_out_is_not_sent_twice() -> None:
    target = watched()
    assert target.begin(target.next_at)
    target.next_at = target.asked_at + 1
    assert not target.begin(target.next_at)
    assert target.next_at == target.due_at
    assert target.begin(target.asked_at + 200)


def test_a_window_is_waited_for_and_its_rounds_are_maintenance() -> None:
    target = watched()
    assert target.begin(target.next_at)
    asked = target.asked_at
    answer(target, status=503, retry_after=300)
    assert target.next_at == asked + 300
    assert target.begin(target.next_at)
    assert target.missed == 0
    maintained = totals_of(target).count_of(OutcomeClass.MAINTENANCE)
    assert maintained in (3, 4)
    (change,) = target.expire(target.asked_at)
    assert change[1].health.maintenance_until is None
    assert not target.timed


def test_the_reply_that_announces_a_window_is_part_of_it() -> None:
    target = watched()
    target.begin(target.next_at)
    announced = Observation(target.asked_at, Observed.REPLY, 503, 12.0, 300)
    target.see(announced, own=True)
    assert target.outcome_of(announced) is OutcomeClass.MAINTENANCE
    plain = watched()
    shed = Observation(NOW, Observed.REPLY, 503, 12.0)
    plain.see(shed, own=True)
    assert plain.outcome_of(shed) is OutcomeClass.UNAVAILABLE


def test_a_window_that_was_loaded_is_waited_for() -> None:
    target = watched((STANDARD, TargetHealth(HealthState.DOWN, maintenance_until=NOW + 500)))
    assert target.next_at == NOW + 500


@pytest.mark.parametrize(("health", "kind"), [(UP, Observed.REPLY), (OUT, Observed.TIMEOUT)])
def test_what_says_nothing_new_is_recognized(health: TargetHealth, kind: Observed) -> None:
    target = watched((STANDARD, health))
    status = 200 if kind is Observed.REPLY else None
    assert not target.is_steady(kind, status)
    target.begin(target.next_at)
    answer(target, kind)
    assert target.is_steady(kind, status)
    assert not target.is_steady(kind, 401)
    before = [standing.health for standing in target.standings]
    target.begin(target.next_at)
    changes = target.see(Observation(NOW, kind, status), own=True)
    assert [change[1].transition for change in changes] == [None]
    assert [standing.health.state for standing in target.standings] == [before[0].state]


def test_nothing_is_steady_while_a_change_is_counted() -> None:
    target = watched()
    target.begin(target.next_at)
    answer(target, status=401)
    assert target.extra_at is None
    assert not target.is_steady(Observed.REPLY, 401)


def test_a_call_makes_the_next_answer_count_in_full() -> None:
    target = watched()
    target.begin(target.next_at)
    answer(target)
    target.see(Observation(NOW, Observed.CALL, 404, of_call=True), own=False)
    assert not target.is_steady(Observed.REPLY, 200)


def test_a_failed_call_brings_the_next_look_forward() -> None:
    target = watched()
    regular = target.next_at
    target.see(Observation(regular - 20, Observed.CALL, 503, of_call=True), own=False)
    assert target.next_at == regular - 15


def test_an_idle_close_is_looked_at_now() -> None:
    target = watched()
    target.see(Observation(NOW + 1, Observed.IDLE_CLOSED), own=False)
    assert target.next_at == min(NOW + 1, target.due_at)


def test_rules_that_differ_come_to_different_states_by_the_same_probe() -> None:
    strict = HealthRule(preset=HealthPreset.STRICT_200)
    target = watched((STANDARD, TargetHealth()), (strict, TargetHealth()))
    for _ in range(3):
        target.begin(target.next_at)
        answer(target, status=404)
    states = {standing.key: standing.health.state for standing in target.standings}
    assert states == {"standard": "reachable", "strict_200": "down"}


def test_where_only_calls_judge_no_request_is_sent_and_time_forgives() -> None:
    down = TargetHealth(HealthState.DOWN, since=NOW - 1000, seq=2, misses=3)
    target = watched((BY_CALLS, down))
    assert not target.asks
    assert not target.begin(target.next_at)
    assert target.timed
    (change,) = target.expire(NOW)
    assert change[1].health.state == "unchecked"


def test_options_are_sent_as_soon_as_one_rule_wants_them() -> None:
    target = watched((BY_CALLS, UP))
    kept = target.standings[0].health
    rules = [LoadedRule(BY_CALLS, OUT, None), LoadedRule(STANDARD, OUT, None)]
    assert target.take_over(JOB, rules, NOW, all_written=True)
    assert target.asks
    assert target.next_at == NOW
    assert [standing.health for standing in target.standings] == [kept, OUT]


@pytest.mark.parametrize(
    ("stored_seq", "all_written", "anew"),
    [(1, True, True), (0, True, True), (1, False, True), (0, False, False)],
    ids=["written", "its last change was lost", "counters wait", "its first change waits"],
)
def test_a_target_that_was_forgotten_and_is_wanted_again_is_looked_at_anew(
    stored_seq: int, all_written: bool, anew: bool
) -> None:
    target = watched()
    planned = target.next_at
    stored = [LoadedRule(STANDARD, TargetHealth(seq=stored_seq), None)]
    assert target.take_over(JOB, stored, NOW, all_written=all_written) is anew
    assert target.next_at == (NOW if anew else planned)
    state = HealthState.UNCHECKED if anew else HealthState.HEALTHY
    assert target.standings[0].health.state is state
    assert target.is_steady(Observed.REPLY, 200) is False


def test_a_target_whose_peer_asked_for_a_pause_is_not_looked_at_for_a_new_rule() -> None:
    paused = TargetHealth(HealthState.DOWN, since=NOW, seq=2, maintenance_until=NOW + 600)
    target = watched((STANDARD, paused))
    strict = LoadedRule(HealthRule(preset=HealthPreset.STRICT_200), TargetHealth(), None)
    stored = [LoadedRule(STANDARD, paused, None), strict]
    assert not target.take_over(JOB, stored, NOW, all_written=True)
    assert target.next_at == NOW + 600


def test_what_was_read_again_unchanged_changes_nothing() -> None:
    target = watched()
    planned = target.next_at
    assert not target.take_over(JOB, [LoadedRule(STANDARD, UP, None)], NOW, all_written=True)
    assert target.next_at == planned
