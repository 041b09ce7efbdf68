"""The embedded PostgreSQL as a service of the supervisor.

Its methods block, so they run in threads. The thread that starts it must outlive it: the kernel
counts a process's parent by thread when it delivers the signal for a dead parent.
"""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import Future, ThreadPoolExecutor

from local.postgres import EmbeddedPostgres, PostgresFailed
from local.process import StartFailed, log_tail

__all__ = ["PostgresService"]


class PostgresService:
    """Starts, watches and stops one ``EmbeddedPostgres``."""

    name = "postgres"

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")
        self._starting: Future[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._server.pid

    async def start(self) -> None:
        self._starting = self._starter.submit(self._server.start)
        try:
            await asyncio.wrap_future(self._starting)
        except PostgresFailed as error:
            raise StartFailed(self.name, str(error), log_tail(self._server.log)) from error

    async def ended(self) -> str:
        if not self._server.started:
            return "not running"
        code = await asyncio.to_thread(self._server.wait)
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    async def stop(self) -> None:
        # A start that was cancelled goes on in its thread; only what has started can be stopped.
        await asyncio.to_thread(self._finish_start)
        await asyncio.to_thread(self._server.stop)
        self._starter.shutdown()

    def kill(self) -> None:
        self._server.kill()

    def _finish_start(self) -> None:
        if self._starting is not None and not self._starting.cancel():
            self._starting.exception()
