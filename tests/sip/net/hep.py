"""A HEP receiver on loopback, and exporters to meet it with."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path

from lab.behaviour import CertificateKind, TlsManner
from lab.certificates import Authority
from lab.tls import server_context
from sip.hep import encode_hep
from sip.hep_packet import HepPacket
from sip.net.guard import AddressGuard
from sip.net.hep_exporter import HepCollector, HepExporter
from sip.net.hep_receiver import HepBind, HepReceiver, Received
from sip.net.wire import family_of
from sip.transports import Transport
from tests.sip.hep import USUAL

__all__ = [
    "ANONYMOUS",
    "LOOPBACK",
    "TlsEnds",
    "connected",
    "exchange",
    "exported",
    "numbered",
    "send_datagrams",
    "taken",
    "tls_ends",
    "until",
]

ANONYMOUS = replace(USUAL, auth_key=None)
"""The usual packet as a receiver hands it over that asks for its key."""

LOOPBACK = AddressGuard(allowed=(IPv4Network("127.0.0.0/8"),))


def numbered(count: int, *, payload: int = 0) -> list[HepPacket]:
    """Packets that differ, with payloads of at least this many octets."""
    return [
        replace(ANONYMOUS, capture_id=number, payload=ANONYMOUS.payload + bytes(payload))
        for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class TlsEnds:
    """Contexts of a receiver and of who trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def tls_ends(folder: Path, address: str) -> TlsEnds:
    """A certificate for the address, from an authority in the folder."""
    authority = Authority.open(folder)
    pair = authority.server_pair("hep", address, CertificateKind.VALID)
    return TlsEnds(
        server_context(TlsManner(), pair, authority.ca_file),
        ssl.create_default_context(cafile=authority.ca_file),
    )


def send_datagrams(target: tuple[str, int], packets: Iterable[HepPacket | bytes]) -> int:
    """Send them at once, the loop standing still; the port they came from."""
    with socket.socket(family_of(target[0]), socket.SOCK_DGRAM) as sock:
        sock.bind((target[0], 0))
        sock.connect(target)
        for packet in packets:
            sock.send(encode_hep(packet) if isinstance(packet, HepPacket) else packet)
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def connected(
    bind: HepBind, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to where a receiver listens; it is dropped at the end."""
    reader, writer = await asyncio.open_connection(
        bind.host, bind.port, ssl=tls, local_addr=(bind.host, 0)
    )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until it holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - counters have no event
            await asyncio.sleep(0)


async def taken(receiver: HepReceiver, count: int) -> list[Received]:
    """The next packets, however many batches they come in."""
    got: list[Received] = []
    async with asyncio.timeout(20):
        while len(got) < count:
            got += await receiver.batch(limit=count - len(got))
    return got


async def exchange(host: str, folder: Path) -> list[Received]:
    """One packet over each transport; what the receiver made of them."""
    ends = tls_ends(folder, host)
    binds = [HepBind(transport, host, 0) for transport in Transport]
    async with await HepReceiver.open(binds, tls=ends.server, key=USUAL.auth_key) as receiver:
        got = []
        for bind in receiver.listening:
            if bind.transport is Transport.UDP:
                port = send_datagrams((bind.host, bind.port), [USUAL])
                got += await taken(receiver, 1)
            else:
                context = ends.client if bind.transport is Transport.TLS else None
                async with connected(bind, context) as (_, writer):
                    port = writer.get_extra_info("sockname")[1]
                    writer.write(encode_hep(USUAL))
                    got += await taken(receiver, 1)
            assert got[-1].exporter[1] == port
    return got


async def exported(transport: Transport, host: str, folder: Path) -> list[HepPacket]:
    """What a receiver makes of fifty packets of an exporter's, which gives them its key."""
    ends = tls_ends(folder, host)
    bind = HepBind(transport, host, 0)
    async with await HepReceiver.open([bind], tls=ends.server, key="k\u00e9y") as receiver:
        [bind] = receiver.listening
        collector = HepCollector(
            transport=transport, address=host, port=bind.port, key="k\u00e9y", node="sbc-1"
        )
        exporter = HepExporter.open(collector, LOOPBACK, tls=ends.client)
        for packet in numbered(50):
            exporter.export(packet)
        got = await taken(receiver, 50)
        await until(lambda: exporter.counters.sent == 50)
        await exporter.close()
    return [replace(each.packet, capture_id=number) for number, each in enumerate(got)]
