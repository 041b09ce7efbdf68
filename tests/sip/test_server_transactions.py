"""The server transactions: how they repeat what their user answered, and when they end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sip.build import ack_for_non_2xx, cancel_for, response_to
from sip.message import Request, Response
from sip.transaction import (
    AckReceived,
    CancelReceived,
    Flow,
    RequestReceived,
    ServerKey,
    TransactionLayer,
    TransactionTerminated,
    TransactionTimedOut,
    TransportFailed,
)
from tests.sip.transactions import (
    answer,
    drain,
    flow_between,
    only,
    received,
    request_of,
    reversed_flow,
    run_timers,
)

UDP = reversed_flow(flow_between("UDP"))
TCP = reversed_flow(flow_between("TCP"))


class Served:
    """A layer that received one request at time zero."""

    def __init__(self, method: str = "OPTIONS", flow: Flow = UDP) -> None:
        self.layer = TransactionLayer()
        self.flow = flow
        self.request = received(request_of(method, transport=flow.transport))
        self.layer.receive_message(self.request, flow, 0.0)
        event = only(drain(self.layer), RequestReceived)
        self.key: ServerKey = event.key
        self.stamped = event.request

    def repeat(self, at: float) -> None:
        self.layer.receive_message(self.request, self.flow, at)

    def respond(self, status: int, at: float) -> Response:
        response = response_to(self.stamped, status, to_tag="to-1")
        self.layer.send_response(self.key, response, at)
        return response

    def acknowledge(self, at: float) -> None:
        ack = ack_for_non_2xx(self.request, answer(self.request, 486))
        self.layer.receive_message(received(ack), self.flow, at)

    def sent(self) -> list[tuple[int, bool]]:
        return [
            (out.message.status, out.retransmission)
            for out in self.layer.messages_to_send()
            if isinstance(out.message, Response)
        ]


class TestOptions:
    def test_repeated_requests_are_absorbed_before_the_answer(self) -> None:
        served = Served()
        served.repeat(0.5)
        assert drain(served.layer) == []
        assert served.sent() == []

    def test_a_repeated_request_gets_the_last_provisional_again(self) -> None:
        served = Served()
        served.respond(100, 0.1)
        served.respond(183, 0.2)
        served.repeat(0.5)
        assert served.sent() == [(100, False), (183, False), (183, True)]
        assert drain(served.layer) == []

    @pytest.mark.parametrize("status", [200, 404])
    @pytest.mark.parametrize("provisional", [False, True])
    def test_a_repeated_request_gets_the_final_response_for_32_seconds(
        self, status: int, provisional: bool
    ) -> None:
        served = Served()
        if provisional:
            served.respond(100, 0.05)
            served.sent()
        served.respond(status, 0.1)
        served.repeat(0.5)
        served.repeat(32.0)
        assert served.sent() == [(status, False), (status, True), (status, True)]
        assert served.layer.get_timer() == 32.1
        run_timers(served.layer, 32.1)
        assert drain(served.layer) == [TransactionTerminated(served.key)]

    def test_a_connection_needs_no_timer_j(self) -> None:
        served = Served(flow=TCP)
        served.respond(200, 0.1)
        assert drain(served.layer) == [TransactionTerminated(served.key)]
        assert served.layer.live_server_transactions == 0

    def test_a_second_final_response_is_discarded_and_counted(self) -> None:
        served = Served()
        served.respond(200, 0.1)
        served.respond(500, 0.2)
        served.respond(100, 0.3)
        assert served.sent() == [(200, False)]
        assert served.layer.late_responses == 2

    def test_a_response_behind_the_end_is_discarded_and_counted(self) -> None:
        served = Served(flow=TCP)
        served.respond(200, 0.1)
        served.respond(200, 0.2)
        assert served.sent() == [(200, False)]
        assert served.layer.late_responses == 1

    @pytest.mark.parametrize("provisional", [False, True])
    def test_a_request_its_user_forgot_ends_when_its_sender_gave_up(
        self, provisional: bool
    ) -> None:
        served = Served()
        if provisional:
            served.respond(100, 1.0)
        run_timers(served.layer, 36.9)
        assert drain(served.layer) == []
        run_timers(served.layer, 37.0)
        assert drain(served.layer) == [TransactionTimedOut(served.key)]
        assert served.layer.live_server_transactions == 0

    def test_a_failed_flow_is_told_once_and_does_not_end_it(self) -> None:
        served = Served()
        served.respond(200, 0.1)
        served.sent()
        served.layer.transport_failed(UDP, 0.2, "errno:111")
        served.layer.transport_failed(UDP, 0.3, "errno:111")
        assert drain(served.layer) == [TransportFailed(served.key, "errno:111")]
        served.repeat(0.5)
        assert served.sent() == [(200, True)]
        run_timers(served.layer, 32.1)
        assert drain(served.layer) == [TransactionTerminated(served.key)]


class TestInvite:
    def test_a_user_who_is_silent_for_200_ms_is_helped_out_with_100(self) -> None:
        served = Served("INVITE")
        assert served.layer.get_timer() == 0.2
        run_timers(served.layer, 0.19)
        assert served.sent() == []
        served.layer.handle_timer(0.2)
        (trying,) = served.layer.messages_to_send()
        assert isinstance(trying.message, Response)
        assert (trying.message.status, trying.message.to.tag) == (100, None)
        assert served.layer.get_timer() is None

    def test_a_repeated_invite_gets_that_100_again(self) -> None:
        served = Served("INVITE")
        run_timers(served.layer, 0.2)
        served.repeat(0.5)
        assert served.sent() == [(100, True)]

    def test_a_repeated_invite_gets_nothing_before_any_response(self) -> None:
        served = Served("INVITE")
        served.repeat(0.1)
        assert served.sent() == []
        assert drain(served.layer) == []

    def test_a_user_who_rings_in_time_sends_no_100(self) -> None:
        served = Served("INVITE")
        served.respond(180, 0.1)
        assert served.sent() == [(180, False)]
        assert served.layer.get_timer() is None
        served.repeat(0.5)
        assert served.sent() == [(180, True)]

    def test_a_refusal_is_repeated_doubling_to_t2_until_timer_h(self) -> None:
        served = Served("INVITE")
        served.respond(486, 0.0)
        served.sent()
        sent = run_timers(served.layer, 100.0)
        assert [at for at, _ in sent] == [
            0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
        ]  # fmt: skip
        assert all(out.retransmission for _, out in sent)
        assert drain(served.layer) == [TransactionTimedOut(served.key)]

    def test_a_refusal_is_not_repeated_over_a_connection(self) -> None:
        served = Served("INVITE", TCP)
        served.respond(486, 0.0)
        served.sent()
        assert run_timers(served.layer, 100.0) == []
        assert drain(served.layer) == [TransactionTimedOut(served.key)]

    def test_a_repeated_invite_gets_the_refusal_again(self) -> None:
        served = Served("INVITE")
        served.respond(486, 0.1)
        served.repeat(0.3)
        assert served.sent() == [(486, False), (486, True)]

    def test_the_ack_ends_the_repetition_and_is_absorbed(self) -> None:
        served = Served("INVITE")
        served.respond(486, 0.1)
        served.acknowledge(0.3)
        served.acknowledge(0.4)
        served.repeat(0.5)
        assert served.sent() == [(486, False)]
        assert drain(served.layer) == []
        assert served.layer.get_timer() == 5.3
        run_timers(served.layer, 5.3)
        assert drain(served.layer) == [TransactionTerminated(served.key)]

    def test_a_connection_needs_no_timer_i(self) -> None:
        served = Served("INVITE", TCP)
        served.respond(486, 0.1)
        served.acknowledge(0.2)
        assert drain(served.layer) == [TransactionTerminated(served.key)]

    def test_a_2xx_is_repeated_by_its_user_alone_and_the_invite_absorbed(self) -> None:
        served = Served("INVITE")
        served.respond(200, 0.1)
        served.repeat(0.5)
        assert run_timers(served.layer, 32.0) == []
        assert served.sent() == [(200, False)]
        served.respond(200, 0.6)
        served.respond(486, 0.7)
        assert served.sent() == [(200, True)]
        assert served.layer.late_responses == 1
        assert served.layer.get_timer() == 32.1
        run_timers(served.layer, 32.1)
        assert drain(served.layer) == [TransactionTerminated(served.key)]

    def test_timer_l_runs_over_a_connection_too(self) -> None:
        served = Served("INVITE", TCP)
        served.respond(200, 0.1)
        assert served.layer.get_timer() == 32.1

    def test_the_ack_to_a_2xx_has_no_transaction(self) -> None:
        served = Served("INVITE")
        served.respond(200, 0.1)
        ack = received(request_of("ACK", branch="z9hG4bKack"))
        served.layer.receive_message(ack, UDP, 0.2)
        assert drain(served.layer) == [AckReceived(None, ack, UDP)]

    def test_an_ack_to_a_2xx_under_the_branch_of_the_invite_is_passed_up_too(self) -> None:
        served = Served("INVITE")
        served.respond(200, 0.1)
        served.acknowledge(0.2)
        event = only(drain(served.layer), AckReceived)
        assert event.key == served.key

    def test_an_ack_before_the_final_response_is_ignored(self) -> None:
        served = Served("INVITE")
        served.acknowledge(0.1)
        assert drain(served.layer) == []
        served.respond(486, 0.2)
        assert served.layer.get_timer() == 0.7


class TestCancel:
    def test_a_cancel_names_its_invite_and_has_a_transaction_of_its_own(self) -> None:
        served = Served("INVITE")
        cancel = received(cancel_for(served.request))
        served.layer.receive_message(cancel, UDP, 0.1)
        served.layer.receive_message(cancel, UDP, 0.6)
        event = only(drain(served.layer), CancelReceived)
        assert event.invite_key == served.key
        assert event.key == ServerKey(served.key.branch, served.key.sent_by, "CANCEL")
        ok = response_to(event.request, 200, to_tag="to-1")
        served.layer.send_response(event.key, ok, 0.7)
        served.respond(487, 0.7)
        assert served.sent() == [(200, False), (487, False)]

    def test_a_cancel_without_invite_says_so(self) -> None:
        layer = TransactionLayer()
        cancel = received(cancel_for(received(request_of("INVITE"))))
        layer.receive_message(cancel, UDP, 0.1)
        assert only(drain(layer), CancelReceived).invite_key is None

    def test_a_cancel_from_another_sent_by_does_not_match(self) -> None:
        served = Served("INVITE")
        cancel = cancel_for(served.request)
        moved = replace(cancel.via, host="198.51.100.9")
        stranger = received(
            Request("CANCEL", cancel.uri, cancel.headers.with_set("Via", str(moved)))
        )
        served.layer.receive_message(stranger, UDP, 0.1)
        assert only(drain(served.layer), CancelReceived).invite_key is None
