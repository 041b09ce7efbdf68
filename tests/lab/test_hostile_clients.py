"""Nothing that a client sends stops a peer from serving others."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from lab.behaviour import Transport
from sip.net.acceptor import MAX_HANDSHAKES
from tests.lab.client import ask_stream, ask_udp, request
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

SEED = 20261
FRIENDS = ("asterisk", "kamailio", "challenge", "slow", "tls-only", "other-address")


def garbage(uri: str, transport: str) -> Iterator[bytes]:
    """What is no SIP, nearly SIP, and SIP that nobody should send."""
    chance = random.Random(SEED)
    yield from (
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"\x00",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    )
    yield from (chance.randbytes(length) for length in (1, 40, 1400, 9000))
    good = request(uri, transport=transport)
    yield from (good[:cut] for cut in range(0, len(good), 37))
    for _ in range(60):
        broken = bytearray(request(uri, transport=transport))
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        yield bytes(broken)
    yield good.replace(b"Content-Length: 0", b"Content-Length: 99999999")
    yield good.replace(b"Content-Length: 0", b"Content-Length: -1")
    yield good.replace(b"client.test;branch", b"[::1]:99999;branch")
    yield good.replace(b"rport", b"rport;received=203.0.113.9;maddr=203.0.113.9")
    yield b"SIP/2.0 200 OK" + good[good.index(b"\r\n") :]
    yield good.replace(b"To: <sip:lab.test>", b'To: "\\\x00\\\r" <sip:lab.test>')
    yield good.replace(b"sip:lab.test", b"sip:" + b"a" * 9000)


async def still_answers(lab: Lab, name: str) -> None:
    """Every SIP port of the peer serves a fresh client."""
    peer = lab.peers[name]
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    for port in peer.behaviour.ports:
        data = request(peer.uri, transport=port.transport)
        if port.transport is Transport.UDP:
            answer = await ask_udp(peer.address, data, port=port.number)
        else:
            tls = context if port.transport is Transport.TLS else None
            answer = await ask_stream(peer.address, data, port=port.number, tls=tls)
        assert answer.status in (200, 401)


@pytest.mark.parametrize("name", FRIENDS)
async def test_garbage_on_every_port_changes_nothing(lab: Lab, name: str) -> None:
    peer = lab.peers[name]
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(("127.0.0.1", 0))
        for port in peer.behaviour.ports:
            for data in garbage(peer.uri, port.transport):
                if port.transport is Transport.UDP:
                    await loop.sock_sendto(sock, data, (peer.address, port.number))
                else:
                    await throw(peer.address, port.number, data)
    await still_answers(lab, name)


async def throw(address: str, port: int, data: bytes) -> None:
    """Connect, send and go away without reading."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
        await loop.sock_connect(sock, (address, port))
        try:
            await loop.sock_sendall(sock, data)
        except ConnectionError:
            return


async def test_garbage_inside_tls_changes_nothing(lab: Lab) -> None:
    peer = lab.peers["tls-only"]
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    for data in garbage(peer.uri, "TLS"):
        _, writer = await asyncio.open_connection(
            peer.address, 5061, ssl=context, server_hostname=peer.address
        )
        writer.write(data)
        writer.close()
        try:
            await writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            continue
    await still_answers(lab, "tls-only")


@pytest.mark.parametrize("name", ["silent", "garbage", "hanging-up"])
async def test_a_peer_that_is_no_sip_survives_garbage_too(lab: Lab, name: str) -> None:
    peer = lab.peers[name]
    for port in peer.behaviour.ports:
        if port.transport is not Transport.UDP:
            for data in garbage(peer.uri, port.transport):
                await throw(peer.address, port.number, data)


async def test_unfinished_handshakes_leave_room_for_others(lab: Lab) -> None:
    peer = lab.peers["kamailio"]
    socks = [
        socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(40)
    ]
    loop = asyncio.get_running_loop()
    try:
        for sock in socks:
            await loop.sock_connect(sock, (peer.address, 5061))
            await loop.sock_sendall(sock, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        await still_answers(lab, "kamailio")
    finally:
        for sock in socks:
            sock.close()


async def test_handshakes_beyond_the_limit_are_closed_at_once(lab: Lab) -> None:
    peer = lab.peers["3cx"]
    loop = asyncio.get_running_loop()
    socks = [
        socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        for _ in range(MAX_HANDSHAKES + 1)
    ]
    try:
        for sock in socks:
            await loop.sock_connect(sock, (peer.address, 5061))
        assert await asyncio.wait_for(loop.sock_recv(socks[-1], 1), 5) == b""
        with pytest.raises(BlockingIOError):
            socks[0].recv(1)
    finally:
        for sock in socks:
            sock.close()


async def test_a_lab_closes_with_clients_in_every_state(
    loopback: LoopbackBlock, tmp_path: Path
) -> None:
    names = ["asterisk", "kamailio", "silent", "slow", "garbage"]
    before = asyncio.all_tasks()
    async with Lab(new_lab_network(loopback), tmp_path, names) as lab:
        loop = asyncio.get_running_loop()
        socks: list[socket.socket] = []
        for name, port in (
            ("asterisk", 5060),
            ("kamailio", 5061),
            ("silent", 5060),
            ("garbage", 5061),
        ):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            socks.append(sock)
            await loop.sock_connect(sock, (lab.peers[name].address, port))
            await loop.sock_sendall(sock, b"\x16\x03\x01" if port == 5061 else b"OPTIONS sip:")
        slow = lab.peers["slow"]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask_udp(slow.address, request(slow.uri)), 0.1)
    assert asyncio.all_tasks() <= before
    for sock in socks:
        with sock:
            assert await asyncio.wait_for(loop.sock_recv(sock, 1), 5) == b""
