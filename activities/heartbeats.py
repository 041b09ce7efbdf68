"""Heartbeats of a long activity, as one ``async with``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity

__all__ = ["HEARTBEAT_INTERVAL", "HEARTBEAT_THROTTLE", "heartbeats"]

HEARTBEAT_INTERVAL = timedelta(seconds=1)
"""A quarter of the shortest heartbeat timeout in use; the SDK throttles what is too often."""

HEARTBEAT_THROTTLE = timedelta(milliseconds=900)
"""Least time between two heartbeats that reach the server, for a worker whose activities must hear
of their cancellation within about a second; the SDK's own is four fifths of the timeout."""


@asynccontextmanager
async def heartbeats(
    details: Callable[[], object], *, every: timedelta = HEARTBEAT_INTERVAL
) -> AsyncIterator[None]:
    """Heartbeat with ``details()`` while the block runs.

    It is also how the activity hears of its cancellation and of the worker's shutdown.
    """

    async def beat() -> None:
        while True:
            activity.heartbeat(details())
            await asyncio.sleep(every.total_seconds())

    beating = asyncio.create_task(beat(), name="heartbeats")
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
