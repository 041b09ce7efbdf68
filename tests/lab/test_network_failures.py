"""The peers that never get a SIP response through, as plain sockets see them."""

from __future__ import annotations

import asyncio
import errno
import os
import socket

import pytest

from lab import Lab
from tests.lab.client import ask_stream, ask_udp, exchange_udp, request

pytestmark = pytest.mark.usefixtures("loop_errors")


class TestNetworkFailures:
    async def test_silent_takes_datagrams_and_says_nothing(self, lab: Lab) -> None:
        peer = lab.peers["silent"]
        with pytest.raises(TimeoutError):
            await exchange_udp(peer.address, 5060, request(peer.uri), seconds=0.5)

    @pytest.mark.parametrize("port", [5060, 5061])
    async def test_silent_accepts_connections_and_says_nothing(self, lab: Lab, port: int) -> None:
        peer = lab.peers["silent"]
        reader, writer = await asyncio.open_connection(peer.address, port)
        writer.write(request(peer.uri, transport="TCP") + b"\r\n\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.5)
        writer.close()
        await writer.wait_closed()

    async def test_refusing_refuses_both_transports(self, lab: Lab) -> None:
        peer = lab.peers["refusing"]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(peer.address, 5060)
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.connect((peer.address, 5060))
            await loop.sock_sendall(sock, request(peer.uri))
            with pytest.raises(ConnectionRefusedError):
                await asyncio.wait_for(loop.sock_recv(sock, 1), 5)

    @pytest.mark.parametrize("port", [5060, 5061, 5080])
    async def test_filtered_never_completes_a_connection(self, lab: Lab, port: int) -> None:
        peer = lab.peers["filtered"]
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_connect(sock, (peer.address, port)), 0.5)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            with pytest.raises(OSError, match=os.strerror(errno.ENOTCONN)):
                sock.getpeername()

    async def test_hanging_up_closes_at_the_first_bytes(self, lab: Lab) -> None:
        peer = lab.peers["hanging-up"]
        reader, writer = await asyncio.open_connection(peer.address, 5060)
        writer.write(request(peer.uri, transport="TCP"))
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()

    async def test_slow_takes_a_second_and_a_half_and_answers_once(self, lab: Lab) -> None:
        peer = lab.peers["slow"]
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert (await ask_udp(peer.address, request(peer.uri))).status == 200
        assert 1.4 < loop.time() - started < 3

    async def test_stuck_never_gets_beyond_100(self, lab: Lab) -> None:
        peer = lab.peers["stuck"]
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.bind(("127.0.0.1", 0))
            data = request(peer.uri)
            for _ in range(2):
                await loop.sock_sendto(sock, data, (peer.address, 5060))
                answer = await asyncio.wait_for(loop.sock_recv(sock, 4096), 5)
                assert answer.startswith(b"SIP/2.0 100 Trying\r\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_recv(sock, 4096), 0.5)

    async def test_other_address_answers_from_its_neighbour(self, lab: Lab) -> None:
        peer = lab.peers["other-address"]
        data, source = await exchange_udp(peer.address, 5060, request(peer.uri))
        assert data.startswith(b"SIP/2.0 200 OK")
        base, _, last = peer.address.rpartition(".")
        assert source == (f"{base}.{int(last) + 1}", 5060)

    async def test_alternate_port_is_closed_where_one_looks_first(self, lab: Lab) -> None:
        peer = lab.peers["alternate-port"]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(peer.address, 5060)
        assert (await ask_udp(peer.address, request(peer.uri), port=5080)).status == 200
        tcp = request(peer.uri, transport="TCP")
        assert (await ask_stream(peer.address, tcp, port=5080)).status == 200


class TestGarbage:
    async def test_datagrams_are_answered_with_noise(self, lab: Lab) -> None:
        peer = lab.peers["garbage"]
        first, _ = await exchange_udp(peer.address, 5060, request(peer.uri))
        second, _ = await exchange_udp(peer.address, 5060, request(peer.uri))
        assert first != second
        assert b"SIP/2.0" not in first

    @pytest.mark.parametrize(("name", "port"), [("garbage", 5060), ("not-tls", 5061)])
    async def test_tcp_speaks_http_and_closes(self, lab: Lab, name: str, port: int) -> None:
        peer = lab.peers[name]
        reader, writer = await asyncio.open_connection(peer.address, port)
        writer.write(request(peer.uri, transport="TCP"))
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        writer.close()
        await writer.wait_closed()
