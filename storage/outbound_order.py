"""The order in which a call tries the endpoints of its configuration: that of the published route."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.failover_route import Route, RouteEndpoint
from domain.failover_state import CanaryStage
from sip.transports import Transport
from storage.tables import TrunkRoute

__all__ = ["Placed", "Turn", "ordered", "routes_of", "trial_is_free"]

TENTH: Final = 0.1


class Placed(Protocol):
    """An endpoint of a trunk as it is configured."""

    @property
    def binding_id(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def transport(self) -> Transport | None: ...


Config = TypeVar("Config", bound=Placed)


@dataclass(frozen=True, slots=True)
class Turn:
    """One call: ``draw`` gives a number from 0 to below 1, ``free`` says whether the endpoint that
    is on trial has yet to get its one call."""

    now: datetime
    draw: Callable[[], float]
    free: bool


async def routes_of(session: AsyncSession, trunk_ids: Collection[str]) -> dict[str, Route]:
    """The published routes of these trunks."""
    if not trunk_ids:
        return {}
    found = await session.execute(
        select(col(TrunkRoute.trunk_id), col(TrunkRoute.route)).where(
            col(TrunkRoute.trunk_id).in_(trunk_ids)
        )
    )
    return {trunk_id: Route.model_validate(route) for trunk_id, route in found}


async def trial_is_free(session: AsyncSession, trunk_id: str, route: Route) -> bool:
    """Whether an endpoint is on trial that has yet to get its one call.

    Until the transaction ends, which writes the call, nobody else is told so.
    """
    canary = route.canary
    if canary is None or canary.stage is not CanaryStage.ONE_CALL:
        return False
    endpoint = _at(route, canary.position)
    if endpoint is None:
        return False
    await session.execute(
        text("SELECT FROM trunk_routes WHERE trunk_id = :trunk_id FOR UPDATE"),
        {"trunk_id": trunk_id},
    )
    given = await session.scalar(
        text(
            """
            SELECT EXISTS (
                SELECT FROM calls
                 WHERE trunk_id = :trunk_id AND started_at >= :since
                   AND details->'settings'->>'host' = :host
                   AND CAST(details->'settings'->>'port' AS integer) IS NOT DISTINCT FROM
                       CAST(:port AS integer)
                   AND details->'settings'->>'transport' IS NOT DISTINCT FROM
                       CAST(:transport AS text))
            """
        ),
        {
            "trunk_id": trunk_id,
            "since": canary.since,
            "host": endpoint.host,
            "port": endpoint.port,
            "transport": endpoint.transport and endpoint.transport.value,
        },
    )
    return not given


def ordered(configs: Sequence[Config], route: Route | None, turn: Turn) -> list[Config]:
    """The endpoints of one configuration, the one to try first first.

    Endpoints that the route does not know, because they were configured a moment ago, come last in
    their own order; those it knows and that are gone are left out.
    """
    if route is None or route.active is None or not configs:
        return list(configs)
    positions = _positions(route, configs[0].binding_id, turn)
    places = [_place(endpoint) for each in positions if (endpoint := _at(route, each)) is not None]
    ranks = {place: rank for rank, place in enumerate(places)}
    return sorted(configs, key=lambda each: ranks.get(_place(each), len(ranks)))


def _positions(route: Route, binding_id: str, turn: Turn) -> list[int]:
    drill = route.drill
    # Whatever became of the workflow that runs the drill, it is over by then.
    if drill is not None and drill.binding_id == binding_id and turn.now < drill.until:
        return list(drill.order)
    active = [] if route.active is None else [route.active]
    positions = [each.position for each in (*active, *route.next)]
    canary = route.canary
    if canary is None or canary.position not in positions:
        return positions
    tried = turn.free
    if canary.stage is CanaryStage.TENTH:
        tried = turn.draw() < TENTH
    if not tried:
        return positions
    return [canary.position, *(each for each in positions if each != canary.position)]


def _at(route: Route, position: int) -> RouteEndpoint | None:
    active = () if route.active is None else (route.active,)
    return next((each for each in (*active, *route.next) if each.position == position), None)


def _place(endpoint: Placed | RouteEndpoint) -> tuple[str, int | None, Transport | None]:
    return endpoint.host, endpoint.port, endpoint.transport
