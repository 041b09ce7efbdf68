from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sip.net.udp import MAX_UNSENT, UdpSocket
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

Address = tuple[str, int]


class Heard:
    """What a socket told its owner."""

    def __init__(self) -> None:
        self.datagrams: list[tuple[bytes, Address]] = []
        self.refusals: list[tuple[Address, int]] = []
        self.something = asyncio.Event()

    def datagram(self, _socket: UdpSocket, data: bytes, remote: Address) -> None:
        self.datagrams.append((data, remote))
        self.something.set()

    def refused(self, _socket: UdpSocket, remote: Address, number: int) -> None:
        self.refusals.append((remote, number))
        self.something.set()


@contextmanager
def bound(address: str, heard: Heard) -> Iterator[UdpSocket]:
    sock = UdpSocket.bind((address, 0), heard.datagram, heard.refused)
    try:
        yield sock
    finally:
        sock.close()


@contextmanager
def plain(address: str, port: int = 0) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind((address, port))
        yield sock


async def until(heard: Heard, *, datagrams: int = 0, refusals: int = 0) -> None:
    """Wait until that much was heard."""
    async with asyncio.timeout(5):
        while len(heard.datagrams) < datagrams or len(heard.refusals) < refusals:
            await heard.something.wait()
            heard.something.clear()


async def test_each_refusal_names_the_peer_that_caused_it(loopback: LoopbackBlock) -> None:
    heard = Heard()
    closed = [(loopback.address(), 5060) for _ in range(3)]
    with bound(loopback.address(), heard) as sock:
        for remote in closed:
            sock.send(b"hello", remote)
        await until(heard, refusals=3)
    assert sorted(heard.refusals) == sorted((remote, errno.ECONNREFUSED) for remote in closed)


async def test_it_goes_on_hearing_after_a_refusal(loopback: LoopbackBlock) -> None:
    heard = Heard()
    with bound(loopback.address(), heard) as sock, plain(loopback.address()) as friend:
        for number in range(3):
            sock.send(b"hello", (loopback.address(), 5060))
            await until(heard, refusals=number + 1)
            friend.sendto(b"%d" % number, sock.local)
            await until(heard, datagrams=number + 1)
    assert [data for data, _ in heard.datagrams] == [b"0", b"1", b"2"]


async def test_a_refusal_that_waits_does_not_cost_the_next_datagram(
    loopback: LoopbackBlock,
) -> None:
    heard = Heard()
    with bound(loopback.address(), heard) as sock, plain(loopback.address()) as friend:
        refused = (loopback.address(), 5060)
        sock.send(b"hello", refused)
        # Both leave together: loopback delivers the ICMP error before the second one is sent.
        sock.send(b"hello", friend.getsockname())
        await asyncio.sleep(0)
        assert friend.recv(100) == b"hello"
        await until(heard, refusals=1)
    assert heard.refusals == [(refused, errno.ECONNREFUSED)]


async def test_an_address_without_a_route_is_a_refusal_with_its_errno(
    loopback: LoopbackBlock,
) -> None:
    heard = Heard()
    with bound(loopback.address(), heard) as sock:
        sock.send(b"hello", ("255.255.255.255", 5060))
        await until(heard, refusals=1)
    ((remote, number),) = heard.refusals
    assert remote == ("255.255.255.255", 5060)
    assert number in (errno.EACCES, errno.ENETUNREACH, errno.EINVAL)


async def test_datagrams_of_one_turn_leave_in_order(loopback: LoopbackBlock) -> None:
    heard = Heard()
    with bound(loopback.address(), heard) as sock, plain(loopback.address()) as friend:
        for number in range(40):
            sock.send(b"%d" % number, friend.getsockname())
        await asyncio.sleep(0)
        received = [int(friend.recv(100)) for _ in range(40)]
    assert received == list(range(40))


async def test_what_was_handed_over_leaves_before_the_socket_closes(
    loopback: LoopbackBlock,
) -> None:
    heard = Heard()
    with plain(loopback.address()) as friend:
        with bound(loopback.address(), heard) as sock:
            sock.send(b"goodbye", friend.getsockname())
        assert friend.recv(100) == b"goodbye"


class CrowdedSocket(socket.socket):
    """A socket whose send buffer is full for the first calls, which loopback's never is."""

    full_for = 0

    def sendto(self, *arguments: Any) -> int:
        if self.full_for > 0:
            self.full_for -= 1
            raise BlockingIOError(errno.EAGAIN, "full")
        return super().sendto(*arguments)


@contextmanager
def crowded(address: str, *, full_for: int) -> Iterator[UdpSocket]:
    sock = CrowdedSocket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind((address, 0))
    sock.full_for = full_for
    heard = Heard()
    udp = UdpSocket(sock, heard.datagram, heard.refused)
    try:
        yield udp
    finally:
        udp.close()


async def test_datagrams_wait_in_order_while_the_kernel_is_full(loopback: LoopbackBlock) -> None:
    loop = asyncio.get_running_loop()
    sent = [b"%d" % number for number in range(20)]
    with crowded(loopback.address(), full_for=3) as sock, plain(loopback.address()) as friend:
        for data in sent:
            sock.send(data, friend.getsockname())
        with pytest.raises(BlockingIOError):
            friend.recv(100)
        received = [await asyncio.wait_for(loop.sock_recv(friend, 100), 5) for _ in sent]
    assert received == sent


async def test_of_too_many_that_wait_the_oldest_are_lost(loopback: LoopbackBlock) -> None:
    loop = asyncio.get_running_loop()
    with crowded(loopback.address(), full_for=1) as sock, plain(loopback.address()) as friend:
        for number in range(MAX_UNSENT + 5):
            sock.send(b"%d" % number, friend.getsockname())
        assert await asyncio.wait_for(loop.sock_recv(friend, 100), 5) == b"5"


async def test_closing_twice_is_closing(loopback: LoopbackBlock) -> None:
    with bound(loopback.address(), Heard()) as sock:
        sock.close()
        sock.close()
