"""Port orders: placed, listed, shown, canceled (contract 6.3 to 6.5)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from api.access import SipEditor, SipViewer
from api.changes import ChangeDep
from api.dependencies import By
from api.documentation import answer, refusals, with_nulls_marked
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound, Unavailable
from api.port_query import BaseUrl, PortId, PortQuery
from api.routing import new_router
from api.schemas.port_examples import (
    EXAMPLE_INITIATED,
    EXAMPLE_PORTS,
    EXAMPLE_WHOLE_PORT,
)
from api.schemas.port_requests import InitiateRequest
from api.schemas.port_views import (
    CanceledView,
    CancelRequestedView,
    InitiatedView,
    PlannedView,
    PortList,
    WholePortView,
)
from api.services import port_asks, port_drafts, port_orders
from api.services.port_commands import refused
from api.services.port_drafts import Maker
from api.services.port_placing import NumberTaken
from api.services.trunk_orders import Wish
from api.state import state_of
from domain.porting.order_refusals import OrderRefusal

__all__ = ["router"]

router = new_router("/v1/sip/port", tag="Porting")

_UNKNOWN = NotFound("no such port order")
_REQUESTED = {
    "canceled": False,
    "cancel_requested": True,
    "cancel_cutoff_at": "2026-03-19T15:30:00Z",
}


@router.post(
    "/initiate",
    summary="Order a port",
    response_model=Envelope[InitiatedView | PlannedView],
    responses={
        **answer(EXAMPLE_INITIATED),
        **refusals(
            InvalidRequest(
                "2026-03-10 is too soon: the earliest date is 2026-03-16, 7 days ahead.",
                field="target_port_date",
            ),
            InvalidRequest(
                "+14150000190: There is no coverage in its rate center. Leave it out.",
                field="phone_numbers.0",
                code="NUMBER_NOT_PORTABLE",
            ),
            NumberTaken(),
        ),
    },
)
async def initiate(
    request: Request,
    principal: SipEditor,
    by: By,
    body: InitiateRequest,
    base_url: BaseUrl,
    change: ChangeDep,
    dry_run: Annotated[
        bool, Query(description="Say what the request would come to and write nothing.")
    ] = False,
) -> Envelope[InitiatedView | PlannedView]:
    """Bodies of both published generations are taken. Everything that carriers would refuse for certain
    is refused here, with an entry for each field; what they may refuse is in `findings`. Numbers of
    several losing carriers, kinds or accounts make an order with `children`, each with a letter of its
    own, and every number is in one of them or in `excluded`. The authorized representative is mailed a
    link to the letter of authorization."""
    state = state_of(request)
    if dry_run:
        return Envelope(data=await port_drafts.plan(state, body))
    maker = Maker(principal, by, base_url)
    return Envelope(data=await port_drafts.initiate(state, change, maker, body))


@router.get(
    "",
    summary="List port orders",
    responses={
        **answer(EXAMPLE_PORTS),
        **refusals(InvalidRequest("cursor: is not a next_cursor of this list", field="cursor")),
    },
)
async def list_orders(
    request: Request, principal: SipViewer, query: PortQuery, base_url: BaseUrl
) -> Envelope[PortList]:
    """The organization's orders, the newest first, those that have ended too. Without `limit` all of
    them; parts of a split order are shown by it."""
    found = await port_orders.page(state_of(request), principal.org_id, query, base_url=base_url)
    return Envelope(data=found)


@router.get(
    "/{id}",
    summary="Get a port order",
    responses={**answer(EXAMPLE_WHOLE_PORT), **refusals(_UNKNOWN)},
)
async def get_order(
    request: Request, principal: SipViewer, order_id: PortId, base_url: BaseUrl
) -> Envelope[WholePortView]:
    """Everything but its secrets: each number with the carrier's own word, what has to be corrected and
    how, what was stated, the letters, and until when what can be done."""
    found = await port_orders.whole(
        state_of(request), principal.org_id, order_id, base_url=base_url
    )
    return Envelope(data=found)


@router.delete(
    "/{id}",
    summary="Cancel a port order",
    response_model=Envelope[CanceledView | CancelRequestedView],
    responses={
        **answer({"canceled": True}, description="The order has ended"),
        202: {
            "model": Envelope[CancelRequestedView],
            "description": "A carrier has to confirm it",
            "content": {
                "application/json": {
                    "example": with_nulls_marked({"data": _REQUESTED, "errors": None})
                }
            },
        },
        **refusals(
            _UNKNOWN,
            refused(OrderRefusal.TOO_LATE),
            refused(OrderRefusal.SWITCH_BEGAN),
            refused(OrderRefusal.ALREADY_ENDED),
            Unavailable("the order's workflow has not begun yet"),
        ),
    },
)
async def cancel_order(
    request: Request, response: Response, principal: SipEditor, by: By, order_id: PortId
) -> Envelope[CanceledView | CancelRequestedView]:
    """`canceled` is true only when nothing was sent to a carrier or the carrier has confirmed. Else it
    is asked for (202), and numbers that were switched meanwhile are here all the same: then the order
    ends `completed` with the warning `cancel_missed`. A draft is deleted. A split order is canceled with
    all its parts."""
    wish = Wish(request, principal, None)
    outcome = await port_asks.cancel(state_of(request), principal, by, order_id, wish)
    if isinstance(outcome, CancelRequestedView):
        response.status_code = 202
    return Envelope(data=outcome)
