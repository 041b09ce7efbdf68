"""Letters of authorization: one after the other for an order, of which the newest counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting.loa_text import LoaContent
from storage.tables import PortLoa, PortOrder

__all__ = ["NewLetter", "add", "content_of", "decline", "get", "newest", "of_order", "sign"]

_CONTENT: Final = TypeAdapter(LoaContent)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLetter:
    """A letter that was made and stored. ``revision`` is that of the order's workflow, from 1 on."""

    id: str
    order_id: str
    revision: int
    content: LoaContent
    unsigned_sha256: str
    unsigned_key: str
    created_at: datetime


def content_of(loa: PortLoa) -> LoaContent:
    """What the letter says, and what is disclosed before it is signed."""
    return _CONTENT.validate_python(loa.content)


async def add(session: AsyncSession, new: NewLetter) -> PortLoa | None:
    """Write the letter, which takes the place of those before; the order's letter of this revision.

    When there is one of this revision it stays as it is, so a repetition changes nothing. ``None``
    when there is no such order.
    """
    org_id = await _lock(session, new.order_id)
    if org_id is None:
        return None
    found = await session.scalar(
        select(PortLoa).where(
            col(PortLoa.order_id) == new.order_id, col(PortLoa.revision) == new.revision
        )
    )
    if found is not None:
        return found
    await session.execute(
        update(PortLoa)
        .where(
            col(PortLoa.order_id) == new.order_id,
            col(PortLoa.revision) < new.revision,
            col(PortLoa.superseded_at).is_(None),
        )
        .values(superseded_at=new.created_at)
        .execution_options(synchronize_session=False)
    )
    made: PortLoa | None = await session.scalar(
        insert(PortLoa)
        .values(
            id=new.id,
            order_id=new.order_id,
            org_id=org_id,
            revision=new.revision,
            template_version=new.content.template_version,
            content=_CONTENT.dump_python(new.content, mode="json"),
            unsigned_sha256=new.unsigned_sha256,
            unsigned_key=new.unsigned_key,
            created_at=new.created_at,
        )
        .returning(PortLoa)
    )
    return made


async def get(session: AsyncSession, loa_id: str) -> PortLoa | None:
    """The letter, in any scope that sees it."""
    return await session.get(PortLoa, loa_id, populate_existing=True)


async def newest(session: AsyncSession, order_id: str) -> PortLoa | None:
    """The order's letter that counts."""
    found = await of_order(session, order_id)
    return found[-1] if found else None


async def of_order(session: AsyncSession, order_id: str) -> list[PortLoa]:
    """The order's letters by revision."""
    found = await session.scalars(
        select(PortLoa)
        .where(col(PortLoa.order_id) == order_id)
        .order_by(col(PortLoa.revision))
        .execution_options(populate_existing=True)
    )
    return list(found)


async def sign(
    session: AsyncSession, loa_id: str, *, sha256: str, stored_key: str, now: datetime
) -> PortLoa | None:
    """Note that the letter was signed, and where the sealed one is; ``None`` when it is not open.

    A letter is open until it is signed, declined, or superseded by a newer one.
    """
    return await _close(session, loa_id, signed_at=now, signed_sha256=sha256, signed_key=stored_key)


async def decline(session: AsyncSession, loa_id: str, *, now: datetime) -> PortLoa | None:
    """Note that the signer refused; ``None`` as in ``sign``."""
    return await _close(session, loa_id, declined_at=now)


async def _close(session: AsyncSession, loa_id: str, **values: datetime | str) -> PortLoa | None:
    order_of = select(col(PortLoa.order_id)).where(col(PortLoa.id) == loa_id)
    order_id: str | None = await session.scalar(order_of)
    if order_id is None or await _lock(session, order_id) is None:
        return None
    later = select(func.max(col(PortLoa.revision))).where(col(PortLoa.order_id) == order_id)
    changed: PortLoa | None = await session.scalar(
        update(PortLoa)
        .where(
            col(PortLoa.id) == loa_id,
            col(PortLoa.revision) == later.scalar_subquery(),
            col(PortLoa.signed_at).is_(None),
            col(PortLoa.declined_at).is_(None),
            col(PortLoa.superseded_at).is_(None),
        )
        .values(**values)
        .returning(PortLoa)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return changed


async def _lock(session: AsyncSession, order_id: str) -> str | None:
    """Hold the order's row until the transaction ends; its organization."""
    org_id: str | None = await session.scalar(
        select(col(PortOrder.org_id))
        .where(col(PortOrder.id) == order_id)
        .with_for_update(key_share=True)
    )
    return org_id
