"""Discovery's activities as a switch, and its start as the API does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.contracts import (
    DiscoveryOrder,
    DiscoveryOutcome,
    FailureReport,
    SweepOutcome,
)
from domain.discovery_state import DiscoveryStatus
from tests.workflows.harness import unique
from workflows.discovery import DISCOVERY_TIMEOUT, DiscoveryWorkflow
from workflows.names import WORKFLOW_QUEUE, discovery_workflow_id

__all__ = ["FakeDiscovery", "start_discovery"]


class FakeDiscovery:
    """Discovery's activities with the outcome of the sweep as a switch."""

    def __init__(self, swept: SweepOutcome | None) -> None:
        self.swept = swept
        self.sweeps = 0
        self.reports: list[FailureReport] = []

    @activity.defn(name="discovery.sweep")
    async def sweep(self, order: DiscoveryOrder) -> SweepOutcome:
        self.sweeps += 1
        if self.swept is None:
            raise ApplicationError("the database is away")
        return self.swept

    @activity.defn(name="discovery.conclude")
    async def conclude(self, order: DiscoveryOrder) -> DiscoveryOutcome:
        answered = self.swept.answered if self.swept is not None else 0
        return DiscoveryOutcome(
            discovery_id=order.discovery_id, status=DiscoveryStatus.COMPLETED, answered=answered
        )

    @activity.defn(name="discovery.fail")
    async def fail(self, report: FailureReport) -> DiscoveryOutcome:
        self.reports.append(report)
        return DiscoveryOutcome(
            discovery_id=report.discovery_id, status=DiscoveryStatus.FAILED, failure=report.reason
        )

    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (self.sweep, self.conclude, self.fail)


async def start_discovery(client: Client) -> WorkflowHandle[Any, DiscoveryOutcome]:
    """Start a discovery as the API does."""
    order = DiscoveryOrder(discovery_id=unique("disc"), org_id=unique("org"))
    return await client.start_workflow(
        DiscoveryWorkflow.run,
        order,
        id=discovery_workflow_id(order.discovery_id),
        task_queue=WORKFLOW_QUEUE,
        execution_timeout=DISCOVERY_TIMEOUT,
    )
