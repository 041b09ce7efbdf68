"""Where responses go, whatever a request says about it."""

from __future__ import annotations

from sip.build import response_to
from sip.transaction import (
    Flow,
    RequestReceived,
    TransactionLayer,
    reply_flow,
)
from sip.via import Via
from tests.sip.transactions import (
    SERVER,
    drain,
    flow_between,
    only,
    received,
    request_of,
    reversed_flow,
)

UDP = flow_between("UDP")
FROM_CLIENT = reversed_flow(UDP)
EPSILON = 1e-6


class TestWhereResponsesGo:
    """RFC 3261 sections 18.2.1 and 18.2.2, RFC 3581 section 4."""

    SOURCE = ("198.51.100.4", 40000)

    def reply(self, via: Via, transport: str = "UDP") -> tuple[Flow, Via]:
        layer = TransactionLayer()
        flow = Flow(transport, SERVER, self.SOURCE, None if transport == "UDP" else 3)
        layer.receive_message(received(request_of(via=via)), flow, 0.0)
        event = only(drain(layer), RequestReceived)
        assert event.flow == flow
        layer.send_response(event.key, response_to(event.request, 200, to_tag="t"), 0.0)
        (out,) = layer.messages_to_send()
        assert out.message.via == event.request.via
        return out.flow, event.request.via

    def via(self, transport: str = "UDP", port: int | None = 5070, *flags: str) -> Via:
        params = (("branch", "z9hG4bKx"), *((flag, None) for flag in flags))
        return Via(transport, "192.0.2.1", port, params)

    def test_rport_takes_it_back_to_the_source_port(self) -> None:
        flow, via = self.reply(self.via("UDP", 5070, "rport"))
        assert flow == Flow("UDP", SERVER, self.SOURCE)
        assert (via.received, via.rport) == self.SOURCE

    def test_without_rport_it_goes_to_the_source_address_and_the_port_of_sent_by(self) -> None:
        flow, via = self.reply(self.via())
        assert flow == Flow("UDP", SERVER, ("198.51.100.4", 5070))
        assert (via.received, via.rport) == ("198.51.100.4", None)

    def test_a_sent_by_without_port_means_5060(self) -> None:
        flow, _ = self.reply(self.via(port=None))
        assert flow.remote == ("198.51.100.4", 5060)

    def test_the_source_port_in_sent_by_is_the_flow_itself(self) -> None:
        flow, _ = self.reply(self.via(port=40000))
        assert flow == Flow("UDP", SERVER, self.SOURCE)

    def test_a_connection_carries_its_responses_back(self) -> None:
        flow, via = self.reply(self.via("TCP"), "TCP")
        assert flow == Flow("TCP", SERVER, self.SOURCE, 3)
        assert via.received == "198.51.100.4"

    def test_a_request_cannot_aim_its_response_elsewhere(self) -> None:
        aimed = Via(
            "UDP",
            "192.0.2.1",
            5070,
            (
                ("branch", "z9hG4bKx"),
                ("maddr", "203.0.113.5"),
                ("received", "203.0.113.6"),
                ("rport", "7"),
            ),
        )
        flow, via = self.reply(aimed)
        assert flow.remote == self.SOURCE
        assert (via.received, via.rport) == self.SOURCE

    def test_a_tls_sent_by_without_port_means_5061(self) -> None:
        request = received(request_of(via=self.via("TLS", None)))
        datagram = Flow("UDP", SERVER, self.SOURCE)
        assert reply_flow(request, datagram).remote == ("198.51.100.4", 5061)
