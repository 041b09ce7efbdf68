"""Health checks of peers that are silent, slow, many or mean: bounded, and told as what they are."""

from __future__ import annotations

import asyncio
import socket

import pytest

from sip.net import health_kept, health_streams
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


class TestSilence:
    async def test_a_kept_connection_that_fell_silent_is_replaced(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.6)
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            connection = await opened(told, peer, address)
            reply = await told.ask(job(address, "tcp"))
            assert (reply.kind, reply.detail) == (ProbeEnd.TIMEOUT, None)
            # The request and the end of the connection, in this order.
            assert (await asyncio.wait_for(connection[0].read(), 5)).startswith(b"OPTIONS ")
            await opened(told, peer, address)
            assert peer.connections == 2
        assert told.closed == []

    async def test_who_answers_others_keeps_the_connection(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.6)
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            connection = await opened(told, peer, address, "answered")
            told.prober.probe(job(address, "tcp", key="ignored"))
            await request_on(connection[0])
            await answered(told, connection, address, "answered")
            await told.until(replies=3)
            assert told.replies[2][:3:2] == ("ignored", ProbeEnd.TIMEOUT)
            await answered(told, connection, address, "answered")
            assert peer.connections == 1

    async def test_an_address_that_drops_segments_is_a_timeout(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.4)
        address = loopback.address()
        with listener(address) as listening:
            # A backlog of none that is full drops what comes.
            listening.listen(0)
            with socket.create_connection((address, 5060)):
                async with checks() as told:
                    reply = await told.ask(job(address, "tcp"))
        assert (reply.kind, reply.detail) == (ProbeEnd.TIMEOUT, "TCP was not answered")


class TestCrowds:
    async def test_connections_are_opened_so_many_at_a_time_and_waiting_is_no_miss(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.5)
        monkeypatch.setattr(health_streams, "MAX_CONNECTING", 1)
        dead, alive = loopback.address(), loopback.address()
        with listener(dead) as listening:
            listening.listen(0)
            with socket.create_connection((dead, 5060)):
                async with StreamPeer.at(alive) as peer, checks() as told:
                    told.prober.probe(job(dead, "tcp", key="dead"))
                    # Two more pass through the same place, 0.5 s each.
                    told.prober.probe(job(dead, "tcp", key="dead", port=5062))
                    told.prober.probe(job(alive, "tcp", key="alive"))
                    assert told.prober.running == 0
                    reader, writer = await peer.accept()
                    writer.write(reply_to(await request_on(reader)))
                    await told.until(replies=3)
        assert [each.kind for each in told.replies if each.key == "alive"] == [ProbeEnd.REPLY]

    async def test_who_waits_too_long_for_a_place_learns_that_it_is_our_limit(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health_streams, "MAX_CONNECTING", 0)
        monkeypatch.setattr(health_streams, "MAX_QUEUED_SECONDS", 0.2)
        async with checks() as told:
            reply = await told.ask(job(loopback.address(), "tcp"))
        assert (reply.kind, reply.request) == (ProbeEnd.LOCAL_LIMIT, b"")

    async def test_closing_ends_whatever_is_going_on(self, loopback: LoopbackBlock) -> None:
        address, silent = loopback.address(), loopback.address()
        with listener(silent) as listening:
            listening.listen(0)
            with socket.create_connection((silent, 5060)):
                async with StreamPeer.at(address) as peer:
                    async with checks() as told:
                        told.prober.probe(job(silent, "tcp", key="connecting"))
                        told.prober.probe(job(address, "tcp", key="asked"))
                        reader, _ = await peer.accept()
                        await request_on(reader)
                    assert await asyncio.wait_for(reader.read(), 5) == b""
        assert (told.replies, told.closed) == ([], [])


class TestHostile:
    async def test_a_flood_of_messages_costs_the_peer_its_connection(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            told.prober.probe(job(address, "tcp"))
            reader, writer = await peer.accept()
            request = await request_on(reader)
            writer.write(request * (health_kept.MAX_STRAYS + 2))
            await told.until(replies=1)
        (reply,) = told.replies
        assert reply.kind == ProbeEnd.TIMEOUT
        assert reply.detail == "the peer floods"

    @pytest.mark.parametrize(
        "data",
        [
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x80\x81\x82",
            b"SIP/2.0 200 OK\r\nX: " + b"x" * 9000,
            b"SIP/2.0 200 OK\r\nContent-Length: 70000\r\n\r\n",
        ],
        ids=["http", "binary", "endless line", "too long"],
    )
    async def test_garbage_is_told_as_such_at_once(
        self, loopback: LoopbackBlock, data: bytes
    ) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            told.prober.probe(job(address, "tcp"))
            reader, writer = await peer.accept()
            await request_on(reader)
            writer.write(data)
            await told.until(replies=1)
        (reply,) = told.replies
        assert reply.kind == ProbeEnd.TIMEOUT
        assert (reply.detail or "").startswith("unreadable: ")

    async def test_a_reply_byte_by_byte_ends_with_the_time(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.5)
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            told.prober.probe(job(address, "tcp"))
            reader, writer = await peer.accept()
            response = reply_to(await request_on(reader))
            for number in range(len(response) - 1):
                if told.replies:
                    break
                writer.write(response[number : number + 1])
                await asyncio.sleep(0.02)
            await told.until(replies=1)
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert told.replies[0].kind == ProbeEnd.TIMEOUT

    async def test_a_reply_of_another_connection_answers_nothing(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.5)
        address, other = loopback.address(), loopback.address()
        async with (
            StreamPeer.at(address) as peer,
            StreamPeer.at(other) as mallory,
            checks() as told,
        ):
            _, writer = await opened(told, mallory, other, "mallory")
            told.prober.probe(job(address, "tcp"))
            reader, _ = await peer.accept()
            writer.write(reply_to(await request_on(reader)))
            await told.until(replies=2)
        assert told.replies[1][:3:2] == ("target", ProbeEnd.TIMEOUT)

    async def test_messages_that_nobody_asked_for_do_not_disturb(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with StreamPeer.at(address) as peer, checks() as told:
            connection = await opened(told, peer, address)
            theirs = (await answered(told, connection, address)).replace(b"Via:", b"Via :")
            connection[1].write(theirs * 3)
            await eventually(lambda: told.prober.counters.stray == 3)
            await answered(told, connection, address)
            assert peer.connections == 1
