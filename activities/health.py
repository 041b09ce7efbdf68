"""The health monitor's side effects."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio import activity

from activities.contracts import HealthContract, WatchedShard, WatchEnd, WatchProgress
from activities.health_engine import HealthEngine
from activities.heartbeats import heartbeats

__all__ = ["BEAT_EVERY", "HealthActivities"]

BEAT_EVERY: Final = timedelta(seconds=3)
"""Two may be lost before the timeout. What was begun since the last one is begun again when this
process dies, and nothing else; more of them cost more than the probes of a thousand targets."""


@dataclass(frozen=True, slots=True)
class HealthActivities(HealthContract):
    """See the contract for what it promises."""

    engine: HealthEngine

    @activity.defn(name="health.watch")
    async def watch(self, watched: WatchedShard) -> WatchEnd:
        before = _progress_of_attempt() or watched.progress

        def progress() -> WatchProgress | None:
            return self.engine.progress_of(watched.shard) or before

        stopping = asyncio.ensure_future(activity.wait_for_worker_shutdown())
        try:
            async with heartbeats(progress, every=BEAT_EVERY):
                return await self.engine.watch(watched, progress=before, stopping=stopping)
        finally:
            stopping.cancel()


def _progress_of_attempt() -> WatchProgress | None:
    """How far an earlier attempt of this run came, as it said last."""
    details = activity.info().heartbeat_details
    return WatchProgress.model_validate(details[0]) if details and details[0] else None
