"""A trunk and its activities, on a real database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.contracts import (
    AdoptedRevision,
    DrillNote,
    LeftTrunk,
    LookedTrunk,
    PublishedRoute,
    TrunkDecision,
)
from activities.dependencies import Dependencies
from activities.trunk_pictures import read_picture
from activities.trunks import TrunkActivities
from domain.failover_commands import Commands, Drill
from domain.failover_picture import TrunkPicture
from domain.failover_route import Route
from domain.failover_state import FailoverState
from storage import trunk_routes, trunks
from storage.health_reads import picture_of
from storage.tables import Drill as DrillRow
from tests.storage.factories import add_organization
from tests.storage.failover_trunks import (
    FailoverTrunk,
    add_failover_trunk,
)

A, B, NAME = "192.0.2.1", "192.0.2.2", "sip.example.com"
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
NOTHING = FailoverState()
Result = TypeVar("Result")


class Desk:
    """A trunk and its activities."""

    def __init__(self, dependencies: Dependencies, trunk: FailoverTrunk) -> None:
        self.activities = TrunkActivities(dependencies.database)
        self.database = dependencies.database
        self.trunk = trunk
        self.ids: dict[str, Any] = {"trunk_id": trunk.trunk_id, "org_id": trunk.org_id}

    async def run(self, activity: Callable[..., Awaitable[Result]], order: object) -> Result:
        return await ActivityEnvironment().run(activity, order)

    async def adopt(self, revision: int = 1) -> None:
        await self.run(self.activities.adopt, AdoptedRevision(**self.ids, revision=revision))

    async def look(self, failover: FailoverState = NOTHING) -> TrunkDecision | None:
        order = LookedTrunk(**self.ids, failover=failover, commands=Commands(), now=NOW)
        return await self.run(self.activities.look, order)

    async def picture(self) -> TrunkPicture:
        async with self.database.tenant(self.trunk.org_id) as session:
            found = await read_picture(
                session, self.trunk.org_id, self.trunk.trunk_id, now=datetime.now(UTC)
            )
        assert found is not None
        return found

    async def publish(self, route: Route) -> None:
        order = PublishedRoute(**self.ids, route=route)
        await self.run(self.activities.publish_route, order)

    async def note(self, drill_id: str, **fields: Any) -> None:
        note = DrillNote(**self.ids, drill_id=drill_id, **fields)
        await self.run(self.activities.note_drill, note)

    async def leave(self) -> None:
        await self.run(self.activities.leave, LeftTrunk(**self.ids))

    async def remove(self) -> None:
        async with self.database.system() as session:
            await session.execute(
                text("DELETE FROM number_bindings WHERE trunk_id = :id"),
                {"id": self.trunk.trunk_id},
            )
            await trunks.remove(session, self.trunk.org_id, self.trunk.trunk_id)

    async def watched(self) -> list[str]:
        """Hosts of the trunk's endpoints that are probed."""
        async with self.database.tenant(self.trunk.org_id) as session:
            return [each.identity.host for each in await picture_of(session, self.trunk.trunk_id)]

    async def drill(self, drill_id: str) -> DrillRow | None:
        async with self.database.tenant(self.trunk.org_id) as session:
            return await trunk_routes.drill_of(session, self.trunk.org_id, drill_id)


async def desk_of(dependencies: Dependencies, *hosts: str, **options: Any) -> Desk:
    """A new organization's trunk with these endpoints."""
    org_id = await add_organization(dependencies.database)
    trunk = await add_failover_trunk(
        dependencies.database, dependencies.secret_box, org_id, *hosts, **options
    )
    return Desk(dependencies, trunk)


def a_drill(desk: Desk, drill_id: str, **fields: Any) -> Drill:
    values = {
        "drill_id": drill_id,
        "binding_id": desk.trunk.binding_id,
        "name_id": "nam_0",
        "revision": 1,
        "started_at": NOW,
        "until": NOW + timedelta(seconds=60),
        **fields,
    }
    return Drill.model_validate(values)
