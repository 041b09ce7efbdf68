"""What the engine does for all its shards together, now and then: look for changes of the
configuration and for calls that ended, write samples, and keep to its share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from time import time
from typing import TYPE_CHECKING, Final

from activities.contracts import WatchEndReason
from activities.health_flush import flush_samples
from activities.health_shards import HeldShard
from domain.health import Observation
from domain.probe_target import SHARDS
from observability.logs import get_logger
from storage import presence
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.health_config import revisions
from storage.health_writes import FenceLost, new_observations
from storage.tables import ProcessKind
from workflows.names import HEALTH_QUEUE

if TYPE_CHECKING:
    from activities.health_engine import HealthEngine

__all__ = ["EngineRounds", "give_up"]

_log = get_logger("trunkline.health")

LOOK_EVERY: Final = 2.0
FLUSH_LOOK_EVERY: Final = 1.0
SHARE_EVERY: Final = 5.0
MEASURE_EVERY: Final = 10.0
"""Seconds."""

FLUSH_RETRY: Final = 10.0

SILENT_AFTER: Final = timedelta(seconds=15)
"""A worker that has not spoken for so long counts as gone: five of its beats."""

GIVEN_UP_PART: Final = 4
"""A fourth of what a worker holds too much is given up at a time: the others may be about to take
less than their share, or it may come back here."""


class EngineRounds:
    """The engine's loops. Use as an async context manager."""

    def __init__(self, engine: HealthEngine, database: Database, *, flush_every: float) -> None:
        self._engine = engine
        self._database = database
        self._flush_every = flush_every
        self._look_now = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> EngineRounds:
        self._task = asyncio.create_task(self._run(), name="health-rounds")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def task(self) -> asyncio.Task[None]:
        """Ends only by a bug, which whoever relies on the engine must hear of."""
        assert self._task is not None
        return self._task

    def look_now(self) -> None:
        """The configuration has changed, as this process knows."""
        self._look_now.set()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._look(), name="health-look")
            loops.create_task(self._flush(), name="health-flush")
            loops.create_task(self._share(), name="health-share")
            loops.create_task(self._measure(), name="health-measure")

    async def _look(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._look_now.wait()
            except TimeoutError:
                pass
            self._look_now.clear()
            if not self._engine.shards:
                continue
            try:
                await self._take_note()
            except DatabaseUnavailable as error:
                _log.warning("changes of the configuration wait", reason=str(error))

    async def _take_note(self) -> None:
        """Raises ``DatabaseUnavailable``."""
        fences = self._engine.fences()
        async with self._database.system() as session:
            known = await revisions(session, list(fences))
            calls = await new_observations(session, fences, datetime.now(UTC))
        for call in calls:
            observation = Observation(
                at=call.at.timestamp(),
                kind=call.kind,
                status=call.status,
                detail=call.detail,
                of_call=True,
            )
            self._engine.loop.heard(call.target_id, observation)
        for number, revision in known.items():
            shard = self._engine.shards.get(number)
            if shard is not None and shard.revision not in (None, revision):
                await self._engine.load(shard)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_LOOK_EVERY)
            now = time()
            for shard in [each for each in self._engine.shards.values() if each.flush_at <= now]:
                await self._flush_one(shard)

    async def _flush_one(self, shard: HeldShard) -> None:
        shard.flush_at = time() + self._flush_every
        try:
            await flush_samples(shard, self._database)
        except DatabaseUnavailable as error:
            shard.flush_at = time() + FLUSH_RETRY
            _log.warning("samples wait", shard=shard.number, reason=str(error))
        except FenceLost as lost:
            self._engine.lost(lost.shards)

    async def _measure(self) -> None:
        while True:
            self._engine.publish()
            await asyncio.sleep(MEASURE_EVERY)

    async def _share(self) -> None:
        while True:
            await asyncio.sleep(SHARE_EVERY)
            # Nobody's share is smaller than one.
            if len(self._engine.shards) < 2:
                continue
            try:
                async with self._database.system() as session:
                    workers = await presence.seen(
                        session,
                        ProcessKind.WORKER,
                        since=datetime.now(UTC) - SILENT_AFTER,
                        task_queue=HEALTH_QUEUE,
                    )
            except DatabaseUnavailable:
                continue
            give_up(list(self._engine.shards.values()), len(workers))


def give_up(held: Sequence[HeldShard], workers: int) -> None:
    """Let some runs end where a process holds more than its share of all shards."""
    too_many = len(held) - ceil(SHARDS / max(workers, 1))
    for shard in held[: ceil(too_many / GIVEN_UP_PART) if too_many > 0 else 0]:
        shard.end(WatchEndReason.SHARE)
