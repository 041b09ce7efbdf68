"""How a long activity hears that it should come to its end, and ends what it began before it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from temporalio import activity

__all__ = ["outlasting", "set_on_shutdown"]

Result = TypeVar("Result")


@asynccontextmanager
async def set_on_shutdown(stop: asyncio.Event) -> AsyncIterator[None]:
    """Set ``stop`` as soon as the worker begins to drain while the block runs."""

    async def watch() -> None:
        await activity.wait_for_worker_shutdown()
        stop.set()

    watching = asyncio.create_task(watch(), name="worker-shutdown")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def outlasting(work: Coroutine[Any, Any, Result], end: asyncio.Event) -> Result:
    """The result of ``work``. A cancellation sets ``end`` and is raised once ``work`` has ended.

    A second cancellation, or that of a worker whose grace period is over, cancels ``work`` itself.
    """
    working = asyncio.create_task(work, name="outlasting")
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        end.set()
        details = activity.cancellation_details()
        if details is not None and details.worker_shutdown:
            working.cancel()
        await working
        raise
