"""Discovery: find the settings of one SIP endpoint within a minute.

Promises: at most one runs per organization (the row's slot, not this workflow, guards that); the
row ends ``completed`` or ``failed`` exactly once; a worker that dies costs seconds, not the result.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows.names import DISCOVERY_QUEUE, WORKFLOW_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        CONCLUDE_LIMITS,
        SWEEP_LIMITS,
        DiscoveryContract,
        DiscoveryOrder,
        DiscoveryOutcome,
        FailureReport,
        SweepOutcome,
    )
    from domain.discovery_state import FailureReason

__all__ = ["DISCOVERY_TIMEOUT", "DiscoveryWorkflow"]

DISCOVERY_TIMEOUT = timedelta(seconds=60)
"""Longest life of a discovery: 45 s of sweep, 12 s to conclude, and room for scheduling."""


@workflow.defn(name="Discovery")
class DiscoveryWorkflow:
    """No messages: progress is rows, written by the sweep as each attempt ends."""

    @workflow.init
    def __init__(self, order: DiscoveryOrder) -> None:
        self._order = order

    @workflow.run
    async def run(self, order: DiscoveryOrder) -> DiscoveryOutcome:
        """Sweep, then conclude; a sweep that cannot finish ends the row as failed."""
        swept = await self._sweep()
        if swept is None:
            return await self._fail(FailureReason.INTERRUPTED)
        if swept.failure is not None:
            return await self._fail(swept.failure)
        return await self._conclude()

    async def _sweep(self) -> SweepOutcome | None:
        try:
            return await workflow.execute_activity_method(
                DiscoveryContract.sweep,
                self._order,
                task_queue=DISCOVERY_QUEUE,
                schedule_to_close_timeout=SWEEP_LIMITS.schedule_to_close,
                start_to_close_timeout=SWEEP_LIMITS.start_to_close,
                heartbeat_timeout=SWEEP_LIMITS.heartbeat,
                retry_policy=SWEEP_LIMITS.retry,
            )
        except ActivityError:
            return None

    async def _conclude(self) -> DiscoveryOutcome:
        return await workflow.execute_activity_method(
            DiscoveryContract.conclude,
            self._order,
            task_queue=WORKFLOW_QUEUE,
            schedule_to_close_timeout=CONCLUDE_LIMITS.schedule_to_close,
            start_to_close_timeout=CONCLUDE_LIMITS.start_to_close,
            retry_policy=CONCLUDE_LIMITS.retry,
        )

    async def _fail(self, reason: FailureReason) -> DiscoveryOutcome:
        return await workflow.execute_activity_method(
            DiscoveryContract.fail,
            FailureReport(
                discovery_id=self._order.discovery_id, org_id=self._order.org_id, reason=reason
            ),
            task_queue=WORKFLOW_QUEUE,
            schedule_to_close_timeout=CONCLUDE_LIMITS.schedule_to_close,
            start_to_close_timeout=CONCLUDE_LIMITS.start_to_close,
            retry_policy=CONCLUDE_LIMITS.retry,
        )
