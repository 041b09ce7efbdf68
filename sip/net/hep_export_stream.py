"""The way to a collector over TCP or TLS: one connection, made again when it is lost, and a queue."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

__all__ = ["HepExportCounters", "HepExportStream"]

MAX_WAITING: Final = 4096
MAX_WAITING_BYTES: Final = 8 << 20

WRITTEN_AT_ONCE: Final = 64
"""Packets given to the connection before what it took is looked at."""

CONNECT_SECONDS: Final = 10.0
"""For the connection and the TLS handshake each."""

RETRY_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Waits between attempts; the last one for ever."""

FLUSH_SECONDS: Final = 2.0
"""How long closing waits for what was not sent."""

_DISCARDED_AT_ONCE: Final = 65_536


@dataclass(slots=True)
class HepExportCounters:
    """What became of the packets that were to be exported.

    `sent` went out, as far as this host can tell. `dropped` found no room or were in a connection that
    broke. `unwritable` do not fit into HEP. `refused` counts refusals, not packets: nobody listens at a
    UDP port, or a connection was not to be had.
    """

    sent: int = 0
    dropped: int = 0
    unwritable: int = 0
    refused: int = 0


class HepExportStream:
    """Sends in the background of the running loop."""

    def __init__(
        self,
        remote: tuple[str, int],
        counters: HepExportCounters,
        *,
        tls: ssl.SSLContext | None,
        server_name: str,
    ) -> None:
        """The address is permitted already; `server_name` matters with `tls` only."""
        self._remote = remote
        self._counters = counters
        self._tls = tls
        self._server_name = server_name if tls is not None else None
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def send(self, data: bytes) -> None:
        """Queue one packet, or count it as dropped when there is no room."""
        full = len(self._waiting) >= MAX_WAITING or self._bytes + len(data) > MAX_WAITING_BYTES
        if full or self._task.done():
            self._counters.dropped += 1
            return
        self._waiting.append(data)
        self._bytes += len(data)
        self._filled.set()
        self._emptied.clear()

    async def close(self) -> None:
        """Wait a moment for what is queued, then end; idempotent."""
        if not self._task.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._emptied.wait()
            self._task.cancel()
            await asyncio.wait([self._task])
        self._counters.dropped += len(self._waiting)
        self._waiting.clear()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                reader, writer = await self._connect()
            except (OSError, TimeoutError):
                self._counters.refused += 1
                wait = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                await asyncio.sleep(wait)
                continue
            failures = 0
            watch = asyncio.create_task(_until_closed(reader, writer))
            try:
                await self._write(writer)
            except OSError:
                await asyncio.sleep(RETRY_SECONDS[0])
            finally:
                watch.cancel()
                writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncio.open_connection(
                *self._remote, ssl=self._tls, server_hostname=self._server_name
            )

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        """Write what comes. Raises `OSError` when the connection is gone."""
        # Otherwise what the transport holds counts as sent, and is lost with it.
        writer.transport.set_write_buffer_limits(0)
        while True:
            await self._filled.wait()
            if writer.transport.is_closing():
                raise ConnectionResetError("the collector closed the connection")
            number = min(WRITTEN_AT_ONCE, len(self._waiting))
            packets = [self._waiting.popleft() for _ in range(number)]
            self._bytes -= sum(map(len, packets))
            try:
                writer.write(b"".join(packets))
                await writer.drain()
            except (OSError, asyncio.CancelledError):
                self._counters.dropped += number
                raise
            self._counters.sent += number
            if not self._waiting:
                self._filled.clear()
                self._emptied.set()


async def _until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A collector says nothing; what it says is thrown away, and its end is ours."""
    with suppress(OSError):
        while await reader.read(_DISCARDED_AT_ONCE):
            pass
    writer.transport.abort()
