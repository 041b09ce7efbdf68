"""Which endpoint gets the calls.

The first of these that applies decides::

    pinned                        that endpoint, whatever becomes of it
    forced                        that endpoint, until it fails
    an order to fail back         the most preferred endpoint that works, at once or by a trial
    everything is down            the primary: it is what the customer wants, and nothing is better
    the active endpoint failed    the best other one, at once
    a trial goes on               its next stage, or its end
    a better choice works again   that one, after its hold-down and when failback is automatic
    nothing of all this           it stays as it is
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from domain.failover_holding import (
    FLAPS_TO_MANUAL,
    TrialEnd,
    Waiting,
    failures_with,
    hold_after,
    next_of_trial,
    waiting,
)
from domain.failover_situation import Choice, Situation
from domain.failover_standing import Fitness, Standing
from domain.failover_state import CanaryStage, CanaryTrial, Cause
from domain.trunk_config import Failback, FailoverTrigger

__all__ = ["choose"]


_BY_OPERATOR: Final = (Cause.PINNED, Cause.FORCED)


def choose(situation: Situation) -> Choice:
    """Where calls go from now on."""
    choice = _choice(situation)
    if choice.active.name_id == situation.state.active or choice.cause in _BY_OPERATOR:
        return choice
    found = _waiting(situation, choice)
    return replace(choice, waits=found.first, held_until=found.until)


def _choice(situation: Situation) -> Choice:
    start = _start(situation)
    commands = situation.commands
    pinned = commands.pinned and situation.named(commands.pinned.name_id)
    if pinned:
        return _to(start, pinned, Cause.PINNED, "an operator pinned it")
    if commands.forced is not None:
        forced = situation.named(commands.forced.name_id)
        if forced is not None and not _fails_in_earnest(situation, start, forced):
            return _forced(situation, start, forced)
        start = replace(start, commands=commands.model_copy(update={"forced": None}))
    if commands.fail_back is not None:
        start = replace(start, commands=start.commands.model_copy(update={"fail_back": None}))
        return _failed_back_by_order(situation, start, canary=commands.fail_back.canary)
    current = start.active
    if not any(each.usable for each in situation.standings) and _may_leave(situation, current):
        return _to(start, situation.primary, Cause.NO_HEALTHY_ENDPOINT, current.reason)
    if current.fitness is not Fitness.DOWN or situation.moved_by(current):
        better = _escape(situation, start)
        if better is not None:
            return _left(situation, start, better)
    if situation.state.canary is not None:
        return _tried(situation, start, situation.state.canary)
    return _stayed(situation, _settled(start))


def _waiting(situation: Situation, choice: Choice, skipping: Standing | None = None) -> Waiting:
    """Who calls may return to from the choice."""
    state, now = situation.state, situation.now
    moved_at = state.since if choice.active.name_id == state.active else now
    # From maintenance calls come back when it is over.
    planned = choice.cause is Cause.MAINTENANCE
    return waiting(
        [each for each in situation.standings if each is not skipping],
        choice.active,
        hold=choice.hold,
        moved_at=None if planned else moved_at,
        now=now,
    )


def _start(situation: Situation) -> Choice:
    """The choice as it was."""
    state = situation.state
    current = situation.named(state.active)
    cause, because = state.cause, state.because
    if current is None:
        current = situation.primary
        gone = state.active is not None
        cause = Cause.ENDPOINT_GONE if gone else Cause.PRIMARY
        because = "the endpoint before it was taken out of the configuration" if gone else ""
    return Choice(
        active=current,
        cause=cause,
        because=because,
        commands=situation.commands,
        left=state.left,
        hold=_hold(situation, state.left),
        by_hand=state.by_hand,
    )


def _to(start: Choice, standing: Standing, cause: Cause, because: str) -> Choice:
    """The choice with another endpoint, or another reason for the same one."""
    if standing is start.active:
        if cause is start.cause:
            return start
        return replace(start, cause=cause, because=because)
    return replace(start, active=standing, cause=cause, because=because)


def _forced(situation: Situation, start: Choice, forced: Standing) -> Choice:
    kept = situation.commands.forced
    if kept is not None and kept.even_if_down and forced.usable:
        # From here on it may fail like any other.
        once = kept.model_copy(update={"even_if_down": False})
        start = replace(start, commands=start.commands.model_copy(update={"forced": once}))
    return _to(start, forced, Cause.FORCED, "an operator moved calls here")


def _fails_in_earnest(situation: Situation, start: Choice, forced: Standing) -> bool:
    kept = situation.commands.forced
    if forced.usable or (kept is not None and kept.even_if_down):
        return False
    better = situation.better_than(forced, start.hold)
    return bool(situation.moved_by(forced)) and better is not None


def _failed_back_by_order(situation: Situation, start: Choice, *, canary: bool | None) -> Choice:
    """An operator trusts the endpoint: the flaps are forgiven."""
    forgiven = replace(start, left=(), hold=_hold(situation, ()), by_hand=False)
    for each in situation.standings:
        if each.position >= start.active.position:
            break
        if each.usable and each.fitness is not Fitness.MAINTENANCE:
            wanted = situation.picture.failover.canary if canary is None else canary
            return _return_to(situation, forgiven, each, canary=wanted)
    return _stayed(situation, _settled(forgiven))


def _may_leave(situation: Situation, current: Standing) -> bool:
    return current is situation.primary or bool(situation.moved_by(current))


def _escape(situation: Situation, start: Choice) -> Standing | None:
    """Where to go from an endpoint that does not do."""
    current = start.active
    if current.fitness in (Fitness.UP, Fitness.UNCHECKED):
        return None
    enabled = FailoverTrigger.UNREACHABLE in situation.picture.failover.triggers
    if current.fitness is Fitness.DEGRADED and not enabled:
        return None
    return situation.better_than(current, start.hold)


def _left(situation: Situation, start: Choice, better: Standing) -> Choice:
    """Leave an endpoint that failed, or that is worked on."""
    current, state = start.active, situation.state
    if current.fitness is Fitness.MAINTENANCE:
        return _to(
            start, better, Cause.MAINTENANCE, "the one before it was taken out for maintenance"
        )
    cause = _cause_of(situation, current)
    memory = state.memory_of(current.name_id)
    # Leaving what was down already, when another one comes back, is no new failure.
    worked = memory is not None and memory.usable
    moved = _to(start, better, cause, current.reason)
    moved = replace(moved, failed=current if current.by_calls else None)
    return _counted(situation, moved) if worked else moved


def _cause_of(situation: Situation, current: Standing) -> Cause:
    if current.fitness is Fitness.DEGRADED:
        return Cause.DEGRADED
    moved_by = situation.moved_by(current)
    # Silence is a timeout and makes a target unreachable: the word that says more goes first.
    for trigger in (
        FailoverTrigger.AUTH_FAILURE,
        FailoverTrigger.TIMEOUT,
        FailoverTrigger.UNREACHABLE,
    ):
        if trigger in moved_by:
            return Cause(trigger.value)
    raise AssertionError("only an enabled trigger moves calls")


def _counted(situation: Situation, choice: Choice) -> Choice:
    """The choice with one more failure in its history."""
    left = failures_with(choice.left, situation.now)
    by_hand = choice.by_hand or len(left) >= FLAPS_TO_MANUAL
    return replace(choice, left=left, hold=_hold(situation, left), by_hand=by_hand)


def _hold(situation: Situation, left: Sequence[datetime]) -> timedelta:
    return hold_after(len(left), situation.picture.failover.hold_down_seconds)


def _tried(situation: Situation, start: Choice, trial: CanaryTrial) -> Choice:
    standing = situation.named(trial.name_id)
    outcome = next_of_trial(trial, situation.picture, standing, situation.now)
    if outcome is TrialEnd.FAILED or standing is None:
        by_calls = standing is not None and (standing.usable or standing.by_calls)
        failed = _counted(situation, start)
        failed = replace(failed, failed=standing if by_calls else None)
        return _stayed(situation, _settled(failed), skipping=standing)
    if outcome is TrialEnd.PASSED:
        return _to(start, standing, Cause.FAILED_BACK, "it took the calls of its trial")
    assert isinstance(outcome, CanaryTrial)
    return replace(_settled(start), trial=outcome)


def _stayed(situation: Situation, start: Choice, *, skipping: Standing | None = None) -> Choice:
    """Nothing is wrong: calls may return to a more preferred endpoint that works again."""
    found = _waiting(situation, start, skipping)
    rules = situation.picture.failover
    if found.ready is None:
        return replace(start, waits=found.first, held_until=found.until)
    if rules.failback is Failback.MANUAL or start.by_hand:
        return replace(start, waits=found.ready, ready=True)
    return _return_to(situation, start, found.ready, canary=rules.canary)


def _return_to(situation: Situation, start: Choice, standing: Standing, *, canary: bool) -> Choice:
    if not canary or not start.active.usable:
        return _to(start, standing, Cause.FAILED_BACK, "it works again")
    trial = CanaryTrial(name_id=standing.name_id, stage=CanaryStage.ONE_CALL, since=situation.now)
    return replace(_settled(start), trial=trial)


def _settled(start: Choice) -> Choice:
    """The same endpoint, with a reason that still holds."""
    if start.cause is Cause.NO_HEALTHY_ENDPOINT and start.active.usable:
        return replace(start, cause=Cause.PRIMARY, because="")
    if start.cause is Cause.PINNED:
        if start.active.position == 0:
            return replace(start, cause=Cause.PRIMARY, because="")
        return replace(start, cause=Cause.FORCED, because="an operator had pinned it")
    return start
