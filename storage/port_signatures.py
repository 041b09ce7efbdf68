"""How a letter is signed: one-time links to it, and the hash-chained trail of what happened.

Links are found by the hash of their token in a system session: whoever opens one has no key, and the
link says whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting import signature_trail
from domain.porting.signature_trail import TrailEntry, TrailEvent
from storage.columns import storable
from storage.tables import PortLoa, PortOrder, PortSignatureEvent, PortSignatureLink

__all__ = [
    "NewLink",
    "append",
    "find",
    "invalidate",
    "issue",
    "links_of",
    "open_link",
    "trail",
    "use",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link to mail; ``token_sha256`` is in hexadecimal."""

    token_sha256: str
    loa_id: str
    email: str
    created_at: datetime
    expires_at: datetime


async def issue(session: AsyncSession, new: NewLink) -> PortSignatureLink | None:
    """Write a link, and let the order's older ones be invalid; ``None`` when there is no such letter.

    A link with the same token is not written again.
    """
    found = await session.execute(
        select(col(PortLoa.order_id), col(PortLoa.org_id)).where(col(PortLoa.id) == new.loa_id)
    )
    loa = found.one_or_none()
    if loa is None:
        return None
    await session.execute(
        select(col(PortOrder.id))
        .where(col(PortOrder.id) == loa.order_id)
        .with_for_update(key_share=True)
    )
    known = await find(session, new.token_sha256)
    if known is not None:
        return known
    await invalidate(session, loa.order_id, now=new.created_at)
    made: PortSignatureLink | None = await session.scalar(
        insert(PortSignatureLink)
        .values(
            token_sha256=new.token_sha256,
            order_id=loa.order_id,
            loa_id=new.loa_id,
            org_id=loa.org_id,
            email=new.email,
            created_at=new.created_at,
            expires_at=new.expires_at,
        )
        .returning(PortSignatureLink)
    )
    return made


async def invalidate(session: AsyncSession, order_id: str, *, now: datetime) -> int:
    """Let no link of the order be used from now on; how many could have been."""
    gone = await session.scalars(
        update(PortSignatureLink)
        .where(
            col(PortSignatureLink.order_id) == order_id,
            col(PortSignatureLink.invalidated_at).is_(None),
            col(PortSignatureLink.used_at).is_(None),
        )
        .values(invalidated_at=now)
        .returning(col(PortSignatureLink.token_sha256))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


async def find(session: AsyncSession, token_sha256: str) -> PortSignatureLink | None:
    """The link, usable or not: a page says which of the two, and why."""
    return await session.get(PortSignatureLink, token_sha256, populate_existing=True)


async def links_of(session: AsyncSession, order_id: str) -> list[PortSignatureLink]:
    """The order's links, in the order they were issued."""
    found = await session.scalars(
        select(PortSignatureLink)
        .where(col(PortSignatureLink.order_id) == order_id)
        .order_by(col(PortSignatureLink.created_at), col(PortSignatureLink.token_sha256))
        .execution_options(populate_existing=True)
    )
    return list(found)


async def open_link(session: AsyncSession, token_sha256: str, *, now: datetime) -> bool:
    """Note that a usable link was opened; true the first time only."""
    opened = await session.scalar(
        update(PortSignatureLink)
        .where(*_usable(token_sha256, now), col(PortSignatureLink.opened_at).is_(None))
        .values(opened_at=now)
        .returning(col(PortSignatureLink.token_sha256))
        .execution_options(synchronize_session=False)
    )
    return opened is not None


async def use(
    session: AsyncSession, token_sha256: str, *, now: datetime
) -> PortSignatureLink | None:
    """Take the one use that a link has; ``None`` when it has none: it was used before, is invalid, has
    expired or does not exist. The use is given back when the transaction fails."""
    used: PortSignatureLink | None = await session.scalar(
        update(PortSignatureLink)
        .where(*_usable(token_sha256, now))
        .values(used_at=now)
        .returning(PortSignatureLink)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return used


async def append(session: AsyncSession, loa_id: str, event: TrailEvent) -> TrailEntry | None:
    """Add the event at the end of the letter's trail; nobody else adds to it meanwhile.

    ``None`` when there is no such letter.
    """
    found = await session.execute(
        select(col(PortLoa.order_id), col(PortLoa.org_id)).where(col(PortLoa.id) == loa_id)
    )
    loa = found.one_or_none()
    if loa is None:
        return None
    await session.execute(_LOCK, {"name": f"signature trail of {loa_id}"})
    last = await session.scalar(
        select(PortSignatureEvent)
        .where(col(PortSignatureEvent.loa_id) == loa_id)
        .order_by(col(PortSignatureEvent.seq).desc())
        .limit(1)
    )
    # Hashed as it will be read: a browser's name may hold what PostgreSQL does not store.
    stored = TrailEvent.model_validate(storable(event.model_dump(mode="json")))
    entry = signature_trail.append(None if last is None else _entry_of(last), stored)
    await session.execute(
        insert(PortSignatureEvent).values(
            loa_id=loa_id,
            order_id=loa.order_id,
            org_id=loa.org_id,
            seq=entry.seq,
            at=entry.event.at,
            action=entry.event.action.value,
            event=entry.event.model_dump(mode="json"),
            previous=entry.previous,
            hash=entry.hash,
        )
    )
    return entry


async def trail(session: AsyncSession, loa_id: str) -> list[TrailEntry]:
    """The letter's trail from its beginning on, to be verified by ``signature_trail.first_break``."""
    rows = await session.scalars(
        select(PortSignatureEvent)
        .where(col(PortSignatureEvent.loa_id) == loa_id)
        .order_by(col(PortSignatureEvent.seq))
    )
    return [_entry_of(row) for row in rows]


def _entry_of(row: PortSignatureEvent) -> TrailEntry:
    return TrailEntry(
        seq=row.seq,
        event=TrailEvent.model_validate(row.event),
        previous=row.previous,
        hash=row.hash,
    )


def _usable(token_sha256: str, now: datetime) -> tuple[Any, ...]:
    return (
        col(PortSignatureLink.token_sha256) == token_sha256,
        col(PortSignatureLink.used_at).is_(None),
        col(PortSignatureLink.invalidated_at).is_(None),
        col(PortSignatureLink.expires_at) > now,
    )


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
