"""Peers that answer OPTIONS on very many loopback addresses, in a process of their own.

``python -m benchmarks.health_responder udp FIRST COUNT`` answers on port 5060 of COUNT addresses from
FIRST on; ``tls`` on port 5061, with ``--certificate`` and ``--key``. Each address has a socket of
its own, as real peers have, so a process holds as many as it may open files. It says ``ready`` on
standard output and ends with its standard input; ``--record FILE`` then writes when each request
came: numbers of addresses as unsigned 32 bits, behind them as many times as doubles (Unix seconds).
"""

from __future__ import annotations

import argparse
import asyncio
import select
import socket
import ssl
import sys
from array import array
from ipaddress import IPv4Address
from pathlib import Path
from time import time
from typing import cast

import uvloop

__all__ = ["TLS_PORT", "UDP_PORT", "Arrivals", "answer"]

UDP_PORT = 5060
TLS_PORT = 5061

ECHOED = (b"Via:", b"From:", b"Call-ID:", b"CSeq:")
# What a Kamailio or an Asterisk says of itself: a reply of nearly 500 bytes has to be read as one.
SAID = (
    b"Server: responder (x86_64/linux)\r\n"
    b"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH\r\n"
    b"Accept: application/sdp\r\nSupported: replaces, timer\r\nContent-Length: 0\r\n\r\n"
)


def answer(request: bytes) -> bytes:
    """The 200 to an OPTIONS that is well formed and not folded."""
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    kept = [b"SIP/2.0 200 OK"]
    for line in lines[1:]:
        if line.startswith(ECHOED):
            kept.append(line)
        elif line.startswith(b"To:"):
            kept.append(line + b";tag=r%x" % (hash(request) & 0xFFFFFFFF))
    return b"\r\n".join((*kept, SAID))


class Arrivals:
    """When requests came, and to the how-manieth address."""

    def __init__(self) -> None:
        self.numbers = array("I")
        self.times = array("d")

    def add(self, number: int) -> None:
        """One came now."""
        self.numbers.append(number)
        self.times.append(time())

    def write(self, path: Path) -> None:
        """Keep them for the process that started this one."""
        with path.open("wb") as file:
            self.numbers.tofile(file)
            self.times.tofile(file)

    @classmethod
    def read(cls, path: Path) -> Arrivals:
        """What ``write`` kept."""
        made = cls()
        size = made.numbers.itemsize + made.times.itemsize
        count = path.stat().st_size // size
        with path.open("rb") as file:
            made.numbers.fromfile(file, count)
            made.times.fromfile(file, count)
        return made


def serve_udp(addresses: list[str], arrivals: Arrivals) -> None:
    """Answer until standard input ends."""
    poll = select.epoll()
    sockets: dict[int, tuple[int, socket.socket]] = {}
    for number, address in enumerate(addresses):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        sock.bind((address, UDP_PORT))
        poll.register(sock.fileno(), select.EPOLLIN)
        sockets[sock.fileno()] = number, sock
    poll.register(sys.stdin.fileno(), select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor not in sockets:
                return
            number, sock = sockets[descriptor]
            try:
                data, peer = sock.recvfrom(65535)
                arrivals.add(number)
                sock.sendto(answer(data), peer)
            except (BlockingIOError, ConnectionRefusedError):
                continue


class TlsPeer(asyncio.Protocol):
    """One connection; requests have no body."""

    def __init__(self, number: int, arrivals: Arrivals) -> None:
        self._number = number
        self._arrivals = arrivals
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports derive from none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            self._arrivals.add(self._number)
            request, self._received = self._received[: end + 4], self._received[end + 4 :]
            self._transport.write(answer(request))


async def serve_tls(addresses: list[str], arrivals: Arrivals, certificate: Path, key: Path) -> None:
    """Answer until standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()

    def peer_of(number: int) -> type[asyncio.Protocol]:
        return cast(type[asyncio.Protocol], lambda: TlsPeer(number, arrivals))

    for number, address in enumerate(addresses):
        await loop.create_server(peer_of(number), address, TLS_PORT, ssl=context)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)


def main() -> None:
    """Entry of the process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health_responder")
    parser.add_argument("transport", choices=["udp", "tls"])
    parser.add_argument("first", type=IPv4Address)
    parser.add_argument("count", type=int)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    addresses = [str(given.first + number) for number in range(given.count)]
    if not all(address.startswith("127.") for address in addresses):
        parser.error("loopback only")
    arrivals = Arrivals()
    if given.transport == "udp":
        serve_udp(addresses, arrivals)
    else:
        uvloop.run(serve_tls(addresses, arrivals, given.certificate, given.key))
    if given.record is not None:
        arrivals.write(given.record)


if __name__ == "__main__":
    main()
