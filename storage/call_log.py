"""What happened in a call: the lines of its timeline and its SIP messages.

Callers import these from ``storage.calls``. Both are written behind a lock on the call's row, so that
their numbers are in the order of the commits: who has read up to one has missed none before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage import sip_messages
from storage.call_admission import CHANNEL
from storage.notify import notify
from storage.sip_messages import NewMessage
from storage.tables import Call, CallEvent, SipMessage

__all__ = ["OWNER_KIND", "NewEvent", "add_event", "add_messages", "events", "messages"]

OWNER_KIND = "call"
"""``owner_kind`` of a call's SIP messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """One line of the timeline: a word of contract section 2, and a sentence for a person."""

    at: datetime
    event: str
    detail: str
    data: Mapping[str, Any] = field(default_factory=dict)


async def add_event(session: AsyncSession, call_id: str, new: NewEvent) -> int | None:
    """Add a line at the end of the timeline, also of a call that has ended.

    Returns its number, ``None`` when there is no such call.
    """
    org_id = await _lock(session, call_id)
    if org_id is None:
        return None
    seq: int | None = await session.scalar(
        insert(CallEvent)
        .values(
            call_id=call_id,
            org_id=org_id,
            at=new.at,
            event=new.event,
            detail=new.detail,
            data=dict(new.data),
        )
        .returning(col(CallEvent.seq))
    )
    await notify(session, CHANNEL, call_id)
    return seq


async def events(
    session: AsyncSession, call_id: str, *, after_seq: int = 0, limit: int | None = None
) -> list[CallEvent]:
    """Events in the order they were written, from after ``after_seq`` on."""
    found = await session.scalars(
        select(CallEvent)
        .where(col(CallEvent.call_id) == call_id, col(CallEvent.seq) > after_seq)
        .order_by(col(CallEvent.seq))
        .limit(limit)
    )
    return list(found)


async def add_messages(session: AsyncSession, call_id: str, batch: Sequence[NewMessage]) -> bool:
    """Write SIP messages of the call and tell those who watch; false when there is no such call."""
    if await _lock(session, call_id) is None:
        return False
    if batch:
        await sip_messages.append(session, batch)
        await notify(session, CHANNEL, call_id)
    return True


async def messages(
    session: AsyncSession, call: Call, *, after_seq: int = 0, limit: int | None = None
) -> list[SipMessage]:
    """SIP messages of the call in the order they were written, from after ``after_seq`` on."""
    return await sip_messages.of_owner(
        session,
        OWNER_KIND,
        call.id,
        since=call.started_at - sip_messages.CLOCKS_APART,
        after_seq=after_seq,
        limit=limit,
    )


async def _lock(session: AsyncSession, call_id: str) -> str | None:
    """Hold the call's row until the transaction ends; its organization."""
    org_id: str | None = await session.scalar(
        select(col(Call.org_id)).where(col(Call.id) == call_id).with_for_update(key_share=True)
    )
    return org_id
