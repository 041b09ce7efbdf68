"""The decision about where a trunk's new calls go (design section 4, field guide 1.3).

A pure function of what is seen, what an operator ordered, what is remembered, and the time. Calls in
progress are never moved: a route is for calls that are yet to be placed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from domain.failover_choice import choose
from domain.failover_commands import Commands, Drill
from domain.failover_drill import dead_picture, drill_now, state_for_drill
from domain.failover_holding import CANARY_PATIENCE
from domain.failover_picture import TrunkPicture
from domain.failover_route import Route
from domain.failover_route_parts import others, route_of
from domain.failover_situation import Choice, Situation
from domain.failover_standing import Standing, left_out, standings_of
from domain.failover_state import (
    AlertKind,
    Cause,
    EndpointMemory,
    FailoverState,
    StandingAlert,
)
from domain.failover_words import NO_ENDPOINT, why

__all__ = ["Decision", "decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows. ``commands`` are those that are still in force.

    ``changed`` says that ``route`` is not the one that is published.
    ``wake_at`` is when to decide again though nothing new is seen; later than ``now``. ``raised`` and
    ``cleared`` are the alerts that began and ended with this decision.
    """

    state: FailoverState
    commands: Commands
    route: Route
    changed: bool
    wake_at: datetime | None
    raised: tuple[StandingAlert, ...] = ()
    cleared: tuple[AlertKind, ...] = ()


def decide(
    picture: TrunkPicture, commands: Commands, state: FailoverState, now: datetime
) -> Decision:
    """Decide about one trunk. Every time is aware; ``now`` never goes back between two decisions."""
    if not picture.failover.enabled:
        first = sorted(picture.endpoints, key=lambda each: each.position)[:1]
        picture = picture.model_copy(update={"endpoints": tuple(first)})
    commands = _in_force(commands, picture, now)
    standings = standings_of(picture, commands.windows, state, now)
    if not standings:
        return _without_endpoint(picture, commands, state, now)
    situation = Situation(
        picture=picture, standings=standings, commands=commands, state=state, now=now
    )
    choice = choose(situation)
    situation = _without_failed(situation, choice)
    stays = choice.active.name_id == state.active
    since = state.since if stays and state.since is not None else now
    drill = drill_now(choice.commands, picture, choice.active.name_id, now)
    if drill is not None and drill.end is None:
        drill = _drilled(drill, situation)
    commands = choice.commands.model_copy(update={"drill": drill})
    alerts = _alerts(situation, choice)
    route = route_of(situation, choice, since, drill, alerts)
    return _decision(situation, choice, since, commands, alerts, route)


def _without_failed(situation: Situation, choice: Choice) -> Situation:
    """The situation in which an endpoint is left out whose calls failed just now."""
    failed, now = choice.failed, situation.now
    if failed is None:
        return situation
    standings = tuple(
        left_out(each, now + choice.hold, now) if each is failed else each
        for each in situation.standings
    )
    return replace(situation, standings=standings)


def _in_force(commands: Commands, picture: TrunkPicture, now: datetime) -> Commands:
    """Without what has ended, and what is about endpoints that are not there any more."""
    there = {each.name_id for each in picture.endpoints}
    pinned, forced = commands.pinned, commands.forced
    if pinned is not None:
        over = pinned.until is not None and pinned.until <= now
        pinned = None if over or pinned.name_id not in there else pinned
    if forced is not None and forced.name_id not in there:
        forced = None
    windows = tuple(
        each
        for each in commands.windows
        if now < each.ends_at and (each.name_id is None or each.name_id in there)
    )
    return commands.model_copy(update={"pinned": pinned, "forced": forced, "windows": windows})


def _drilled(drill: Drill, situation: Situation) -> Drill:
    """The drill with the number's route: decided by the same rules, as if by nothing else."""
    picture = dead_picture(situation.picture, drill)
    state = state_for_drill(drill, situation.state)
    windows = situation.commands.windows
    rehearsed = Situation(
        picture=picture,
        standings=standings_of(picture, windows, state, drill.started_at),
        commands=Commands(windows=windows),
        state=state,
        now=drill.started_at,
    )
    choice = choose(rehearsed)
    since = drill.started_at
    order = [each.position for each in (choice.active, *others(rehearsed, choice))]
    return drill.model_copy(update={"order": tuple(order), "why": why(rehearsed, choice, since)})


def _alerts(situation: Situation, choice: Choice) -> tuple[StandingAlert, ...]:
    """What holds now; what held before keeps its time. Nothing is said of a trunk that is worked on."""
    kinds = []
    if not any(each.usable for each in situation.standings):
        kinds.append(AlertKind.NO_HEALTHY_ENDPOINT)
    if choice.by_hand:
        kinds.append(AlertKind.FLAPPING)
    if any(
        each.name_id is None and each.starts_at <= situation.now
        for each in situation.commands.windows
    ):
        kinds = []
    before = {each.kind: each for each in situation.state.alerts}
    return tuple(before.get(each, StandingAlert(kind=each, since=situation.now)) for each in kinds)


def _decision(
    situation: Situation,
    choice: Choice,
    since: datetime,
    commands: Commands,
    alerts: tuple[StandingAlert, ...],
    route: Route,
) -> Decision:
    before = situation.state
    digest = _digest(route)
    generation = _generation(digest, before, situation.picture)
    state = FailoverState(
        active=choice.active.name_id,
        since=since,
        cause=choice.cause,
        because=choice.because,
        left=choice.left,
        hold_seconds=round(choice.hold.total_seconds()),
        by_hand=choice.by_hand,
        canary=choice.trial,
        endpoints=tuple(_memory(each) for each in situation.standings),
        alerts=alerts,
        revision=situation.picture.revision,
        generation=generation,
        digest=digest,
    )
    known, held = {each.kind for each in before.alerts}, {each.kind for each in alerts}
    return Decision(
        state=state,
        commands=commands,
        route=route.model_copy(update={"generation": generation}),
        changed=generation > situation.picture.generation,
        wake_at=_wake_at(situation, choice, state, commands),
        raised=tuple(each for each in alerts if each.kind not in known),
        cleared=tuple(each.kind for each in before.alerts if each.kind not in held),
    )


def _memory(standing: Standing) -> EndpointMemory:
    avoided = standing.avoid_until is not None and standing.by_calls
    return EndpointMemory(
        name_id=standing.name_id,
        position=standing.position,
        label=standing.endpoint.label,
        usable=standing.usable,
        stable_since=standing.stable_since,
        calls_from=standing.calls_from,
        avoid_until=standing.avoid_until,
        avoid_because=standing.reason if avoided else standing.avoid_because,
    )


def _wake_at(
    situation: Situation, choice: Choice, state: FailoverState, commands: Commands
) -> datetime | None:
    times: list[datetime | None] = [choice.held_until]
    times += [each.avoid_until for each in state.endpoints]
    times += [moment for each in commands.windows for moment in (each.starts_at, each.ends_at)]
    if commands.pinned is not None:
        times.append(commands.pinned.until)
    if commands.drill is not None and commands.drill.end is None:
        times.append(commands.drill.until)
    if choice.trial is not None:
        times.append(choice.trial.since + CANARY_PATIENCE)
    return _first_after(situation.now, times)


def _first_after(now: datetime, times: Iterable[datetime | None]) -> datetime | None:
    return min((each for each in times if each is not None and each > now), default=None)


def _digest(route: Route) -> str:
    """Equal for routes that say the same."""
    return hashlib.sha256(route.model_dump_json().encode()).hexdigest()[:32]


def _generation(digest: str, before: FailoverState, picture: TrunkPicture) -> int:
    """A new one for a route that says something new, or that follows one which is not remembered."""
    known = max(before.generation, picture.generation)
    is_new = digest != before.digest or picture.generation > before.generation
    return known + 1 if is_new else known


def _without_endpoint(
    picture: TrunkPicture, commands: Commands, state: FailoverState, now: datetime
) -> Decision:
    drill = drill_now(commands, picture, "", now)
    commands = commands.model_copy(update={"drill": drill, "fail_back": None})
    route = Route(revision=picture.revision, cause=Cause.NO_ENDPOINT, why=(NO_ENDPOINT,))
    digest = _digest(route)
    generation = _generation(digest, state, picture)
    after = FailoverState(
        cause=Cause.NO_ENDPOINT, revision=picture.revision, generation=generation, digest=digest
    )
    return Decision(
        state=after,
        commands=commands,
        route=route.model_copy(update={"generation": generation}),
        changed=generation > picture.generation,
        wake_at=_first_after(now, [each.ends_at for each in commands.windows]),
        cleared=tuple(each.kind for each in state.alerts),
    )
