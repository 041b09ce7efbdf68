"""TCP and TLS connections of exporters: framed, never dropped, made to wait when we are behind.

All connections of a receiver take turns, so that a turn of the loop costs the same however many there
are, and none is read while the queue is full.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from sip.hep_packet import HepError, HepPacket
from sip.hep_stream import HepStream
from sip.net.hep_intake import HepIntake
from sip.transports import Transport

__all__ = ["HepConnection", "HepConnections"]

SLICE_BYTES: Final = 8_192
"""Read of one connection before the next has its turn."""

TURN_BYTES: Final = 16_384
"""Read of all of them before other tasks have theirs: some ten messages, or at the worst 2,700 empty
packets, each of them an error, in some milliseconds."""

MAX_PENDING_BYTES: Final = 1 << 20
"""Received but not read. A paused transport hands over the rest of one read, no more; a connection
where that is not so is ended."""


class HepConnections:
    """The connections of one receiver, and what each may cost."""

    def __init__(
        self,
        intake: HepIntake,
        *,
        max_open: int,
        idle_seconds: float,
        first_packet_seconds: float,
    ) -> None:
        self.intake = intake
        self.max_open = max_open
        self.idle_seconds = idle_seconds
        self.first_packet_seconds = first_packet_seconds
        self.open: set[HepConnection] = set()
        self._turns: deque[HepConnection] = deque()
        self._running = False
        self._loop = asyncio.get_running_loop()

    def factory(self, transport: Transport) -> Callable[[], HepConnection]:
        """What makes the protocol of an accepted connection."""
        return lambda: HepConnection(self, transport)

    def queue(self, connection: HepConnection) -> None:
        """Give the connection a turn after those that wait already."""
        self._turns.append(connection)
        if not self._running:
            self._running = True
            self._loop.call_soon(self._run)

    def close(self) -> None:
        """Drop every connection."""
        for connection in tuple(self.open):
            connection.drop()

    def _run(self) -> None:
        if self.intake.full:
            self.intake.when_room(self._run)
            return
        budget = TURN_BYTES
        try:
            while self._turns and budget > 0 and not self.intake.full:
                budget -= self._turns.popleft().read_slice()
        finally:
            # One connection's trouble must not end the turns of all.
            self._running = bool(self._turns)
            if self._running:
                self._loop.call_soon(self._run)


class HepConnection(asyncio.Protocol):
    """Asyncio protocol of one accepted connection.

    It keeps its place among the open ones until all that it received was read, even when the peer is
    gone by then.
    """

    def __init__(self, among: HepConnections, transport: Transport) -> None:
        self._among = among
        self._intake = among.intake
        self._transport_name = transport
        self._stream = HepStream(key=among.intake.key)
        self._pending = bytearray()
        self._queued = False
        self._paused = False
        self._lost = False
        self._transport: asyncio.Transport | None = None
        self._exporter = ("", 0)
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._allowed = among.first_packet_seconds
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked by isinstance: uvloop's TLS transport is none of asyncio's classes.
        self._transport = transport = cast(asyncio.Transport, transport)
        remote = transport.get_extra_info("peername")
        counters = self._intake.counters
        if remote is None:
            # The peer hung up between accept and here.
            transport.abort()
        elif len(self._among.open) >= self._among.max_open:
            counters.connections_refused += 1
            transport.abort()
        else:
            self._exporter = (remote[0], remote[1])
            self._among.open.add(self)
            counters.connections_open += 1
            self._timer = self._loop.call_later(self._allowed, self._check_idle)

    def data_received(self, data: bytes) -> None:
        if self not in self._among.open:
            return
        self._pending += data
        if len(self._pending) > MAX_PENDING_BYTES:
            self._break(HepError("the connection brings more than can wait"))
            return
        if not self._queued:
            self._queued = True
            self._among.queue(self)
        self._pause(len(self._pending) > SLICE_BYTES or self._intake.full)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        if not self._queued:
            self._finish()

    def read_slice(self) -> int:
        """Read what waits, so far as one turn goes; how many octets that were."""
        self._queued = False
        data = bytes(self._pending[:SLICE_BYTES])
        del self._pending[: len(data)]
        if data:
            self._read(data)
        if self._pending:
            self._queued = True
            self._among.queue(self)
        else:
            self._pause(False)
            if self._lost:
                self._finish()
        return len(data)

    def drop(self) -> None:
        """End the connection at once and forget what was not read."""
        self._pending.clear()
        self._forget()
        if self._transport is not None:
            self._transport.abort()

    def _read(self, data: bytes) -> None:
        try:
            items = self._stream.receive_data(data)
        except HepError as error:
            self._break(error)
            return
        self._intake.stream_items(items, self._exporter, self._transport_name)
        if any(isinstance(item, HepPacket) for item in items):
            self._heard = self._loop.time()
            self._allowed = self._among.idle_seconds
        if self._stream.error is not None:
            self._break(self._stream.error)

    def _break(self, error: HepError) -> None:
        self._intake.counters.connections_broken += 1
        self._intake.stream_items([error], self._exporter, self._transport_name)
        self.drop()

    def _pause(self, wanted: bool) -> None:
        if wanted is self._paused or self._transport is None or self._transport.is_closing():
            return
        self._paused = wanted
        if wanted:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _check_idle(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        now = self._loop.time()
        if self._queued:
            # It is we who keep the exporter waiting.
            self._heard = now
        left = self._heard + self._allowed - now
        if left <= 0:
            self._intake.counters.connections_idle += 1
            self.drop()
        else:
            self._timer = self._loop.call_later(left, self._check_idle)

    def _finish(self) -> None:
        if self in self._among.open and self._stream.pending:
            error = HepError("the connection ended inside a packet")
            self._intake.stream_items([error], self._exporter, self._transport_name)
        self._forget()

    def _forget(self) -> None:
        if self in self._among.open:
            self._among.open.discard(self)
            self._intake.counters.connections_open -= 1
        if self._timer is not None:
            self._timer.cancel()
