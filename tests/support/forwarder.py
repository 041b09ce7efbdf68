"""A TCP forwarder that can hold what it was sent: the network between two of our parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Forwarder", "run_forwarder"]

CHUNK = 65536


class Forwarder:
    """``address`` leads to a target. After ``hold`` nothing passes any more, and what came is lost."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""

    def hold(self) -> None:
        """Let nothing pass from now on."""
        self._open.clear()

    def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to serve one connection."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop every connection."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, to_there = await asyncio.open_connection(*self._target)
            try:
                async with asyncio.TaskGroup() as both_ways:
                    both_ways.create_task(self._pass(reader, to_there))
                    both_ways.create_task(self._pass(there, writer))
            finally:
                to_there.transport.abort()
        except OSError:
            return  # The target is away.
        finally:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.transport.abort()


@asynccontextmanager
async def run_forwarder(host: str, target: str) -> AsyncIterator[Forwarder]:
    """Forward from a free port of ``host`` to ``target`` (host:port) until the block ends."""
    forwarder = Forwarder(target)
    server = await asyncio.start_server(forwarder.accepted, host, 0)
    async with server:
        forwarder.address = "{}:{}".format(*server.sockets[0].getsockname()[:2])
        try:
            yield forwarder
        finally:
            # Nobody new comes while those who are here are sent away.
            server.close()
            await forwarder.close()
