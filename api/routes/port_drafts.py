"""Drafts of port orders: kept while they are incomplete, and nobody hears of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from api.access import SipEditor
from api.changes import ChangeDep
from api.dependencies import By
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound
from api.port_query import BaseUrl, PortId
from api.routing import new_router
from api.schemas.port_examples import EXAMPLE_INITIATED, ORDER_ID
from api.schemas.port_requests import DraftRequest
from api.schemas.port_views import DraftView, InitiatedView
from api.services import port_drafts
from api.services.port_drafts import Maker, NotADraft
from api.services.port_placing import NumberTaken
from api.state import state_of

__all__ = ["router"]

router = new_router("/v1/sip/port/drafts", tag="Porting")

_UNKNOWN = NotFound("no such port order")
_EXAMPLE = {"port_request_id": ORDER_ID, "status": "draft"}


@router.post(
    "",
    summary="Begin a draft",
    responses={
        **answer(_EXAMPLE),
        **refusals(InvalidRequest("trunk_id: there is no such trunk", field="trunk_id")),
    },
)
async def create_draft(
    request: Request,
    principal: SipEditor,
    by: By,
    body: DraftRequest,
    base_url: BaseUrl,
    change: ChangeDep,
) -> Envelope[DraftView]:
    """As much of an order as is known. A draft takes no numbers and is forgotten when nobody touches it
    for 30 days; `GET /v1/sip/port?status=draft` lists drafts."""
    maker = Maker(principal, by, base_url)
    order_id = await port_drafts.make_draft(state_of(request), change, maker, body)
    return Envelope(data=DraftView(port_request_id=order_id))


@router.patch(
    "/{id}",
    summary="Add to a draft",
    responses={**answer(_EXAMPLE), **refusals(_UNKNOWN, NotADraft())},
)
async def change_draft(
    request: Request,
    principal: SipEditor,
    by: By,
    order_id: PortId,
    body: DraftRequest,
    base_url: BaseUrl,
    change: ChangeDep,
) -> Envelope[DraftView]:
    """What the body leaves out stays; a list replaces the one before."""
    maker = Maker(principal, by, base_url)
    await port_drafts.change_draft(state_of(request), change, maker, order_id, body)
    return Envelope(data=DraftView(port_request_id=order_id))


@router.post(
    "/{id}/submit",
    summary="Submit a draft",
    responses={
        **answer(EXAMPLE_INITIATED),
        **refusals(
            _UNKNOWN,
            InvalidRequest("phone_numbers is required", field="phone_numbers"),
            NotADraft(),
            NumberTaken(),
        ),
    },
)
async def submit_draft(
    request: Request,
    principal: SipEditor,
    by: By,
    order_id: PortId,
    base_url: BaseUrl,
    change: ChangeDep,
    continue_without: Annotated[
        bool, Query(description="Order the rest when some numbers cannot be ported.")
    ] = False,
) -> Envelope[InitiatedView]:
    """Order what the draft says, as `initiate` does. The order keeps the draft's id."""
    placed = await port_drafts.submit_draft(
        state_of(request),
        change,
        Maker(principal, by, base_url),
        order_id,
        continue_without=continue_without,
    )
    return Envelope(data=placed)
