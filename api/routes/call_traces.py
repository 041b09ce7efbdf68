"""What went over the wire in a test call: as JSON, as a capture file, as a ladder."""

from __future__ import annotations

from fastapi import Request

from api.access import SipViewer
from api.dependencies import TestCallId
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound
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
from api.schemas.call_traces import TRACE_EXAMPLE, TraceView
from api.services import call_traces, recordings
from api.state import state_of

__all__ = ["router"]

router = new_router("/v1/sip/test-call/{call_id}", tag="Test calls")

_UNKNOWN = NotFound("no such test call")


@router.get(
    "/trace",
    summary="The SIP messages of a test call",
    response_model=Envelope[TraceView],
    responses={
        **answer(TRACE_EXAMPLE, description="The trace as it stands"),
        **refusals(_UNKNOWN),
    },
)
async def trace(
    request: Request, principal: SipViewer, call_id: TestCallId, hide_numbers: HideNumbers = False
) -> Envelope[TraceView]:
    """Every message as it was on the wire, in order, readable over TLS too. Credentials, nonces and SRTP keys
    are covered by as many `*`. Grows while the call runs; `events` tells it live."""
    recording = await recordings.of_test_call(state_of(request), principal, call_id)
    view = await call_traces.trace_view_of(recording, hide_numbers=hide_numbers)
    return Envelope(data=view)


@router.get(
    "/pcap",
    summary="The SIP messages of a test call as a capture file",
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
    call_id: TestCallId,
    hide_numbers: HideNumbers = False,
    link: Link = None,
) -> Capture:
    """For Wireshark, tshark and sngrep, readable without keys. Secrets are covered as in `trace`."""
    recording = await recordings.of_test_call(state_of(request), principal, call_id)
    file = await call_traces.capture_of(recording, hide_numbers=hide_numbers, link=link)
    return Capture(file, headers=attachment(f"{call_id}.pcap"))


@router.get(
    "/ladder.svg",
    summary="The ladder of a test call as a drawing",
    response_class=Svg,
    responses={
        **file_of(Svg.media_type, "An SVG document", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        **refusals(_UNKNOWN),
    },
)
async def drawing(
    request: Request, principal: SipViewer, call_id: TestCallId, hide_numbers: HideNumbers = False
) -> Svg:
    """One lifeline for each host, every message with its time, its session description and why it refuses,
    repetitions counted, the media between. Light or dark as the reader's system is."""
    recording = await recordings.of_test_call(state_of(request), principal, call_id)
    svg = await call_traces.svg_of(recording, hide_numbers=hide_numbers)
    return Svg(svg, headers=HARMLESS)


@router.get(
    "/ladder.mmd",
    summary="The ladder of a test call as a Mermaid diagram",
    response_class=Mermaid,
    responses={
        **file_of(
            Mermaid.media_type,
            "Source of a sequence diagram",
            "sequenceDiagram\n    participant H0 as Trunkline\n",
        ),
        **refusals(_UNKNOWN),
    },
)
async def diagram(
    request: Request, principal: SipViewer, call_id: TestCallId, hide_numbers: HideNumbers = False
) -> Mermaid:
    """The same ladder as text, for tickets and wikis that draw Mermaid."""
    recording = await recordings.of_test_call(state_of(request), principal, call_id)
    source = await call_traces.mermaid_of(recording, hide_numbers=hide_numbers)
    return Mermaid(source, headers=HARMLESS)
