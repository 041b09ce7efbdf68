"""Test calls that a number placed while a drill of its trunk lasted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.tables import Call, Drill

__all__ = ["calls_of_drill"]


async def calls_of_drill(
    session: AsyncSession, drill: Drill, *, until: datetime, limit: int
) -> list[Call]:
    """The calls by the drill's trunk from its number that began before ``until``, the first first."""
    found = await session.scalars(
        select(Call)
        .where(
            col(Call.org_id) == drill.org_id,
            col(Call.trunk_id) == drill.trunk_id,
            col(Call.number) == drill.number,
            col(Call.started_at) >= drill.started_at,
            col(Call.started_at) < until,
        )
        .order_by(col(Call.started_at), col(Call.id))
        .limit(limit)
    )
    return list(found)
