"""What goes over the wire: a request that peers answer, over IPv6 too."""

from __future__ import annotations

import socket

import pytest

from lab import Lab
from sip.net.probe_report import ProbeOutcome, ProbeTarget
from sip.net.stack import SipStack
from sip.net.wire import Direction, WireRecord
from tests.sip.net.probing import (
    prober_of,
    target_of,
)
from tests.sip.net.stacks import LOOPBACK, answer_ok

pytestmark = pytest.mark.usefixtures("loop_errors")


class TestManners:
    async def test_the_request_is_what_peers_answer(self, lab: Lab) -> None:
        seen: list[WireRecord] = []
        async with prober_of(lab, tap=seen.append) as prober:
            target = ProbeTarget(lab.peers["asterisk"].address, 5060, "udp", "pbx.example.com")
            await prober.probe(target)
        assert [record.direction for record in seen] == [Direction.OUT, Direction.IN]
        asked = seen[0].data.decode()
        local = "{}:{}".format(*seen[0].flow.local)
        assert asked.startswith("OPTIONS sip:pbx.example.com SIP/2.0\r\n")
        for line in (
            f"Via: SIP/2.0/UDP {local};branch=z9hG4bK",
            "Max-Forwards: 70\r\n",
            f"Contact: <sip:{local}>\r\n",
            "Accept: application/sdp\r\n",
            "User-Agent: Trunkline/test (+https://trunkline.test)\r\n",
            "Content-Length: 0\r\n",
        ):
            assert line in asked
        assert asked.split("\r\n")[1].endswith(";rport")

    @pytest.mark.parametrize(
        ("transport", "port", "start"),
        [
            ("tcp", 5060, "OPTIONS sip:{0};transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP "),
            ("tls", 5061, "OPTIONS sip:{0}:5061;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS "),
        ],
    )
    async def test_the_transport_is_named_where_it_is_not_udp(
        self, lab: Lab, transport: str, port: int, start: str
    ) -> None:
        seen: list[WireRecord] = []
        async with prober_of(lab, tap=seen.append) as prober:
            await prober.probe(target_of(lab, "kamailio", transport, port))
        assert seen[0].data.decode().startswith(start.format(lab.peers["kamailio"].address))


class TestIpv6:
    async def test_a_peer_on_ipv6_is_probed_over_udp_and_tcp(self, lab: Lab) -> None:
        async with SipStack(guard=LOOPBACK, handler=answer_ok) as peer, prober_of(lab) as prober:
            udp = peer.transport.listen_udp(("::1", 0))
            tcp = await peer.transport.listen_stream(("::1", 0))
            for transport, port in (("udp", udp[1]), ("tcp", tcp[1])):
                report = await prober.probe(ProbeTarget("::1", port, transport, "::1"))
                assert report.outcome is ProbeOutcome.ANSWERED
                assert (report.local_address, report.source) == ("::1", None)
                assert report.response is not None
                assert report.response.via.host == "::1"

    async def test_a_refusal_is_seen_at_once(self, lab: Lab) -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as free:
            free.bind(("::1", 0))
            port = free.getsockname()[1]
        async with prober_of(lab) as prober:
            for transport in ("udp", "tcp"):
                report = await prober.probe(ProbeTarget("::1", port, transport, "::1"))
                assert report.outcome is ProbeOutcome.REFUSED
