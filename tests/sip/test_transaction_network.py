"""Two transaction layers over a network whose every loss is chosen by hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.message import Request, Response
from sip.transaction import (
    ClientKey,
    RequestReceived,
    ResponseReceived,
    TransactionTerminated,
    TransactionTimedOut,
)
from tests.sip.network import DELIVERED, LOST, Network, fates
from tests.sip.transactions import (
    flow_between,
    request_of,
    reversed_flow,
)

UDP = flow_between("UDP")
FROM_CLIENT = reversed_flow(UDP)
EPSILON = 1e-6


class TestOverABadNetwork:
    """Two layers, with the fate of every datagram chosen by hypothesis."""

    @settings(max_examples=150, deadline=None)
    @given(st.lists(fates, max_size=40), st.sampled_from([LOST, DELIVERED]), st.floats(0.0, 40.0))
    def test_every_options_ends_once_and_is_served_once(
        self, fate: list[tuple[float, ...]], otherwise: tuple[float, ...], after: float
    ) -> None:
        net = Network(fate=fate, otherwise=otherwise, answer_after=after)
        key = net.send(request_of())
        net.run(200.0)
        finals = net.client.of(ResponseReceived)
        timeouts = net.client.times(TransactionTimedOut)
        assert len(finals) + len(timeouts) == 1
        ends = timeouts or net.client.times(ResponseReceived)
        assert ends[0] <= 32.0 + EPSILON
        assert all(event.key == key for event in finals)
        assert len(net.server.of(RequestReceived)) <= 1
        assert len(net.client.of(TransactionTerminated)) == len(finals)
        self.nothing_is_left(net)

    @settings(max_examples=150, deadline=None)
    @given(st.lists(fates, max_size=10))
    def test_fewer_losses_than_copies_change_nothing_for_either_user(
        self, fate: list[tuple[float, ...]]
    ) -> None:
        net = Network(fate=fate)
        net.send(request_of())
        net.run(200.0)
        assert len(net.server.of(RequestReceived)) == 1
        assert [event.response.status for event in net.client.of(ResponseReceived)] == [200]
        self.nothing_is_left(net)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(fates, max_size=60), st.sampled_from([486, 603]), st.floats(0.0, 3.0))
    def test_a_refused_invite_is_refused_once_and_acknowledged(
        self, fate: list[tuple[float, ...]], status: int, after: float
    ) -> None:
        net = Network(fate=fate, statuses=(180, status), answer_after=after)
        net.send(request_of("INVITE"))
        net.run(300.0)
        finals = [
            event for event in net.client.of(ResponseReceived) if event.response.status >= 200
        ]
        assert len(net.server.of(RequestReceived)) <= 1
        assert len(finals) <= 1
        if finals:
            acks = [out for _, out in net.client.sent if _method(out.message) == "ACK"]
            assert acks
            assert len({ack.data for ack in acks}) == 1
        # A provisional without the final one leaves the call to its user (timer C is a proxy's).
        if not finals and net.client.of(ResponseReceived):
            net.client.layer.abandon(ClientKey("z9hG4bKfirst", "INVITE"))
        self.nothing_is_left(net)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(fates, max_size=60), st.floats(0.0, 3.0))
    def test_an_accepted_invite_reaches_its_user_and_ends_on_both_sides(
        self, fate: list[tuple[float, ...]], after: float
    ) -> None:
        net = Network(fate=fate, answer_after=after)
        net.send(request_of("INVITE"))
        net.run(300.0)
        assert len(net.server.of(RequestReceived)) <= 1
        statuses = {event.response.status for event in net.client.of(ResponseReceived)}
        assert statuses <= {100, 200}
        assert not any(_method(out.message) == "ACK" for _, out in net.client.sent)
        if statuses == {100}:
            net.client.layer.abandon(ClientKey("z9hG4bKfirst", "INVITE"))
        self.nothing_is_left(net)

    @pytest.mark.parametrize("transport", ["TCP", "TLS"])
    @pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
    def test_nothing_is_ever_repeated_over_a_connection(self, transport: str, method: str) -> None:
        net = Network(transport=transport, statuses=(486,), answer_after=10.0)
        net.send(request_of(method, transport=transport))
        net.run(300.0)
        sent = [out for _, out in net.client.sent + net.server.sent]
        assert not any(out.retransmission for out in sent)
        finals = [
            event for event in net.client.of(ResponseReceived) if event.response.status >= 200
        ]
        assert len(finals) == 1
        self.nothing_is_left(net)

    def nothing_is_left(self, net: Network) -> None:
        for element in (net.client, net.server):
            assert element.layer.live_client_transactions == 0
            assert element.layer.live_server_transactions == 0
            assert element.layer.get_timer() is None


def _method(message: Request | Response) -> str | None:
    return message.method if isinstance(message, Request) else None
