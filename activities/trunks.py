"""A trunk's side effects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities.contracts import (
    AdoptedRevision,
    DrillNote,
    LeftTrunk,
    LookedTrunk,
    PublishedRoute,
    TrunkContract,
    TrunkDecision,
)
from activities.trunk_pictures import decision_of, read_picture
from domain.failover import decide
from domain.failover_commands import Drill, DrillEnd
from domain.trunk_endpoints import endpoints_of
from storage import trunk_routes, trunks
from storage.engine import Database
from storage.health_config import displace, place
from storage.tables import NumberBinding
from storage.trunk_routes import NewDrill

__all__ = ["TrunkActivities"]


@dataclass(frozen=True, slots=True)
class TrunkActivities(TrunkContract):
    """See the contract for what each promises."""

    database: Database

    @activity.defn(name="trunk.adopt")
    async def adopt(self, adopted: AdoptedRevision) -> None:
        await self._place(adopted.org_id, adopted.trunk_id)
        # By itself: who changes the trunk locks its row first and the outbox behind it.
        async with self.database.tenant(adopted.org_id) as session:
            await trunks.adopt(session, adopted.org_id, adopted.trunk_id, adopted.revision)

    @activity.defn(name="trunk.look")
    async def look(self, looked: LookedTrunk) -> TrunkDecision | None:
        # A trunk that was adopted by an earlier release is not among those that are watched.
        await self._place(looked.org_id, looked.trunk_id)
        now = max(datetime.now(UTC), looked.now)
        async with self.database.tenant(looked.org_id) as session:
            picture = await read_picture(session, looked.org_id, looked.trunk_id, now=now)
        if picture is None:
            return None
        return decision_of(decide(picture, looked.commands, looked.failover, now), picture)

    @activity.defn(name="trunk.publish_route")
    async def publish_route(self, published: PublishedRoute) -> None:
        route = published.route
        async with self.database.tenant(published.org_id) as session:
            await trunk_routes.publish(
                session,
                published.org_id,
                published.trunk_id,
                route.generation,
                route.model_dump(mode="json"),
                now=datetime.now(UTC),
            )

    @activity.defn(name="trunk.note_drill")
    async def note_drill(self, note: DrillNote) -> None:
        async with self.database.tenant(note.org_id) as session:
            if note.drill is not None:
                await _begin(session, note, note.drill)
            report = None if note.report is None else note.report.model_dump(mode="json")
            if note.end is not None and note.ended_at is not None:
                await trunk_routes.end_drill(
                    session,
                    note.org_id,
                    note.drill_id,
                    state=note.end.value,
                    ended_at=note.ended_at,
                    report=report,
                )
            elif report is not None:
                await trunk_routes.report_drill(session, note.org_id, note.drill_id, report)

    @activity.defn(name="trunk.leave")
    async def leave(self, left: LeftTrunk) -> None:
        async with self.database.tenant(left.org_id) as session:
            for drill_id in await trunk_routes.open_drills(session, left.org_id, left.trunk_id):
                await trunk_routes.end_drill(
                    session,
                    left.org_id,
                    drill_id,
                    state=DrillEnd.TRUNK_REMOVED.value,
                    ended_at=datetime.now(UTC),
                )
        async with self.database.tenant(left.org_id) as session:
            await displace(session, org_id=left.org_id, trunk_id=left.trunk_id)

    async def _place(self, org_id: str, trunk_id: str) -> None:
        """Have the trunk's endpoints watched as they are configured now."""
        async with self.database.tenant(org_id) as session:
            trunk = await trunks.get(session, org_id, trunk_id)
            if trunk is not None:
                endpoints = endpoints_of(trunks.profile_of(trunk), org_id)
                await place(session, org_id=org_id, trunk_id=trunk_id, endpoints=endpoints)


async def _begin(session: AsyncSession, note: DrillNote, drill: Drill) -> None:
    """Write the drill unless it is there. Its number is the binding's; one that is gone ends the
    drill by itself, since the trunk has a new revision."""
    binding = await session.get(NumberBinding, drill.binding_id)
    if binding is None or binding.trunk_id != note.trunk_id:
        return
    await trunk_routes.start_drill(
        session,
        NewDrill(
            id=drill.drill_id,
            org_id=note.org_id,
            trunk_id=note.trunk_id,
            number=binding.phone_number,
            seconds=round((drill.until - drill.started_at).total_seconds()),
            started_at=drill.started_at,
        ),
    )
