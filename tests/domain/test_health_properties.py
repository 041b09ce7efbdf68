"""What holds for the state machine whatever a peer does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.health import (
    CONFIRMATIONS,
    MAINTENANCE_FROM,
    RETURNS,
    HealthState,
    Observation,
    Observed,
    TargetHealth,
    expire,
    explain,
    observe,
)
from domain.health_rule import HealthPreset, HealthRule, HealthSource, judge

RULES = st.sampled_from(
    [
        *(HealthRule(preset=preset) for preset in HealthPreset if preset != "custom"),
        HealthRule(preset=HealthPreset.CUSTOM, down_codes=(404,)),
        HealthRule(preset=HealthPreset.CUSTOM, up_codes=(200,)),
        HealthRule(source=HealthSource.CALLS),
    ]
)
STATUSES = st.sampled_from([200, 202, 302, 401, 404, 408, 486, 500, 501, 503, 505, 603])
KINDS = st.sampled_from(list(Observed))
WAITS = st.floats(0.01, 120.0)


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    """What may be seen one after the other."""
    at, seen = 1_773_064_980.0, []
    for wait in draw(st.lists(WAITS, max_size=25)):
        at += wait
        kind = draw(KINDS)
        answered = kind in (Observed.REPLY, Observed.CALL)
        seen.append(
            Observation(
                at=at,
                kind=kind,
                status=draw(STATUSES) if answered else None,
                ms=draw(st.none() | st.floats(0, 4000)),
                retry_after=draw(st.none() | st.integers(0, 10_000)) if answered else None,
                of_call=draw(st.booleans()),
            )
        )
    return seen


@given(observations(), RULES)
def test_down_takes_three_misses_in_a_row_or_the_peers_own_word(
    seen: list[Observation], rule: HealthRule
) -> None:
    health, misses = TargetHealth(), 0
    for observation in seen:
        step = observe(health, observation, rule)
        if step.health is not health and observation.kind is not Observed.IDLE_CLOSED:
            bad = judge(observation, rule).state is HealthState.DOWN
            misses = misses + 1 if bad else 0
        if step.transition is not None and step.transition.after is HealthState.DOWN:
            announced = observation.status == 503 and (
                (observation.retry_after or 0) >= MAINTENANCE_FROM
            )
            assert announced or misses >= CONFIRMATIONS
        health = step.health


@given(observations(), RULES)
def test_back_takes_three_good_replies_in_a_row(seen: list[Observation], rule: HealthRule) -> None:
    health, goods = TargetHealth(), 0
    for observation in seen:
        step = observe(health, observation, rule)
        if step.health is not health:
            goods = 0 if judge(observation, rule).state is HealthState.DOWN else goods + 1
        if step.transition is not None and step.transition.before is HealthState.DOWN:
            assert goods >= RETURNS
        health = step.health


@given(observations(), RULES)
def test_counters_and_waits_stay_within_their_limits(
    seen: list[Observation], rule: HealthRule
) -> None:
    health = TargetHealth()
    for observation in seen:
        step = observe(health, observation, rule)
        after = step.health
        assert 0 <= after.misses <= CONFIRMATIONS
        assert 0 <= after.goods < RETURNS
        assert step.again_in is None or 0.0 <= step.again_in <= 3600.0
        assert after.maintenance_until is None or after.maintenance_until <= observation.at + 3600
        assert after.seq == health.seq + (step.transition is not None)
        assert (step.transition is not None) == (after.state is not health.state)
        assert explain(after, now=observation.at, next_at=observation.at + 1)
        health = after


@given(observations(), RULES)
def test_a_steady_reply_changes_only_what_was_last_seen(
    seen: list[Observation], rule: HealthRule
) -> None:
    health = TargetHealth()
    for observation in seen:
        again = observe(observe(health, observation, rule).health, observation, rule).health
        if again.settled:
            third = observe(again, observation, rule)
            assert (third.health, third.transition) == (again, None)
        health = observe(health, observation, rule).health


@given(observations(), RULES)
def test_whatever_came_before_good_replies_bring_every_target_back(
    seen: list[Observation], rule: HealthRule
) -> None:
    health = TargetHealth()
    for observation in seen:
        health = observe(health, observation, rule).health
    at = seen[-1].at if seen else 0.0
    for number in range(RETURNS):
        good = Observation(at + 10.0 * (number + 1), Observed.CALL, 200)
        health = observe(health, good, rule).health
    assert health.state is not HealthState.DOWN
    assert health.maintenance_until is None


@given(observations(), RULES)
def test_time_alone_ends_every_window(seen: list[Observation], rule: HealthRule) -> None:
    health = TargetHealth()
    for observation in seen:
        health = observe(health, observation, rule).health
    if health.maintenance_until is not None:
        assert expire(health, health.maintenance_until - 0.001, rule) is None
        ended = expire(health, health.maintenance_until, rule)
        assert ended is not None
        assert ended.health.maintenance_until is None
