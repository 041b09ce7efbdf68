"""A peer that sends anything at any time cannot break the transaction layer or make it grow."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sip.build import response_to
from sip.message import Response
from sip.transaction import (
    CancelReceived,
    RequestReceived,
    TransactionLayer,
    TransactionTerminated,
    TransactionTimedOut,
    TransportFailed,
)
from sip.via import Via
from tests.sip.transactions import answer, drain, flow_between, received, request_of, reversed_flow

FLOWS = [flow_between("UDP"), flow_between("TCP")]
METHODS = st.sampled_from(["INVITE", "ACK", "CANCEL", "OPTIONS", "BYE"])
BRANCHES = st.sampled_from(["z9hG4bKa", "z9hG4bKb", "old", None])
STATUSES = st.sampled_from([100, 180, 200, 302, 486, 603])
LIMIT = 6

steps = st.lists(
    st.one_of(
        st.tuples(st.just("request"), METHODS, BRANCHES, st.integers(0, 1)),
        st.tuples(st.just("response"), METHODS, BRANCHES, STATUSES),
        st.tuples(st.just("answer"), STATUSES),
        st.tuples(st.just("fail"), st.integers(0, 1)),
        st.tuples(st.just("wait"), st.floats(0.0, 40.0)),
    ),
    max_size=40,
)


def via(branch: object) -> Via:
    params = (("branch", branch),) if isinstance(branch, str) else ()
    return Via("UDP", "192.0.2.1", 5070, params)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_anything_at_any_time_is_survived_and_forgotten(steps: list[tuple[str, ...]]) -> None:
    layer = TransactionLayer(max_server_transactions=LIMIT)
    now = 0.0
    open_requests: dict[object, RequestReceived | CancelReceived] = {}
    ours = {
        layer.send_request(request_of(method, branch=branch), FLOWS[0], now)
        for method in ("INVITE", "OPTIONS")
        for branch in ("z9hG4bKa", "z9hG4bKb")
    }
    ended: list[object] = []
    for kind, *arguments in [*steps, ("wait", 1000.0), ("settle",), ("wait", 1000.0)]:
        match kind, arguments:
            case "request", [str(method), branch, int(flow)]:
                request = received(request_of(method, via=via(branch)))
                layer.receive_message(request, reversed_flow(FLOWS[flow]), now)
            case "response", [str(method), branch, int(status)]:
                response = answer(received(request_of(method, via=via(branch))), status)
                layer.receive_message(response, reversed_flow(FLOWS[0]), now)
            case "answer", [int(status)] if open_requests:
                key, waiting = open_requests.popitem()
                layer.send_response(waiting.key, _response(waiting, status), now)
                if status < 200:
                    open_requests[key] = waiting
            case "fail", [int(flow)]:
                for one in (FLOWS[flow], reversed_flow(FLOWS[flow])):
                    layer.transport_failed(one, now, "closed")
            case "wait", [float(seconds)]:
                until = now + seconds
                while (due := layer.get_timer()) is not None and due <= until:
                    assert due >= now
                    now = due
                    layer.handle_timer(now)
                now = until
            case "settle", []:
                for key in ours:
                    layer.abandon(key)
                for waiting in open_requests.values():
                    layer.send_response(waiting.key, _response(waiting, 500), now)
        # A CANCEL of a live INVITE comes on top.
        assert layer.live_server_transactions <= 2 * LIMIT
        layer.messages_to_send()
        for event in drain(layer):
            if isinstance(event, RequestReceived | CancelReceived):
                open_requests[event.key] = event
            elif isinstance(event, TransactionTerminated | TransactionTimedOut | TransportFailed):
                ended.append(event.key)
    assert layer.live_client_transactions == layer.live_server_transactions == 0
    assert layer.get_timer() is None
    assert all(ended.count(key) <= 1 for key in ours)


def _response(event: RequestReceived | CancelReceived, status: int) -> Response:
    return response_to(event.request, status, to_tag="to-1")
