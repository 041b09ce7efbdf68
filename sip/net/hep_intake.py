"""What HEP receivers hand over to whoever stores it: judged, counted, and bounded in number and octets.

A datagram that finds the queue full is dropped and counted, because nobody can make its sender wait.
A connection asks first and waits for room, so that its sender has to wait as well.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from sip.hep import decode_hep
from sip.hep_packet import HepError, HepPacket, HepProtocol, HepWrongKey
from sip.transports import Transport

__all__ = ["SIP_ONLY", "HepCounters", "HepIntake", "Received"]

PACKET_OVERHEAD: Final = 1024
"""Octets that a waiting packet takes beside its payload: its objects, and texts of usual length."""

SIP_ONLY: Final = frozenset({int(HepProtocol.SIP)})

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Received:
    """A packet, and the exporter's address and transport by which it came."""

    packet: HepPacket
    exporter: Address
    transport: Transport


@dataclass(slots=True)
class HepCounters:
    """What became of everything that arrived, since the receiver was opened.

    `received` is the sum of `queued`, `malformed`, `wrong_key`, `not_sip` and `dropped_full`.
    `kernel_drops` are datagrams beyond those, for which the socket's buffer had no room; 0 where the
    system does not say. `connections_open` is a present number, the other three of connections are
    counts: beyond the limit, silent for too long, with bytes that are no HEP. `last_problem` is a
    sentence about what was last counted as malformed or with a wrong key, with its sender.
    """

    received: int = 0
    queued: int = 0
    malformed: int = 0
    wrong_key: int = 0
    not_sip: int = 0
    dropped_full: int = 0
    kernel_drops: int = 0
    connections_open: int = 0
    connections_refused: int = 0
    connections_idle: int = 0
    connections_broken: int = 0
    last_problem: str | None = None


class HepIntake:
    """A queue on the running loop, with the rules of what may enter it."""

    def __init__(
        self, *, key: str | None, wanted: frozenset[int], max_packets: int, max_bytes: int
    ) -> None:
        """`wanted` are the protocol types that are kept, the others count as `not_sip`."""
        self.key = key
        self.counters = HepCounters()
        self._wanted = wanted
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self._waiting: deque[Received] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._want_room: deque[Callable[[], None]] = deque()
        self._closed = False
        self._loop = asyncio.get_running_loop()

    @property
    def full(self) -> bool:
        """Whether nothing more may enter."""
        return len(self._waiting) >= self._max_packets or self._bytes >= self._max_bytes

    @property
    def waiting(self) -> int:
        """Packets in the queue."""
        return len(self._waiting)

    def datagram(self, data: bytes, exporter: Address) -> None:
        """Judge one datagram and keep or count it."""
        if self.full:
            # Reading it would cost time that a flood has less of to give.
            self.counters.received += 1
            self.counters.dropped_full += 1
            return
        try:
            packet = decode_hep(data, key=self.key)
        except HepError as error:
            self._refuse(error, exporter)
        else:
            self._keep(packet, exporter, Transport.UDP)

    def stream_items(
        self, items: Iterable[HepPacket | HepError], exporter: Address, transport: Transport
    ) -> None:
        """Keep or count what came out of a connection whose owner saw that there was room."""
        for item in items:
            if isinstance(item, HepError):
                self._refuse(item, exporter)
            else:
                self._keep(item, exporter, transport)

    def when_room(self, callback: Callable[[], None]) -> None:
        """Call back once, in the loop, when the queue is no longer full."""
        self._want_room.append(callback)

    async def batch(self, *, limit: int = 1000, within: float | None = None) -> list[Received]:
        """What waits, oldest first, at most `limit`; waits for the first one.

        Empty when nothing came `within` these seconds, and at once when the intake is closed and all
        of it was taken.
        """
        try:
            async with asyncio.timeout(within):
                while not self._waiting and not self._closed:
                    await self._changed.wait()
        except TimeoutError:
            return []
        taken = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        self._bytes -= sum(map(_weight, taken))
        if not self._waiting and not self._closed:
            self._changed.clear()
        if not self.full:
            while self._want_room:
                self._loop.call_soon(self._want_room.popleft())
        return taken

    def close(self) -> None:
        """Let nobody wait any longer; what is there can still be taken."""
        self._closed = True
        self._changed.set()

    def _keep(self, packet: HepPacket, exporter: Address, transport: Transport) -> None:
        self.counters.received += 1
        if packet.protocol not in self._wanted:
            self.counters.not_sip += 1
            return
        self.counters.queued += 1
        received = Received(packet, exporter, transport)
        self._waiting.append(received)
        self._bytes += _weight(received)
        self._changed.set()

    def _refuse(self, error: HepError, exporter: Address) -> None:
        self.counters.received += 1
        if isinstance(error, HepWrongKey):
            self.counters.wrong_key += 1
        else:
            self.counters.malformed += 1
        self.counters.last_problem = f"{exporter[0]} port {exporter[1]}: {error}"


def _weight(received: Received) -> int:
    return PACKET_OVERHEAD + len(received.packet.payload)
