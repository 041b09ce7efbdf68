"""Where a trunk's calls go, and the orders of an operator that change it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query, Request

from api.access import SipEditor, SipViewer
from api.dependencies import By, DatabaseDep, TrunkId
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound, Unavailable
from api.routing import new_router
from api.schemas.trunk_routes import (
    EXAMPLE_MAINTENANCE,
    EXAMPLE_ROUTE,
    FailBackRequest,
    FailOverRequest,
    MaintenanceRequest,
    MaintenanceView,
    PinRequest,
    RouteView,
)
from api.services.trunk_orders import Wish, carry_out, refused
from api.services.trunk_routes import route_view
from api.state import state_of
from domain.failover_commands import (
    CloseMaintenance,
    FailBack,
    FailOver,
    OpenMaintenance,
    Pin,
    Refusal,
    Unpin,
)

__all__ = ["router"]

router = new_router("/v1/sip/trunks", tag="Routing")

PLANNED_AHEAD = timedelta(days=366)

_UNKNOWN = NotFound("no such trunk")
_AWAY = Unavailable("no worker took the order in time; send it again")
_NO_SUCH_ENDPOINT = refused(Refusal.NO_SUCH_ENDPOINT, "the trunk has no endpoint 4")
_PINNED = refused(Refusal.PINNED, "an endpoint is pinned; take the pin away first")


@router.get(
    "/{trunk_id}/route",
    summary="Get where a trunk's calls go",
    responses={**answer(EXAMPLE_ROUTE), **refusals(_UNKNOWN)},
)
async def get_route(
    principal: SipViewer, trunk_id: TrunkId, database: DatabaseDep
) -> Envelope[RouteView]:
    """The endpoint that new calls go to, why, and the ones behind it. Answered from what was decided
    last, also while no worker runs."""
    async with database.tenant(principal.org_id) as session:
        return Envelope(data=await route_view(session, principal.org_id, trunk_id))


@router.post(
    "/{trunk_id}/failover",
    summary="Send a trunk's calls to another endpoint",
    responses={
        **answer({**EXAMPLE_ROUTE, "cause": "forced", "forced": True, "held_until": None}),
        **refusals(
            _UNKNOWN,
            _NO_SUCH_ENDPOINT,
            refused(
                Refusal.ENDPOINT_DOWN, "sip2.acme.example is down; say even_if_down to go there"
            ),
            refused(Refusal.ALREADY_THERE, "calls go to sip1.acme.example already"),
            refused(Refusal.NOTHING_TO_FAIL_OVER_TO, "the trunk has no other endpoint"),
            _PINNED,
            _AWAY,
        ),
    },
)
async def fail_over(
    request: Request, principal: SipEditor, trunk_id: TrunkId, by: By, body: FailOverRequest
) -> Envelope[RouteView]:
    """New calls go there from now on, until you fail back, or until that endpoint fails."""
    route = await carry_out(
        state_of(request),
        principal,
        by,
        trunk_id,
        FailOver(to=body.to, even_if_down=body.even_if_down),
        wish=Wish(request, principal, body),
        action="trunk.fail_over",
        asked=body.model_dump(mode="json"),
    )
    return Envelope(data=route)


@router.post(
    "/{trunk_id}/failback",
    summary="Send a trunk's calls back",
    responses={
        **answer({**EXAMPLE_ROUTE, "cause": "failed_back", "held_until": None}),
        **refusals(
            _UNKNOWN,
            refused(Refusal.ALREADY_THERE, "calls go to the primary already"),
            refused(Refusal.NOTHING_TO_FAIL_BACK_TO, "sip1.acme.example is still down"),
            _PINNED,
            _AWAY,
        ),
    },
)
async def fail_back(
    request: Request, principal: SipEditor, trunk_id: TrunkId, by: By, body: FailBackRequest
) -> Envelope[RouteView]:
    """To the most preferred endpoint that works, without waiting out its hold-down; what flapped
    before is forgiven."""
    route = await carry_out(
        state_of(request),
        principal,
        by,
        trunk_id,
        FailBack(canary=body.canary),
        wish=Wish(request, principal, body),
        action="trunk.fail_back",
        asked=body.model_dump(mode="json"),
    )
    return Envelope(data=route)


@router.post(
    "/{trunk_id}/pin",
    summary="Pin a trunk's calls to one endpoint",
    responses={
        **answer({**EXAMPLE_ROUTE, "cause": "pinned", "pinned": True, "held_until": None}),
        **refusals(_UNKNOWN, _NO_SUCH_ENDPOINT, _AWAY),
    },
)
async def pin(
    request: Request, principal: SipEditor, trunk_id: TrunkId, by: By, body: PinRequest
) -> Envelope[RouteView]:
    """Whatever becomes of that endpoint, until the time is over or the pin is taken away."""
    until = None
    if body.minutes is not None:
        until = datetime.now(UTC) + timedelta(minutes=body.minutes)
    route = await carry_out(
        state_of(request),
        principal,
        by,
        trunk_id,
        Pin(to=body.to, until=until),
        wish=Wish(request, principal, body),
        action="trunk.pin",
        asked=body.model_dump(mode="json"),
    )
    return Envelope(data=route)


@router.delete(
    "/{trunk_id}/pin",
    summary="Take the pin away",
    responses={
        **answer({**EXAMPLE_ROUTE, "held_until": None}),
        **refusals(_UNKNOWN, refused(Refusal.NOT_PINNED, "no endpoint is pinned"), _AWAY),
    },
)
async def unpin(
    request: Request, principal: SipEditor, trunk_id: TrunkId, by: By
) -> Envelope[RouteView]:
    """Health decides again; calls return to the primary as after any failover."""
    route = await carry_out(
        state_of(request),
        principal,
        by,
        trunk_id,
        Unpin(),
        wish=Wish(request, principal, None),
        action="trunk.unpin",
        asked={},
    )
    return Envelope(data=route)


@router.post(
    "/{trunk_id}/maintenance",
    summary="Plan a maintenance window",
    responses={
        **answer(EXAMPLE_MAINTENANCE),
        **refusals(
            _UNKNOWN,
            _NO_SUCH_ENDPOINT,
            InvalidRequest("starts_at: must be within a year from now", field="starts_at"),
            refused(Refusal.IN_THE_PAST, "the window would have ended already"),
            refused(Refusal.TOO_MANY_WINDOWS, "16 windows are planned already"),
            _AWAY,
        ),
    },
)
async def open_maintenance(
    request: Request, principal: SipEditor, trunk_id: TrunkId, by: By, body: MaintenanceRequest
) -> Envelope[MaintenanceView]:
    """While it lasts, calls leave the endpoint as far as another one works, and come back behind it.
    What is planned counts as no failure."""
    wish = Wish(request, principal, body)
    window_id = wish.new_id("mwn")
    starts_at = _start_of(body)
    order = OpenMaintenance(
        window_id=window_id,
        position=body.position,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=body.minutes),
    )
    route = await carry_out(
        state_of(request),
        principal,
        by,
        trunk_id,
        order,
        wish=wish,
        action="trunk.open_maintenance",
        asked=order.model_dump(mode="json"),
    )
    return Envelope(data=MaintenanceView(window_id=window_id, route=route))


def _start_of(body: MaintenanceRequest) -> datetime:
    """Raises ``InvalidRequest``."""
    now = datetime.now(UTC)
    starts_at = body.starts_at or now
    if abs(starts_at - now) > PLANNED_AHEAD:
        raise InvalidRequest("starts_at: must be within a year from now", field="starts_at")
    return starts_at


@router.delete(
    "/{trunk_id}/maintenance",
    summary="End maintenance windows",
    responses={
        **answer(EXAMPLE_ROUTE),
        **refusals(_UNKNOWN, refused(Refusal.NO_SUCH_WINDOW, "no such maintenance window"), _AWAY),
    },
)
async def close_maintenance(
    request: Request,
    principal: SipEditor,
    trunk_id: TrunkId,
    by: By,
    window_id: Annotated[
        str | None,
        Query(max_length=64, description="Which one; default: all that are open or to come."),
    ] = None,
) -> Envelope[RouteView]:
    """Those that are open end now, those to come never begin."""
    route = await carry_out(
        state_of(request),
        principal,
        by,
        trunk_id,
        CloseMaintenance(window_id=window_id),
        wish=Wish(request, principal, None),
        action="trunk.close_maintenance",
        asked={"window_id": window_id},
    )
    return Envelope(data=route)
