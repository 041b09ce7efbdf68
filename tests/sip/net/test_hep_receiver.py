"""HEP from the wire into the queue: every transport, what is counted, and how batches are taken."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from sip.hep import encode_hep
from sip.hep_packet import HepPacket, HepProtocol
from sip.net import hep_udp
from sip.net.hep_receiver import HepBind, HepLimits, HepReceiver
from sip.transports import Transport
from tests.sip.hep import USUAL
from tests.sip.net.hep import (
    ANONYMOUS,
    connected,
    exchange,
    numbered,
    send_datagrams,
    taken,
    until,
)
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

OLD = bytes((2, 16, 2, 17)) + bytes(60)


def udp(loopback: LoopbackBlock) -> HepBind:
    return HepBind(Transport.UDP, loopback.address(), 0)


def tcp(loopback: LoopbackBlock) -> HepBind:
    return HepBind(Transport.TCP, loopback.address(), 0)


def target(receiver: HepReceiver) -> tuple[str, int]:
    bind = receiver.listening[0]
    return bind.host, bind.port


class TestArriving:
    @pytest.mark.parametrize("family", ["IPv4", "IPv6"])
    async def test_over_every_transport(
        self, family: str, loopback: LoopbackBlock, tmp_path: Path
    ) -> None:
        host = loopback.address() if family == "IPv4" else "::1"
        got = await exchange(host, tmp_path)
        assert [each.packet for each in got] == [ANONYMOUS] * 3
        assert [each.transport for each in got] == list(Transport)
        assert {each.exporter[0] for each in got} == {host}

    async def test_what_became_of_each_is_counted_and_the_last_problem_said(
        self, loopback: LoopbackBlock
    ) -> None:
        async with await HepReceiver.open([udp(loopback)], key=USUAL.auth_key) as receiver:
            report = replace(USUAL, protocol=HepProtocol.RTCP_JSON)
            data: list[HepPacket | bytes] = [USUAL, b"garbage", ANONYMOUS, report, USUAL, OLD]
            port = send_datagrams(target(receiver), data)
            await until(lambda: receiver.counters.received == 6)
            counters = receiver.counters
            assert (counters.queued, counters.malformed) == (2, 2)
            assert (counters.wrong_key, counters.not_sip) == (1, 1)
            assert counters.last_problem is not None
            sender = f"{receiver.listening[0].host} port {port}"
            assert counters.last_problem.startswith(f"{sender}: this is HEP version 2")
            assert receiver.waiting == 2
            assert len(await receiver.batch()) == 2

    async def test_other_types_are_handed_over_when_they_are_wanted(
        self, loopback: LoopbackBlock
    ) -> None:
        wanted = frozenset({int(HepProtocol.RTCP_JSON)})
        async with await HepReceiver.open([udp(loopback)], wanted=wanted) as receiver:
            report = replace(USUAL, protocol=HepProtocol.RTCP_JSON)
            send_datagrams(target(receiver), [USUAL, report])
            assert [each.packet for each in await taken(receiver, 1)] == [report]
            assert receiver.counters.not_sip == 1

    async def test_a_bad_packet_in_a_connection_is_counted_and_the_rest_read(
        self, loopback: LoopbackBlock
    ) -> None:
        async with await HepReceiver.open([tcp(loopback)], key=USUAL.auth_key) as receiver:
            async with connected(receiver.listening[0]) as (_, writer):
                good, wrong = encode_hep(USUAL), encode_hep(ANONYMOUS)
                writer.write(good + b"HEP3\0\x06" + wrong + good)
                assert [each.packet for each in await taken(receiver, 2)] == [ANONYMOUS] * 2
            counters = receiver.counters
            assert (counters.received, counters.malformed, counters.wrong_key) == (4, 1, 1)
            assert counters.connections_broken == 0

    async def test_a_flood_does_not_own_the_loop(self, loopback: LoopbackBlock) -> None:
        async with await HepReceiver.open([udp(loopback)]) as receiver:
            send_datagrams(target(receiver), numbered(1000))
            turns = 0
            while receiver.counters.received < 1000:
                await asyncio.sleep(0)
                turns += 1
            assert turns > 1000 / hep_udp.DATAGRAMS_PER_WAKEUP
            got = await receiver.batch()
            assert [each.packet.capture_id for each in got] == list(range(1000))


class TestKernel:
    async def test_what_its_buffer_had_no_room_for_is_counted(
        self, loopback: LoopbackBlock
    ) -> None:
        limits = HepLimits(receive_buffer=8192)
        async with await HepReceiver.open([udp(loopback)], limits=limits) as receiver:
            send_datagrams(target(receiver), numbered(200))
            assert receiver.counters.kernel_drops > 100
            await until(lambda: _sum(receiver) == 200)
        assert _sum(receiver) == 200

    async def test_a_kernel_that_does_not_say_and_gives_no_more(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hep_udp, "_SO_MEMINFO", 0x7FFF)
        monkeypatch.setattr(hep_udp, "_SO_RCVBUFFORCE", 0x7FFF)
        async with await HepReceiver.open([udp(loopback)]) as receiver:
            send_datagrams(target(receiver), [USUAL])
            await taken(receiver, 1)
            assert receiver.counters.kernel_drops == 0


def _sum(receiver: HepReceiver) -> int:
    return receiver.counters.received + receiver.counters.kernel_drops


class TestBatches:
    async def test_nothing_within_the_time_is_an_empty_batch(self, loopback: LoopbackBlock) -> None:
        async with await HepReceiver.open([udp(loopback)]) as receiver:
            assert await receiver.batch(within=0.01) == []
            assert await receiver.batch(within=0) == []

    async def test_a_batch_has_a_limit_and_the_order_of_arrival(
        self, loopback: LoopbackBlock
    ) -> None:
        async with await HepReceiver.open([udp(loopback)]) as receiver:
            send_datagrams(target(receiver), numbered(5))
            await until(lambda: receiver.waiting == 5)
            numbers = [
                [each.packet.capture_id for each in await receiver.batch(limit=2)] for _ in "abc"
            ]
            assert numbers == [[0, 1], [2, 3], [4]]

    async def test_whoever_waits_is_told_at_the_end_and_gets_what_is_left(
        self, loopback: LoopbackBlock
    ) -> None:
        receiver = await HepReceiver.open([udp(loopback)])
        waiting = asyncio.create_task(receiver.batch())
        await asyncio.sleep(0)
        await receiver.close()
        assert await waiting == []
        assert await receiver.batch() == []

        receiver = await HepReceiver.open([udp(loopback)])
        send_datagrams(target(receiver), [USUAL])
        await until(lambda: receiver.waiting == 1)
        await receiver.close()
        await receiver.close()
        assert len(await receiver.batch()) == 1
        assert await receiver.batch() == []

    async def test_a_cancelled_wait_loses_nothing(self, loopback: LoopbackBlock) -> None:
        async with await HepReceiver.open([udp(loopback)]) as receiver:
            waiting = asyncio.create_task(receiver.batch())
            await asyncio.sleep(0)
            send_datagrams(target(receiver), [USUAL])
            waiting.cancel()
            await asyncio.wait([waiting])
            assert len(await taken(receiver, 1)) == 1


class TestOpening:
    async def test_tls_needs_a_certificate(self, loopback: LoopbackBlock) -> None:
        with pytest.raises(ValueError, match="needs a certificate"):
            await HepReceiver.open([HepBind(Transport.TLS, loopback.address(), 0)])

    @pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
    async def test_where_it_cannot_listen_it_listens_nowhere(
        self, transport: Transport, loopback: LoopbackBlock
    ) -> None:
        first = HepBind(transport, loopback.address(), 9060)
        async with await HepReceiver.open([first]):
            second = HepBind(transport, loopback.address(), 9060)
            with pytest.raises(OSError, match="in use"):
                await HepReceiver.open([second, first])
        kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as sock:
            sock.bind((second.host, second.port))

    async def test_a_name_is_no_place_to_listen(self) -> None:
        with pytest.raises(ValueError, match="localhost"):
            await HepReceiver.open([HepBind(Transport.UDP, "localhost")])
