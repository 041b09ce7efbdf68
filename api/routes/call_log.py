"""The call log (contract 5.4): real traffic and test calls, and what is known of each."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Header, Path, Query, Request, Response

from api.access import SipViewer
from api.call_query import CallQuery
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import Forbidden, InvalidRequest, NotFound
from api.routes.trace_files import (
    HARMLESS,
    Capture,
    HideNumbers,
    Link,
    Mermaid,
    Svg,
    attachment,
    file_of,
)
from api.routing import new_router
from api.schemas.call_comparison import COMPARISON_EXAMPLE, ComparisonView
from api.schemas.call_log import (
    CALL_EXAMPLE,
    CALLS_EXAMPLE,
    CallPage,
    LoggedCallView,
    WholeCallView,
)
from api.schemas.call_traces import TRACE_EXAMPLE, TraceView
from api.server_sent_events import Cursor, EventStream
from api.services import call_comparison, call_log_stream, call_traces, logged_calls, recordings
from api.services.call_log_stream import tail_of_call
from api.state import state_of
from storage.tables import Role

__all__ = ["router"]

router = new_router("/v1/sip/calls", tag="Calls")

_UNKNOWN: Final = NotFound("no such call")
_STREAM_EXAMPLE: Final = (
    'event: call\ndata: {"id":"lc_5sVd9YfMhQ2cUo7NkBz3Tw","status":"200 OK"}\n\n'
)

CallKey = Annotated[
    str,
    Path(
        max_length=256,
        description="`id` of the call, or its Call-ID (percent-encoded; when several calls had it, the "
        "latest one). A Call-ID with a slash can be asked for by `id` only.",
        examples=["lc_5sVd9YfMhQ2cUo7NkBz3Tw"],
    ),
]


def _operators_only(principal: SipViewer, unassigned: bool) -> None:
    if unassigned and not principal.may(Role.OPERATOR):
        raise Forbidden


@router.get(
    "",
    summary="List calls",
    response_model=Envelope[CallPage],
    responses={
        **answer(CALLS_EXAMPLE),
        **refusals(InvalidRequest("phone_number: is required", field="phone_number")),
    },
)
async def list_calls(
    request: Request, principal: SipViewer, query: CallQuery
) -> Envelope[CallPage]:
    """Calls of a number or a trunk, the newest first: real traffic, as far as the operator's servers
    export it, and test calls."""
    _operators_only(principal, query.unassigned)
    found = await logged_calls.listed(
        state_of(request),
        principal,
        query.wanted,
        limit=query.limit,
        before=query.before,
        unassigned=query.unassigned,
    )
    return Envelope(data=CallPage(calls=[LoggedCallView.of(call) for call in found]))


@router.get(
    "/events",
    summary="Watch the call log live",
    response_class=EventStream,
    status_code=200,
    responses={
        200: {
            "description": "Server-sent events `call`",
            "content": {"text/event-stream": {"example": _STREAM_EXAMPLE}},
        },
        **refusals(InvalidRequest("phone_number: is required", field="phone_number")),
    },
)
async def watch_log(request: Request, principal: SipViewer, query: CallQuery) -> EventStream:
    """The newest `limit` calls, and each of them again whenever it changes (`call`, replace what has the
    same `id`), and every new one. A client that comes again is told the newest calls again; `before` is
    ignored."""
    _operators_only(principal, query.unassigned)
    return EventStream(call_log_stream.tail_of_log(state_of(request), principal, query))


@router.get(
    "/{call_id}",
    summary="Get a call",
    response_model=Envelope[WholeCallView],
    responses={**answer(CALL_EXAMPLE), **refusals(_UNKNOWN)},
)
async def get_call(
    request: Request, principal: SipViewer, call_id: CallKey
) -> Envelope[WholeCallView]:
    """Who hung up and why, codecs, software of both ends, attempts, and calls that belong to it."""
    return Envelope(data=await logged_calls.whole(state_of(request), principal, call_id))


@router.get(
    "/{call_id}/trace",
    summary="The SIP messages of a call",
    response_model=Envelope[TraceView],
    responses={**answer(TRACE_EXAMPLE, description="The trace as it stands"), **refusals(_UNKNOWN)},
)
async def trace(
    request: Request, principal: SipViewer, call_id: CallKey, hide_numbers: HideNumbers = False
) -> Envelope[TraceView]:
    """Every message as it was captured, in order. Credentials, nonces and SRTP keys are covered by as many
    `*`."""
    recording = await recordings.of_logged_call(state_of(request), principal, call_id)
    view = await call_traces.trace_view_of(recording, hide_numbers=hide_numbers)
    return Envelope(data=view)


@router.get(
    "/{call_id}/pcap",
    summary="The SIP messages of a call as a capture file",
    response_class=Capture,
    responses={
        **file_of(Capture.media_type, "A classic pcap file"),
        **refusals(
            InvalidRequest("These messages cannot be written as IP packets.", field="link"),
            _UNKNOWN,
        ),
    },
)
async def pcap(
    request: Request,
    principal: SipViewer,
    call_id: CallKey,
    hide_numbers: HideNumbers = False,
    link: Link = None,
) -> Capture:
    """For Wireshark, tshark and sngrep. Secrets are covered as in `trace`."""
    recording = await recordings.of_logged_call(state_of(request), principal, call_id)
    file = await call_traces.capture_of(recording, hide_numbers=hide_numbers, link=link)
    return Capture(file, headers=attachment(f"{recording.id}.pcap"))


@router.get(
    "/{call_id}/ladder.svg",
    summary="The ladder of a call as a drawing",
    response_class=Svg,
    responses={
        **file_of(Svg.media_type, "An SVG document", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        **refusals(_UNKNOWN),
    },
)
async def drawing(
    request: Request, principal: SipViewer, call_id: CallKey, hide_numbers: HideNumbers = False
) -> Svg:
    """One lifeline for each host, every message with its time and its session description, repetitions
    counted."""
    recording = await recordings.of_logged_call(state_of(request), principal, call_id)
    svg = await call_traces.svg_of(recording, hide_numbers=hide_numbers)
    return Svg(svg, headers=HARMLESS)


@router.get(
    "/{call_id}/ladder.mmd",
    summary="The ladder of a call as a Mermaid diagram",
    response_class=Mermaid,
    responses={
        **file_of(
            Mermaid.media_type,
            "Source of a sequence diagram",
            "sequenceDiagram\n    participant H0 as 192.0.2.20\n",
        ),
        **refusals(_UNKNOWN),
    },
)
async def diagram(
    request: Request, principal: SipViewer, call_id: CallKey, hide_numbers: HideNumbers = False
) -> Mermaid:
    """The same ladder as text, for tickets and wikis that draw Mermaid."""
    recording = await recordings.of_logged_call(state_of(request), principal, call_id)
    source = await call_traces.mermaid_of(recording, hide_numbers=hide_numbers)
    return Mermaid(source, headers=HARMLESS)


@router.get(
    "/{call_id}/compare",
    summary="Compare two calls",
    response_model=Envelope[ComparisonView],
    responses={**answer(COMPARISON_EXAMPLE), **refusals(_UNKNOWN)},
)
async def comparison(
    request: Request,
    principal: SipViewer,
    call_id: CallKey,
    with_call: Annotated[
        str, Query(alias="with", max_length=256, description="`id` or Call-ID of the other call.")
    ],
) -> Envelope[ComparisonView]:
    """What happened in both calls, what in one only, and which header fields differ: for a call that works
    beside one that does not."""
    view = await call_comparison.compared(state_of(request), principal, call_id, with_call)
    return Envelope(data=view)


@router.get(
    "/{call_id}/events",
    summary="Watch a call live",
    response_class=EventStream,
    status_code=200,
    responses={
        200: {
            "description": "Server-sent events `message` and, at the end, `call`",
            "content": {"text/event-stream": {"example": _STREAM_EXAMPLE}},
        },
        204: {"description": "The client has seen the end; do not reconnect"},
        **refusals(_UNKNOWN),
    },
)
async def watch_call(
    request: Request,
    principal: SipViewer,
    call_id: CallKey,
    last_event_id: Annotated[
        str | None,
        Header(description="Go on behind this event; browsers send it themselves."),
    ] = None,
) -> Response:
    """Every SIP message as it is captured (`message`, credentials and keys masked), from the beginning of the
    call on, then the call itself (`call`), with which the stream ends."""
    cursor = Cursor.of(last_event_id)
    stream = await tail_of_call(state_of(request), principal, call_id, cursor)
    return Response(status_code=204) if stream is None else EventStream(stream)
