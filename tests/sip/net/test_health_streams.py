"""Health checks over TCP: connections are kept, shared and replaced, and every probe ends once."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from sip.message import parse_message
from sip.net import health_streams
from sip.net.health_prober import ProbeEnd
from tests.sip.net.health import (
    Checks,
    StreamPeer,
    checks,
    eventually,
    hurry,
    job,
    reply_to,
    request_on,
)
from tests.sip.net.stacks import listener
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answered(
    told: Checks, connection: Connection, address: str, key: str = "target"
) -> bytes:
    """Probe over a connection that is open and answer; the request."""
    before = len(told.replies)
    told.prober.probe(job(address, "tcp", key=key))
    request = await request_on(connection[0])
    connection[1].write(reply_to(request))
    await told.until(replies=before + 1)
    assert (told.replies[-1].key, told.replies[-1].status) == (key, 200)
    return request


async def opened(told: Checks, peer: StreamPeer, address: str, key: str = "target") -> Connection:
    """The connection that a first probe opens, which was answered."""
    before = len(told.replies)
    told.prober.probe(job(address, "tcp", key=key))
    connection = await peer.accept()
    request = await request_on(connection[0])
    connection[1].write(reply_to(request))
    await told.until(replies=before + 1)
    assert told.replies[-1].status == 200
    return connection


class TestKeeping:
    async def test_one_connection_serves_every_probe(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            connection = await opened(told, peer, address)
            requests = [await answered(told, connection, address) for _ in range(3)]
            assert (peer.connections, told.prober.counters.connects) == (1, 1)
            local = connection[1].get_extra_info("peername")
        parsed = [parse_message(request) for request in requests]
        assert len({each.via.branch for each in parsed}) == 3
        assert {(each.via.transport, each.via.host, each.via.port) for each in parsed} == {
            ("TCP", *local)
        }
        assert str(parsed[0].contacts[0].uri) == f"sip:{local[0]}:{local[1]};transport=tcp"

    async def test_targets_at_one_address_share_it(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            for number in range(3):
                told.prober.probe(job(address, "tcp", key=str(number)))
            reader, writer = await peer.accept()
            for _ in range(3):
                writer.write(reply_to(await request_on(reader)))
            await told.until(replies=3)
            assert peer.connections == 1
        assert {each.key for each in told.replies} == {"0", "1", "2"}

    async def test_it_is_closed_when_the_last_target_is_forgotten(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            connection = await opened(told, peer, address, "one")
            await answered(told, connection, address, "other")
            told.prober.forget("one")
            await answered(told, connection, address, "other")
            told.prober.forget("other")
            assert await asyncio.wait_for(connection[0].read(), 5) == b""
            # What we closed is nobody's news.
            assert told.closed == []

    async def test_a_probe_whose_target_is_forgotten_still_ends(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            told.prober.probe(job(address, "tcp"))
            told.prober.forget("target")
            reader, writer = await peer.accept()
            writer.write(reply_to(await request_on(reader)))
            await told.until(replies=1)
            assert await asyncio.wait_for(reader.read(), 5) == b""

    async def test_nothing_is_left_of_targets_that_are_forgotten(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.4)
        open_address, silent, closed = (loopback.address() for _ in range(3))
        async with (
            StreamPeer.at(open_address) as peer,
            StreamPeer.at(silent) as mute,
            checks() as told,
        ):
            await opened(told, peer, open_address, "open")
            for number, address in enumerate((silent, closed)):
                told.prober.probe(job(address, "tcp", key=str(number)))
            await mute.accept()
            for key in ("open", "0", "1"):
                told.prober.forget(key)
            await told.until(replies=3)
            streams = told.prober._streams
            assert (streams._peers, streams._targets) == ({}, {})
            await eventually(lambda: not streams._open)

    async def test_more_than_may_be_kept_are_closed_after_use(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health_streams, "MAX_KEPT", 1)
        first, second = loopback.address(), loopback.address()
        async with StreamPeer.at(first) as one, StreamPeer.at(second) as other, checks() as told:
            kept = await opened(told, one, first, "first")
            surplus = await opened(told, other, second, "second")
            assert await asyncio.wait_for(surplus[0].read(), 5) == b""
            await answered(told, kept, first, "first")
            await opened(told, other, second, "second")

    async def test_a_ping_is_answered(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            reader, writer = await opened(told, peer, address)
            writer.write(b"\r\n\r\n")
            assert await asyncio.wait_for(reader.readexactly(2), 5) == b"\r\n"
            await answered(told, (reader, writer), address)


class TestPeerCloses:
    async def test_a_close_by_itself_is_told_for_every_target(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            connection = await opened(told, peer, address, "one")
            await answered(told, connection, address, "other")
            connection[1].close()
            await told.until(closed=2)
            assert sorted(told.closed) == ["one", "other"]
            # The check that this leads to goes over a new connection, and finds the peer well.
            await opened(told, peer, address, "one")
        assert [each.kind for each in told.replies] == [ProbeEnd.REPLY] * 3

    async def test_a_peer_that_closes_after_every_response_is_told_once(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            for connections in range(1, 4):
                _, writer = await opened(told, peer, address)
                writer.close()
                await told.until(closed=1)
                assert peer.connections == connections
            await opened(told, peer, address)
        assert told.closed == ["target"]

    async def test_a_close_that_meets_the_probe_is_no_miss(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            reader, writer = await opened(told, peer, address)
            told.prober.probe(job(address, "tcp"))
            first = await request_on(reader)
            writer.close()
            reader, writer = await peer.accept()
            second = await request_on(reader)
            writer.write(reply_to(second))
            await told.until(replies=2)
            assert told.prober.counters.repeated == 1
        assert parse_message(first).via.branch != parse_message(second).via.branch
        assert [each.status for each in told.replies] == [200, 200]
        assert told.replies[1].request == second
        assert told.closed == []

    async def test_it_is_sent_again_once(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            connection = await opened(told, peer, address)
            told.prober.probe(job(address, "tcp"))
            for _ in range(2):
                await request_on(connection[0])
                connection[1].close()
                if peer.connections == 1:
                    connection = await peer.accept()
            await told.until(replies=2)
            assert peer.connections == 2
        assert told.replies[1].kind == ProbeEnd.CLOSED

    async def test_who_closes_a_new_connection_instead_of_answering_has_closed(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            told.prober.probe(job(address, "tcp"))
            reader, writer = await peer.accept()
            await request_on(reader)
            writer.close()
            await told.until(replies=1)
        assert (told.replies[0].kind, told.closed) == (ProbeEnd.CLOSED, [])

    async def test_a_reset_is_told_from_a_close(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        loop = asyncio.get_running_loop()
        with listener(address) as listening:
            async with checks() as told:
                told.prober.probe(job(address, "tcp"))
                accepted, _ = await loop.sock_accept(listening)
                await loop.sock_recv(accepted, 10)
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                accepted.close()
                await told.until(replies=1)
        assert told.replies[0].kind == ProbeEnd.RESET

    async def test_a_peer_that_is_gone_is_refused(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            _, writer = await opened(told, peer, address)
            peer.refuse()
            writer.close()
            await told.until(closed=1)
            reply = await told.ask(job(address, "tcp"))
        assert (reply.kind, reply.request, reply.detail) == (
            ProbeEnd.REFUSED,
            b"",
            "ECONNREFUSED",
        )
