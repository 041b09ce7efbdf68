"""Uploaded documents: counted against what an organization may keep, found, forgotten.

The content is in the document store, written before its row and removed after the row says so; a
process that dies in between leaves content that no row names.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.columns import row_of
from storage.tables import PortDocument

__all__ = [
    "Added",
    "NewDocument",
    "QuotaFull",
    "Usage",
    "add",
    "get",
    "get_each",
    "page",
    "remove",
    "usage",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A file that was checked and stored; see ``storage.tables.PortDocument``. ``size`` in bytes."""

    id: str
    org_id: str
    media_type: str
    size: int
    sha256: str
    name: str
    kind: str
    stored_key: str
    created_at: datetime
    pages: int | None = None
    document_date: date | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an organization keeps: files, and their bytes."""

    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Added(Usage):
    """The document has its row, and is counted."""


@dataclass(frozen=True, slots=True)
class QuotaFull(Usage):
    """The document does not fit beside these."""


async def add(
    session: AsyncSession, new: NewDocument, *, max_files: int, max_size: int
) -> Added | QuotaFull:
    """Write the document's row when the organization keeps no more than this with it.

    Exact however many processes add at once. ``max_size`` in bytes.
    """
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"documents of {new.org_id}"},
    )
    before = await usage(session, new.org_id)
    if before.files + 1 > max_files or before.size + new.size > max_size:
        return QuotaFull(before.files, before.size)
    session.add(PortDocument(**row_of(new)))
    await session.flush()
    return Added(before.files + 1, before.size + new.size)


async def usage(session: AsyncSession, org_id: str) -> Usage:
    """What the organization keeps now; no lock is taken."""
    files, size = (
        await session.execute(
            select(func.count(), func.coalesce(func.sum(col(PortDocument.size)), 0)).where(
                col(PortDocument.org_id) == org_id, col(PortDocument.deleted_at).is_(None)
            )
        )
    ).one()
    return Usage(files, int(size))


async def get(session: AsyncSession, document_id: str) -> PortDocument | None:
    """The document, unless it was removed."""
    found = await get_each(session, [document_id])
    return found.get(document_id)


async def get_each(session: AsyncSession, ids: Collection[str]) -> dict[str, PortDocument]:
    """Those of these documents that the session may see and that were not removed, by id."""
    found = await session.scalars(
        select(PortDocument).where(
            col(PortDocument.id).in_(list(ids)), col(PortDocument.deleted_at).is_(None)
        )
    )
    return {each.id: each for each in found}


async def page(
    session: AsyncSession, *, limit: int, before: tuple[datetime, str] | None = None
) -> list[PortDocument]:
    """The tenant's documents, the newest first, from behind the one with this time and id."""
    query = select(PortDocument).where(col(PortDocument.deleted_at).is_(None))
    if before is not None:
        at, document_id = before
        behind = (col(PortDocument.created_at) == at) & (col(PortDocument.id) < document_id)
        query = query.where((col(PortDocument.created_at) < at) | behind)
    newest = query.order_by(col(PortDocument.created_at).desc(), col(PortDocument.id).desc())
    return list(await session.scalars(newest.limit(limit)))


async def remove(session: AsyncSession, document_id: str, *, now: datetime) -> str | None:
    """Let the document be gone; the key of its content, which is to be removed after the commit.

    ``None`` when it was gone before.
    """
    stored_key: str | None = await session.scalar(
        update(PortDocument)
        .where(col(PortDocument.id) == document_id, col(PortDocument.deleted_at).is_(None))
        .values(deleted_at=now)
        .returning(col(PortDocument.stored_key))
        .execution_options(synchronize_session=False)
    )
    return stored_key
