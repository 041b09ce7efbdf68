"""The activities of a trunk as a record over a trunk that a test changes, and its start as the relay
does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from activities.contracts import (
    AdoptedRevision,
    DrillNote,
    LeftTrunk,
    LookedTrunk,
    PublishedRoute,
    TrunkDecision,
    TrunkFacts,
    TrunkRevision,
    TrunkStanding,
    TrunkState,
)
from activities.trunk_pictures import decision_of
from domain.failover import decide
from domain.failover_picture import EndpointPicture, FailoverRules, TrunkPicture
from domain.failover_route import Route
from domain.health_observation import HealthState
from tests.domain.failovers import endpoint, target
from workflows.names import WORKFLOW_QUEUE, trunk_workflow_id
from workflows.trunk import TrunkWorkflow

__all__ = ["FakeTrunk", "changed", "tell"]


class FakeTrunk:
    """Remembers what was adopted, published and noted; ``states`` are those of its endpoints."""

    def __init__(self, *states: HealthState, rules: FailoverRules | None = None) -> None:
        self.states = list(states or (HealthState.HEALTHY, HealthState.HEALTHY))
        self.rules = rules or FailoverRules(enabled=True)
        self.revision = 1
        self.gone = False
        self.open_drills: tuple[str, ...] = ()
        self.adopted: list[int] = []
        self.looks = 0
        self.routes: list[Route] = []
        self.notes: list[DrillNote] = []
        self.left = 0
        self.publishing = asyncio.Event()
        self.publishing.set()
        self.looking = asyncio.Event()
        self.looking.set()

    @property
    def endpoints(self) -> tuple[EndpointPicture, ...]:
        """The endpoints, each with one address."""
        return tuple(
            endpoint(position, target(f"192.0.2.{position + 1}", state, since=None))
            for position, state in enumerate(self.states)
        )

    @property
    def position(self) -> int | None:
        """Where calls go."""
        active = self.routes[-1].active if self.routes else None
        return None if active is None else active.position

    @activity.defn(name="trunk.adopt")
    async def adopt(self, adopted: AdoptedRevision) -> None:
        self.adopted.append(adopted.revision)
        self.revision = adopted.revision

    @activity.defn(name="trunk.look")
    async def look(self, looked: LookedTrunk) -> TrunkDecision | None:
        self.looks += 1
        await self.looking.wait()
        if self.gone:
            return None
        picture = TrunkPicture(
            revision=self.revision,
            failover=self.rules,
            endpoints=self.endpoints,
            generation=self.routes[-1].generation if self.routes else 0,
            open_drills=self.open_drills,
        )
        # The server's clock jumps, and this process' own does not.
        decision = decide(picture, looked.commands, looked.failover, looked.now)
        return decision_of(decision, picture)

    @activity.defn(name="trunk.publish_route")
    async def publish_route(self, published: PublishedRoute) -> None:
        await self.publishing.wait()
        self.routes.append(published.route)

    @activity.defn(name="trunk.note_drill")
    async def note_drill(self, note: DrillNote) -> None:
        self.notes.append(note)
        self.open_drills = tuple(each for each in self.open_drills if each != note.drill_id)

    @activity.defn(name="trunk.leave")
    async def leave(self, left: LeftTrunk) -> None:
        self.left += 1

    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (self.adopt, self.look, self.publish_route, self.note_drill, self.leave)


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


async def changed(client: Client, trunk_id: str, seq: int) -> WorkflowHandle[Any, TrunkStanding]:
    """Tell a trunk's workflow that something was seen."""
    return await client.start_workflow(
        TrunkWorkflow.run,
        TrunkState(trunk_id=trunk_id, org_id="org_1"),
        id=trunk_workflow_id(trunk_id),
        task_queue=WORKFLOW_QUEUE,
        start_signal="facts_changed",
        start_signal_args=[TrunkFacts(seq=seq)],
    )
