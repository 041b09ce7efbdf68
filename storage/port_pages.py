"""An organization's port orders as a list: filtered, in pages, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting.words import TERMINAL, PublicStatus, SubStatus
from storage.tables import PortNumber, PortOrder

__all__ = ["PortFilter", "page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFilter:
    """Which orders are wanted: those that meet all of these. Without ``include_drafts`` drafts are
    left out, as clients of API contract 6.4 do not know them; with ``whole_only`` parts of split
    orders are."""

    status: PublicStatus | None = None
    sub_status: SubStatus | None = None
    phone_number: str | None = None
    updated_after: datetime | None = None
    parent_id: str | None = None
    whole_only: bool = False
    include_terminal: bool = True
    include_drafts: bool = False


async def page(
    session: AsyncSession,
    wanted: PortFilter,
    *,
    limit: int | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[PortOrder]:
    """The tenant's orders, the newest first, from behind the one with this ``created_at`` and ``id``."""
    query = select(PortOrder)
    if wanted.status is not None:
        query = query.where(col(PortOrder.status) == wanted.status)
    if wanted.sub_status is not None:
        query = query.where(col(PortOrder.sub_status) == wanted.sub_status)
    if wanted.phone_number is not None:
        having = select(col(PortNumber.order_id)).where(
            col(PortNumber.number) == wanted.phone_number
        )
        query = query.where(col(PortOrder.id).in_(having))
    if wanted.updated_after is not None:
        query = query.where(col(PortOrder.updated_at) > wanted.updated_after)
    if wanted.parent_id is not None:
        query = query.where(col(PortOrder.parent_id) == wanted.parent_id)
    if wanted.whole_only:
        query = query.where(col(PortOrder.parent_id).is_(None))
    if not wanted.include_terminal:
        query = query.where(col(PortOrder.sub_status).not_in(TERMINAL))
    if not wanted.include_drafts and wanted.status is not PublicStatus.DRAFT:
        query = query.where(col(PortOrder.sub_status) != SubStatus.DRAFT)
    place = tuple_(col(PortOrder.created_at), col(PortOrder.id))
    if before is not None:
        query = query.where(place < before)
    newest = query.order_by(col(PortOrder.created_at).desc(), col(PortOrder.id).desc())
    return list(await session.scalars(newest.limit(limit)))
