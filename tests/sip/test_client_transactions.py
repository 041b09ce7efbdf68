"""The client transactions: when they send, and how one that is not INVITE ends."""

from __future__ import annotations

import pytest

from sip.timers import Timers
from sip.transaction import (
    Flow,
    ResponseReceived,
    StrayResponse,
    TransactionTerminated,
    TransactionTimedOut,
    TransportFailed,
)
from tests.sip.transactions import (
    answer,
    drain,
    flow_between,
    only,
    responses,
    reversed_flow,
    run_timers,
    started,
)

UDP = flow_between("UDP")
TCP = flow_between("TCP")
BACK = reversed_flow(UDP)


class TestScheduleOfASilentPeer:
    def test_options_is_sent_eleven_times_within_32_seconds_over_udp(self) -> None:
        layer, _, key = started()
        sent = run_timers(layer, 100.0)
        assert [at for at, _ in sent] == [
            0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
        ]  # fmt: skip
        assert all(out.retransmission for _, out in sent)
        assert only(drain(layer), TransactionTimedOut).key == key

    def test_options_times_out_at_timer_f(self) -> None:
        layer, _, _ = started()
        run_timers(layer, 31.99)
        assert drain(layer) == []
        assert layer.get_timer() == 32.0

    def test_invite_is_sent_seven_times_within_32_seconds_over_udp(self) -> None:
        layer, _, key = started("INVITE")
        sent = run_timers(layer, 100.0)
        assert [at for at, _ in sent] == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
        assert only(drain(layer), TransactionTimedOut).key == key

    @pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
    def test_nothing_is_repeated_over_a_connection_but_the_deadline_stands(
        self, method: str
    ) -> None:
        layer, _, _ = started(method, TCP)
        assert layer.get_timer() == 32.0
        assert run_timers(layer, 32.0) == []
        only(drain(layer), TransactionTimedOut)

    def test_other_timer_settings_scale_the_schedule(self) -> None:
        layer, _, _ = started(timers=Timers(t1=0.1, t2=0.2))
        sent = run_timers(layer, 1.0)
        assert [round(at, 6) for at, _ in sent] == [0.1, 0.3, 0.5, 0.7, 0.9]

    def test_a_late_wake_up_sends_once_and_not_a_burst(self) -> None:
        layer, _, _ = started()
        layer.handle_timer(10.0)
        assert len(layer.messages_to_send()) == 1
        assert layer.get_timer() == 11.0

    def test_a_wake_up_behind_the_deadline_only_times_out(self) -> None:
        layer, _, _ = started()
        layer.handle_timer(40.0)
        assert layer.messages_to_send() == []
        only(drain(layer), TransactionTimedOut)

    def test_a_wake_up_before_the_deadline_does_nothing(self) -> None:
        layer, _, _ = started()
        layer.handle_timer(0.4)
        assert layer.messages_to_send() == []
        assert layer.get_timer() == 0.5


class TestOptions:
    def test_a_final_response_is_passed_up_once_and_the_repeated_ones_are_absorbed(self) -> None:
        layer, request, key = started()
        for at in (0.2, 0.3, 5.1):
            layer.receive_message(answer(request, 200), BACK, at)
        event = only(drain(layer), ResponseReceived)
        assert (event.key, event.response.status, event.flow) == (key, 200, BACK)
        assert run_timers(layer, 100.0) == []
        assert only(drain(layer), TransactionTerminated).key == key
        assert layer.live_client_transactions == 0

    def test_timer_k_runs_five_seconds_over_udp(self) -> None:
        layer, request, _ = started()
        layer.receive_message(answer(request, 404), BACK, 0.2)
        assert layer.get_timer() == 5.2

    def test_a_connection_needs_no_timer_k(self) -> None:
        layer, request, _ = started(flow=TCP)
        layer.receive_message(answer(request), reversed_flow(TCP), 0.2)
        assert [type(event) for event in drain(layer)] == [ResponseReceived, TransactionTerminated]
        assert layer.get_timer() is None

    def test_after_a_provisional_it_is_repeated_every_t2_until_timer_f(self) -> None:
        layer, request, _ = started()
        layer.receive_message(answer(request, 100), BACK, 0.1)
        layer.receive_message(answer(request, 183), BACK, 0.2)
        events = responses(drain(layer))
        assert [event.response.status for event in events] == [100, 183]
        sent = run_timers(layer, 100.0)
        assert [at for at, _ in sent] == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
        only(drain(layer), TransactionTimedOut)

    @pytest.mark.parametrize("status", [200, 302, 486, 503, 603])
    def test_every_final_class_ends_it_after_a_provisional(self, status: int) -> None:
        layer, request, _ = started()
        layer.receive_message(answer(request, 100), BACK, 0.1)
        layer.receive_message(answer(request, status), BACK, 0.2)
        assert len(drain(layer)) == 2
        assert run_timers(layer, 100.0) == []

    @pytest.mark.parametrize("flow", [UDP, TCP])
    @pytest.mark.parametrize("provisional", [False, True])
    def test_a_failed_flow_ends_it_with_the_reason(self, flow: Flow, provisional: bool) -> None:
        layer, request, key = started(flow=flow)
        if provisional:
            layer.receive_message(answer(request, 100), reversed_flow(flow), 0.1)
            drain(layer)
        layer.transport_failed(flow, 0.2, "errno:111")
        assert drain(layer) == [TransportFailed(key, "errno:111")]
        assert layer.get_timer() is None

    def test_a_failed_flow_means_nothing_once_it_was_answered(self) -> None:
        layer, request, _ = started()
        layer.receive_message(answer(request), BACK, 0.1)
        drain(layer)
        layer.transport_failed(UDP, 0.2, "errno:111")
        assert drain(layer) == []

    def test_a_reply_from_another_address_matches_and_shows_where_it_came_from(self) -> None:
        layer, request, key = started()
        elsewhere = Flow("UDP", UDP.local, ("198.51.100.7", 5062))
        layer.receive_message(answer(request), elsewhere, 0.1)
        event = only(drain(layer), ResponseReceived)
        assert (event.key, event.flow) == (key, elsewhere)


class TestAbandoning:
    def test_an_abandoned_transaction_is_silent_and_its_responses_are_stray(self) -> None:
        layer, request, key = started()
        layer.abandon(key)
        assert layer.get_timer() is None
        response = answer(request)
        layer.receive_message(response, BACK, 0.1)
        assert drain(layer) == [StrayResponse(response, BACK)]

    def test_abandoning_twice_does_nothing(self) -> None:
        layer, _, key = started()
        layer.abandon(key)
        layer.abandon(key)
        assert layer.live_client_transactions == 0
        assert drain(layer) == []
