"""The activity of a trunk as a record, and its start as the relay does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from activities.contracts import AdoptedRevision, TrunkRevision, TrunkStanding, TrunkState
from workflows.names import WORKFLOW_QUEUE, trunk_workflow_id
from workflows.trunk import TrunkWorkflow

__all__ = ["FakeTrunk", "tell"]


class FakeTrunk:
    """Remembers what was adopted."""

    def __init__(self) -> None:
        self.adopted: list[int] = []

    @activity.defn(name="trunk.adopt")
    async def adopt(self, adopted: AdoptedRevision) -> None:
        self.adopted.append(adopted.revision)

    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (self.adopt,)


async def tell(
    client: Client, trunk_id: str, revision: int, *, removed: bool = False
) -> WorkflowHandle[Any, TrunkStanding]:
    """Tell a trunk's workflow of a revision; it begins with the first."""
    return await client.start_workflow(
        TrunkWorkflow.run,
        TrunkState(trunk_id=trunk_id, org_id="org_1"),
        id=trunk_workflow_id(trunk_id),
        task_queue=WORKFLOW_QUEUE,
        start_signal="revised",
        start_signal_args=[TrunkRevision(revision=revision, removed=removed)],
    )
