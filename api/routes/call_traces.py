"""What went over the wire in a test call: as JSON, as a capture file, as a ladder."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response

from api.access import SipViewer
from api.dependencies import TestCallId
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound
from api.routing import new_router
from api.schemas.call_traces import TRACE_EXAMPLE, TraceView
from api.services import call_traces
from api.state import state_of
from sip.pcap import LinkType

__all__ = ["router"]

router = new_router("/v1/sip/test-call/{call_id}", tag="Test calls")

HideNumbers = Annotated[
    bool, Query(description="Cover telephone numbers too, all but their last four digits.")
]

_UNKNOWN = NotFound("no such test call")
# The peer had its say in these documents: nothing in them may run or load, or be taken for another type.
_HARMLESS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


class Svg(Response):
    """An SVG document."""

    media_type = "image/svg+xml"


class Mermaid(Response):
    """Source of a Mermaid diagram."""

    media_type = "text/plain"


class Capture(Response):
    """A capture file."""

    media_type = "application/vnd.tcpdump.pcap"


def _file(media_type: str, description: str, example: str | None = None) -> dict[int | str, Any]:
    content: dict[str, Any] = {"schema": {"type": "string"}}
    if example is None:
        content["schema"]["format"] = "binary"
    else:
        content["example"] = example
    return {200: {"description": description, "content": {media_type: content}}}


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
    view = await call_traces.trace_view_of(
        state_of(request), principal, call_id, hide_numbers=hide_numbers
    )
    return Envelope(data=view)


@router.get(
    "/pcap",
    summary="The SIP messages of a test call as a capture file",
    response_class=Capture,
    responses={
        **_file(Capture.media_type, "A classic pcap file"),
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
    link: Annotated[
        LinkType | None,
        Query(
            description="`ip`: packets as every tool reads them (sngrep, tcpdump), TLS as plain TCP. `sip`: "
            "exported PDUs, which Wireshark shows as SIP whatever the port. Default: `ip` for UDP "
            "and TCP on port 5060, else `sip`."
        ),
    ] = None,
) -> Capture:
    """For Wireshark, tshark and sngrep, readable without keys. Secrets are covered as in `trace`."""
    file = await call_traces.capture_of(
        state_of(request), principal, call_id, hide_numbers=hide_numbers, link=link
    )
    name = {"Content-Disposition": f'attachment; filename="{call_id}.pcap"'}
    return Capture(file, headers=_HARMLESS | name)


@router.get(
    "/ladder.svg",
    summary="The ladder of a test call as a drawing",
    response_class=Svg,
    responses={
        **_file(Svg.media_type, "An SVG document", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        **refusals(_UNKNOWN),
    },
)
async def drawing(
    request: Request, principal: SipViewer, call_id: TestCallId, hide_numbers: HideNumbers = False
) -> Svg:
    """One lifeline for each host, every message with its time, its session description and why it refuses,
    repetitions counted, the media between. Light or dark as the reader's system is."""
    svg = await call_traces.svg_of(state_of(request), principal, call_id, hide_numbers=hide_numbers)
    return Svg(svg, headers=_HARMLESS)


@router.get(
    "/ladder.mmd",
    summary="The ladder of a test call as a Mermaid diagram",
    response_class=Mermaid,
    responses={
        **_file(
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
    source = await call_traces.mermaid_of(
        state_of(request), principal, call_id, hide_numbers=hide_numbers
    )
    return Mermaid(source, headers=_HARMLESS)
