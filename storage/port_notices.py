"""Notices about port orders: written with the transition that they tell of, claimed before sending.

Whoever sends one claims it first, so two processes never send the same at once; a claim lapses, so
that one of a process that died is tried again, under the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.columns import row_of
from storage.tables import NoticeChannel, NoticeState, PortNotice

__all__ = ["NewNotice", "add", "claim", "failed", "get", "given_up", "of_order", "pending", "sent"]

_UNDER_WAY = (NoticeState.PENDING, NoticeState.CLAIMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """One message to one recipient; see ``storage.tables.PortNotice``."""

    id: str
    transition_key: str
    channel: NoticeChannel
    recipient: str
    message_id: str
    content: Mapping[str, Any]


async def add(
    session: AsyncSession,
    order_id: str,
    org_id: str,
    notices: Sequence[NewNotice],
    *,
    at: datetime,
) -> int:
    """Write notices down, due at once; those whose transition was told before are left out.

    Returns how many were written.
    """
    if not notices:
        return 0
    rows = [
        row_of(each)
        | {
            "content": dict(each.content),
            "order_id": order_id,
            "org_id": org_id,
            "state": NoticeState.PENDING,
            "created_at": at,
            "next_at": at,
        }
        for each in notices
    ]
    added = await session.scalars(
        insert(PortNotice)
        .values(rows)
        .on_conflict_do_nothing(constraint="port_notices_once")
        .returning(col(PortNotice.id))
    )
    return len(added.all())


async def get(session: AsyncSession, notice_id: str) -> PortNotice | None:
    """The notice."""
    return await session.get(PortNotice, notice_id, populate_existing=True)


async def of_order(session: AsyncSession, order_id: str) -> list[PortNotice]:
    """Every notice about the order, in the order they were written."""
    found = await session.scalars(
        select(PortNotice)
        .where(col(PortNotice.order_id) == order_id)
        .order_by(col(PortNotice.created_at), col(PortNotice.id))
    )
    return list(found)


async def pending(session: AsyncSession, order_id: str) -> list[PortNotice]:
    """Notices that are neither sent nor given up, the next one first."""
    found = await session.scalars(
        select(PortNotice)
        .where(col(PortNotice.order_id) == order_id, col(PortNotice.state).in_(_UNDER_WAY))
        .order_by(col(PortNotice.next_at), col(PortNotice.id))
    )
    return list(found)


async def claim(
    session: AsyncSession, notice_id: str, *, now: datetime, lapses_at: datetime
) -> PortNotice | None:
    """Take a notice that is due, until ``lapses_at``; its ``attempts`` count this one.

    ``None`` when it is not due, is being sent by somebody, or is over.
    """
    claimed: PortNotice | None = await session.scalar(
        update(PortNotice)
        .where(
            col(PortNotice.id) == notice_id,
            col(PortNotice.state).in_(_UNDER_WAY),
            or_(col(PortNotice.next_at).is_(None), col(PortNotice.next_at) <= now),
        )
        .values(
            state=NoticeState.CLAIMED,
            attempts=col(PortNotice.attempts) + 1,
            next_at=lapses_at,
        )
        .returning(PortNotice)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return claimed


async def sent(session: AsyncSession, notice: PortNotice, *, now: datetime) -> bool:
    """Note that a claimed notice was sent; false when the claim is no longer ours."""
    return await _end(session, notice, state=NoticeState.SENT, next_at=None, ended_at=now)


async def failed(
    session: AsyncSession, notice: PortNotice, *, error: str, next_at: datetime
) -> bool:
    """Note that a claimed notice could not be sent and when to try again; false as in ``sent``."""
    return await _end(session, notice, state=NoticeState.PENDING, next_at=next_at, last_error=error)


async def given_up(session: AsyncSession, notice: PortNotice, *, error: str, now: datetime) -> bool:
    """Note that a claimed notice is not tried again; false as in ``sent``."""
    return await _end(
        session, notice, state=NoticeState.GIVEN_UP, next_at=None, ended_at=now, last_error=error
    )


async def _end(session: AsyncSession, notice: PortNotice, **values: Any) -> bool:
    # ``attempts`` tells this claim from one that somebody else took after it had lapsed.
    changed = await session.scalar(
        update(PortNotice)
        .where(
            col(PortNotice.id) == notice.id,
            col(PortNotice.state) == NoticeState.CLAIMED,
            col(PortNotice.attempts) == notice.attempts,
        )
        .values(**values)
        .returning(col(PortNotice.id))
        .execution_options(synchronize_session=False)
    )
    return changed is not None
