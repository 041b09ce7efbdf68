"""The state of one target by one rule: what it takes to go down, and to come back.

The table, with the field guide's 1.2 and design section 4 as its source:

    first thing seen that is up      its state at once
    a miss                           confirmed after 5 s, then 10 s; down at the third in a row
    a miss by refusal or reset       confirmed after 0.5 s, then 1 s; down at the third in a row
    503 with a Retry-After of 10 s   down at once, and not probed again before it ends: the peer
    or more                          says that it is out, which is no miss
    down, and a reply that is up     two more, 10 s apart; back at the third in a row
    up, and a reply of another       that state at the third in a row, so that a peer that answers
    state                            in turns does not change it with every reply
    an idle connection closed        checked at once; no miss

Waits count from when an observation was known. With the probe's own 4 s, silence makes a target
down about 27 s after the first probe that it left unanswered (4 + 5 + 4 + 10 + 4).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from domain.health_observation import HealthState, Observation, Observed
from domain.health_record import CONFIRMATIONS, RETURNS, Step, TargetHealth, Transition
from domain.health_rule import HealthRule, HealthSource, Judgement, judge
from domain.health_words import explain

__all__ = [
    "CALLS_FORGIVEN",
    "CONFIRMATIONS",
    "MAINTENANCE_FROM",
    "MAX_MAINTENANCE",
    "RETURNS",
    "HealthState",
    "Observation",
    "Observed",
    "Step",
    "TargetHealth",
    "Transition",
    "expire",
    "explain",
    "observe",
]

SLOW_CONFIRM: Final = (5.0, 10.0)
QUICK_CONFIRM: Final = (0.5, 1.0)
"""Seconds before the second and the third try: a refusal costs the peer nothing and says more."""

QUICK: Final = frozenset({Observed.REFUSED, Observed.RESET, Observed.CLOSED})

RETURN_WAIT: Final = 10.0

MAINTENANCE_FROM: Final = 10
"""A shorter Retry-After, in seconds, is load being shed, not a window."""

MAX_MAINTENANCE: Final = 3600.0
"""Longest time that a peer may keep us from looking."""

CALL_SPACING: Final = 5.0
"""Calls that fail together are one miss: they met the same moment."""

CALLS_FORGIVEN: Final = 300.0
"""Judged by calls alone, a target that is down gets none, and could never come back: after this
long it counts as unchecked, and the next call may try it."""


def observe(health: TargetHealth, observation: Observation, rule: HealthRule) -> Step:
    """The next state. An observation that the rule does not look at changes nothing."""
    by_calls = rule.source is HealthSource.CALLS
    if observation.kind is Observed.IDLE_CLOSED:
        return Step(health, again_in=None if by_calls else 0.0)
    of_call = observation.of_call or observation.kind is Observed.CALL
    if by_calls and not of_call:
        return Step(health)
    judgement = judge(observation, rule)
    if judgement.state is HealthState.DOWN:
        if _is_maintenance(observation):
            return _maintenance(health, observation, judgement)
        if _adds_nothing(health, observation, of_call):
            return Step(health)
        return _missed(health, observation, judgement, rule)
    if of_call and not by_calls and _is_up(health):
        # A call proves that the target works; which shade of working is OPTIONS' matter.
        judgement = Judgement(health.state, judgement.reason)
    return _good(health, observation, judgement, rule)


def expire(health: TargetHealth, now: float, rule: HealthRule) -> Step | None:
    """What time alone changes; ``None`` when that is nothing.

    A maintenance window ends; a target that is down by calls alone may be called again.
    """
    if health.maintenance_until is not None:
        if now < health.maintenance_until:
            return None
        return Step(replace(health, maintenance_until=None))
    if rule.source is not HealthSource.CALLS or health.state is not HealthState.DOWN:
        return None
    if health.since is None or now < health.since + CALLS_FORGIVEN:
        return None
    minutes = f"{CALLS_FORGIVEN / 60:.0f} minutes"
    reason = f"down by calls for {minutes}: the next call may try it"
    forgiven = replace(health, misses=0, goods=0, reason=reason)
    return _change(forgiven, HealthState.UNCHECKED, now)


def _is_up(health: TargetHealth) -> bool:
    return health.state not in (HealthState.UNCHECKED, HealthState.DOWN)


def _adds_nothing(health: TargetHealth, observation: Observation, of_call: bool) -> bool:
    """Whether a miss was announced, or is one that was counted already."""
    if health.maintenance_until is not None and observation.at < health.maintenance_until:
        return True
    return (
        of_call
        and health.misses > 0
        and health.last_at is not None
        and observation.at < health.last_at + CALL_SPACING
    )


def _is_maintenance(observation: Observation) -> bool:
    return (
        observation.status == 503
        and observation.retry_after is not None
        and observation.retry_after >= MAINTENANCE_FROM
    )


def _maintenance(health: TargetHealth, observation: Observation, judgement: Judgement) -> Step:
    asked = observation.retry_after or 0
    length = min(float(asked), MAX_MAINTENANCE)
    reason = f"{judgement.reason} with Retry-After: {asked}"
    counted = replace(
        _seen(health, observation, CONFIRMATIONS, reason),
        maintenance_until=observation.at + length,
    )
    if health.state is HealthState.DOWN:
        return Step(counted, again_in=length)
    return replace(_change(counted, HealthState.DOWN, observation.at), again_in=length)


def _missed(
    health: TargetHealth, observation: Observation, judgement: Judgement, rule: HealthRule
) -> Step:
    is_down = health.state is HealthState.DOWN
    misses = CONFIRMATIONS if is_down else health.misses + 1
    by_calls = rule.source is HealthSource.CALLS
    tries = "calls" if by_calls else "probes"
    reason = f"{misses} of {CONFIRMATIONS} {tries} {judgement.reason}"
    counted = _seen(health, observation, misses, reason)
    if is_down:
        return Step(counted)
    if misses >= CONFIRMATIONS:
        return _change(counted, HealthState.DOWN, observation.at)
    if by_calls:
        return Step(counted)
    waits = QUICK_CONFIRM if observation.kind in QUICK else SLOW_CONFIRM
    # A peer that asks for a little time gets it.
    asked = min(observation.retry_after or 0, MAINTENANCE_FROM)
    return Step(counted, again_in=max(waits[misses - 1], float(asked)))


def _good(
    health: TargetHealth, observation: Observation, judgement: Judgement, rule: HealthRule
) -> Step:
    seen = _seen(health, observation, 0, judgement.reason)
    if judgement.state is health.state:
        return Step(seen)
    if health.state is HealthState.UNCHECKED:
        return _change(seen, judgement.state, observation.at)
    is_down = health.state is HealthState.DOWN
    continues = is_down or _spoke_for(health.last_status, rule) is judgement.state
    goods = health.goods + 1 if continues else 1
    if goods >= RETURNS:
        why = f"{goods} replies in a row, the last {judgement.reason}"
        return _change(seen, judgement.state, observation.at, why, goods=goods)
    if is_down:
        seen = replace(seen, misses=CONFIRMATIONS, missed_by=health.missed_by, reason=health.reason)
    hurried = is_down or HealthState.DEGRADED in (health.state, judgement.state)
    again = RETURN_WAIT if hurried and rule.source is HealthSource.OPTIONS else None
    return Step(replace(seen, goods=goods), again_in=again)


def _spoke_for(status: int | None, rule: HealthRule) -> HealthState | None:
    if status is None:
        return None
    kind = Observed.CALL if rule.source is HealthSource.CALLS else Observed.REPLY
    return judge(Observation(at=0.0, kind=kind, status=status), rule).state


def _seen(health: TargetHealth, observation: Observation, misses: int, reason: str) -> TargetHealth:
    # A call that was answered says nothing of how soon, and takes back nothing either.
    untimed = observation.ms is None and not misses
    return TargetHealth(
        state=health.state,
        since=health.since,
        seq=health.seq,
        misses=misses,
        last_at=observation.at,
        last_ms=health.last_ms if untimed else observation.ms,
        last_status=observation.status,
        missed_by=_missed_by(observation) if misses else None,
        reason=reason,
    )


def _missed_by(observation: Observation) -> Observed:
    """A call that got no response, or 408, was silence too (RFC 3261 8.1.3.1)."""
    is_call = observation.kind is Observed.CALL
    if observation.status == 408 or (is_call and observation.status is None):
        return Observed.TIMEOUT
    return observation.kind


def _change(
    health: TargetHealth,
    after: HealthState,
    at: float,
    why: str | None = None,
    *,
    goods: int = 0,
) -> Step:
    """Change the state; ``why`` when more than the last observation decided it."""
    changed = replace(health, state=after, since=at, seq=health.seq + 1)
    transition = Transition(
        seq=changed.seq,
        at=at,
        before=health.state,
        after=after,
        reason=why or health.reason,
        misses=health.misses,
        goods=goods,
    )
    return Step(changed, transition)
