"""Orders as the simulated winning carrier has them. Needs the system scope throughout."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.engine import require_system_scope
from storage.tables import SimulatedPort

__all__ = ["due", "get", "get_for_order", "place", "purge", "save"]


async def place(
    session: AsyncSession,
    carrier_order_id: str,
    order_id: str,
    state: Mapping[str, Any],
    *,
    now: datetime,
) -> bool:
    """Write a new order; false when the carrier has one of this name."""
    require_system_scope(session)
    made = await session.scalar(
        insert(SimulatedPort)
        .values(
            carrier_order_id=carrier_order_id,
            order_id=order_id,
            state=dict(state),
            updated_at=now,
        )
        .on_conflict_do_nothing()
        .returning(col(SimulatedPort.carrier_order_id))
    )
    return made is not None


async def get(
    session: AsyncSession, carrier_order_id: str, *, for_update: bool = False
) -> SimulatedPort | None:
    """The order; with ``for_update`` nobody else changes it meanwhile."""
    require_system_scope(session)
    return await session.get(
        SimulatedPort,
        carrier_order_id,
        with_for_update=for_update or None,
        populate_existing=True,
    )


async def get_for_order(session: AsyncSession, order_id: str) -> SimulatedPort | None:
    """The order by the name that it was placed under."""
    require_system_scope(session)
    found: SimulatedPort | None = await session.scalar(
        select(SimulatedPort)
        .where(col(SimulatedPort.order_id) == order_id)
        .execution_options(populate_existing=True)
    )
    return found


async def save(
    session: AsyncSession,
    row: SimulatedPort,
    state: Mapping[str, Any],
    *,
    webhook_at: datetime | None,
    now: datetime,
) -> None:
    """Write what the carrier knows now of an order that is held."""
    require_system_scope(session)
    row.state = dict(state)
    row.webhook_at = webhook_at
    row.updated_at = now
    session.add(row)
    await session.flush()


async def due(session: AsyncSession, *, now: datetime, limit: int) -> list[SimulatedPort]:
    """Orders whose next webhook is due, held, the first first; those that others hold are left out."""
    require_system_scope(session)
    found = await session.scalars(
        select(SimulatedPort)
        .where(col(SimulatedPort.webhook_at) <= now)
        .order_by(col(SimulatedPort.webhook_at), col(SimulatedPort.carrier_order_id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def purge(session: AsyncSession, *, untouched_since: datetime) -> None:
    """Forget orders that nobody told anything since."""
    require_system_scope(session)
    await session.execute(
        delete(SimulatedPort)
        .where(col(SimulatedPort.updated_at) < untouched_since)
        .execution_options(synchronize_session=False)
    )
