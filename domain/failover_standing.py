"""How each endpoint of a trunk stands: by its best target, by its calls, and by what is in force.

An endpoint is as good as its best target (design section 4). Calls count beside that, because a peer
can answer every OPTIONS and refuse every INVITE: ``CALLS_TO_FAIL`` calls in a row that fail in a way
which is enabled as a trigger make an endpoint count as down (field guide 1.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from domain.failover_commands import Window
from domain.failover_picture import (
    CallOutcome,
    CallSign,
    EndpointPicture,
    FailoverRules,
    TargetPicture,
    TrunkPicture,
)
from domain.failover_state import EndpointMemory, FailoverState
from domain.health_observation import HealthState, Observed
from domain.trunk_config import FailoverTrigger

__all__ = [
    "CALLS_TO_FAIL",
    "CALL_MEMORY",
    "Fitness",
    "Standing",
    "calls_of",
    "left_out",
    "open_windows",
    "standings_of",
    "trigger_of",
]

CALLS_TO_FAIL: Final = 3
"""As many as probes: one call may have failed by itself."""

CALL_MEMORY: Final = timedelta(hours=1)
"""Older calls say nothing of now."""


class Fitness(IntEnum):
    """The better, the higher."""

    DOWN = 0
    MAINTENANCE = 1
    DEGRADED = 2
    UNCHECKED = 3
    UP = 4


_FITNESS: Final = {
    HealthState.HEALTHY: Fitness.UP,
    HealthState.REACHABLE: Fitness.UP,
    HealthState.UNCHECKED: Fitness.UNCHECKED,
    HealthState.DEGRADED: Fitness.DEGRADED,
    HealthState.DOWN: Fitness.DOWN,
}

_SIGNS: Final = {
    CallSign.UNREACHABLE: FailoverTrigger.UNREACHABLE,
    CallSign.TIMEOUT: FailoverTrigger.TIMEOUT,
    CallSign.AUTH_FAILURE: FailoverTrigger.AUTH_FAILURE,
}

_CALL_WORDS: Final = {
    FailoverTrigger.UNREACHABLE: "could not be placed",
    FailoverTrigger.TIMEOUT: "got no answer",
    FailoverTrigger.AUTH_FAILURE: "were refused our credentials",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One endpoint. ``reason`` is the end of a sentence on why it stands so.

    ``triggers`` are those that it has failed by, empty while it works. ``stable_since`` is since
    when it works without a break. ``by_calls`` says that calls made it fail, not its health.
    """

    endpoint: EndpointPicture
    fitness: Fitness
    reason: str = ""
    since: datetime | None = None
    triggers: frozenset[FailoverTrigger] = frozenset()
    stable_since: datetime | None = None
    by_calls: bool = False
    calls_from: datetime | None = None
    avoid_until: datetime | None = None
    avoid_because: str = ""

    @property
    def name_id(self) -> str:
        return self.endpoint.name_id

    @property
    def position(self) -> int:
        return self.endpoint.position

    @property
    def usable(self) -> bool:
        """Whether calls can go there at all."""
        return self.fitness is not Fitness.DOWN


def trigger_of(sign: CallSign) -> FailoverTrigger | None:
    """The trigger that a call speaks for, if any."""
    return _SIGNS.get(sign)


def standings_of(
    picture: TrunkPicture, windows: Sequence[Window], state: FailoverState, now: datetime
) -> tuple[Standing, ...]:
    """The endpoints by position."""
    opened = open_windows(windows, now)
    # Where all are worked on, none is better off for it.
    whole = any(each.name_id is None for each in opened)
    closed = {each.name_id for each in opened} if not whole else set()
    endpoints = sorted(picture.endpoints, key=lambda each: each.position)
    if {each.name_id for each in endpoints} <= closed:
        closed = set()
    return tuple(
        _standing(
            each,
            state.memory_of(each.name_id),
            picture.calls,
            picture.failover,
            closed=each.name_id in closed,
            now=now,
        )
        for each in endpoints
    )


def left_out(standing: Standing, until: datetime, now: datetime) -> Standing:
    """An endpoint whose calls failed just now: they have had their effect, and it is left alone."""
    reason = standing.reason if standing.by_calls else "a call of its trial failed"
    return replace(
        standing,
        fitness=Fitness.DOWN,
        reason=reason,
        by_calls=True,
        calls_from=now,
        avoid_until=until,
        stable_since=now if standing.stable_since is not None else None,
    )


def open_windows(windows: Sequence[Window], now: datetime) -> tuple[Window, ...]:
    """Those that are open."""
    return tuple(each for each in windows if each.starts_at <= now < each.ends_at)


def calls_of(
    endpoint: EndpointPicture, calls: Sequence[CallOutcome], *, after: datetime
) -> tuple[CallOutcome, ...]:
    """The calls to an endpoint that ended later, the oldest first."""
    place = (endpoint.host, endpoint.port, endpoint.transport)
    return tuple(
        each
        for each in calls
        if (each.host, each.port, each.transport) == place and each.at > after
    )


def _standing(
    endpoint: EndpointPicture,
    memory: EndpointMemory | None,
    calls: Sequence[CallOutcome],
    rules: FailoverRules,
    *,
    closed: bool,
    now: datetime,
) -> Standing:
    health = _health(endpoint, memory, now)
    calls_from = memory.calls_from if memory is not None else None
    avoid_until = memory.avoid_until if memory is not None else None
    if avoid_until is not None and avoid_until <= now:
        avoid_until = None
    stable = _latest(health.stable_since, calls_from) if health.usable else None
    because = memory.avoid_because if memory is not None and avoid_until is not None else ""
    failed = _failing(endpoint, calls, rules, _latest(now - CALL_MEMORY, calls_from))
    if not health.usable:
        fitness, reason, triggers, by_calls = Fitness.DOWN, health.reason, health.triggers, False
    elif failed is not None:
        reason = f"{CALLS_TO_FAIL} calls in a row {_CALL_WORDS[failed]}"
        fitness, triggers, by_calls = Fitness.DOWN, frozenset({failed}), True
    elif avoid_until is not None:
        fitness, triggers, by_calls = Fitness.DOWN, frozenset(rules.triggers), True
        reason = because
    else:
        fitness = Fitness.MAINTENANCE if closed else health.fitness
        reason, triggers, by_calls = health.reason, frozenset(), False
    return Standing(
        endpoint=endpoint,
        fitness=fitness,
        reason=reason,
        triggers=triggers,
        stable_since=stable,
        by_calls=by_calls,
        since=health.since,
        calls_from=calls_from,
        avoid_until=avoid_until,
        avoid_because=because,
    )


def _health(endpoint: EndpointPicture, memory: EndpointMemory | None, now: datetime) -> Standing:
    """The endpoint by its targets alone."""
    remembered = memory.stable_since if memory is not None else None
    if not endpoint.targets:
        if endpoint.error is None:
            return Standing(
                endpoint=endpoint,
                fitness=Fitness.UNCHECKED,
                reason="its name was not looked up yet",
                stable_since=remembered or now,
            )
        return Standing(
            endpoint=endpoint,
            fitness=Fitness.DOWN,
            reason=f"its name has no address: {endpoint.error}",
            triggers=frozenset({FailoverTrigger.UNREACHABLE}),
        )
    fitness = max(_FITNESS[each.state] for each in endpoint.targets)
    best = [each for each in endpoint.targets if _FITNESS[each.state] == fitness]
    if fitness is Fitness.DOWN:
        return _down(endpoint, best)
    since = min((each.since for each in best if each.since is not None), default=None)
    return Standing(
        endpoint=endpoint,
        fitness=fitness,
        # What a healthy target answered last changes all the time and means nothing.
        reason="" if best[0].state is HealthState.HEALTHY else best[0].reason,
        since=since,
        # One target that works all the time is enough; the state of the others may change.
        stable_since=since or remembered or now,
    )


def _down(endpoint: EndpointPicture, targets: Sequence[TargetPicture]) -> Standing:
    triggers = {FailoverTrigger.UNREACHABLE}
    if any(each.missed_by is Observed.TIMEOUT for each in targets):
        triggers.add(FailoverTrigger.TIMEOUT)
    reason = targets[0].reason
    if len(targets) > 1:
        reason = f"each of its {len(targets)} addresses is down; {targets[0].address}: {reason}"
    return Standing(
        endpoint=endpoint,
        fitness=Fitness.DOWN,
        reason=reason,
        since=max((each.since for each in targets if each.since is not None), default=None),
        triggers=frozenset(triggers),
    )


def _failing(
    endpoint: EndpointPicture,
    calls: Sequence[CallOutcome],
    rules: FailoverRules,
    after: datetime,
) -> FailoverTrigger | None:
    """The enabled trigger that the last calls in a row have in common with the rules."""
    found: list[FailoverTrigger] = []
    for call in reversed(calls_of(endpoint, calls, after=after)):
        if call.sign is CallSign.ALIVE:
            break
        trigger = trigger_of(call.sign)
        if trigger is not None and trigger in rules.triggers:
            found.append(trigger)
    return found[0] if len(found) >= CALLS_TO_FAIL else None


def _latest(first: datetime | None, second: datetime | None) -> datetime:
    """The later one of two of which one is known."""
    known = [each for each in (first, second) if each is not None]
    return max(known)
