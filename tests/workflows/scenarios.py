"""Runs of workflows that the recorder saves and the replay test repeats.

Recorder and tests use the same scenario with the same fakes, so the histories cannot drift from
what the fakes do. ``python -m tests.workflows.record NAME EPOCH`` writes
``histories/NAME.EPOCH.json``; a file that exists is never recorded again, because it stands for
the workflows that the code of that day left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from domain.discovery_state import DiscoveryStatus, FailureReason
from tests.workflows.harness import new_worker, unique
from workflows.discovery import DISCOVERY_TIMEOUT, DiscoveryWorkflow
from workflows.names import WORKFLOW_QUEUE, discovery_workflow_id

__all__ = ["SCENARIOS", "FakeDiscovery", "Scenario", "start_discovery"]


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


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run: its name, what it protects, and how to drive it to its end."""

    name: str
    covers: str
    activities: Callable[[], Sequence[Callable[..., Any]]]
    commands: tuple[str, ...]
    """Types of the activities that the run must schedule, in order."""

    async def run(self, client: Client) -> WorkflowHandle[Any, Any]:
        """Drive a workflow to its end; its handle."""
        async with new_worker(client, self.activities()):
            handle = await start_discovery(client)
            await handle.result()
            return handle


SCENARIOS = (
    Scenario(
        name="discovery-completed",
        covers="sweep, then conclude",
        activities=FakeDiscovery(SweepOutcome(addresses=1, attempts=9, answered=2)).all,
        commands=("discovery.sweep", "discovery.conclude"),
    ),
    Scenario(
        name="discovery-unresolved",
        covers="a sweep that found no address ends in fail",
        activities=FakeDiscovery(
            SweepOutcome(addresses=0, attempts=0, answered=0, failure=FailureReason.DNS_FAILURE)
        ).all,
        commands=("discovery.sweep", "discovery.fail"),
    ),
    Scenario(
        name="discovery-interrupted",
        covers="a sweep that cannot finish ends in fail",
        activities=FakeDiscovery(None).all,
        commands=("discovery.sweep", "discovery.fail"),
    ),
)
