"""The share of upkeep that this process carries while it serves (see :mod:`upkeep`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.temporal import TemporalGateway
from observability.logs import get_logger
from storage.engine import Database
from storage.tables import ProcessKind
from upkeep.loops import run_passes
from upkeep.passes import leave, passes_of, this_process

__all__ = ["Upkeep", "running_upkeep"]

_log = get_logger("trunkline.api")


class Upkeep:
    """The running passes of this process."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    @property
    def has_failed(self) -> bool:
        """A pass met a bug and ended: slots and presence are no longer kept, so restart the process."""
        task = self._task
        return task is not None and task.done() and not task.cancelled()

    def start(self, passes: asyncio.Task[None]) -> None:
        """Watch these passes."""
        self._task = passes
        passes.add_done_callback(_report)

    async def stop(self) -> None:
        """End the passes and wait for them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


@asynccontextmanager
async def running_upkeep(
    upkeep: Upkeep, database: Database, temporal: TemporalGateway, *, traffic_days_kept: int
) -> AsyncIterator[None]:
    """Runs the passes beside the block; the process's presence ends with it."""
    process = this_process(ProcessKind.API)
    passes = passes_of(
        process, database, temporal.client_if_near, traffic_days_kept=traffic_days_kept
    )
    upkeep.start(asyncio.create_task(run_passes(passes), name="upkeep"))
    try:
        yield
    finally:
        await upkeep.stop()
        await leave(process, database)


def _report(passes: asyncio.Task[None]) -> None:
    if not passes.cancelled() and passes.exception() is not None:
        _log.critical("upkeep has failed; restart this process", exc_info=passes.exception())
