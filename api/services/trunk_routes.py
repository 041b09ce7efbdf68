"""Where a trunk's calls go, from the row that its workflow published last."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.trunk_routes import (
    AlertView,
    CanaryView,
    RouteDrillView,
    RouteEndpointView,
    RouteTargetView,
    RouteView,
    WindowView,
)
from api.services import trunks
from domain.failover_route import Route, RouteDrill, RouteEndpoint
from storage import trunk_routes
from storage.tables import TrunkRoute

__all__ = ["UNDECIDED", "route_view"]

UNDECIDED = "Nothing was decided yet: calls try the endpoints in the order of their priority."


async def route_view(session: AsyncSession, org_id: str, trunk_id: str) -> RouteView:
    """The route of one trunk. Raises ``NotFound``."""
    trunk = await trunks.get(session, org_id, trunk_id)
    row = await trunk_routes.route_of(session, org_id, trunk_id)
    route = _undecided() if row is None else Route.model_validate(row.route)
    return _view(trunk.id, trunk.revision, route, row)


def _undecided() -> Route:
    return Route(revision=0, why=(UNDECIDED,))


def _view(trunk_id: str, revision: int, route: Route, row: TrunkRoute | None) -> RouteView:
    canary = route.canary
    return RouteView(
        trunk_id=trunk_id,
        generation=route.generation,
        revision=route.revision,
        current=route.revision >= revision,
        changed_at=None if row is None else row.changed_at,
        active=None if route.active is None else _endpoint(route.active),
        since=route.since,
        cause=None if row is None else route.cause,
        why=list(route.why),
        next=[_endpoint(each) for each in route.next],
        ready_to_fail_back=route.ready_to_fail_back,
        held_until=route.held_until,
        pinned=route.pinned,
        pinned_until=route.pinned_until,
        forced=route.forced,
        canary=None
        if canary is None
        else CanaryView(position=canary.position, stage=canary.stage, since=canary.since),
        drill=_drill(route.drill),
        maintenance=[
            WindowView(
                window_id=each.window_id,
                position=each.position,
                starts_at=each.starts_at,
                ends_at=each.ends_at,
            )
            for each in route.maintenance
        ],
        alerts=[AlertView(kind=each.kind, since=each.since) for each in route.alerts],
    )


def _endpoint(endpoint: RouteEndpoint) -> RouteEndpointView:
    return RouteEndpointView(
        position=endpoint.position,
        label=endpoint.label,
        standing=endpoint.standing,
        reason=endpoint.reason,
        targets=[
            RouteTargetView(
                address=each.address,
                port=each.port,
                transport=each.transport,
                state=each.state,
                priority=each.priority,
                weight=each.weight,
                share_percent=each.share,
            )
            for each in endpoint.targets
        ],
    )


def _drill(drill: RouteDrill | None) -> RouteDrillView | None:
    """The drill, unless its time is over: then calls do not go by it, whoever has yet to say so."""
    if drill is None or drill.until <= datetime.now(UTC):
        return None
    return RouteDrillView(
        drill_id=drill.drill_id, until=drill.until, order=list(drill.order), why=list(drill.why)
    )
