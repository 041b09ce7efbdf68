"""What the tests of health checks share: a prober whose ends are kept, and peers that the test plays."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from sip.net import health_streams, health_udp
from sip.net.guard import AddressGuard
from sip.net.health_prober import HealthProber, HealthReply, ProbeJob
from sip.net.probe_report import ProbeIdentity
from sip.transports import Transport
from tests.sip.net.stacks import LOOPBACK

__all__ = [
    "PATIENCE",
    "Checks",
    "StreamPeer",
    "checks",
    "eventually",
    "heard",
    "hurry",
    "job",
    "reply_to",
    "request_on",
    "udp_peer",
]

PATIENCE = 10.0
"""Seconds that a test waits for what comes at once."""


class Checks:
    """A prober, and everything it told."""

    prober: HealthProber

    def __init__(self) -> None:
        self.replies: list[HealthReply] = []
        self.closed: list[str] = []
        self._told = asyncio.Event()

    def on_reply(self, reply: HealthReply) -> None:
        self.replies.append(reply)
        self._told.set()

    def on_closed(self, key: str) -> None:
        self.closed.append(key)
        self._told.set()

    async def until(self, *, replies: int = 0, closed: int = 0) -> None:
        """Wait until so many were told since the beginning."""
        async with asyncio.timeout(PATIENCE):
            while len(self.replies) < replies or len(self.closed) < closed:
                self._told.clear()
                await self._told.wait()

    async def ask(self, job: ProbeJob) -> HealthReply:
        """Probe and wait for the end, which must be the next one that is told."""
        before = len(self.replies)
        self.prober.probe(job)
        await self.until(replies=before + 1)
        assert self.replies[-1].key == job.key
        return self.replies[-1]


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so of which nothing is told."""
    for _ in range(int(PATIENCE * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


@asynccontextmanager
async def checks(
    ca_file: Path | None = None, guard: AddressGuard = LOOPBACK
) -> AsyncIterator[Checks]:
    """An open prober."""
    made = Checks()
    identity = ProbeIdentity(
        user_agent="Trunkline/test (+https://trunkline.test)",
        ca_file=None if ca_file is None else str(ca_file),
    )
    async with HealthProber(
        guard=guard,
        identity=identity,
        on_reply=made.on_reply,
        on_closed=made.on_closed,
        token=lambda: secrets.token_hex(16),
    ) as made.prober:
        yield made


def hurry(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let probes of this test end after so many seconds, with repetitions in proportion."""
    monkeypatch.setattr(health_udp, "PROBE_SECONDS", seconds)
    monkeypatch.setattr(health_udp, "REPEATED_AFTER", (seconds / 8, seconds / 4, seconds / 2))
    monkeypatch.setattr(health_streams, "PROBE_SECONDS", seconds)
    monkeypatch.setattr(health_streams, "LAST_WORD", seconds / 4)


def job(
    address: str, transport: str = "udp", *, key: str = "target", port: int | None = None
) -> ProbeJob:
    """A target that is asked for by its address."""
    over = Transport(transport)
    return ProbeJob(key, address, port or over.default_port, over, address)


@contextmanager
def udp_peer(address: str) -> Iterator[socket.socket]:
    """UDP port 5060 of an address, for a peer that the test plays."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind((address, 5060))
        yield sock


async def heard(sock: socket.socket) -> tuple[bytes, tuple[str, int]]:
    """The next datagram that reaches a peer, and where it came from."""
    loop = asyncio.get_running_loop()
    return await asyncio.wait_for(loop.sock_recvfrom(sock, 65535), PATIENCE)


def reply_to(request: bytes, status: str = "200 OK", *fields: str) -> bytes:
    """A response written without the code under test."""
    echoed = ("Via:", "From:", "To:", "Call-ID:", "CSeq:")
    lines = [line for line in request.decode().split("\r\n") if line.startswith(echoed)]
    said = (f"SIP/2.0 {status}", *lines, *fields, "Content-Length: 0", "", "")
    return "\r\n".join(said).encode()


class StreamPeer:
    """A TCP peer that the test plays, one connection at a time."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self._accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        self._accepted = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []
        self.connections = 0

    @classmethod
    @asynccontextmanager
    async def at(cls, address: str, port: int = 5060) -> AsyncIterator[StreamPeer]:
        """Accept connections until the block ends."""
        peer: StreamPeer

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer.connections += 1
            peer._writers.append(writer)
            peer._accepted.put_nowait((reader, writer))

        server = await asyncio.start_server(accepted, address, port)
        peer = cls(server)
        try:
            yield peer
        finally:
            server.close()
            for writer in peer._writers:
                writer.transport.abort()
            await server.wait_closed()
            await asyncio.sleep(0)

    async def accept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The next connection."""
        return await asyncio.wait_for(self._accepted.get(), PATIENCE)

    def refuse(self) -> None:
        """Listen no longer; connections that are open stay."""
        self._server.close()


async def request_on(reader: asyncio.StreamReader) -> bytes:
    """The next request on a connection."""
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
