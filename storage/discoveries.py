"""Discoveries: from the claimed slot to the result, and every attempt between.

A discovery is ``running`` from ``claim_slot`` until ``complete`` or ``fail``; nothing of a closed
one changes. Every change notifies ``topic(CHANNEL, discovery_id)`` (see ``storage.notify``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.columns import row_of
from storage.discovery_slots import (
    CHANNEL,
    RESULT_LIFETIME,
    AlreadyRunning,
    Claimed,
    NewDiscovery,
    Resolution,
    TargetLimited,
    claim_slot,
    record_resolution,
)
from storage.notify import notify
from storage.tables import Discovery, DiscoveryAttempt, DiscoveryStatus

__all__ = [
    "CHANNEL",
    "AlreadyRunning",
    "Claimed",
    "NewAttempt",
    "NewDiscovery",
    "Resolution",
    "TargetLimited",
    "add_attempts",
    "attempts",
    "claim_slot",
    "complete",
    "fail",
    "find",
    "get",
    "history",
    "record_resolution",
    "running",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttempt:
    """One probed candidate; address, port and transport are unique within a discovery.

    ``host`` is the name that led to the address. ``response_*`` are ``None`` when no response came,
    then ``error`` says why in a sentence.
    """

    address: str
    port: int
    transport: str
    host: str
    outcome: str
    response_code: int | None = None
    response_reason: str | None = None
    response_time_ms: float | None = None
    user_agent: str | None = None
    error: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    started_at: datetime
    ended_at: datetime


async def add_attempts(
    session: AsyncSession, discovery_id: str, batch: Sequence[NewAttempt]
) -> int | None:
    """Write ended attempts; a candidate that has a row already keeps it.

    Returns how many rows are new; ``None``, and nothing is written, when the discovery is not
    running.
    """
    # Shared, so that closing the discovery waits for batches under way and none comes after it.
    org_id = await session.scalar(
        select(col(Discovery.org_id))
        .where(col(Discovery.id) == discovery_id, col(Discovery.status) == DiscoveryStatus.RUNNING)
        .with_for_update(read=True)
    )
    if org_id is None:
        return None
    if not batch:
        return 0
    rows = [
        {"discovery_id": discovery_id, "org_id": org_id, **row_of(attempt)} for attempt in batch
    ]
    # The rows apart from the statement: so it is compiled once, whatever their number.
    written = await session.scalars(
        insert(DiscoveryAttempt)
        .on_conflict_do_nothing(constraint="discovery_attempts_candidate")
        .returning(col(DiscoveryAttempt.seq)),
        rows,
    )
    count = len(written.all())
    if count:
        await notify(session, CHANNEL, discovery_id)
    return count


async def attempts(
    session: AsyncSession, discovery_id: str, *, after_seq: int = 0, limit: int | None = None
) -> list[DiscoveryAttempt]:
    """Attempts in the order they were written, from after ``after_seq`` on."""
    found = await session.scalars(
        select(DiscoveryAttempt)
        .where(
            col(DiscoveryAttempt.discovery_id) == discovery_id,
            col(DiscoveryAttempt.seq) > after_seq,
        )
        .order_by(col(DiscoveryAttempt.seq))
        .limit(limit)
    )
    return list(found)


async def complete(
    session: AsyncSession,
    discovery_id: str,
    *,
    recommended: Mapping[str, Any] | None,
    fingerprint: Mapping[str, Any] | None,
    now: datetime,
) -> bool:
    """Close with a result and free the slot; false, and no change, when it is closed already."""
    return await _change_running(
        session,
        discovery_id,
        status=DiscoveryStatus.COMPLETED,
        recommended=None if recommended is None else dict(recommended),
        fingerprint=None if fingerprint is None else dict(fingerprint),
        completed_at=now,
        expires_at=now + RESULT_LIFETIME,
    )


async def fail(
    session: AsyncSession,
    discovery_id: str,
    *,
    error_code: str,
    error_message: str,
    now: datetime,
) -> bool:
    """Close without a result and free the slot; false, and no change, when closed already.

    What was found so far stays, attempts and provisional recommendation included.
    """
    return await _change_running(
        session,
        discovery_id,
        status=DiscoveryStatus.FAILED,
        error_code=error_code,
        error_message=error_message,
        completed_at=now,
        expires_at=now + RESULT_LIFETIME,
    )


async def find(session: AsyncSession, discovery_id: str, *, now: datetime) -> Discovery | None:
    """The discovery as the status route knows it: ``None`` also ten minutes after its end."""
    found: Discovery | None = await session.scalar(
        select(Discovery).where(
            col(Discovery.id) == discovery_id,
            or_(col(Discovery.expires_at).is_(None), col(Discovery.expires_at) > now),
        )
    )
    return found


async def get(session: AsyncSession, discovery_id: str) -> Discovery | None:
    """The discovery however old."""
    return await session.get(Discovery, discovery_id)


async def history(
    session: AsyncSession, org_id: str, *, limit: int, before: Discovery | None = None
) -> list[Discovery]:
    """The organization's discoveries, newest first; ``before`` is the last one of the page before."""
    query = select(Discovery).where(col(Discovery.org_id) == org_id)
    order = tuple_(col(Discovery.started_at), col(Discovery.id))
    if before is not None:
        query = query.where(order < tuple_(before.started_at, before.id))
    newest_first = (col(Discovery.started_at).desc(), col(Discovery.id).desc())
    return list(await session.scalars(query.order_by(*newest_first).limit(limit)))


async def running(
    session: AsyncSession, *, started_before: datetime, limit: int = 100
) -> list[Discovery]:
    """Running discoveries that began before this time, oldest first: what the reaper looks at."""
    found = await session.scalars(
        select(Discovery)
        .where(
            col(Discovery.status) == DiscoveryStatus.RUNNING,
            col(Discovery.started_at) < started_before,
        )
        .order_by(col(Discovery.started_at))
        .limit(limit)
    )
    return list(found)


async def _change_running(session: AsyncSession, discovery_id: str, **values: Any) -> bool:
    changed = await session.scalar(
        update(Discovery)
        .where(col(Discovery.id) == discovery_id, col(Discovery.status) == DiscoveryStatus.RUNNING)
        .values(**values)
        .returning(col(Discovery.id))
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return False
    await notify(session, CHANNEL, discovery_id)
    return True
