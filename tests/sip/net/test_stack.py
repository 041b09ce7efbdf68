"""Requests over real sockets: one stack asks another, or a peer that the test plays."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.behaviour import CertificateKind, TlsManner
from lab.certificates import Authority
from lab.tls import server_context
from sip.build import response_to
from sip.net.guard import AddressGuard, TargetNotAllowed
from sip.net.stack import RequestFailed, RequestTimedOut, SipStack
from sip.net.streams import MAX_UNSENT_BYTES
from sip.net.tls import TlsProfile
from sip.net.wire import Direction, WireRecord
from sip.transaction import Flow, RequestReceived
from tests.sip.net.stacks import LOOPBACK, answer_ok, ask, listener, options, serving
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


@pytest.fixture
async def client() -> AsyncIterator[SipStack]:
    async with SipStack(guard=LOOPBACK) as stack:
        yield stack


async def tcp_flow(stack: SipStack, address: str) -> Flow:
    return await stack.transport.stream_flow((address, 5060), None, seconds=5)


class TestConnectionReuse:
    async def test_requests_to_one_peer_share_a_connection(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        numbers: list[int | None] = []

        def note(stack: SipStack, event: RequestReceived) -> None:
            numbers.append(event.flow.connection)
            answer_ok(stack, event)

        async with serving(address, note):
            for _ in range(3):
                assert await ask(client, await tcp_flow(client, address)) == 200
        assert numbers == [1, 1, 1]

    async def test_a_connection_that_was_closed_is_replaced(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with serving(address):
            first = await tcp_flow(client, address)
            client.transport.close_flow(first)
            second = await tcp_flow(client, address)
            assert second.connection != first.connection
            assert await ask(client, second) == 200

    async def test_one_that_the_peer_closed_is_replaced(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with serving(address):
            first = await tcp_flow(client, address)
            assert await ask(client, first) == 200
        async with serving(address):
            second = await tcp_flow(client, address)
            assert second.connection != first.connection
            assert await ask(client, second) == 200

    async def test_an_unshared_one_is_given_to_nobody_else(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with serving(address):
            own = await client.transport.stream_flow((address, 5060), None, seconds=5, shared=False)
            shared = await tcp_flow(client, address)
            other = await client.transport.stream_flow(
                (address, 5060), None, seconds=5, shared=False
            )
            assert len({own.connection, shared.connection, other.connection}) == 3
            assert (await tcp_flow(client, address)).connection == shared.connection

    async def test_only_equal_tls_profiles_share(
        self, client: SipStack, loopback: LoopbackBlock, tmp_path: Path
    ) -> None:
        address = loopback.address()
        authority = Authority.open(tmp_path)
        pair = authority.server_pair("peer", address, CertificateKind.VALID)
        ca_file = str(authority.ca_file)
        async with SipStack(guard=LOOPBACK, handler=answer_ok) as server:
            context = server_context(TlsManner(), pair, authority.ca_file)
            await server.transport.listen_stream((address, 5061), context)
            flows = [
                await client.transport.stream_flow((address, 5061), profile, seconds=5)
                for profile in (
                    TlsProfile(address, ca_file=ca_file),
                    TlsProfile(address, ca_file=ca_file),
                    TlsProfile(address, verify=False),
                    TlsProfile("peer.lab.trunkline.test", ca_file=ca_file),
                )
            ]
            assert [await ask(client, flow) for flow in flows] == [200] * 4
        assert flows[0] == flows[1]
        assert len({flow.connection for flow in flows}) == 3
        assert {flow.transport for flow in flows} == {"TLS"}


class TestFailure:
    async def test_a_peer_that_closes_in_the_middle_fails_the_request_at_once(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        loop = asyncio.get_running_loop()
        with listener(address) as listening:
            flow = await tcp_flow(client, address)
            accepted, _ = await loop.sock_accept(listening)
            request = asyncio.create_task(ask(client, flow, seconds=30))
            await loop.sock_recv(accepted, 4096)
            accepted.close()
            with pytest.raises(RequestFailed, match="closed"):
                await asyncio.wait_for(request, 2)

    async def test_a_reset_fails_it_as_such(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        loop = asyncio.get_running_loop()
        with listener(address) as listening:
            flow = await tcp_flow(client, address)
            accepted, _ = await loop.sock_accept(listening)
            request = asyncio.create_task(ask(client, flow, seconds=30))
            await loop.sock_recv(accepted, 4096)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
            with pytest.raises(RequestFailed, match="reset"):
                await asyncio.wait_for(request, 2)

    async def test_a_peer_that_does_not_read_loses_its_connection(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        loop = asyncio.get_running_loop()
        with listener(address) as listening:
            flow = await tcp_flow(client, address)
            accepted, _ = await loop.sock_accept(listening)
            with accepted:
                # The kernel's buffers on both sides come on top of what is kept here.
                waiting = [
                    asyncio.create_task(
                        client.request(options(flow, padding=8000), flow, seconds=30)
                    )
                    for _ in range(16 * MAX_UNSENT_BYTES // 8000)
                ]
                ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
        assert {type(error) for error in ended} == {RequestFailed}
        assert {str(error) for error in ended} <= {"the peer does not read", "closed"}
        assert str(ended[0]) == "the peer does not read"

    async def test_silence_ends_after_the_given_seconds(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind((address, 5060))
            flow = client.transport.udp_flow((address, 5060))
            with pytest.raises(RequestTimedOut) as caught:
                await asyncio.wait_for(ask(client, flow, seconds=0.2), 2)
        assert caught.value.provisional is None

    async def test_a_provisional_answer_is_remembered(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        def trying(stack: SipStack, event: RequestReceived) -> None:
            stack.respond(event.key, response_to(event.request, 100))

        address = loopback.address()
        async with serving(address, trying):
            with pytest.raises(RequestTimedOut) as caught:
                await ask(client, await tcp_flow(client, address), seconds=0.2)
        assert caught.value.provisional == 100

    async def test_a_refused_datagram_fails_the_request_at_once(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        flow = client.transport.udp_flow((loopback.address(), 5060))
        with pytest.raises(RequestFailed, match="errno:111"):
            await asyncio.wait_for(ask(client, flow, seconds=30), 1)

    async def test_closing_the_stack_fails_what_waits(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind((address, 5060))
            async with SipStack(guard=LOOPBACK) as stack:
                flow = stack.transport.udp_flow((address, 5060))
                request = asyncio.create_task(ask(stack, flow, seconds=30))
                await asyncio.sleep(0.05)
            with pytest.raises(RequestFailed, match="closed"):
                await asyncio.wait_for(request, 1)

    async def test_the_guard_stands_before_every_flow(self, loopback: LoopbackBlock) -> None:
        remote = (loopback.address(), 5060)
        async with SipStack(guard=AddressGuard()) as stack:
            with pytest.raises(TargetNotAllowed):
                stack.transport.udp_flow(remote)
            with pytest.raises(TargetNotAllowed):
                await stack.transport.stream_flow(remote, None, seconds=1)


class TestUdp:
    async def test_a_request_is_repeated_until_it_is_answered(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        seen: list[WireRecord] = []
        loop = asyncio.get_running_loop()
        async with SipStack(guard=LOOPBACK, tap=seen.append) as client:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as peer:
                peer.bind((address, 5060))
                request = asyncio.create_task(
                    ask(client, client.transport.udp_flow((address, 5060)))
                )
                first, _ = await loop.sock_recvfrom(peer, 4096)
                second, source = await loop.sock_recvfrom(peer, 4096)
                answer = b"SIP/2.0 404 Not Found" + second[second.index(b"\r\n") :]
                await loop.sock_sendto(peer, answer, source)
                assert await request == 404
        assert first == second
        assert [(record.direction, record.retransmission) for record in seen] == [
            (Direction.OUT, False),
            (Direction.OUT, True),
            (Direction.IN, False),
        ]
        assert seen[0].at <= seen[1].at <= seen[2].at
