"""What exporters cannot do to a HEP receiver: fill its memory, hold its connections, lose by waiting."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sip.hep import encode_hep
from sip.hep_packet import HepPacket
from sip.net import hep_streams
from sip.net.hep_receiver import HepBind, HepLimits, HepReceiver
from sip.transports import Transport
from tests.sip.hep import USUAL
from tests.sip.net.hep import ANONYMOUS, connected, numbered, send_datagrams, taken, tls_ends, until
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

SMALL = HepLimits(waiting_packets=3)
KEY = USUAL.auth_key


async def opened(
    loopback: LoopbackBlock,
    transport: Transport = Transport.TCP,
    *,
    limits: HepLimits | None = None,
    key: str | None = None,
) -> HepReceiver:
    bind = HepBind(transport, loopback.address(), 0)
    return await HepReceiver.open([bind], limits=limits, key=key)


def grow_older(receiver: HepReceiver, seconds: float) -> None:
    """Let every connection's last packet be so much longer ago, and look whether that is too long."""
    for connection in tuple(receiver._connections.open):
        connection._heard -= seconds
        connection._check_idle()


def numbers(packets: list[HepPacket]) -> list[int]:
    return [packet.capture_id for packet in packets]


class TestFullQueue:
    @pytest.mark.parametrize(
        "limits", [SMALL, HepLimits(waiting_bytes=3 * 2000)], ids=["packets", "octets"]
    )
    async def test_datagrams_are_dropped_and_counted(
        self, limits: HepLimits, loopback: LoopbackBlock
    ) -> None:
        async with await opened(loopback, Transport.UDP, limits=limits) as receiver:
            place = (receiver.listening[0].host, receiver.listening[0].port)
            send_datagrams(place, numbered(5, payload=1000))
            await until(lambda: receiver.counters.received == 5)
            assert receiver.counters.dropped_full == 2
            assert numbers([each.packet for each in await receiver.batch()]) == [0, 1, 2]
            send_datagrams(place, [USUAL])
            assert numbers([each.packet for each in await taken(receiver, 1)]) == [2001]

    @pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
    async def test_a_connection_waits_and_loses_nothing(
        self, transport: Transport, loopback: LoopbackBlock, tmp_path: Path
    ) -> None:
        bind = HepBind(transport, loopback.address(), 0)
        ends = tls_ends(tmp_path, bind.host)
        packets = numbered(2000, payload=8000)
        data = b"".join(map(encode_hep, packets))
        async with (
            await HepReceiver.open([bind], tls=ends.server, limits=SMALL) as receiver,
            connected(
                receiver.listening[0], ends.client if transport is Transport.TLS else None
            ) as (_, writer),
        ):
            writer.write(data)
            await until(lambda: receiver.waiting >= SMALL.waiting_packets)
            # One slice may go over the limit, whatever is in the connection.
            for _ in range(200):
                await asyncio.sleep(0)
            assert receiver.waiting <= 3 + hep_streams.SLICE_BYTES // 8000
            assert receiver.counters.received == receiver.waiting
            got = await taken(receiver, len(packets))
            assert numbers([each.packet for each in got]) == numbers(packets)
            assert receiver.counters.dropped_full == 0
            assert receiver.counters.connections_broken == 0

    async def test_many_connections_take_turns(self, loopback: LoopbackBlock) -> None:
        packets = numbered(40, payload=4000)
        async with await opened(loopback) as receiver, AsyncExitStack() as stack:
            for _ in range(8):
                ends = await stack.enter_async_context(connected(receiver.listening[0]))
                ends[1].write(b"".join(map(encode_hep, packets)))
            most = 0
            while receiver.counters.received < 8 * len(packets):
                before = receiver.counters.received
                await asyncio.sleep(0)
                most = max(most, receiver.counters.received - before)
            assert most <= 2 * hep_streams.TURN_BYTES // 4000
            got = await taken(receiver, 8 * len(packets))
        by_exporter: dict[int, list[int]] = {}
        for each in got:
            by_exporter.setdefault(each.exporter[1], []).append(each.packet.capture_id)
        assert list(by_exporter.values()) == [numbers(packets)] * 8

    async def test_what_a_peer_left_behind_is_still_read(self, loopback: LoopbackBlock) -> None:
        packets = numbered(60, payload=1000)
        async with await opened(loopback, limits=SMALL) as receiver:
            async with connected(receiver.listening[0]) as (_, writer):
                writer.write(b"".join(map(encode_hep, packets)))
                await until(lambda: receiver.waiting >= 3)
                writer.close()
                await writer.wait_closed()
            got = await taken(receiver, len(packets))
            assert numbers([each.packet for each in got]) == numbers(packets)
            await until(lambda: receiver.counters.connections_open == 0)
            assert receiver.counters.malformed == 0

    async def test_closing_forgets_who_waits_for_room(self, loopback: LoopbackBlock) -> None:
        receiver = await opened(loopback, limits=SMALL)
        async with connected(receiver.listening[0]) as (reader, writer):
            writer.write(b"".join(map(encode_hep, numbered(60, payload=1000))))
            await until(lambda: receiver.waiting >= 3)
            await receiver.close()
            assert await ended(reader)
        assert receiver.counters.connections_open == 0
        left = receiver.waiting
        assert len(await receiver.batch()) == left
        assert await receiver.batch() == []


class TestConnections:
    async def test_more_than_the_limit_are_refused(self, loopback: LoopbackBlock) -> None:
        async with await opened(loopback, limits=HepLimits(connections=1)) as receiver:
            bind = receiver.listening[0]
            async with connected(bind) as (_, writer):
                await until(lambda: receiver.counters.connections_open == 1)
                async with connected(bind) as (reader, _):
                    assert await ended(reader)
                assert receiver.counters.connections_refused == 1
                writer.write(encode_hep(USUAL))
                await taken(receiver, 1)
            await until(lambda: receiver.counters.connections_open == 0)
            async with connected(bind) as (_, writer):
                writer.write(encode_hep(USUAL))
                await taken(receiver, 1)

    @pytest.mark.parametrize(
        "data",
        [b"", encode_hep(USUAL)[:-1], encode_hep(ANONYMOUS), b"HEP3\0\x06"],
        ids=["nothing", "a part", "no key", "malformed"],
    )
    async def test_without_a_first_packet_it_ends(
        self, data: bytes, loopback: LoopbackBlock
    ) -> None:
        limits = HepLimits(first_packet_seconds=0.05)
        async with (
            await opened(loopback, limits=limits, key=KEY) as receiver,
            connected(receiver.listening[0]) as (reader, writer),
        ):
            writer.write(data)
            assert await ended(reader)
            await until(lambda: receiver.counters.connections_idle == 1)

    async def test_silence_after_a_packet_has_a_limit_of_its_own(
        self, loopback: LoopbackBlock
    ) -> None:
        limits = HepLimits(first_packet_seconds=30, idle_seconds=3600)
        async with (
            await opened(loopback, limits=limits) as receiver,
            connected(receiver.listening[0]) as (reader, writer),
        ):
            writer.write(encode_hep(USUAL))
            await taken(receiver, 1)
            grow_older(receiver, 3500)
            assert receiver.counters.connections_open == 1
            grow_older(receiver, 100)
            assert await ended(reader)
            assert receiver.counters.connections_idle == 1
            assert receiver.counters.connections_open == 0

    async def test_who_is_made_to_wait_is_not_silent(self, loopback: LoopbackBlock) -> None:
        async with (
            await opened(loopback, limits=HepLimits(waiting_packets=1)) as receiver,
            connected(receiver.listening[0]) as (_, writer),
        ):
            writer.write(b"".join(map(encode_hep, numbered(100, payload=1000))))
            await until(lambda: receiver.waiting >= 1)
            grow_older(receiver, 10_000)
            assert len(await taken(receiver, 100)) == 100

    async def test_bytes_that_are_no_hep_end_it_and_keep_what_came_before(
        self, loopback: LoopbackBlock
    ) -> None:
        async with await opened(loopback) as receiver:
            async with connected(receiver.listening[0]) as (reader, writer):
                writer.write(encode_hep(USUAL) + b"GET / HTTP/1.1\r\n\r\n" + encode_hep(USUAL))
                assert await ended(reader)
            async with connected(receiver.listening[0]) as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                assert await ended(reader)
            assert len(await taken(receiver, 1)) == 1
            counters = receiver.counters
            assert (counters.connections_broken, counters.malformed) == (2, 2)
            assert "begins with HEP3" in (counters.last_problem or "")

    async def test_an_end_inside_a_packet_is_counted(self, loopback: LoopbackBlock) -> None:
        async with await opened(loopback) as receiver:
            async with connected(receiver.listening[0]) as (reader, writer):
                writer.write(encode_hep(USUAL) + encode_hep(USUAL)[:-1])
                writer.write_eof()
                assert await ended(reader)
            await until(lambda: receiver.counters.connections_open == 0)
            assert receiver.counters.queued == 1
            assert "ended inside a packet" in (receiver.counters.last_problem or "")

    async def test_more_than_one_read_while_paused_ends_it(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hep_streams, "MAX_PENDING_BYTES", 1000)
        async with (
            await opened(loopback) as receiver,
            connected(receiver.listening[0]) as (reader, writer),
        ):
            writer.write(encode_hep(USUAL) * 100)
            assert await ended(reader)
            assert receiver.counters.connections_broken == 1

    async def test_a_reset_and_a_failed_handshake_leave_nothing_behind(
        self, loopback: LoopbackBlock, tmp_path: Path
    ) -> None:
        host = loopback.address()
        binds = [HepBind(Transport.TCP, host, 0), HepBind(Transport.TLS, host, 0)]
        ends = tls_ends(tmp_path, host)
        async with await HepReceiver.open(binds, tls=ends.server) as receiver:
            for bind in receiver.listening:
                async with connected(bind) as (_, writer):
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.write(encode_hep(USUAL))
            async with connected(receiver.listening[1], ends.client) as (_, writer):
                writer.write(encode_hep(USUAL))
                assert (await taken(receiver, 1))[-1].packet == USUAL
            await until(lambda: receiver.counters.connections_open == 0)


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the receiver ends the connection without a word."""
    async with asyncio.timeout(10):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True
