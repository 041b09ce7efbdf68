"""The activities of a test call as a switch, and its start as the API does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from activities import contracts
from activities.heartbeats import heartbeats
from domain.call_state import CallFailure, CallResult, CallStatus
from tests.workflows.harness import unique
from workflows import names, test_call

__all__ = ["FakeTestCall", "hang_up_with_start", "start_test_call"]

Workflow = test_call.TestCallWorkflow


class FakeTestCall:
    """A call that connects; or one that breaks, that lasts until it is hung up, that cannot be
    cleaned up, whose end the peer did not confirm, that no worker got the first ``lost`` times.
    """

    def __init__(
        self,
        *,
        breaks: bool = False,
        lasts: bool = False,
        stays_up: bool = False,
        unconfirmed: bool = False,
        lost: int = 0,
    ) -> None:
        self.breaks = breaks
        self.lasts = lasts
        self.stays_up = stays_up
        self.unconfirmed = unconfirmed
        self.lost = lost
        self.placing = asyncio.Event()
        self.placed = 0
        self.cleaned_up = 0
        self.failures: list[CallFailure] = []

    @activity.defn(name="test_call.place")
    async def place(self, order: contracts.TestCallOrder) -> contracts.TestCallOutcome:
        self.placed += 1
        if self.placed <= self.lost:
            # Like a worker that never got it, as far as the server can tell.
            await asyncio.Event().wait()
        async with heartbeats(lambda: None):
            self.placing.set()
            if self.breaks:
                raise ApplicationError("the database is away")
            if self.lasts:
                await asyncio.Event().wait()
        return contracts.TestCallOutcome(
            call_id=order.call_id,
            status=CallStatus.COMPLETED,
            result=CallResult.CONNECTED,
            sip_code=200,
            left_up=self.unconfirmed,
        )

    @activity.defn(name="test_call.clean_up")
    async def clean_up(self, order: contracts.TestCallOrder) -> contracts.CleanUpOutcome:
        self.cleaned_up += 1
        if self.stays_up:
            raise ApplicationError("the database is away")
        if self.placed <= self.lost:
            return contracts.CleanUpOutcome(untaken=True)
        return contracts.CleanUpOutcome(sent=("BYE",), answers=(200,))

    @activity.defn(name="test_call.fail")
    async def fail(self, failure: contracts.TestCallFailure) -> contracts.TestCallOutcome:
        self.failures.append(failure.reason)
        return contracts.TestCallOutcome(
            call_id=failure.call_id,
            status=CallStatus.FAILED,
            result=CallResult.FAILED,
            interrupted=failure.reason is not CallFailure.CANCELLED,
        )

    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (self.place, self.clean_up, self.fail)


def new_order() -> contracts.TestCallOrder:
    """A call that nobody else asks for."""
    return contracts.TestCallOrder(call_id=unique("tc"), org_id=unique("org"))


async def start_test_call(client: Client) -> WorkflowHandle[Any, contracts.TestCallOutcome]:
    """Start a test call as the API does."""
    order = new_order()
    return await client.start_workflow(
        Workflow.run,
        order,
        id=names.test_call_workflow_id(order.call_id),
        task_queue=names.WORKFLOW_QUEUE,
        execution_timeout=test_call.TEST_CALL_EXPIRY,
    )


async def hang_up_with_start(client: Client) -> WorkflowHandle[Any, contracts.TestCallOutcome]:
    """Start a test call whose first task brings the wish to hang up."""
    order = new_order()
    start = WithStartWorkflowOperation(
        Workflow.run,
        order,
        id=names.test_call_workflow_id(order.call_id),
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        task_queue=names.WORKFLOW_QUEUE,
        execution_timeout=test_call.TEST_CALL_EXPIRY,
    )
    await client.execute_update_with_start_workflow(
        Workflow.hang_up, start_workflow_operation=start
    )
    return await start.workflow_handle()
