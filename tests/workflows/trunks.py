"""A trunk's workflow in a test: told, ordered and asked as the relay and the API do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.contracts import OrderAnswer, TrunkStanding
from domain.failover_commands import (
    AbortDrill,
    CloseMaintenance,
    FailBack,
    FailOver,
    OpenMaintenance,
    Order,
    Pin,
    StartDrill,
    Unpin,
)
from domain.health_observation import HealthState
from tests.workflows.fake_trunk import FakeTrunk, changed, tell
from tests.workflows.harness import new_worker, time_skipping, unique
from workflows.trunk import TrunkWorkflow

__all__ = ["Trunk", "refusal_of", "running_trunk"]

ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED

UPDATES: dict[type, Any] = {
    FailOver: TrunkWorkflow.fail_over,
    FailBack: TrunkWorkflow.fail_back,
    Pin: TrunkWorkflow.pin,
    Unpin: TrunkWorkflow.unpin,
    OpenMaintenance: TrunkWorkflow.open_maintenance,
    CloseMaintenance: TrunkWorkflow.close_maintenance,
    StartDrill: TrunkWorkflow.start_drill,
    AbortDrill: TrunkWorkflow.abort_drill,
}


@dataclass
class Trunk:
    """One trunk's workflow and its fake activities."""

    client: Client
    fake: FakeTrunk
    environment: WorkflowEnvironment
    trunk_id: str = field(default_factory=lambda: unique("trk"))
    facts: int = 0

    async def told(self, revision: int, *, removed: bool = False) -> WorkflowHandle[Any, Any]:
        """A revision was committed."""
        return await tell(self.client, self.trunk_id, revision, removed=removed)

    async def saw(self, position: int, state: HealthState) -> None:
        """An endpoint changed its state, and the workflow was told."""
        self.fake.states[position] = state
        self.facts += 1
        await changed(self.client, self.trunk_id, self.facts)

    async def order(self, order: Order, *, request_id: str | None = None) -> OrderAnswer:
        """An operator's order."""
        handle = self.client.get_workflow_handle(f"trunk:{self.trunk_id}")
        answer: OrderAnswer = await handle.execute_update(
            UPDATES[type(order)], order, id=request_id
        )
        return answer

    async def standing(self) -> TrunkStanding:
        """Where the workflow stands."""
        handle = self.client.get_workflow_handle(f"trunk:{self.trunk_id}")
        standing: TrunkStanding = await handle.query(TrunkWorkflow.standing)
        return standing

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that the fake sees; the test's own time limit ends it."""
        for _ in iter(int, 1):
            if holds():
                return
            await asyncio.sleep(0.02)

    async def until_ordered(self, count: int) -> None:
        """Wait until the workflow took this many orders."""
        handle = self.client.get_workflow_handle(f"trunk:{self.trunk_id}")
        for _ in iter(int, 1):
            events = (await handle.fetch_history()).events
            taken = [each for each in events if each.event_type == ACCEPTED]
            if len(taken) >= count:
                return
            await asyncio.sleep(0.02)

    async def after(self, **span: float) -> None:
        """Let time pass."""
        await self.environment.sleep(timedelta(**span))


@asynccontextmanager
async def running_trunk(fake: FakeTrunk | None = None) -> AsyncIterator[Trunk]:
    """A trunk that was just made, with its first route published."""
    async with time_skipping() as environment:
        trunk = Trunk(environment.client, fake or FakeTrunk(), environment)
        async with new_worker(environment.client, trunk.fake.all()):
            await trunk.told(1)
            await trunk.until(lambda: bool(trunk.fake.routes))
            yield trunk


def refusal_of(error: WorkflowUpdateFailedError) -> tuple[str | None, tuple[Any, ...]]:
    """Type and details of the error that an order was refused with."""
    cause = error.cause
    assert isinstance(cause, ApplicationError)
    return cause.type, tuple(cause.details)
