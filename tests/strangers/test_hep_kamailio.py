"""HEP to and from a Kamailio: its siptrace is heard by us, our packets are read by its sipcapture."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sip.hep_packet import HepPacket, HepProtocol, IpProtocol
from sip.message import Request, Response, parse_message
from sip.net.hep_exporter import HepCollector, HepExporter
from sip.net.hep_receiver import HepBind, HepReceiver, Received
from sip.transports import Transport
from tests.sip.hep import USUAL
from tests.sip.net.hep import LOOPBACK, tls_ends
from tests.support.kamailio import Kamailio, run_hep_collector, run_hep_exporter
from tests.support.loopback import LoopbackBlock
from tests.support.programs import answers_options

pytestmark = pytest.mark.peer

KEY = "open sesame"
WANTED = frozenset({int(HepProtocol.SIP), int(HepProtocol.LOG)})
WITHIN = 10.0
READY = 6
"""Messages by which each transport was seen to answer before the test begins."""


async def messages(receiver: HepReceiver, count: int) -> list[Received]:
    """So many packets, in the order of Kamailio's clock."""
    got: list[Received] = []
    async with asyncio.timeout(WITHIN):
        while len(got) < count:
            got += await receiver.batch(limit=count - len(got))
    return sorted(got, key=lambda each: each.packet.at)


@pytest.mark.parametrize("over", Transport)
async def test_every_message_that_kamailio_sees_is_heard(
    over: Transport, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    host, address = loopback.address(), loopback.address()
    ends = tls_ends(tmp_path / "collector", host)
    bind = HepBind(over, host, 0)
    async with await HepReceiver.open([bind], tls=ends.server, key=KEY, wanted=WANTED) as receiver:
        place = (host, receiver.listening[0].port)
        began = datetime.now(UTC)
        async with run_hep_exporter(address, tmp_path, place, over) as kamailio:
            await messages(receiver, READY)
            for transport in Transport:
                port = kamailio.port(transport)
                assert await answers_options(transport, address, port)
                request, response = await messages(receiver, 2)
                _is_exchange(request.packet, response.packet, transport, (address, port))
                assert began < request.packet.at <= response.packet.at
                assert response.packet.at - began < timedelta(minutes=1)
                assert {request.transport, response.transport} == {over}
                assert request.exporter[0].startswith("127.")
        counters = receiver.counters
        assert counters.received == counters.queued == READY + 6
        assert counters.last_problem is None


def _is_exchange(
    request: HepPacket, response: HepPacket, transport: Transport, server: tuple[str, int]
) -> None:
    """Whether these are an OPTIONS and its answer over that transport."""
    for packet in (request, response):
        assert packet.is_sip
        assert packet.transport == transport.upper()
        assert packet.capture_id == 228
    asked, answered = parse_message(request.payload), parse_message(response.payload)
    assert isinstance(asked, Request)
    assert isinstance(answered, Response)
    assert asked.call_id == answered.call_id
    assert request.destination == response.source == server
    assert request.source == response.destination
    # Written by the client with what the kernel told it of its socket.
    via = asked.headers.get("Via") or ""
    assert f"{request.source[0]}:{request.source[1]}" in via


async def test_a_line_of_its_log_is_no_sip_and_knows_its_call(
    loopback: LoopbackBlock, tmp_path: Path
) -> None:
    host, address = loopback.address(), loopback.address()
    async with await HepReceiver.open([HepBind(Transport.UDP, host, 0)], wanted=WANTED) as receiver:
        place = (host, receiver.listening[0].port)
        async with run_hep_exporter(address, tmp_path, place, "udp"):
            await messages(receiver, READY)
            assert await answers_options("udp", address, 5060, user="hlog")
            packets = [each.packet for each in await messages(receiver, 3)]
    [line] = [packet for packet in packets if not packet.is_sip]
    [asked, _] = [packet for packet in packets if packet.is_sip]
    assert (line.protocol, line.payload) == (HepProtocol.LOG, b"a line of a log")
    assert line.correlation_id == parse_message(asked.payload).call_id
    assert line.auth_key == KEY


@pytest.fixture
async def kamailio(loopback: LoopbackBlock, tmp_path: Path) -> AsyncIterator[Kamailio]:
    """One that collects."""
    async with run_hep_collector(loopback.address(), tmp_path) as running:
        yield running


PACKETS = [
    USUAL,
    replace(USUAL, ip_protocol=IpProtocol.TCP, payload=USUAL.payload + b"\xff" * 900),
    replace(USUAL, source=("2001:db8::10", 40404), destination=("2001:db8::5", 5060)),
    replace(USUAL, ip_protocol=IpProtocol.TLS, destination=("192.0.2.5", 5061)),
    replace(USUAL, at=datetime(2038, 1, 19, 3, 14, 7, 1, tzinfo=UTC)),
]


async def test_kamailio_reads_what_we_export(kamailio: Kamailio, tmp_path: Path) -> None:
    collector = HepCollector(
        transport=Transport.UDP,
        address=kamailio.address,
        port=kamailio.port("udp"),
        key=KEY,
        capture_id=4_000_000,
    )
    exporter = HepExporter.open(collector, LOOPBACK)
    for packet in PACKETS:
        exporter.export(packet)
    await exporter.close()

    log = tmp_path / "kamailio.log"
    async with asyncio.timeout(WITHIN):
        while len(lines := _collected(log)) < len(PACKETS):  # noqa: ASYNC110 - no event in a log
            await asyncio.sleep(0.02)
    assert lines == [_as_logged(packet, collector) for packet in PACKETS]


def _collected(log: Path) -> list[list[str]]:
    """The fields of each packet, as the configuration writes them."""
    lines = log.read_text(errors="replace").splitlines()
    return [line.partition(": HEP ")[2].split("|")[:-1] for line in lines if ": HEP " in line]


def _as_logged(packet: HepPacket, collector: HepCollector) -> list[str]:
    seconds = int(packet.at.timestamp())
    return [
        "3",
        str(int(packet.ip_protocol)),
        packet.source[0],
        str(packet.source[1]),
        packet.destination[0],
        str(packet.destination[1]),
        f"{seconds}.{packet.at.microsecond}",
        "1",
        str(collector.capture_id),
        KEY,
        packet.correlation_id or "",
        hashlib.md5(packet.payload, usedforsecurity=False).hexdigest(),
    ]
