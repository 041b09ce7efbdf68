"""What belongs to a port order: timeline, comments, letter, calendar, link to sign, simulator."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from api.access import SipEditor, SipViewer
from api.changes import ChangeDep
from api.dependencies import By
from api.documentation import answer, refusals, with_nulls_marked
from api.envelope import Envelope, EnvelopeJson
from api.errors import InvalidRequest, NotFound, RateLimited
from api.port_query import PortId
from api.routes.port_documents import FILE_HEADERS
from api.routes.trace_files import file_of
from api.routing import new_router
from api.schemas.port_examples import EXAMPLE_TIMELINE
from api.schemas.port_requests import CommentRequest, SimulateRequest
from api.schemas.port_timeline import CommentedView, ResentView, SimulatedView, TimelineView
from api.services import port_papers
from api.services import port_timeline as timelines
from api.services.port_commands import PortIsSplit
from api.services.port_papers import NoDate, NothingToSign, NotSimulated, SentAlready
from api.services.trunk_orders import Wish
from api.state import state_of
from domain.porting.calendar_file import MEDIA_TYPE

__all__ = ["router"]

router = new_router("/v1/sip/port/{id}", tag="Porting")

_UNKNOWN = NotFound("no such port order")


class CalendarFile(Response):
    """An iCalendar file."""

    media_type = MEDIA_TYPE


class TimelineFormat(StrEnum):
    """How the timeline is written."""

    JSON = "json"
    CSV = "csv"


@router.get(
    "/timeline",
    summary="The timeline of a port order",
    response_model=Envelope[TimelineView],
    responses={
        200: {
            "description": "Success",
            "content": {
                "application/json": {
                    "example": with_nulls_marked({"data": EXAMPLE_TIMELINE, "errors": None})
                },
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "id,at,kind,actor,text,raw,from_sub_status,to_sub_status,data\r\n",
                },
            },
        },
        **refusals(
            _UNKNOWN,
            InvalidRequest("cursor: is not a next_cursor of this list", field="cursor"),
        ),
    },
)
async def get_timeline(
    request: Request,
    principal: SipViewer,
    order_id: PortId,
    limit: Annotated[int, Query(ge=1, le=1000, description="Entries of a page.")] = 200,
    cursor: Annotated[
        str | None, Query(max_length=128, description="`next_cursor` of the page before.")
    ] = None,
    format: Annotated[
        TimelineFormat,
        Query(description="`csv` for a table, whose next page `X-Next-Cursor` names."),
    ] = TimelineFormat.JSON,
) -> Response:
    """Everything that happened, the oldest first, with carriers' own words. Operators see entries that
    customers do not."""
    view = await timelines.timeline(
        state_of(request), principal, order_id, limit=limit, after=timelines.place_of(cursor)
    )
    if format is TimelineFormat.JSON:
        return EnvelopeJson({"data": view.model_dump(mode="json"), "errors": None})
    headers = FILE_HEADERS | {"Content-Disposition": f'attachment; filename="{order_id}.csv"'}
    if view.next_cursor is not None:
        headers["X-Next-Cursor"] = view.next_cursor
    return Response(timelines.table(view), media_type="text/csv", headers=headers)


@router.post(
    "/comments",
    summary="Comment on a port order",
    responses={**answer({"commented": True}), **refusals(_UNKNOWN)},
)
async def comment(
    request: Request,
    principal: SipEditor,
    by: By,
    order_id: PortId,
    body: CommentRequest,
    change: ChangeDep,
) -> Envelope[CommentedView]:
    """For the timeline. Operators may write comments that only operators see."""
    wish = Wish(request, principal, body)
    await timelines.comment(state_of(request), change, principal, by, order_id, body, wish)
    return Envelope(data=CommentedView())


@router.post(
    "/resend-signature",
    summary="Mail a new link to the letter",
    responses={
        **answer({"resent": True}),
        **refusals(
            _UNKNOWN,
            NothingToSign(),
            PortIsSplit(),
            RateLimited(
                "enough links were mailed in the last hour", retry_after=timedelta(minutes=9)
            ),
        ),
    },
)
async def resend_signature(
    request: Request, principal: SipEditor, by: By, order_id: PortId, change: ChangeDep
) -> Envelope[ResentView]:
    """To the authorized representative. Links that were mailed before are invalid from now on."""
    await port_papers.resend_link(state_of(request), change, principal, by, order_id)
    return Envelope(data=ResentView())


@router.get(
    "/loa",
    summary="The letter of authorization",
    response_class=StreamingResponse,
    responses={
        **file_of("application/pdf", "The letter as a PDF"),
        **refusals(NotFound("there is no letter of authorization yet")),
    },
)
async def get_letter(
    request: Request,
    principal: SipViewer,
    order_id: PortId,
    revision: Annotated[
        int | None, Query(ge=1, le=10_000, description="Which letter; left out, the newest.")
    ] = None,
) -> StreamingResponse:
    """Once it is signed, the sealed one with the trail of its signature."""
    name, content = await port_papers.letter(
        state_of(request), principal.org_id, order_id, revision
    )
    headers = FILE_HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type="application/pdf", headers=headers)


@router.get(
    "/ics",
    summary="The confirmed date as a calendar file",
    response_class=CalendarFile,
    responses={
        **file_of(MEDIA_TYPE, "An iCalendar file (RFC 5545)", "BEGIN:VCALENDAR\r\n"),
        **refusals(_UNKNOWN, NoDate(), PortIsSplit()),
    },
)
async def get_calendar(request: Request, principal: SipViewer, order_id: PortId) -> CalendarFile:
    """One event, which replaces the one of a date before."""
    text = await port_papers.calendar(state_of(request), principal.org_id, order_id)
    headers = FILE_HEADERS | {"Content-Disposition": f'attachment; filename="{order_id}.ics"'}
    return CalendarFile(text, headers=headers)


@router.post(
    "/simulate",
    summary="Steer the simulated carrier",
    responses={
        **answer({"scenario": "name_mismatch", "event": None}),
        **refusals(_UNKNOWN, NotSimulated(), SentAlready(), PortIsSplit()),
    },
)
async def simulate(
    request: Request,
    principal: SipEditor,
    by: By,
    order_id: PortId,
    body: SimulateRequest,
    change: ChangeDep,
) -> Envelope[SimulatedView]:
    """Only for orders of the simulator, which port nothing. Choose a scenario before the order is sent,
    or let something happen."""
    await port_papers.simulate(state_of(request), change, principal, by, order_id, body)
    return Envelope(
        data=SimulatedView(scenario=body.scenario and body.scenario.value, event=body.event)
    )
