"""Where the calls of trunks go, as their workflows decided, and rehearsals of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.types.json import Jsonb
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.columns import row_of, storable
from storage.tables import Drill, TrunkRoute

__all__ = [
    "DRILL_RUNNING",
    "NewDrill",
    "drill_of",
    "drills_of",
    "end_drill",
    "open_drills",
    "publish",
    "report_drill",
    "route_of",
    "start_drill",
]

DRILL_RUNNING: Final = "running"


async def publish(
    session: AsyncSession,
    org_id: str,
    trunk_id: str,
    generation: int,
    route: Mapping[str, Any],
    *,
    now: datetime,
) -> bool:
    """Let this be the trunk's route, unless one of this generation or a later one is there.

    Whether it is now the newest. A trunk that is gone has none.
    """
    written = await session.scalar(
        text(
            """
            INSERT INTO trunk_routes AS r (org_id, trunk_id, generation, route, changed_at)
            SELECT org_id, id, :generation, CAST(:route AS jsonb), :now
              FROM trunks WHERE org_id = :org_id AND id = :trunk_id
                ON CONFLICT (org_id, trunk_id) DO UPDATE
               SET generation = excluded.generation, route = excluded.route,
                   changed_at = excluded.changed_at
             WHERE r.generation < excluded.generation
            RETURNING true
            """
        ),
        {
            "org_id": org_id,
            "trunk_id": trunk_id,
            "generation": generation,
            "route": Jsonb(storable(route)),
            "now": now,
        },
    )
    return bool(written)


async def route_of(session: AsyncSession, org_id: str, trunk_id: str) -> TrunkRoute | None:
    """The route that was published last; ``None`` before the first."""
    found: TrunkRoute | None = await session.scalar(
        select(TrunkRoute)
        .where(col(TrunkRoute.org_id) == org_id, col(TrunkRoute.trunk_id) == trunk_id)
        .execution_options(populate_existing=True)
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDrill:
    """A rehearsal that begins: the endpoint counts as dead for calls of ``number``."""

    id: str
    org_id: str
    trunk_id: str
    number: str
    seconds: int
    started_at: datetime


async def start_drill(session: AsyncSession, new: NewDrill) -> None:
    """Write a drill that begins; once more changes nothing."""
    present = await drill_of(session, new.org_id, new.id)
    if present is None:
        session.add(Drill(**row_of(new), state=DRILL_RUNNING))
        await session.flush()


async def report_drill(
    session: AsyncSession, org_id: str, drill_id: str, report: Mapping[str, Any]
) -> None:
    """Write what was found out so far."""
    await session.execute(
        update(Drill)
        .where(col(Drill.org_id) == org_id, col(Drill.id) == drill_id)
        .values(report=dict(report))
        .execution_options(synchronize_session=False)
    )


async def end_drill(
    session: AsyncSession,
    org_id: str,
    drill_id: str,
    *,
    state: str,
    ended_at: datetime,
    report: Mapping[str, Any] | None = None,
) -> bool:
    """Write how a drill ended; whether it was open until now. The first end stays."""
    ended = await session.scalar(
        update(Drill)
        .where(
            col(Drill.org_id) == org_id, col(Drill.id) == drill_id, col(Drill.ended_at).is_(None)
        )
        .values(
            state=state,
            ended_at=ended_at,
            **({} if report is None else {"report": dict(report)}),
        )
        .returning(col(Drill.id))
        .execution_options(synchronize_session=False)
    )
    return ended is not None


async def drill_of(session: AsyncSession, org_id: str, drill_id: str) -> Drill | None:
    """One drill of the organization."""
    found: Drill | None = await session.scalar(
        select(Drill)
        .where(col(Drill.org_id) == org_id, col(Drill.id) == drill_id)
        .execution_options(populate_existing=True)
    )
    return found


async def drills_of(
    session: AsyncSession, org_id: str, trunk_id: str, *, limit: int
) -> list[Drill]:
    """The newest drills of a trunk, the newest first."""
    found = await session.scalars(
        select(Drill)
        .where(col(Drill.org_id) == org_id, col(Drill.trunk_id) == trunk_id)
        .order_by(col(Drill.started_at).desc(), col(Drill.id).desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def open_drills(session: AsyncSession, org_id: str, trunk_id: str) -> tuple[str, ...]:
    """Ids of the trunk's drills whose end is not written, the oldest first."""
    found = await session.scalars(
        select(col(Drill.id))
        .where(
            col(Drill.org_id) == org_id,
            col(Drill.trunk_id) == trunk_id,
            col(Drill.ended_at).is_(None),
        )
        .order_by(col(Drill.started_at), col(Drill.id))
    )
    return tuple(found)
