"""ConnectionTest: one OPTIONS to a trunk's endpoint, for somebody who waits for the answer.

Promises: it ends within ``CONNECTION_TEST_TIMEOUT`` and always with an outcome; a worker that dies
under it makes the test ``interrupted``, not repeated.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows.names import DISCOVERY_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        CHECK_LIMITS,
        ConnectionTestContract,
        ConnectionTestOrder,
        ConnectionTestOutcome,
    )
    from domain.connection_test import ConnectionProblem

__all__ = ["CONNECTION_TEST_TIMEOUT", "ConnectionTestWorkflow"]

CONNECTION_TEST_TIMEOUT = timedelta(seconds=15)
"""The activity's nine seconds, and room for a worker that is busy."""


@workflow.defn(name="ConnectionTest")
class ConnectionTestWorkflow:
    """No messages: whoever started it awaits its result."""

    @workflow.run
    async def run(self, order: ConnectionTestOrder) -> ConnectionTestOutcome:
        """Check once."""
        try:
            return await workflow.execute_activity_method(
                ConnectionTestContract.check,
                order,
                task_queue=DISCOVERY_QUEUE,
                schedule_to_close_timeout=CHECK_LIMITS.schedule_to_close,
                start_to_close_timeout=CHECK_LIMITS.start_to_close,
                retry_policy=CHECK_LIMITS.retry,
            )
        except ActivityError:
            return ConnectionTestOutcome(problem=ConnectionProblem.INTERRUPTED)
