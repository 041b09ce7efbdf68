"""Split orders: the whole follows its parts, and documents know which orders they are for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting.standing import parent_status
from domain.porting.words import TERMINAL, public_status
from storage.tables import PortOrder

__all__ = ["follow_parts", "lock_documents", "orders_with_document", "parts_of_each"]


async def follow_parts(session: AsyncSession, parent_id: str, *, at: datetime) -> None:
    """Let the row of a split order say how its parts stand, so that lists find it by its status.

    Two parts that change at once wait for each other here.
    """
    held = await session.scalar(
        select(PortOrder)
        .where(col(PortOrder.id) == parent_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if held is None:
        return
    parts = await session.execute(
        select(col(PortOrder.sub_status), col(PortOrder.completed_at)).where(
            col(PortOrder.parent_id) == parent_id
        )
    )
    found = parts.all()
    if not found:
        return
    sub_status = parent_status([row.sub_status for row in found])
    completed = [row.completed_at for row in found if row.completed_at is not None]
    is_over = sub_status in TERMINAL
    await session.execute(
        update(PortOrder)
        .where(col(PortOrder.id) == parent_id)
        .values(
            sub_status=sub_status,
            status=public_status(sub_status),
            completed_at=max(completed, default=None) if is_over else None,
            updated_at=max(at, held.updated_at),
            **({"secrets_sealed": None} if is_over else {}),
        )
        .execution_options(synchronize_session=False)
    )


async def parts_of_each(
    session: AsyncSession, order_ids: Collection[str]
) -> dict[str, list[PortOrder]]:
    """The parts of split orders, in the order they were made; other orders are left out."""
    found: dict[str, list[PortOrder]] = {}
    rows = await session.scalars(
        select(PortOrder)
        .where(col(PortOrder.parent_id).in_(list(order_ids)))
        .order_by(col(PortOrder.created_at), col(PortOrder.id))
    )
    for row in rows:
        found.setdefault(str(row.parent_id), []).append(row)
    return found


async def lock_documents(session: AsyncSession, org_id: str) -> None:
    """Let no document of the organization come, go or be used by another transaction meanwhile."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"documents of {org_id}"},
    )


async def orders_with_document(
    session: AsyncSession, document_id: str, *, limit: int = 5
) -> list[str]:
    """Ids of orders, ended ones too, that the document is for."""
    ids = col(PortOrder.details)["document_ids"]
    found = await session.scalars(
        select(col(PortOrder.id))
        .where(ids.contains([document_id]))
        .order_by(col(PortOrder.created_at), col(PortOrder.id))
        .limit(limit)
    )
    return list(found)
