"""The client INVITE transaction: its ACK, forked and repeated 2xx, CANCEL and lost flows."""

from __future__ import annotations

import pytest

from sip.build import cancel_for
from sip.message import Request
from sip.timers import Timers
from sip.transaction import (
    ClientKey,
    Flow,
    ResponseReceived,
    TransactionTerminated,
    TransportFailed,
)
from tests.sip.transactions import (
    answer,
    drain,
    flow_between,
    only,
    received,
    responses,
    reversed_flow,
    run_timers,
    started,
)

UDP = flow_between("UDP")
TCP = flow_between("TCP")
BACK = reversed_flow(UDP)


class TestInvite:
    def test_a_provisional_stops_retransmissions_and_every_timer(self) -> None:
        layer, request, _ = started("INVITE")
        layer.receive_message(answer(request, 180), BACK, 0.1)
        layer.receive_message(answer(request, 183), BACK, 0.2)
        assert len(drain(layer)) == 2
        assert layer.get_timer() is None

    @pytest.mark.parametrize("provisional", [False, True])
    def test_a_refusal_is_acknowledged_by_the_transaction(self, provisional: bool) -> None:
        layer, request, key = started("INVITE")
        if provisional:
            layer.receive_message(answer(request, 100), BACK, 0.1)
            drain(layer)
        layer.receive_message(answer(request, 486, to_tag="busy"), BACK, 0.2)
        assert only(drain(layer), ResponseReceived).key == key
        (ack,) = layer.messages_to_send()
        assert (ack.flow, ack.retransmission) == (UDP, False)
        assert isinstance(ack.message, Request)
        assert ack.message.method == "ACK"
        assert ack.message.via == request.via
        assert ack.message.to.tag == "busy"
        assert (ack.message.cseq.number, ack.message.cseq.method) == (1, "ACK")

    def test_a_repeated_refusal_is_acknowledged_again_and_not_passed_up(self) -> None:
        layer, request, _ = started("INVITE")
        refusal = answer(request, 486)
        layer.receive_message(refusal, BACK, 0.1)
        (first,) = layer.messages_to_send()
        drain(layer)
        layer.receive_message(refusal, BACK, 0.6)
        (second,) = layer.messages_to_send()
        assert (second.data, second.retransmission) == (first.data, True)
        assert drain(layer) == []

    def test_timer_d_absorbs_refusals_for_32_seconds_over_udp(self) -> None:
        layer, request, key = started("INVITE")
        layer.receive_message(answer(request, 486), BACK, 1.0)
        drain(layer)
        assert layer.get_timer() == 33.0
        run_timers(layer, 33.0)
        assert drain(layer) == [TransactionTerminated(key)]

    def test_timer_d_keeps_its_minimum_when_t1_is_short(self) -> None:
        layer, request, _ = started("INVITE", timers=Timers(t1=0.01))
        layer.receive_message(answer(request, 486), BACK, 0.1)
        assert layer.get_timer() == 32.1

    def test_a_connection_needs_no_timer_d(self) -> None:
        layer, request, key = started("INVITE", TCP)
        layer.receive_message(answer(request, 603), reversed_flow(TCP), 0.1)
        assert len(layer.messages_to_send()) == 1
        assert drain(layer)[-1] == TransactionTerminated(key)

    @pytest.mark.parametrize("flow", [UDP, TCP])
    @pytest.mark.parametrize("provisional", [False, True])
    def test_every_2xx_is_passed_up_until_timer_m_and_never_acknowledged_here(
        self, flow: Flow, provisional: bool
    ) -> None:
        layer, request, key = started("INVITE", flow)
        back = reversed_flow(flow)
        if provisional:
            layer.receive_message(answer(request, 180), back, 0.5)
            drain(layer)
        layer.receive_message(answer(request, 200, to_tag="one"), back, 1.0)
        layer.receive_message(answer(request, 200, to_tag="two"), back, 1.5)
        layer.receive_message(answer(request, 200, to_tag="one"), back, 2.0)
        tags = [event.response.to.tag for event in responses(drain(layer))]
        assert tags == ["one", "two", "one"]
        assert layer.messages_to_send() == []
        assert layer.get_timer() == 33.0
        run_timers(layer, 33.0)
        assert drain(layer) == [TransactionTerminated(key)]

    def test_other_responses_behind_a_2xx_are_absorbed(self) -> None:
        layer, request, _ = started("INVITE")
        layer.receive_message(answer(request, 200), BACK, 1.0)
        drain(layer)
        layer.receive_message(answer(request, 180), BACK, 1.1)
        layer.receive_message(answer(request, 486), BACK, 1.2)
        assert drain(layer) == []
        assert layer.messages_to_send() == []

    def test_a_2xx_behind_a_refusal_reaches_the_user_who_must_end_its_dialog(self) -> None:
        layer, request, _ = started("INVITE")
        layer.receive_message(answer(request, 486), BACK, 1.0)
        layer.receive_message(answer(request, 180), BACK, 1.1)
        layer.receive_message(answer(request, 200), BACK, 1.2)
        events = responses(drain(layer))
        assert [event.response.status for event in events] == [486, 200]

    def test_a_refused_datagram_ends_it_while_calling(self) -> None:
        layer, _, key = started("INVITE")
        layer.transport_failed(UDP, 0.1, "errno:111")
        assert drain(layer) == [TransportFailed(key, "errno:111")]

    def test_a_refused_ack_ends_it(self) -> None:
        layer, request, key = started("INVITE")
        layer.receive_message(answer(request, 486), BACK, 0.1)
        drain(layer)
        layer.transport_failed(UDP, 0.2, "errno:111")
        assert drain(layer) == [TransportFailed(key, "errno:111")]

    def test_a_refused_datagram_of_somebody_else_does_not_end_a_ringing_call(self) -> None:
        layer, request, _ = started("INVITE")
        layer.receive_message(answer(request, 180), BACK, 0.1)
        drain(layer)
        layer.transport_failed(UDP, 0.2, "errno:111")
        assert drain(layer) == []
        assert layer.live_client_transactions == 1

    def test_a_closed_connection_ends_a_ringing_call(self) -> None:
        layer, request, key = started("INVITE", TCP)
        layer.receive_message(answer(request, 180), reversed_flow(TCP), 0.1)
        drain(layer)
        layer.transport_failed(TCP, 0.2, "closed")
        assert drain(layer) == [TransportFailed(key, "closed")]

    def test_its_cancel_is_a_transaction_of_its_own_under_the_same_branch(self) -> None:
        layer, request, key = started("INVITE")
        layer.receive_message(answer(request, 180), BACK, 0.1)
        drain(layer)
        cancel = cancel_for(request)
        cancel_key = layer.send_request(cancel, UDP, 0.2)
        assert cancel_key == ClientKey(key.branch, "CANCEL")
        layer.receive_message(answer(received(cancel), 200), BACK, 0.3)
        layer.receive_message(answer(request, 487), BACK, 0.4)
        events = responses(drain(layer))
        assert [(event.key, event.response.status) for event in events] == [
            (cancel_key, 200),
            (key, 487),
        ]
