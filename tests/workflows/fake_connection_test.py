"""The activity of a connection test as a switch, and its start as the API does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.contracts import ConnectionTestOrder, ConnectionTestOutcome
from tests.workflows.harness import unique
from workflows.connection_test import CONNECTION_TEST_TIMEOUT, ConnectionTestWorkflow
from workflows.names import WORKFLOW_QUEUE, connection_test_workflow_id

__all__ = ["FakeConnectionTest", "start_connection_test"]


class FakeConnectionTest:
    """Has the outcome that it is given; without one the activity breaks."""

    def __init__(self, outcome: ConnectionTestOutcome | None) -> None:
        self.outcome = outcome
        self.orders: list[ConnectionTestOrder] = []

    @activity.defn(name="connection_test.check")
    async def check(self, order: ConnectionTestOrder) -> ConnectionTestOutcome:
        self.orders.append(order)
        if self.outcome is None:
            raise ApplicationError("the database is away")
        return self.outcome

    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (self.check,)


async def start_connection_test(client: Client) -> WorkflowHandle[Any, ConnectionTestOutcome]:
    """Start a connection test as the API does."""
    order = ConnectionTestOrder(trunk_id=unique("trk"), org_id=unique("org"))
    return await client.start_workflow(
        ConnectionTestWorkflow.run,
        order,
        id=connection_test_workflow_id(order.trunk_id, 1),
        task_queue=WORKFLOW_QUEUE,
        execution_timeout=CONNECTION_TEST_TIMEOUT,
    )
