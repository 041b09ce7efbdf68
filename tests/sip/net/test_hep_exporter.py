"""Exporting HEP: where it may go, what arrives, and that its troubles are counted and nobody's else."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from sip.hep import encode_hep
from sip.hep_packet import MAX_HEP_PACKET
from sip.net import hep_export_stream
from sip.net.guard import AddressGuard, TargetNotAllowed
from sip.net.hep_exporter import HepCollector, HepExporter
from sip.net.hep_receiver import HepBind, HepReceiver
from sip.transports import Transport
from tests.sip.hep import USUAL
from tests.sip.net.hep import LOOPBACK, exported, numbered, taken, tls_ends, until
from tests.support.loopback import LoopbackBlock

MAX_DATAGRAM = 65_507
"""What UDP can carry over IPv4; a HEP packet may be 28 octets longer."""

pytestmark = pytest.mark.usefixtures("loop_errors")


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hep_export_stream, "RETRY_SECONDS", (0.01, 0.02))
    monkeypatch.setattr(hep_export_stream, "FLUSH_SECONDS", 0.05)


def closed_port(host: str, kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port


def collector(host: str, port: int, transport: Transport = Transport.TCP) -> HepCollector:
    return HepCollector(transport=transport, address=host, port=port)


class TestOpening:
    @pytest.mark.parametrize("transport", Transport)
    async def test_the_guard_is_asked(self, transport: Transport) -> None:
        with pytest.raises(TargetNotAllowed, match="loopback"):
            HepExporter.open(collector("127.0.0.1", 9060, transport), AddressGuard())

    async def test_a_name_is_no_address(self) -> None:
        with pytest.raises(TargetNotAllowed, match="is not an IP address"):
            HepExporter.open(collector("homer.example", 9060), LOOPBACK)

    async def test_tls_needs_to_know_whom_to_trust(self) -> None:
        with pytest.raises(ValueError, match="authority"):
            HepExporter.open(collector("127.0.0.1", 9060, Transport.TLS), LOOPBACK)

    async def test_no_key_is_shown(self) -> None:
        asked = HepCollector(transport=Transport.UDP, address="127.0.0.1", key="open sesame")
        assert "sesame" not in repr(asked)


class TestSending:
    @pytest.mark.parametrize("transport", Transport)
    async def test_packets_arrive_as_the_collector_wants_them(
        self, transport: Transport, loopback: LoopbackBlock, tmp_path: Path
    ) -> None:
        assert await exported(transport, loopback.address(), tmp_path) == numbered(50)

    async def test_a_packet_that_does_not_fit_is_counted(self, loopback: LoopbackBlock) -> None:
        exporter = HepExporter.open(collector(loopback.address(), 9060, Transport.UDP), LOOPBACK)
        exporter.export(replace(USUAL, payload=bytes(MAX_HEP_PACKET)))
        beside = len(encode_hep(replace(USUAL, auth_key=None, node=None, payload=b"")))
        exporter.export(replace(USUAL, payload=bytes(MAX_DATAGRAM + 1 - beside)))
        await exporter.close()
        assert (exporter.counters.unwritable, exporter.counters.dropped) == (1, 1)

    async def test_a_port_where_nobody_listens_costs_nothing(self, loopback: LoopbackBlock) -> None:
        host = loopback.address()
        port = closed_port(host, socket.SOCK_DGRAM)
        exporter = HepExporter.open(collector(host, port, Transport.UDP), LOOPBACK)
        for _ in range(10):
            exporter.export(USUAL)
        assert exporter.counters.refused > 0
        await exporter.close()
        await exporter.close()
        exporter.export(USUAL)
        assert exporter.counters.dropped == 1


class TestConnection:
    async def test_a_collector_that_comes_later_gets_what_waits(
        self, loopback: LoopbackBlock
    ) -> None:
        host = loopback.address()
        port = closed_port(host, socket.SOCK_STREAM)
        exporter = HepExporter.open(collector(host, port), LOOPBACK)
        for packet in numbered(5):
            exporter.export(packet)
        await until(lambda: exporter.counters.refused >= 3)
        async with await HepReceiver.open([HepBind(Transport.TCP, host, port)]) as receiver:
            assert len(await taken(receiver, 5)) == 5
            await exporter.close()
        assert exporter.counters.sent == 5
        assert exporter.counters.dropped == 0

    async def test_one_that_closed_the_connection_is_asked_again(
        self, loopback: LoopbackBlock
    ) -> None:
        host = loopback.address()
        receiver = await HepReceiver.open([HepBind(Transport.TCP, host, 0)])
        [bind] = receiver.listening
        exporter = HepExporter.open(collector(host, bind.port), LOOPBACK)
        exporter.export(USUAL)
        await taken(receiver, 1)
        await receiver.close()
        async with await HepReceiver.open([bind]) as again:
            await until(lambda: _sent_again(exporter, again))
            await exporter.close()

    @pytest.mark.parametrize(("limit", "value"), [("MAX_WAITING", 3), ("MAX_WAITING_BYTES", 1000)])
    async def test_what_finds_no_room_is_dropped_and_counted(
        self, limit: str, value: int, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hep_export_stream, limit, value)
        host = loopback.address()
        port = closed_port(host, socket.SOCK_STREAM)
        exporter = HepExporter.open(collector(host, port), LOOPBACK)
        for packet in numbered(10, payload=100):
            exporter.export(packet)
        assert exporter.counters.dropped == 7
        await exporter.close()
        await exporter.close()
        assert exporter.counters.dropped == 10
        exporter.export(USUAL)
        assert exporter.counters.dropped == 11

    async def test_one_that_does_not_read_makes_nobody_wait(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hep_export_stream, "MAX_WAITING", 100)
        host = loopback.address()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
            listening.bind((host, 0))
            listening.listen()
            exporter = HepExporter.open(collector(host, listening.getsockname()[1]), LOOPBACK)
            count = 0
            async with asyncio.timeout(20):
                while exporter.counters.dropped == 0:
                    exporter.export(replace(USUAL, payload=bytes(60_000)))
                    count += 1
                    if count % 50 == 0:
                        await asyncio.sleep(0)
            await exporter.close()
            counters = exporter.counters
            assert counters.sent + counters.dropped == count

    async def test_a_certificate_for_another_name_gets_nothing(
        self, loopback: LoopbackBlock, tmp_path: Path
    ) -> None:
        host = loopback.address()
        ends = tls_ends(tmp_path, host)
        bind = HepBind(Transport.TLS, host, 0)
        async with await HepReceiver.open([bind], tls=ends.server) as receiver:
            asked = replace(
                collector(host, receiver.listening[0].port, Transport.TLS),
                server_name="homer.example",
            )
            exporter = HepExporter.open(asked, LOOPBACK, tls=ends.client)
            exporter.export(USUAL)
            await until(lambda: exporter.counters.refused >= 2)
            await exporter.close()
            assert receiver.counters.received == 0

    async def test_what_a_collector_says_is_thrown_away(self, loopback: LoopbackBlock) -> None:
        heard = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"thank you" * 1000)
            await reader.read(1)
            heard.set()
            writer.close()

        host = loopback.address()
        async with await asyncio.start_server(talk, host, 0) as server:
            port = server.sockets[0].getsockname()[1]
            exporter = HepExporter.open(collector(host, port), LOOPBACK)
            exporter.export(USUAL)
            await asyncio.wait_for(heard.wait(), 10)
            await exporter.close()


def _sent_again(exporter: HepExporter, receiver: HepReceiver) -> bool:
    exporter.export(USUAL)
    return receiver.counters.queued > 0
