"""The transaction layer: what it refuses to send, and which transaction a message belongs to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sip.build import cancel_for, response_to
from sip.errors import LocalProtocolError
from sip.message import Request, Response
from sip.transaction import (
    AckReceived,
    CancelReceived,
    ClientKey,
    RequestReceived,
    StrayResponse,
    TransactionLayer,
    TransactionTerminated,
    TransportFailed,
)
from sip.via import Via
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

UDP = flow_between("UDP")
FROM_CLIENT = reversed_flow(UDP)
EPSILON = 1e-6


class TestSending:
    def test_a_branch_in_use_is_refused(self) -> None:
        layer = TransactionLayer()
        layer.send_request(request_of(), UDP, 0.0)
        with pytest.raises(LocalProtocolError):
            layer.send_request(request_of(), UDP, 1.0)
        assert layer.live_client_transactions == 1

    @pytest.mark.parametrize("branch", ["1234", "z9hG4bK"])
    def test_a_branch_that_identifies_nothing_is_refused(self, branch: str) -> None:
        with pytest.raises(LocalProtocolError):
            TransactionLayer().send_request(request_of(branch=branch), UDP, 0.0)

    def test_a_via_without_branch_is_refused(self) -> None:
        with pytest.raises(LocalProtocolError):
            TransactionLayer().send_request(request_of(via=Via("UDP", "192.0.2.1")), UDP, 0.0)

    def test_a_request_without_via_is_refused(self) -> None:
        request = request_of()
        bare = replace(request, headers=request.headers.without("Via"))
        with pytest.raises(LocalProtocolError):
            TransactionLayer().send_request(bare, UDP, 0.0)

    def test_the_branch_is_that_of_the_top_via(self) -> None:
        request = request_of()
        below = request.headers.with_added("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbelow")
        first = below.with_added("Subject", "before", front=True)
        key = TransactionLayer().send_request(replace(request, headers=first), UDP, 0.0)
        assert key == ClientKey("z9hG4bKfirst", "OPTIONS")

    def test_an_ack_gets_no_transaction(self) -> None:
        with pytest.raises(LocalProtocolError):
            TransactionLayer().send_request(request_of("ACK"), UDP, 0.0)

    def test_a_request_that_cannot_be_serialized_leaves_nothing_behind(self) -> None:
        layer = TransactionLayer()
        broken = request_of(headers=[("Subject", "a\r\nb")])
        with pytest.raises(LocalProtocolError):
            layer.send_request(broken, UDP, 0.0)
        assert (layer.live_client_transactions, layer.get_timer()) == (0, None)

    def test_the_ack_to_a_2xx_is_sent_once_without_a_transaction(self) -> None:
        layer = TransactionLayer()
        ack = request_of("ACK", branch="z9hG4bKack")
        layer.send_without_transaction(ack, UDP)
        (out,) = layer.messages_to_send()
        assert (out.message, out.flow, out.retransmission) == (ack, UDP, False)
        assert layer.messages_to_send() == []
        assert layer.get_timer() is None

    def test_keys_of_the_wrong_side_are_refused(self) -> None:
        layer = TransactionLayer()
        client_key = layer.send_request(request_of(), UDP, 0.0)
        request = received(request_of(branch="z9hG4bKother"))
        with pytest.raises(LocalProtocolError):
            layer.send_response(client_key, answer(request), 0.0)
        layer.receive_message(request, FROM_CLIENT, 0.0)
        with pytest.raises(LocalProtocolError):
            layer.abandon(only(drain(layer), RequestReceived).key)


class TestMatchingResponses:
    def started(self) -> tuple[TransactionLayer, Request]:
        layer = TransactionLayer()
        request = request_of()
        layer.send_request(request, UDP, 0.0)
        return layer, received(request)

    def stray(self, response: Response) -> bool:
        layer, _ = self.started()
        layer.receive_message(response, FROM_CLIENT, 0.1)
        return drain(layer) == [StrayResponse(response, FROM_CLIENT)]

    def test_another_branch_is_stray(self) -> None:
        assert self.stray(answer(received(request_of(branch="z9hG4bKother"))))

    def test_another_method_is_stray(self) -> None:
        assert self.stray(answer(received(request_of("REGISTER"))))

    def test_no_branch_is_stray(self) -> None:
        assert self.stray(answer(received(request_of(via=Via("UDP", "192.0.2.1")))))

    def test_a_second_via_shows_that_it_was_misrouted(self) -> None:
        _, request = self.started()
        second = Via("UDP", "192.0.2.9", None, (("branch", "z9hG4bKx"),))
        headers = answer(request).headers.with_added("Via", str(second))
        assert self.stray(Response(200, "OK", headers))

    def test_ours_is_not_stray(self) -> None:
        _, request = self.started()
        assert not self.stray(answer(request))


class TestMatchingRequests:
    def events_of(self, *requests: Request) -> list[RequestReceived]:
        layer = TransactionLayer()
        for request in requests:
            layer.receive_message(received(request), FROM_CLIENT, 0.0)
        return [event for event in drain(layer) if isinstance(event, RequestReceived)]

    def test_the_same_branch_from_another_sent_by_is_another_request(self) -> None:
        other = Via("UDP", "192.0.2.1", 5099, (("branch", "z9hG4bKfirst"),))
        assert len(self.events_of(request_of(), request_of(via=other))) == 2

    def test_the_same_branch_with_another_method_is_another_request(self) -> None:
        assert len(self.events_of(request_of(), request_of("REGISTER"))) == 2

    def test_a_request_seen_on_two_paths_is_marked_as_merged(self) -> None:
        first, second = self.events_of(request_of(), request_of(branch="z9hG4bKsecond"))
        assert (first.merged, second.merged) == (False, True)

    def test_a_request_with_the_next_cseq_is_not_merged(self) -> None:
        second = self.events_of(request_of(), request_of(branch="z9hG4bKsecond", cseq=2))[1]
        assert not second.merged

    def test_a_request_within_a_dialog_is_never_merged(self) -> None:
        inside = [request_of("BYE", branch=f"z9hG4bK{name}") for name in "ab"]
        inside = [
            replace(one, headers=one.headers.with_set("To", "<sip:192.0.2.2>;tag=t"))
            for one in inside
        ]
        assert [event.merged for event in self.events_of(*inside)] == [False, False]

    def test_what_is_over_merges_nothing(self) -> None:
        layer = TransactionLayer()
        tcp = reversed_flow(flow_between("TCP"))
        for branch in ("z9hG4bKfirst", "z9hG4bKsecond"):
            layer.receive_message(received(request_of(branch=branch)), tcp, 0.0)
            event = drain(layer)[-1]
            assert isinstance(event, RequestReceived)
            assert not event.merged
            layer.send_response(event.key, response_to(event.request, 200, to_tag="t"), 0.0)

    def test_the_end_of_a_merged_request_does_not_hide_the_next_one(self) -> None:
        layer = TransactionLayer()
        tcp = reversed_flow(flow_between("TCP"))
        merged = []
        for branch in ("z9hG4bKfirst", "z9hG4bKsecond", "z9hG4bKthird"):
            layer.receive_message(received(request_of(branch=branch)), tcp, 0.0)
            event = only(drain(layer), RequestReceived)
            merged.append(event.merged)
            if event.merged:
                loop = response_to(event.request, 482, to_tag="t")
                layer.send_response(event.key, loop, 0.0)
                drain(layer)
        assert merged == [False, True, True]


class TestPeersWithoutMagicCookie:
    """RFC 3261 section 17.2.3: peers of RFC 2543 are matched by the fields they had."""

    VIA = Via("UDP", "192.0.2.1", 5070, (("branch", "7"),))

    def invite(self, call_id: str = "call-1") -> Request:
        return received(request_of("INVITE", via=self.VIA, call_id=call_id))

    def ack(self, to_tag: str) -> Request:
        headers = request_of("ACK", via=self.VIA).headers
        request = request_of("ACK", via=self.VIA)
        tagged = headers.with_set("To", f"<sip:192.0.2.2>;tag={to_tag}")
        return received(replace(request, headers=tagged))

    def test_a_repeated_invite_matches(self) -> None:
        layer = TransactionLayer()
        layer.receive_message(self.invite(), FROM_CLIENT, 0.0)
        layer.receive_message(self.invite(), FROM_CLIENT, 0.1)
        only(drain(layer), RequestReceived)

    def test_another_call_under_the_same_branch_is_another_request(self) -> None:
        layer = TransactionLayer()
        layer.receive_message(self.invite(), FROM_CLIENT, 0.0)
        layer.receive_message(self.invite(call_id="call-2"), FROM_CLIENT, 0.1)
        assert len(drain(layer)) == 2

    def test_its_ack_matches_by_the_tag_of_the_response(self) -> None:
        layer = TransactionLayer()
        layer.receive_message(self.invite(), FROM_CLIENT, 0.0)
        event = only(drain(layer), RequestReceived)
        layer.receive_message(self.ack("to-1"), FROM_CLIENT, 0.1)
        assert only(drain(layer), AckReceived).key is None
        layer.send_response(event.key, response_to(event.request, 486, to_tag="to-1"), 0.1)
        layer.receive_message(self.ack("another"), FROM_CLIENT, 0.2)
        assert only(drain(layer), AckReceived).key is None
        layer.receive_message(self.ack("to-1"), FROM_CLIENT, 0.3)
        assert drain(layer) == []
        run_timers(layer, 5.3)
        assert drain(layer) == [TransactionTerminated(event.key)]

    def test_its_cancel_matches(self) -> None:
        layer = TransactionLayer()
        invite = self.invite()
        layer.receive_message(invite, FROM_CLIENT, 0.0)
        key = only(drain(layer), RequestReceived).key
        layer.receive_message(received(cancel_for(invite)), FROM_CLIENT, 0.1)
        assert only(drain(layer), CancelReceived).invite_key == key

    def test_a_request_without_any_tag_or_branch_is_served(self) -> None:
        layer = TransactionLayer()
        bare = request_of(via=Via("UDP", "192.0.2.1"))
        bare = replace(bare, headers=bare.headers.with_set("From", "<sip:a@192.0.2.1>"))
        layer.receive_message(received(bare), FROM_CLIENT, 0.0)
        only(drain(layer), RequestReceived)


class TestFailingFlows:
    def test_a_transport_that_fails_ends_all_that_waits_for_it_and_nothing_else(self) -> None:
        layer = TransactionLayer()
        elsewhere = flow_between("UDP", remote=("192.0.2.3", 5060))
        keys = [
            layer.send_request(request_of(branch=f"z9hG4bK{number}"), UDP, 0.0)
            for number in range(3)
        ]
        kept = layer.send_request(request_of(branch="z9hG4bKkept"), elsewhere, 0.0)
        layer.transport_failed(UDP, 0.1, "closed")
        events = drain(layer)
        assert {event.key for event in events if isinstance(event, TransportFailed)} == set(keys)
        assert layer.live_client_transactions == 1
        layer.transport_failed(elsewhere, 0.2, "closed")
        assert drain(layer) == [TransportFailed(kept, "closed")]
