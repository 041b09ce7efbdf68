"""TestCall: one real call to a customer's trunk, within two minutes.

Promises: the call is placed at most once, whatever dies; the row ends exactly once; a leg that a
dead worker left up is ended by the next worker that runs.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TimeoutError,
    TimeoutType,
)

from workflows.names import CALLS_QUEUE, WORKFLOW_QUEUE, ErrorType

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        CLEAN_UP_LIMITS,
        CONCLUDE_LIMITS,
        PLACE_LIMITS,
        START_PATIENCE,
        TestCallContract,
        TestCallFailure,
        TestCallOrder,
        TestCallOutcome,
    )
    from domain.call_state import CallFailure

__all__ = ["TEST_CALL_EXPIRY", "TEST_CALL_TIMEOUT", "TestCallWorkflow"]

TEST_CALL_TIMEOUT = timedelta(minutes=3)
"""Longest life with a worker: 20 s to find it, 115 s for the call, 24 s to clean up, 12 s to conclude.
The row is closed then, whoever is there."""

TEST_CALL_EXPIRY = timedelta(hours=1)
"""Execution timeout. When all workers went away with a call, the first that is back within the hour
ends what may be up; a peer that is sent no media for longer has let go by itself."""


@workflow.defn(name="TestCall")
class TestCallWorkflow:
    """Updates: ``hang_up``. Progress is rows, written by the activity as the call goes on."""

    @workflow.init
    def __init__(self, order: TestCallOrder) -> None:
        self._order = order
        self._placing: workflow.ActivityHandle[TestCallOutcome] | None = None
        self._hung_up = False
        self._over = False

    @workflow.run
    async def run(self, order: TestCallOrder) -> TestCallOutcome:
        """Place the call; when its activity cannot finish, end what is up and fail the row."""
        outcome = await self._call()
        self._over = True
        return outcome

    @workflow.update
    def hang_up(self) -> None:
        """End the call; the row says when it has ended. A second time changes nothing."""
        if self._placing is not None and not self._hung_up:
            self._placing.cancel()
        self._hung_up = True

    @hang_up.validator
    def _check_hang_up(self) -> None:
        if self._over:
            raise ApplicationError("the call is over", type=ErrorType.TEST_CALL_OVER)

    async def _call(self) -> TestCallOutcome:
        give_up = workflow.now() + START_PATIENCE
        while not self._hung_up:  # An update can be there before the first task.
            placed = await self._place(within=give_up - workflow.now())
            if isinstance(placed, TestCallOutcome):
                if placed.left_up:
                    await self._clean_up()
                return placed
            if placed is CallFailure.NOT_STARTED:
                return await self._fail(placed)
            untaken = await self._clean_up()
            if placed is not CallFailure.INTERRUPTED or not untaken:
                return await self._fail(placed)
            # Temporal counted the activity as started, but no worker got it: a server under load
            # loses a task that it hands over. The row was never taken, so this is no second call.
            if workflow.now() >= give_up:
                return await self._fail(CallFailure.NOT_STARTED)
        return await self._fail(CallFailure.CANCELLED)

    async def _place(self, *, within: timedelta) -> TestCallOutcome | CallFailure:
        self._placing = workflow.start_activity_method(
            TestCallContract.place,
            self._order,
            task_queue=CALLS_QUEUE,
            schedule_to_start_timeout=within,
            schedule_to_close_timeout=PLACE_LIMITS.schedule_to_close,
            start_to_close_timeout=PLACE_LIMITS.start_to_close,
            heartbeat_timeout=PLACE_LIMITS.heartbeat,
            retry_policy=PLACE_LIMITS.retry,
            # It hangs up before it ends: only then is there nothing left to clean up.
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        try:
            return await self._placing
        except ActivityError as error:
            return _failure_of(error)

    async def _clean_up(self) -> bool:
        """Whether the call was never begun, so that nothing can be up."""
        try:
            cleaned = await workflow.execute_activity_method(
                TestCallContract.clean_up,
                self._order,
                task_queue=CALLS_QUEUE,
                schedule_to_close_timeout=CLEAN_UP_LIMITS.schedule_to_close,
                start_to_close_timeout=CLEAN_UP_LIMITS.start_to_close,
                heartbeat_timeout=CLEAN_UP_LIMITS.heartbeat,
                retry_policy=CLEAN_UP_LIMITS.retry,
            )
        except ActivityError as error:
            workflow.logger.error("no clean-up of a test call", exc_info=error)
            return False
        return cleaned.untaken

    async def _fail(self, reason: CallFailure) -> TestCallOutcome:
        return await workflow.execute_activity_method(
            TestCallContract.fail,
            TestCallFailure(call_id=self._order.call_id, org_id=self._order.org_id, reason=reason),
            task_queue=WORKFLOW_QUEUE,
            schedule_to_close_timeout=CONCLUDE_LIMITS.schedule_to_close,
            start_to_close_timeout=CONCLUDE_LIMITS.start_to_close,
            retry_policy=CONCLUDE_LIMITS.retry,
        )


def _failure_of(error: ActivityError) -> CallFailure:
    match error.cause:
        case CancelledError():
            return CallFailure.CANCELLED
        case TimeoutError(type=TimeoutType.SCHEDULE_TO_START):
            return CallFailure.NOT_STARTED
        case _:
            return CallFailure.INTERRUPTED
