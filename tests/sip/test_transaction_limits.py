"""What peers can make the transaction layer remember."""

from __future__ import annotations

from sip.build import cancel_for, response_to
from sip.transaction import (
    CancelReceived,
    RequestReceived,
    RequestRefused,
    TransactionLayer,
    reply_flow,
)
from tests.sip.transactions import (
    CLIENT,
    answer,
    drain,
    flow_between,
    only,
    received,
    request_of,
    reversed_flow,
    run_timers,
)

UDP = flow_between("UDP")
FROM_CLIENT = reversed_flow(UDP)
EPSILON = 1e-6


class TestLimits:
    def test_requests_beyond_the_limit_are_refused_by_an_event_and_counted(self) -> None:
        layer = TransactionLayer(max_server_transactions=2)
        for number in range(4):
            request = request_of(branch=f"z9hG4bK{number}", call_id=f"call-{number}")
            layer.receive_message(received(request), FROM_CLIENT, 0.0)
        events = drain(layer)
        assert [type(event) for event in events] == [RequestReceived] * 2 + [RequestRefused] * 2
        assert (layer.refused_requests, layer.live_server_transactions) == (2, 2)
        refused = events[-1]
        assert isinstance(refused, RequestRefused)
        assert refused.request.via.rport == CLIENT[1]
        busy = response_to(refused.request, 503, to_tag="t")
        layer.send_without_transaction(busy, reply_flow(refused.request, refused.flow))
        (out,) = layer.messages_to_send()
        assert out.flow == FROM_CLIENT

    def test_what_ends_makes_room(self) -> None:
        layer = TransactionLayer(max_server_transactions=1)
        layer.receive_message(received(request_of()), FROM_CLIENT, 0.0)
        key = only(drain(layer), RequestReceived).key
        layer.send_response(key, answer(received(request_of())), 0.0)
        run_timers(layer, 32.0)
        drain(layer)
        layer.receive_message(received(request_of()), FROM_CLIENT, 33.0)
        only(drain(layer), RequestReceived)

    def test_a_repeated_request_is_not_a_new_one(self) -> None:
        layer = TransactionLayer(max_server_transactions=1)
        for _ in range(3):
            layer.receive_message(received(request_of()), FROM_CLIENT, 0.0)
        assert layer.refused_requests == 0

    def test_a_cancel_is_let_in_to_end_its_invite_and_no_other_is(self) -> None:
        layer = TransactionLayer(max_server_transactions=1)
        invite = received(request_of("INVITE"))
        layer.receive_message(invite, FROM_CLIENT, 0.0)
        stray = received(request_of("CANCEL", branch="z9hG4bKother"))
        layer.receive_message(received(cancel_for(invite)), FROM_CLIENT, 0.1)
        layer.receive_message(stray, FROM_CLIENT, 0.1)
        kinds = [type(event) for event in drain(layer)]
        assert kinds == [RequestReceived, CancelReceived, RequestRefused]

    def test_long_responses_use_up_the_room_before_their_number_does(self) -> None:
        layer = TransactionLayer(max_held_bytes=10_000)
        for number in range(4):
            request = request_of(
                branch=f"z9hG4bK{number}", call_id=f"{number}-" + "x" * 6000, cseq=number + 1
            )
            layer.receive_message(received(request), FROM_CLIENT, 0.0)
            event = drain(layer)[-1]
            if isinstance(event, RequestReceived):
                answered = response_to(event.request, 200, to_tag="t")
                layer.send_response(event.key, answered, 0.0)
        assert (layer.live_server_transactions, layer.refused_requests) == (2, 2)
        run_timers(layer, 32.0)
        drain(layer)
        layer.receive_message(received(request_of()), FROM_CLIENT, 33.0)
        only(drain(layer), RequestReceived)
