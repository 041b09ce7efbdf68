"""Write rows as things happen, many at a time when they happen fast.

The first row starts a write at once and what arrives meanwhile goes into the next, so a lone row
is visible in milliseconds and a burst costs one transaction per round trip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["BatchWriter"]

MAX_BATCH = 500
"""Rows of one transaction: keeps a statement far under PostgreSQL's 65,535 parameters."""

Row = TypeVar("Row")


class BatchWriter(Generic[Row]):
    """Async context manager around a ``write`` of many rows.

    ``put`` never blocks; beyond ``limit`` waiting rows new ones are counted in ``dropped`` and not
    kept. Leaving the block writes the rest. An error of ``write`` is raised where the block ends,
    and rows put after it are dropped.
    """

    def __init__(
        self, write: Callable[[Sequence[Row]], Awaitable[None]], *, limit: int = 100_000
    ) -> None:
        self._write = write
        self._limit = limit
        self._waiting: list[Row] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    async def __aenter__(self) -> BatchWriter[Row]:
        self._task = asyncio.create_task(self._run(), name="batch-writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._closing = True
        self._wake.set()
        await self._task

    def put(self, row: Row) -> None:
        """Hand over one row."""
        if len(self._waiting) >= self._limit or (self._task is not None and self._task.done()):
            self.dropped += 1
            return
        self._waiting.append(row)
        self._wake.set()

    @property
    def failed(self) -> bool:
        """Whether a write raised, so that going on is pointless."""
        return self._task is not None and self._task.done() and not self._closing

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            await self._write(batch)
