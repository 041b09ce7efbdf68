"""A collector's receiver: HEP version 3 over UDP, TCP and TLS, into one bounded queue."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from sip.net.acceptor import StreamAcceptor
from sip.net.hep_intake import SIP_ONLY, HepCounters, HepIntake, Received
from sip.net.hep_streams import HepConnections
from sip.net.hep_udp import HepUdpSocket
from sip.transports import Transport

__all__ = ["HEP_PORT", "HepBind", "HepCounters", "HepLimits", "HepReceiver", "Received"]

HEP_PORT: Final = 9060
"""Where Homer listens, over UDP and TCP."""


@dataclass(frozen=True, slots=True)
class HepBind:
    """Where to listen: an IP literal of this host without brackets; port 0 takes a free one."""

    transport: Transport
    host: str
    port: int = HEP_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class HepLimits:
    """What exporters may cost.

    The defaults hold four seconds of 5,000 messages/s for a database that hesitates.
    `receive_buffer` is the kernel's, of each UDP socket: at that rate, more than a second in which the
    process has no turn.
    """

    waiting_packets: int = 20_000
    waiting_bytes: int = 64 << 20
    connections: int = 256
    idle_seconds: float = 3600.0
    """Since the last packet. An exporter loses what it writes into a connection that we closed, and a
    quiet night is no reason to."""
    first_packet_seconds: float = 30.0
    """Until a new connection brought one packet, with the right key where one is asked for."""
    receive_buffer: int = 16 << 20


class HepReceiver:
    """Receives from the moment that it is opened until it is closed. Make it with `open`."""

    def __init__(self, intake: HepIntake, connections: HepConnections) -> None:
        self._intake = intake
        self._connections = connections
        self._sockets: list[HepUdpSocket] = []
        self._acceptors: list[StreamAcceptor] = []
        self._listening: list[HepBind] = []

    @classmethod
    async def open(
        cls,
        binds: Iterable[HepBind],
        *,
        tls: ssl.SSLContext | None = None,
        key: str | None = None,
        wanted: frozenset[int] = SIP_ONLY,
        limits: HepLimits | None = None,
    ) -> Self:
        """Listen everywhere or nowhere.

        `tls` is the context of a server, needed when a bind asks for TLS; `key` is what every packet
        has to carry; `wanted` are the protocol types that are handed over. Raises `OSError` when an
        address cannot be bound, and `ValueError` for TLS without a context and a host that is no IP
        literal.
        """
        limits = limits or HepLimits()
        intake = HepIntake(
            key=key,
            wanted=wanted,
            max_packets=limits.waiting_packets,
            max_bytes=limits.waiting_bytes,
        )
        connections = HepConnections(
            intake,
            max_open=limits.connections,
            idle_seconds=limits.idle_seconds,
            first_packet_seconds=limits.first_packet_seconds,
        )
        receiver = cls(intake, connections)
        try:
            for bind in binds:
                receiver._listen(bind, tls, limits.receive_buffer)
        except (OSError, ValueError):
            await receiver.close()
            raise
        return receiver

    def _listen(self, bind: HepBind, tls: ssl.SSLContext | None, receive_buffer: int) -> None:
        local = (bind.host, bind.port)
        opened: HepUdpSocket | StreamAcceptor
        if bind.transport is Transport.UDP:
            opened = HepUdpSocket.bind(local, self._intake, receive_buffer=receive_buffer)
            self._sockets.append(opened)
        else:
            context = tls if bind.transport is Transport.TLS else None
            if bind.transport is Transport.TLS and context is None:
                raise ValueError("HEP over TLS needs a certificate and its key")
            factory = self._connections.factory(bind.transport)
            opened = StreamAcceptor.listen(local, factory, context)
            self._acceptors.append(opened)
        self._listening.append(HepBind(bind.transport, *opened.local))

    @property
    def listening(self) -> tuple[HepBind, ...]:
        """Where it listens, in the order of `open`, with the ports that were taken."""
        return tuple(self._listening)

    @property
    def counters(self) -> HepCounters:
        """The counts of this moment; a copy."""
        drops = sum(sock.kernel_drops for sock in self._sockets)
        return replace(self._intake.counters, kernel_drops=drops)

    @property
    def waiting(self) -> int:
        """Packets that were received and not taken yet."""
        return self._intake.waiting

    async def batch(self, *, limit: int = 1000, within: float | None = None) -> list[Received]:
        """What waits, oldest first, at most `limit`; waits for the first one.

        Empty when nothing came `within` these seconds. After `close` it returns what is left, then
        empty lists at once. Cancelling it loses nothing.
        """
        return await self._intake.batch(limit=limit, within=within)

    async def close(self) -> None:
        """Stop listening and end every connection; idempotent. What waits can still be taken."""
        for sock in self._sockets:
            sock.close()
        for acceptor in self._acceptors:
            await acceptor.close()
        self._connections.close()
        self._intake.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
