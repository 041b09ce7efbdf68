"""Sends HEP version 3 to a collector such as Homer, and never lets the caller wait or fail.

A collector that is away, slow or not listening costs packets, which are counted, and nothing else.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, Self

from sip.errors import LocalProtocolError
from sip.hep import encode_hep
from sip.hep_packet import HepPacket
from sip.net.guard import AddressGuard
from sip.net.hep_export_stream import HepExportCounters, HepExportStream
from sip.net.wire import family_of
from sip.transports import Transport

__all__ = ["HepCollector", "HepExportCounters", "HepExporter"]

_SEND_BUFFER: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HepCollector:
    """Where packets go, and as whom.

    `address` is an IP literal without brackets: resolve a name first. `server_name` is what the
    certificate of a collector over TLS has to be for; the address when there is none. `key`,
    `capture_id` and `node` stand in every packet.
    """

    transport: Transport
    address: str
    port: int = 9060
    server_name: str | None = None
    key: str | None = field(default=None, repr=False)
    capture_id: int = 0
    node: str | None = None


class _Way(Protocol):
    def send(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class HepExporter:
    """One collector. Make it with `open`, on the running loop; it has to be closed."""

    def __init__(self, collector: HepCollector, way: _Way, counters: HepExportCounters) -> None:
        self._collector = collector
        self._way = way
        self._counters = counters

    @classmethod
    def open(
        cls, collector: HepCollector, guard: AddressGuard, *, tls: ssl.SSLContext | None = None
    ) -> Self:
        """Begin; nothing is sent yet, and the collector need not be there.

        `tls` is the context of a client, needed for TLS. Raises `TargetNotAllowed`; `OSError` when
        there is no route; `ValueError` for TLS without a context.
        """
        guard.check(collector.address)
        counters = HepExportCounters()
        way: _Way
        if collector.transport is Transport.UDP:
            way = _Datagrams((collector.address, collector.port), counters)
        elif collector.transport is Transport.TLS and tls is None:
            raise ValueError("HEP over TLS needs a context that knows the collector's authority")
        else:
            way = HepExportStream(
                (collector.address, collector.port),
                counters,
                tls=tls if collector.transport is Transport.TLS else None,
                server_name=collector.server_name or collector.address,
            )
        return cls(collector, way, counters)

    @property
    def counters(self) -> HepExportCounters:
        """The counts of this moment; a copy."""
        return replace(self._counters)

    def export(self, packet: HepPacket) -> None:
        """Send the packet under this collector's key, number and name, or count why not."""
        asked = self._collector
        packet = replace(packet, auth_key=asked.key, capture_id=asked.capture_id, node=asked.node)
        try:
            data = encode_hep(packet)
        except LocalProtocolError:
            self._counters.unwritable += 1
        else:
            self._way.send(data)

    async def close(self) -> None:
        """Send what waits, for a moment, and end; idempotent."""
        await self._way.close()


class _Datagrams:
    """A connected socket that the loop does not watch: the kernel's buffer is the queue."""

    def __init__(self, remote: tuple[str, int], counters: HepExportCounters) -> None:
        self._counters = counters
        self._socket = socket.socket(family_of(remote[0]), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            self._socket.connect(remote)
        except OSError:
            self._socket.close()
            raise

    def send(self, data: bytes) -> None:
        try:
            try:
                self._socket.send(data)
            except ConnectionRefusedError:
                # What an earlier datagram was answered with; this one was not sent for it.
                self._counters.refused += 1
                self._socket.send(data)
        except OSError:
            self._counters.dropped += 1
        else:
            self._counters.sent += 1

    async def close(self) -> None:
        self._socket.close()
