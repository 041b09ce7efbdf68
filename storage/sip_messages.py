"""SIP messages: every one on the wire, in daily partitions that are dropped whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.columns import row_of
from storage.partitions import PartitionChanges, maintain
from storage.tables import MessageDirection, SipMessage

__all__ = ["CLOCKS_APART", "NewMessage", "append", "maintain_partitions", "of_owner"]

CLOCKS_APART: Final = timedelta(hours=1)
"""The process that stamps a message may have an earlier clock than the one that stamped its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """One message as it was sent or received; ``data`` are its bytes."""

    org_id: str
    owner_kind: str
    owner_id: str
    at: datetime
    direction: MessageDirection
    transport: str
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    retransmission: bool
    data: bytes


async def append(session: AsyncSession, batch: Sequence[NewMessage]) -> None:
    """Write messages; their ``seq`` follows the order of the batch."""
    if batch:
        await session.execute(insert(SipMessage), [row_of(message) for message in batch])


async def of_owner(
    session: AsyncSession,
    owner_kind: str,
    owner_id: str,
    *,
    since: datetime | None = None,
    after_seq: int = 0,
    limit: int | None = None,
) -> list[SipMessage]:
    """Messages of one discovery, call or probe in the order they were written.

    ``since``, when the beginning is known, spares the look into the partitions of earlier days.
    """
    query = select(SipMessage).where(
        col(SipMessage.owner_kind) == owner_kind,
        col(SipMessage.owner_id) == owner_id,
        col(SipMessage.seq) > after_seq,
    )
    if since is not None:
        query = query.where(col(SipMessage.at) >= since)
    return list(await session.scalars(query.order_by(col(SipMessage.seq)).limit(limit)))


async def maintain_partitions(
    session: AsyncSession, *, today: date, days_ahead: int = 3, days_kept: int = 30
) -> PartitionChanges:
    """Make days ahead and drop old ones, as ``partitions.maintain`` says."""
    return await maintain(
        session,
        func.maintain_sip_messages,
        today=today,
        days_ahead=days_ahead,
        days_kept=days_kept,
    )
