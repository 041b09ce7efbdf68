"""Test calls: start one, follow it, repeat it with another setting, hang up (contract 4.4 and 4.5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Header, Query, Request, Response

from api.access import SipEditor, SipViewer
from api.dependencies import TestCallId
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound, RateLimited, Unavailable
from api.routing import new_router
from api.schemas.test_call_examples import (
    ACCEPTED_EXAMPLE,
    HANG_UP_EXAMPLE,
    STREAM_EXAMPLE,
    TEST_CALL_EXAMPLE,
)
from api.schemas.test_calls import (
    RetryRequest,
    TestCallAccepted,
    TestCallRequest,
    TestCallView,
)
from api.server_sent_events import Cursor, EventStream
from api.services import test_call_hang_up, test_call_stream, test_call_views, test_calls
from api.services.actor import actor_of
from api.services.rate_limits import HEADERS
from api.services.test_call_hang_up import AlreadyEnded
from api.services.test_calls import NoOutboundConfig, StillRunning
from api.state import state_of

__all__ = ["router"]

router = new_router("/v1/sip", tag="Test calls")

LONGEST_WAIT = 120
"""Seconds: a call has ended by then."""

_LIMITED = RateLimited("10 test calls in 15 minutes are allowed.", retry_after=timedelta(minutes=4))
_AWAY = Unavailable("Temporal cannot be reached at the moment")


def _counted(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """The same with the headers of the limit."""
    for status in (200, 429):
        responses[status]["headers"] = dict(HEADERS)
    return responses


@router.post(
    "/test-call",
    summary="Place a test call",
    response_model=Envelope[TestCallAccepted],
    responses=_counted(
        {
            **answer(ACCEPTED_EXAMPLE, description="The call is on its way"),
            **refusals(
                InvalidRequest("phone_number is required", field="phone_number"),
                NoOutboundConfig(),
                _LIMITED,
                _AWAY,
            ),
        }
    ),
)
async def place(
    request: Request, response: Response, principal: SipEditor, body: TestCallRequest
) -> Envelope[TestCallAccepted]:
    """Call over the number's outbound configuration: a real INVITE, a second of tone each way, one DTMF
    digit, BYE. Lasts some seconds when it is answered, and never longer than two minutes. Follow it with
    the status route or, live, with `events`."""
    outcome = await test_calls.started(
        state_of(request), principal, actor_of(request, principal), body
    )
    response.headers.update(outcome.headers)
    return Envelope(data=TestCallAccepted(call_id=outcome.call_id, message="Test call initiated"))


@router.get(
    "/test-call/status",
    summary="Follow a test call",
    response_model=Envelope[TestCallView],
    responses={
        **answer(TEST_CALL_EXAMPLE, description="The call as it stands"),
        **refusals(NotFound("no such test call")),
    },
)
async def status(
    request: Request,
    principal: SipViewer,
    call_id: Annotated[str, Query(max_length=64, description="As `test-call` answered it.")],
    wait: Annotated[
        float,
        Query(
            ge=0,
            le=LONGEST_WAIT,
            description="Seconds to wait for the end; 0 answers at once with what is known.",
        ),
    ] = 0,
) -> Envelope[TestCallView]:
    """Status, result and timeline; from the end on also the proof ladder, and what to change when
    something does not work."""
    view = await test_call_views.followed(state_of(request), principal, call_id, wait)
    return Envelope(data=view)


@router.delete(
    "/test-call/{call_id}",
    summary="Hang up a test call",
    response_model=Envelope[TestCallAccepted],
    responses={
        **answer(HANG_UP_EXAMPLE, description="The call is being ended"),
        **refusals(NotFound("no such test call"), AlreadyEnded(), _AWAY),
    },
)
async def hang_up(
    request: Request, principal: SipEditor, call_id: TestCallId
) -> Envelope[TestCallAccepted]:
    """End the call: CANCEL while it rings, BYE when it was answered. The status route says when it is
    over."""
    actor = actor_of(request, principal)
    await test_call_hang_up.hung_up(state_of(request), principal, actor, call_id)
    return Envelope(data=TestCallAccepted(call_id=call_id, message="Hanging up"))


@router.post(
    "/test-call/{call_id}/retry",
    summary="Repeat a test call with another setting",
    response_model=Envelope[TestCallAccepted],
    responses=_counted(
        {
            **answer(ACCEPTED_EXAMPLE, description="The call is on its way"),
            **refusals(
                InvalidRequest(
                    "The call offers e164.",
                    field="variant",
                    code="VARIANT_NOT_OFFERED",
                ),
                NotFound("no such test call"),
                StillRunning(),
                NoOutboundConfig(),
                _LIMITED,
                _AWAY,
            ),
        }
    ),
)
async def retry(
    request: Request,
    response: Response,
    principal: SipEditor,
    call_id: TestCallId,
    body: RetryRequest,
) -> Envelope[TestCallAccepted]:
    """Run one of the `variants` that an ended call offers. It counts as any other call and changes nothing
    on the trunk; when it works, its `setting_to_save` says what to change there."""
    outcome = await test_calls.retried(
        state_of(request), principal, actor_of(request, principal), call_id, body.variant
    )
    response.headers.update(outcome.headers)
    return Envelope(data=TestCallAccepted(call_id=outcome.call_id, message="Test call initiated"))


@router.get(
    "/test-call/{call_id}/events",
    summary="Watch a test call live",
    response_class=EventStream,
    status_code=200,
    responses={
        200: {
            "description": "Server-sent events `timeline`, `message` and, at the end, `result`",
            "content": {"text/event-stream": {"example": STREAM_EXAMPLE}},
        },
        204: {"description": "The client has seen the end; do not reconnect"},
        **refusals(NotFound("no such test call")),
    },
)
async def events(
    request: Request,
    principal: SipViewer,
    call_id: TestCallId,
    last_event_id: Annotated[
        str | None,
        Header(description="Go on behind this event; browsers send it themselves."),
    ] = None,
) -> Response:
    """Every line of the timeline (`timeline`) and every SIP message (`message`, credentials and keys masked)
    as it happens, from the beginning of the call on, then the whole status (`result`), with which the stream
    ends."""
    cursor = Cursor.of(last_event_id)
    stream = await test_call_stream.opened(state_of(request), principal, call_id, cursor)
    if stream is None:
        return Response(status_code=204)
    return EventStream(stream)
