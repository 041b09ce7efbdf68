"""The watching of a shard as a script, and the start of its monitor as the relay does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from activities.contracts import (
    MonitorStanding,
    MonitorState,
    WatchedShard,
    WatchEnd,
    WatchEndReason,
    WatchProgress,
)
from workflows.health_monitor import HealthMonitorWorkflow
from workflows.names import WORKFLOW_QUEUE, health_monitor_workflow_id

__all__ = ["FakeHealth", "want"]


class FakeHealth:
    """Runs end for the given reasons, one after the other, and then because the shard is empty.

    ``during`` is awaited within the run of that number, the first being 1.
    """

    def __init__(
        self,
        *ends: WatchEndReason,
        during: Mapping[int, Callable[[], Awaitable[object]]] | None = None,
    ) -> None:
        self._ends = ends
        self._during = during or {}
        self.watched: list[WatchedShard] = []

    @activity.defn(name="health.watch")
    async def watch(self, watched: WatchedShard) -> WatchEnd:
        self.watched.append(watched)
        number = len(self.watched)
        if number in self._during:
            await self._during[number]()
        if number > len(self._ends):
            return WatchEnd(reason=WatchEndReason.EMPTY)
        progress = WatchProgress(probed_until=float(number), in_flight=(f"tgt_{number}",))
        return WatchEnd(reason=self._ends[number - 1], progress=progress, targets=3, probes=30)

    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (self.watch,)


async def want(client: Client, shard: int) -> WorkflowHandle[Any, MonitorStanding]:
    """Say that a shard is to be watched; its monitor begins with the first."""
    return await client.start_workflow(
        HealthMonitorWorkflow.run,
        MonitorState(shard=shard),
        id=health_monitor_workflow_id(shard),
        task_queue=WORKFLOW_QUEUE,
        start_signal="wanted",
    )
