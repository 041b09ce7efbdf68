"""What peers send is hostile: one of them must not cost another its answer."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from sip.net.stack import ProtocolFault, SipStack
from tests.sip.net.stacks import LOOPBACK, answer_ok, ask, listener, options, serving
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


@pytest.fixture
async def client() -> AsyncIterator[SipStack]:
    async with SipStack(guard=LOOPBACK) as stack:
        yield stack


class TestFraming:
    @pytest.mark.parametrize(
        "data",
        [
            b"\x16\x03\x01\x02\x00",
            b"GET / HTTP/1.1\r\nHost: pbx\r\n\r\n",
            b"OPTIONS sip:pbx SIP/2.0\r\nCall-ID: 1\r\n\r\n",
            b"OPTIONS sip:pbx SIP/2.0\r\nContent-Length: 70000\r\n\r\n",
            b"OPTIONS sip:pbx SIP/2.0\r\nX: " + b"x" * 9000,
        ],
        ids=["tls", "http", "no length", "too long", "endless line"],
    )
    async def test_a_stream_that_is_no_sip_is_closed_and_reported(
        self, loopback: LoopbackBlock, data: bytes
    ) -> None:
        address = loopback.address()
        faults: list[ProtocolFault] = []
        async with SipStack(guard=LOOPBACK, on_fault=faults.append) as stack:
            await stack.transport.listen_stream((address, 5060))
            reader, writer = await asyncio.open_connection(address, 5060)
            source = writer.get_extra_info("sockname")
            writer.write(data)
            with suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        (fault,) = faults
        assert (fault.flow.remote, fault.data, fault.error) == (source, b"", None)

    async def test_a_connection_that_opens_and_closes_is_no_fault(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        faults: list[ProtocolFault] = []
        async with SipStack(guard=LOOPBACK, on_fault=faults.append) as stack:
            await stack.transport.listen_stream((address, 5060))
            for data in (b"", b"\r\n\r\n"):
                _, writer = await asyncio.open_connection(address, 5060)
                writer.write(data)
                writer.close()
                await writer.wait_closed()
            await asyncio.sleep(0.05)
        assert faults == []

    async def test_a_message_that_cannot_be_parsed_is_reported_whole(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        faults: list[ProtocolFault] = []
        data = b"OPTIONS sip:pbx SIP/2.0\r\nContent-Length: 0\r\n\r\n"
        async with SipStack(guard=LOOPBACK, on_fault=faults.append) as stack:
            await stack.transport.listen_stream((address, 5060))
            _, writer = await asyncio.open_connection(address, 5060)
            writer.write(data)
            await asyncio.sleep(0.05)
            writer.close()
            await writer.wait_closed()
        (fault,) = faults
        assert fault.data == data
        assert fault.error is not None
        assert fault.error.header == "Via"

    async def test_a_ping_is_answered_with_a_pong(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        async with serving(address):
            reader, writer = await asyncio.open_connection(address, 5060)
            writer.write(b"\r\n\r\n")
            assert await asyncio.wait_for(reader.readexactly(2), 5) == b"\r\n"
            writer.close()
            await writer.wait_closed()

    async def test_a_message_in_single_bytes_is_one_message(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with serving(address):
            flow = client.transport.udp_flow((address, 5060))
            data = options(flow).serialize().replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
            reader, writer = await asyncio.open_connection(address, 5060)
            for place in range(len(data)):
                writer.write(data[place : place + 1])
                await writer.drain()
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert answer.startswith(b"SIP/2.0 200 OK\r\n")
            writer.close()
            await writer.wait_closed()

    async def test_many_messages_in_one_segment_are_all_answered(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with serving(address):
            flow = client.transport.udp_flow((address, 5060))
            data = b"".join(options(flow).serialize() for _ in range(300))
            reader, writer = await asyncio.open_connection(address, 5060)
            writer.write(data)
            for _ in range(300):
                answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
                assert answer.startswith(b"SIP/2.0 200 OK\r\n")
            writer.close()
            await writer.wait_closed()

    async def test_a_request_whose_sender_then_closes_its_side_is_answered(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        async with serving(address):
            flow = client.transport.udp_flow((address, 5060))
            reader, writer = await asyncio.open_connection(address, 5060)
            writer.write(options(flow).serialize())
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), 5)
            assert answer.startswith(b"SIP/2.0 200 OK\r\n")
            writer.close()
            await writer.wait_closed()


class TestFlood:
    @pytest.mark.parametrize(
        "data",
        [b"\x80" * 1200, b"OPTIONS sip:pbx SIP/2.0\r\n" + b"v" * 1000, b"\r\n"],
        ids=["noise", "nearly sip", "keep-alives"],
    )
    async def test_a_flood_of_datagrams_leaves_others_their_answers(
        self, client: SipStack, loopback: LoopbackBlock, data: bytes
    ) -> None:
        address = loopback.address()
        stop = threading.Event()

        def flood() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect((address, 5060))
                while not stop.is_set():
                    sock.send(data)

        async with serving(address):
            flooding = asyncio.create_task(asyncio.to_thread(flood))
            try:
                await asyncio.sleep(0.1)
                over_tcp = await client.transport.stream_flow((address, 5060), None, seconds=5)
                for _ in range(10):
                    assert await ask(client, over_tcp, seconds=2) == 200
            finally:
                stop.set()
                await flooding
            over_udp = client.transport.udp_flow((address, 5060))
            assert await ask(client, over_udp) == 200

    async def test_a_flood_over_one_connection_leaves_others_their_answers(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        stop = threading.Event()
        async with serving(address):
            over_udp = client.transport.udp_flow((address, 5060))
            data = b"".join(options(over_udp).serialize() for _ in range(100))

            def flood() -> None:
                with socket.create_connection((address, 5060)) as sock:
                    while not stop.is_set():
                        sock.sendall(data)
                        sock.recv(1 << 20)

            flooding = asyncio.create_task(asyncio.to_thread(flood))
            try:
                await asyncio.sleep(0.1)
                for _ in range(10):
                    assert await ask(client, over_udp, seconds=2) == 200
            finally:
                stop.set()
                await flooding

    async def test_a_sender_is_slowed_down_to_what_is_handled(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        stray = options(client.transport.udp_flow((address, 5060))).serialize()
        stray = b"SIP/2.0 200 OK" + stray[stray.index(b"\r\n") :]
        handled = sent = 0

        def count(_: object) -> None:
            nonlocal handled
            handled += len(stray)

        async with SipStack(guard=LOOPBACK, on_event=count) as stack:
            await stack.transport.listen_stream((address, 5060))
            until = asyncio.get_running_loop().time() + 2

            def flood() -> None:
                nonlocal sent
                with socket.create_connection((address, 5060), timeout=0.2) as sock:
                    while time.monotonic() < until:
                        with suppress(TimeoutError):
                            sent += sock.send(stray * 1000)

            await asyncio.to_thread(flood)
            assert handled > 0
            # What is not handled yet is in the kernel's buffers, a few megabytes at most.
            assert sent - handled < 12_000_000

    async def test_stray_and_forged_responses_answer_nothing(
        self, client: SipStack, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as peer:
            peer.bind((address, 5060))
            request = asyncio.create_task(
                ask(client, client.transport.udp_flow((address, 5060)), seconds=5)
            )
            asked, source = await loop.sock_recvfrom(peer, 4096)
            rest = asked[asked.index(b"\r\n") :]
            for forged in (
                b"SIP/2.0 200 OK" + rest.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx"),
                b"SIP/2.0 200 OK" + rest.replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"),
                b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP proxy.test;branch=z9hG4bKp" + rest,
            ):
                await loop.sock_sendto(peer, forged, source)
            await loop.sock_sendto(peer, b"SIP/2.0 404 Not Found" + rest, source)
            assert await request == 404


class TestClosing:
    async def test_open_connections_and_listeners_are_gone(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        tasks = asyncio.all_tasks()
        async with serving(address):
            reader, writer = await asyncio.open_connection(address, 5060)
            await asyncio.sleep(0.05)
        assert asyncio.all_tasks() <= tasks
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 1) == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(address, 5060)
        async with serving(address):
            pass

    async def test_a_port_that_is_taken_is_an_error(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        with listener(address):
            async with SipStack(guard=LOOPBACK, handler=answer_ok) as stack:
                with pytest.raises(OSError, match="in use"):
                    await stack.transport.listen_stream((address, 5060))
