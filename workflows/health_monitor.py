"""HealthMonitor: somebody watches a shard as long as there is something to probe in it.

Promises: one run of the watching activity follows the other, on whichever worker takes it; a worker
that dies costs its heartbeat timeout; the workflow ends when the shard is empty, and never while a
``wanted`` is unheard. What was seen is rows; nothing of it enters the history.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from workflows.names import HEALTH_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        WATCH_GRACE,
        WATCH_HEARTBEAT,
        WATCH_RETRY,
        HealthContract,
        MonitorStanding,
        MonitorState,
        WatchedShard,
        WatchEnd,
        WatchEndReason,
    )

__all__ = ["HealthMonitorWorkflow"]

AFTER_FENCED = timedelta(seconds=5)
"""Two runs that take the shard from each other would fill the history: the later one gets time."""


@workflow.defn(name="HealthMonitor")
class HealthMonitorWorkflow:
    """Signals: ``wanted``. Queries: ``standing``."""

    @workflow.init
    def __init__(self, state: MonitorState) -> None:
        self._state = state

    @workflow.run
    async def run(self, state: MonitorState) -> MonitorStanding:
        """Watch, again and again, until the shard is empty."""
        while True:
            heard = self._state.wanted
            end = await self._watch()
            if end.reason is WatchEndReason.EMPTY and self._state.wanted == heard:
                return self.standing()
            if end.reason is WatchEndReason.FENCED:
                await workflow.sleep(AFTER_FENCED)
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._state)

    @workflow.signal
    def wanted(self) -> None:
        """Something was put into the shard."""
        self._state = self._state.model_copy(update={"wanted": self._state.wanted + 1})

    @workflow.query
    def standing(self) -> MonitorStanding:
        """How often it was wanted, how many runs there were, and how the last one ended."""
        state = self._state
        return MonitorStanding(
            shard=state.shard, wanted=state.wanted, runs=state.runs, last_end=state.last_end
        )

    async def _watch(self) -> WatchEnd:
        state = self._state
        progress = None if state.last_end is None else state.last_end.progress
        end = await workflow.execute_activity_method(
            HealthContract.watch,
            WatchedShard(shard=state.shard, run_for=state.run_for, progress=progress),
            task_queue=HEALTH_QUEUE,
            start_to_close_timeout=state.run_for + WATCH_GRACE,
            heartbeat_timeout=WATCH_HEARTBEAT,
            retry_policy=WATCH_RETRY,
        )
        self._state = self._state.model_copy(update={"runs": self._state.runs + 1, "last_end": end})
        return end
