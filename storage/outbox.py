"""The outbox: what a transaction decided and must still reach Temporal.

``append`` belongs to the transaction of the change itself. A relay claims entries in a transaction
of ``Database.system()``, delivers them while the rows are locked, and marks them in it: a relay that
dies rolls back and another one delivers again, so receivers must bear a repetition. Within a stream
entries are delivered in the order of their commits, one after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage.engine import require_system_scope
from storage.notify import notify
from storage.tables import OutboxEntry

__all__ = [
    "CHANNEL",
    "NewEntry",
    "append",
    "append_each",
    "claim",
    "lock_streams",
    "mark_delivered",
    "mark_failed",
    "purge",
]

CHANNEL: Final = "outbox"
"""Topic ``outbox:new`` wakes the relays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """One message to deliver; payloads hold ids, no secrets."""

    org_id: str
    stream: str
    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)


async def append(
    session: AsyncSession, *, org_id: str, stream: str, kind: str, payload: Mapping[str, Any]
) -> int:
    """Add an entry at the end of its stream; returns its number. Payloads hold ids, no secrets.

    Writers of one stream wait for each other until commit: otherwise a later number could be
    committed, and delivered, before an earlier one.
    """
    await lock_streams(session, [stream])
    entry = OutboxEntry(org_id=org_id, stream=stream, kind=kind, payload=dict(payload))
    session.add(entry)
    await session.flush()
    await notify(session, CHANNEL, "new")
    return entry.id


async def append_each(session: AsyncSession, entries: Sequence[NewEntry]) -> None:
    """Add entries at the ends of their streams, in this order within each; few statements for any
    number of them. Writers wait as in ``append``."""
    if not entries:
        return
    await lock_streams(session, {entry.stream for entry in entries})
    rows = [
        {
            "org_id": entry.org_id,
            "stream": entry.stream,
            "kind": entry.kind,
            "payload": dict(entry.payload),
            "attempts": 0,
        }
        for entry in entries
    ]
    await session.execute(insert(OutboxEntry), rows)
    await notify(session, CHANNEL, "new")


async def lock_streams(session: AsyncSession, streams: Collection[str]) -> None:
    """Let nobody else append to these streams until the transaction ends.

    They are locked in the order of their names, so that of two who want several none waits for the
    other.
    """
    await session.execute(
        text(
            "SELECT pg_advisory_xact_lock(hashtextextended('outbox ' || stream, 0)) "
            "FROM unnest(CAST(:streams AS text[])) AS stream"
        ),
        {"streams": sorted(streams)},
    )


async def claim(session: AsyncSession, *, now: datetime, limit: int = 20) -> list[OutboxEntry]:
    """Lock the first undelivered entry of each stream that no other relay holds.

    An entry whose ``retry_at`` is still to come holds its stream back. Needs the system scope.
    """
    require_system_scope(session)
    earlier = aliased(OutboxEntry)
    found = await session.scalars(
        select(OutboxEntry)
        .where(
            col(OutboxEntry.delivered_at).is_(None),
            or_(col(OutboxEntry.retry_at).is_(None), col(OutboxEntry.retry_at) <= now),
            ~select(earlier)
            .where(
                col(earlier.stream) == col(OutboxEntry.stream),
                col(earlier.delivered_at).is_(None),
                col(earlier.id) < col(OutboxEntry.id),
            )
            .exists(),
        )
        .order_by(col(OutboxEntry.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=OutboxEntry)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def mark_delivered(session: AsyncSession, ids: Sequence[int], *, now: datetime) -> None:
    """Let the streams go on behind these entries."""
    await session.execute(
        update(OutboxEntry)
        .where(col(OutboxEntry.id).in_(ids))
        .values(
            delivered_at=now,
            attempts=col(OutboxEntry.attempts) + 1,
            retry_at=None,
            last_error=None,
        )
        .execution_options(synchronize_session=False)
    )


async def mark_failed(
    session: AsyncSession, entry_id: int, *, error: str, retry_at: datetime
) -> None:
    """Keep the entry at the head of its stream and try again at ``retry_at``."""
    await session.execute(
        update(OutboxEntry)
        .where(col(OutboxEntry.id) == entry_id)
        .values(attempts=col(OutboxEntry.attempts) + 1, retry_at=retry_at, last_error=error[:1000])
        .execution_options(synchronize_session=False)
    )


async def purge(session: AsyncSession, *, delivered_before: datetime) -> int:
    """Forget entries delivered before this time; returns how many. Needs the system scope."""
    require_system_scope(session)
    gone = await session.scalars(
        delete(OutboxEntry)
        .where(col(OutboxEntry.delivered_at) < delivered_before)
        .returning(col(OutboxEntry.id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
