"""What happened to port orders, for people: transitions, carriers' words, comments.

Entries are written while the order's row is held, so that their numbers are in the order of the
commits: who has read up to one has missed none before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting.words import SubStatus
from storage.columns import row_of
from storage.notify import notify
from storage.tables import PortOrder, PortTimelineEntry

__all__ = ["CHANNEL", "COMMENT", "NewEntry", "add", "comment", "page"]

CHANNEL: Final = "port"
"""``topic(CHANNEL, order_id)`` is notified when an order was projected or has new entries."""

COMMENT: Final = "comment"
"""Kind of an entry that a person wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """One entry; see ``storage.tables.PortTimelineEntry``. An order has one with this ``entry_key``."""

    entry_key: str
    at: datetime
    kind: str
    actor: str
    text: str
    raw: str | None = None
    from_sub_status: SubStatus | None = None
    to_sub_status: SubStatus | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    public: bool = True


async def add(session: AsyncSession, order_id: str, entries: Sequence[NewEntry]) -> int | None:
    """Add those entries that the order does not have yet; how many they were.

    ``None`` when there is no such order.
    """
    org_id: str | None = await session.scalar(
        select(col(PortOrder.org_id))
        .where(col(PortOrder.id) == order_id)
        .with_for_update(key_share=True)
    )
    if org_id is None:
        return None
    if not entries:
        return 0
    rows = [
        row_of(each) | {"data": dict(each.data), "order_id": order_id, "org_id": org_id}
        for each in entries
    ]
    added = await session.scalars(
        insert(PortTimelineEntry)
        .values(rows)
        .on_conflict_do_nothing(constraint="port_timeline_once")
        .returning(col(PortTimelineEntry.id))
    )
    number = len(added.all())
    if number:
        await notify(session, CHANNEL, order_id)
    return number


async def comment(
    session: AsyncSession,
    order_id: str,
    *,
    comment_id: str,
    text: str,
    actor: str,
    public: bool,
    at: datetime,
) -> bool:
    """Add what a person wrote, once for each ``comment_id``; false when there is no such order.

    One that is not ``public`` is among operators.
    """
    new = NewEntry(
        entry_key=f"{COMMENT}:{comment_id}",
        at=at,
        kind=COMMENT,
        actor=actor,
        text=text,
        public=public,
    )
    return await add(session, order_id, [new]) is not None


async def page(
    session: AsyncSession,
    order_id: str,
    *,
    limit: int,
    after: int = 0,
    public_only: bool = True,
) -> list[PortTimelineEntry]:
    """Entries in the order they were written, from behind the one with the number ``after``."""
    query = select(PortTimelineEntry).where(
        col(PortTimelineEntry.order_id) == order_id, col(PortTimelineEntry.id) > after
    )
    if public_only:
        query = query.where(col(PortTimelineEntry.public))
    return list(await session.scalars(query.order_by(col(PortTimelineEntry.id)).limit(limit)))
