"""A choice as a route: the endpoints, and their addresses, in the order in which calls try them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.failover_commands import Drill, Window
from domain.failover_picture import TargetPicture
from domain.failover_route import (
    Route,
    RouteCanary,
    RouteDrill,
    RouteEndpoint,
    RouteTarget,
    RouteWindow,
    RouteWord,
)
from domain.failover_situation import Choice, Situation
from domain.failover_standing import Fitness, Standing
from domain.failover_state import StandingAlert
from domain.failover_words import why

__all__ = ["others", "route_of"]

_WORDS: Final = {
    Fitness.UP: RouteWord.UP,
    Fitness.UNCHECKED: RouteWord.UNCHECKED,
    Fitness.DEGRADED: RouteWord.DEGRADED,
    Fitness.MAINTENANCE: RouteWord.MAINTENANCE,
    Fitness.DOWN: RouteWord.DOWN,
}


def others(situation: Situation, choice: Choice) -> list[Standing]:
    """The endpoints behind the active one, in the order in which a call tries them."""
    behind = [each for each in situation.standings if each is not choice.active]
    return sorted(behind, key=lambda each: (-each.fitness, each.position))


def route_of(
    situation: Situation,
    choice: Choice,
    since: datetime,
    drill: Drill | None,
    alerts: tuple[StandingAlert, ...],
) -> Route:
    """The route of a choice, without its generation."""
    pinned, trial = choice.commands.pinned, choice.trial
    on_trial = situation.named(trial.name_id) if trial is not None else None
    canary = None
    if trial is not None and on_trial is not None:
        canary = RouteCanary(position=on_trial.position, stage=trial.stage, since=trial.since)
    return Route(
        revision=situation.picture.revision,
        active=_endpoint(choice.active),
        since=since,
        cause=choice.cause,
        why=why(situation, choice, since),
        next=tuple(_endpoint(each) for each in others(situation, choice)),
        ready_to_fail_back=choice.ready,
        held_until=choice.held_until,
        pinned=pinned is not None,
        pinned_until=pinned.until if pinned is not None else None,
        forced=choice.commands.forced is not None,
        canary=canary,
        drill=_drill(drill),
        maintenance=tuple(_window(situation, each) for each in situation.commands.windows),
        alerts=alerts,
    )


def _drill(drill: Drill | None) -> RouteDrill | None:
    if drill is None or drill.end is not None:
        return None
    return RouteDrill(
        drill_id=drill.drill_id,
        binding_id=drill.binding_id,
        until=drill.until,
        order=drill.order,
        why=drill.why,
    )


def _window(situation: Situation, window: Window) -> RouteWindow:
    standing = situation.named(window.name_id)
    return RouteWindow(
        window_id=window.window_id,
        position=standing.position if standing is not None else None,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
    )


def _endpoint(standing: Standing) -> RouteEndpoint:
    """The endpoint with its targets: what works before what does not, then by SRV priority and
    weight (RFC 2782)."""
    endpoint = standing.endpoint
    ordered = sorted(
        endpoint.targets,
        key=lambda each: (
            not each.state.routable,
            each.priority,
            -each.weight,
            each.address,
            each.port,
            each.transport,
        ),
    )
    shares = _shares(ordered)
    return RouteEndpoint(
        position=endpoint.position,
        label=endpoint.label,
        name_id=endpoint.name_id,
        host=endpoint.host,
        port=endpoint.port,
        transport=endpoint.transport,
        standing=_WORDS[standing.fitness],
        reason=standing.reason,
        targets=tuple(
            RouteTarget(
                address=each.address,
                port=each.port,
                transport=each.transport,
                state=each.state,
                priority=each.priority,
                weight=each.weight,
                share=shares.get(each.target_id, 0),
            )
            for each in ordered
        ),
    )


def _shares(ordered: Sequence[TargetPicture]) -> dict[str, int]:
    """Percent of the calls by target, among the working ones of the lowest priority."""
    working = [each for each in ordered if each.state.routable]
    group = [each for each in working if each.priority == working[0].priority]
    total = sum(each.weight for each in group)
    return {
        each.target_id: round(100 * each.weight / total) if total else round(100 / len(group))
        for each in group
    }
