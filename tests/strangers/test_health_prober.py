"""The health monitor's prober against software that we did not write."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.message import Request, parse_message
from sip.net.health_prober import ProbeEnd, ProbeJob
from sip.transports import Transport
from tests.sip.net.health import checks
from tests.strangers.conftest import Kamailios
from tests.support.kamailio import Kamailio
from tests.support.loopback import LoopbackBlock
from tests.support.programs import require_program
from tests.support.sipp import Scenario, run_sipp_uas
from tests.support.tshark import capturing, dissected, found

pytestmark = pytest.mark.peer

ROUNDS = 3


def job(kamailio: Kamailio, transport: Transport) -> ProbeJob:
    port = kamailio.port(transport.value)
    return ProbeJob(transport.value, kamailio.address, port, transport, kamailio.domain)


@pytest.mark.parametrize("transport", Transport)
async def test_a_kamailio_is_asked_again_and_again(
    kamailios: Kamailios, transport: Transport
) -> None:
    async with checks(kamailios.open.ca_file) as told:
        for _ in range(ROUNDS):
            reply = await told.ask(job(kamailios.open, transport))
            assert (reply.kind, reply.status, reply.source) == (ProbeEnd.REPLY, 200, None)
            assert b"\r\nServer: kamailio (" in (reply.reply or b"")
        # Over one connection, when there is one.
        assert told.prober.counters.connects == (transport is not Transport.UDP)
        assert told.prober.counters.stray == 0
    assert told.closed == []


async def test_a_challenge_is_a_reply(kamailios: Kamailios) -> None:
    async with checks() as told:
        for kamailio, status in ((kamailios.sha256, 401), (kamailios.proxy, 407)):
            reply = await told.ask(job(kamailio, Transport.UDP))
            assert (reply.kind, reply.status) == (ProbeEnd.REPLY, status)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("scenario", "status"),
    [(Scenario.WITH_SDP, 200), (Scenario.UNAVAILABLE, 503), (Scenario.TWICE, 200)],
)
async def test_a_sipp_is_heard(
    loopback: LoopbackBlock, tmp_path: Path, transport: str, scenario: Scenario, status: int
) -> None:
    address = loopback.address()
    asked = ProbeJob("sipp", address, 5060, Transport(transport), address)
    async with run_sipp_uas(scenario, transport, address, tmp_path), checks() as told:
        for _ in range(ROUNDS):
            assert (await told.ask(asked)).status == status


async def test_a_kamailio_that_drops_is_silent(kamailios: Kamailios) -> None:
    async with checks() as told:
        silent = await told.ask(job(kamailios.dropping, Transport.UDP))
        assert (silent.kind, silent.detail) == (ProbeEnd.TIMEOUT, None)
        assert told.prober.counters.retransmissions == 3


async def test_wireshark_reads_the_request_as_we_meant_it(
    kamailios: Kamailios, tmp_path: Path
) -> None:
    tshark = require_program("tshark", "tshark")
    kamailio, file = kamailios.open, tmp_path / "probe.pcapng"
    async with capturing(tshark, kamailio.address, file), checks() as told:
        reply = await told.ask(job(kamailio, Transport.UDP))
        assert reply.status == 200
    sent = parse_message(reply.request)
    assert isinstance(sent, Request)

    request, response = await dissected(tshark, file)
    for packet in (request, response):
        assert found(packet, "_ws.expert") == []
        assert found(packet, "_ws.malformed") == []
        assert found(packet, "sip.Via.branch") == [sent.via.branch]
        assert found(packet, "sip.CSeq.method") == ["OPTIONS"]
        assert found(packet, "sip.Call-ID") == [sent.call_id]
    assert found(request, "sip.r-uri.host") == [kamailio.domain]
    assert found(request, "sip.r-uri.user") == []
    assert found(request, "sip.Max-Forwards") == ["70"]
    assert found(request, "sip.Accept") == ["application/sdp"]
    assert found(request, "sip.Via.sent-by.port") == [str(sent.via.port)]
    assert found(response, "sip.Status-Code") == ["200"]
    assert found(response, "sip.Via.rport") == [str(sent.via.port)]
