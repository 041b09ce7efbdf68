"""SIP messages: every one on the wire, in daily partitions that are dropped whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.columns import row_of
from storage.tables import MessageDirection, SipMessage

__all__ = ["NewMessage", "PartitionChanges", "append", "maintain_partitions", "of_owner"]


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


@dataclass(frozen=True, slots=True)
class PartitionChanges:
    """Names of partitions made and dropped by one round of maintenance."""

    created: tuple[str, ...]
    dropped: tuple[str, ...]


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
    """Make the partitions of ``today`` (UTC) and the days ahead, drop those older than ``days_kept``
    days, with the rows of no partition that are as old.

    Changes nothing while another process is at it. Raises ``DatabaseUnavailable`` when readers or
    writers hold the table for more than two seconds: they go first, and the next round comes.
    Raises ``ValueError`` unless ``days_ahead`` is 0 to 31 and ``days_kept`` at least 1.
    """
    if not 0 <= days_ahead <= 31 or days_kept < 1:
        raise ValueError("days_ahead must be 0 to 31 and days_kept at least 1")
    rows = await session.execute(
        select(text("change"), text("partition_name")).select_from(
            func.maintain_sip_messages(today, days_ahead, days_kept)
        )
    )
    changes = [(str(change), str(name)) for change, name in rows]
    return PartitionChanges(
        created=tuple(name for change, name in changes if change == "created"),
        dropped=tuple(name for change, name in changes if change == "dropped"),
    )
