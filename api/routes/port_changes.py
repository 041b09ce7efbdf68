"""What can be changed about a port order that was placed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request

from api.access import SipEditor
from api.changes import ChangeDep
from api.dependencies import By
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound
from api.port_query import PortId
from api.routing import new_router
from api.schemas.port_examples import ORDER_ID
from api.schemas.port_requests import (
    DocumentsRequest,
    PinsRequest,
    RescheduleRequest,
    ResubmitRequest,
)
from api.schemas.port_timeline import ResubmittedView, StandingView
from api.services import port_asks, port_corrections, port_orders
from api.services.port_commands import PortIsSplit, refused
from api.services.trunk_orders import Wish
from api.state import state_of
from domain.porting.order_refusals import OrderRefusal
from domain.porting.words import SubStatus, next_step, public_status, public_text

__all__ = ["router"]

router = new_router("/v1/sip/port/{id}", tag="Porting")

_UNKNOWN = NotFound("no such port order")


def _example(sub_status: SubStatus) -> dict[str, object]:
    return {
        "id": ORDER_ID,
        "status": public_status(sub_status).value,
        "sub_status": sub_status.value,
        "status_text": public_text(sub_status),
        "next_step": next_step(sub_status),
        "requested_port_date": "2026-03-23",
        "warnings": [],
    }


@router.post(
    "/resubmit",
    summary="Correct and resubmit a port order",
    responses={
        **answer({**_example(SubStatus.AWAITING_SIGNATURE), "needs_new_loa": True}),
        **refusals(
            _UNKNOWN,
            InvalidRequest(
                "pin was not rejected, so it stays as it is; what may change is customer_name",
                field="pin",
            ),
            refused(OrderRefusal.NOTHING_TO_MEND),
            PortIsSplit(),
        ),
    },
)
async def resubmit(
    request: Request, principal: SipEditor, by: By, order_id: PortId, body: ResubmitRequest
) -> Envelope[ResubmittedView]:
    """Only what changes, and only what was rejected (`action_required` names the fields). An empty body
    sends the order again as it is, for what was put right with the losing carrier. When the letter of
    authorization states what changes, it is signed anew first. The losing carrier's time to answer
    begins again."""
    state = state_of(request)
    needs_new_loa = await port_corrections.resubmit(
        state, principal, by, order_id, body, Wish(request, principal, body)
    )
    found = await port_orders.standing(state, principal.org_id, order_id)
    return Envelope(data=ResubmittedView(**found, needs_new_loa=needs_new_loa))


@router.post(
    "/reschedule",
    summary="Ask for another date",
    responses={
        **answer(_example(SubStatus.FOC_CONFIRMED)),
        **refusals(
            _UNKNOWN,
            InvalidRequest(
                "The losing carrier does not work on 2026-03-14 (Saturday).", field="requested_date"
            ),
            refused(OrderRefusal.TOO_LATE),
            refused(OrderRefusal.TOO_MANY_CHANGES),
            refused(OrderRefusal.BUSY),
            PortIsSplit(),
        ),
    },
)
async def reschedule(
    request: Request, principal: SipEditor, by: By, order_id: PortId, body: RescheduleRequest
) -> Envelope[StandingView]:
    """A wish: the losing carrier confirms a date, which may be another one. Once a date is confirmed it
    may be lost before there is a new one, and carriers take three changes."""
    state = state_of(request)
    wish = Wish(request, principal, body)
    verdict = await port_asks.reschedule(state, principal, by, order_id, body.requested_date, wish)
    warnings = [verdict.reason] if verdict.reason else []
    found = await port_orders.standing(state, principal.org_id, order_id, warnings)
    return Envelope(data=StandingView(**found))


@router.post(
    "/activate",
    summary="Switch the numbers now",
    responses={
        **answer(_example(SubStatus.ACTIVATING)),
        **refusals(
            _UNKNOWN,
            refused(OrderRefusal.NOT_ON_DEMAND),
            refused(OrderRefusal.NO_DATE),
            refused(OrderRefusal.TOO_EARLY),
            PortIsSplit(),
        ),
    },
)
async def activate(
    request: Request, principal: SipEditor, by: By, order_id: PortId
) -> Envelope[StandingView]:
    """For orders that were placed with `on_demand`, once the confirmed time has come."""
    state = state_of(request)
    await port_asks.activate(state, principal, by, order_id, Wish(request, principal, None))
    found = await port_orders.standing(state, principal.org_id, order_id)
    return Envelope(data=StandingView(**found))


@router.post(
    "/documents",
    summary="Add documents to a port order",
    responses={
        **answer(_example(SubStatus.AWAITING_SIGNATURE)),
        **refusals(_UNKNOWN, refused(OrderRefusal.ALREADY_ENDED), PortIsSplit()),
    },
)
async def add_documents(
    request: Request,
    principal: SipEditor,
    by: By,
    order_id: PortId,
    body: DocumentsRequest,
    change: ChangeDep,
) -> Envelope[StandingView]:
    """Those that it has stay. An order that waits for a document goes on."""
    state = state_of(request)
    await port_corrections.add_documents(state, change, principal, by, order_id, body)
    found = await port_orders.standing(state, principal.org_id, order_id)
    return Envelope(data=StandingView(**found))


@router.post(
    "/pins",
    summary="Give transfer PINs of a port order",
    responses={
        **answer(_example(SubStatus.AWAITING_SIGNATURE)),
        **refusals(
            _UNKNOWN,
            InvalidRequest(
                "+14150000009 is not in this order", field="phone_number_pins.+14150000009"
            ),
            refused(OrderRefusal.ALREADY_ENDED),
            PortIsSplit(),
        ),
    },
)
async def add_pins(
    request: Request,
    principal: SipEditor,
    by: By,
    order_id: PortId,
    body: PinsRequest,
    change: ChangeDep,
) -> Envelope[StandingView]:
    """Transfer PINs are valid for days, so they are best asked for last. They are sealed, shown to
    nobody, and erased when the order ends."""
    state = state_of(request)
    await port_corrections.add_pins(state, change, principal, by, order_id, body)
    found = await port_orders.standing(state, principal.org_id, order_id)
    return Envelope(data=StandingView(**found))


@router.delete(
    "/numbers/{number}",
    summary="Go on without a number",
    responses={
        **answer(_example(SubStatus.LSR_SENT)),
        **refusals(
            _UNKNOWN,
            refused(OrderRefusal.LAST_NUMBER),
            refused(OrderRefusal.COMMITTED),
            refused(OrderRefusal.UNKNOWN_NUMBER),
            PortIsSplit(),
        ),
    },
)
async def drop_number(
    request: Request,
    principal: SipEditor,
    by: By,
    order_id: PortId,
    number: Annotated[
        str,
        Path(max_length=64, description="The number (E.164).", examples=["+14150000000"]),
    ],
) -> Envelope[StandingView]:
    """The others are ported without it; it stays with the losing carrier."""
    state = state_of(request)
    wish = Wish(request, principal, None)
    await port_asks.drop_number(state, principal, by, order_id, number, wish)
    found = await port_orders.standing(state, principal.org_id, order_id)
    return Envelope(data=StandingView(**found))
