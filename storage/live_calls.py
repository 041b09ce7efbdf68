"""Calls of real traffic and their messages: written in batches, found again, given their owners.

Whatever is written notifies ``topic(CHANNEL, org_id)`` and ``topic(CHANNEL, id)``, once for each
organization and call of a batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage import sip_messages
from storage.call_pages import LoggedCall
from storage.columns import json_text, row_of
from storage.engine import require_system_scope
from storage.notify import CHANNEL as NOTIFICATIONS
from storage.notify import topic
from storage.partitions import PartitionChanges, maintain
from storage.sip_messages import NewMessage
from storage.tables import CallDirection, CallMatch, LiveCallRow, SipMessage

__all__ = [
    "CHANNEL",
    "OWNER_KIND",
    "NewLiveCall",
    "end_forgotten",
    "find_open",
    "get",
    "maintain_days",
    "messages",
    "related",
    "write",
]

CHANNEL: Final = "live-call"

OWNER_KIND: Final = "live"
"""``owner_kind`` of the messages; their ``local_address`` is the sender's, ``remote_address`` the
receiver's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLiveCall:
    """A version of a call; see ``storage.tables.LiveCallRow``, whose instances are slow to make."""

    at: datetime
    id: str
    org_id: str
    trunk_id: str | None = None
    number: str | None = None
    direction: CallDirection | None = None
    match: CallMatch
    sip_call_id: str
    correlation_id: str | None = None
    from_user: str | None = None
    to_user: str | None = None
    ended: bool
    sip_code: int | None = None
    sip_reason: str | None = None
    source_ip: str | None = None
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    pdd_ms: int | None = None
    duration_ms: int | None = None
    codecs: Sequence[str] = ()
    messages: int
    retransmissions: int
    details: Mapping[str, Any]
    state: Mapping[str, Any] | None = None


async def write(
    session: AsyncSession, calls: Sequence[NewLiveCall], batch: Sequence[NewMessage]
) -> None:
    """Write calls, new ones and new versions of known ones, each once, and messages in their order.

    A ``state`` that is not given leaves the stored one; a call that has ended has none.

    Raises ``RuntimeError`` in a session of one organization.
    """
    require_system_scope(session)
    if calls:
        rows = [row_of(call) for call in calls]
        await session.execute(_UPSERT, {"calls": json_text(rows)})
    if batch:
        await session.execute(_INSERT, _columns(batch))
    owners = {call.org_id for call in calls} | {message.org_id for message in batch}
    ids = {call.id for call in calls} | {message.owner_id for message in batch}
    news = [topic(CHANNEL, each) for each in sorted(owners | ids)]
    if news:
        await session.execute(_NOTIFY, {"channel": NOTIFICATIONS, "topics": news})


async def find_open(
    session: AsyncSession, sip_call_ids: Iterable[str], *, since: datetime
) -> list[LiveCallRow]:
    """Calls that began after ``since`` and have not ended, the latest first: for a collector that was
    started anew. Needs the system scope."""
    require_system_scope(session)
    found = await session.scalars(
        select(LiveCallRow)
        .where(
            col(LiveCallRow.sip_call_id).in_(list(sip_call_ids)),
            col(LiveCallRow.at) >= since,
            ~col(LiveCallRow.ended),
        )
        .order_by(col(LiveCallRow.at).desc())
    )
    return list(found)


async def get(session: AsyncSession, call: LoggedCall) -> LiveCallRow | None:
    """The whole row of a call of the log."""
    found: LiveCallRow | None = await session.scalar(
        select(LiveCallRow).where(
            col(LiveCallRow.id) == call.id,
            col(LiveCallRow.at) >= call.started_at - sip_messages.CLOCKS_APART,
        )
    )
    return found


async def related(session: AsyncSession, row: LiveCallRow, *, limit: int = 16) -> list[LiveCallRow]:
    """Other calls that an exporter ties to this one, such as the other leg through a B2BUA, the first
    to begin first."""
    group = row.correlation_id or row.sip_call_id
    near = sip_messages.CLOCKS_APART
    found = await session.scalars(
        select(LiveCallRow)
        .where(
            or_(col(LiveCallRow.sip_call_id) == group, col(LiveCallRow.correlation_id) == group),
            col(LiveCallRow.id) != row.id,
            col(LiveCallRow.at).between(row.at - near, row.at + near),
        )
        .order_by(col(LiveCallRow.started_at))
        .limit(limit)
    )
    return list(found)


async def messages(
    session: AsyncSession, call: LoggedCall, *, after_seq: int = 0, limit: int | None = None
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


async def end_forgotten(session: AsyncSession, *, began_before: datetime) -> int:
    """End the calls that began before this time and were never ended, because no collector ran that
    could; how many. Needs the system scope."""
    require_system_scope(session)
    ended = await session.execute(_END, {"before": began_before})
    return len(ended.all())


async def maintain_days(
    session: AsyncSession, *, today: date, days_ahead: int = 3, days_kept: int = 30
) -> PartitionChanges:
    """Make days ahead and drop old ones, as ``partitions.maintain`` says."""
    return await maintain(
        session,
        func.maintain_live_calls,
        today=today,
        days_ahead=days_ahead,
        days_kept=days_kept,
    )


_CALLS: Final[Mapping[str, str]] = {
    "at": "timestamptz",
    "id": "text",
    "org_id": "text",
    "trunk_id": "text",
    "number": "text",
    "direction": "text",
    "match": "text",
    "sip_call_id": "text",
    "correlation_id": "text",
    "from_user": "text",
    "to_user": "text",
    "ended": "boolean",
    "sip_code": "integer",
    "sip_reason": "text",
    "source_ip": "text",
    "started_at": "timestamptz",
    "answered_at": "timestamptz",
    "ended_at": "timestamptz",
    "pdd_ms": "integer",
    "duration_ms": "integer",
    "codecs": "text[]",
    "messages": "integer",
    "retransmissions": "integer",
    "details": "jsonb",
    "state": "jsonb",
}

_MESSAGES: Final[Mapping[str, str]] = {
    "org_id": "text",
    "owner_kind": "text",
    "owner_id": "text",
    "at": "timestamptz",
    "direction": "text",
    "transport": "text",
    "local_address": "text",
    "local_port": "integer",
    "remote_address": "text",
    "remote_port": "integer",
    "retransmission": "boolean",
    "data": "bytea",
}

_RECORD = ", ".join(f"{name} {kind}" for name, kind in _CALLS.items())
_CHANGES = ", ".join(
    f"{name} = excluded.{name}" for name in _CALLS if name not in ("at", "id", "state")
)

_UPSERT = text(
    f"""
    INSERT INTO live_calls ({", ".join(_CALLS)})
    SELECT {", ".join(_CALLS)} FROM jsonb_to_recordset(CAST(:calls AS jsonb)) AS new ({_RECORD})
    ON CONFLICT (at, id) DO UPDATE SET {_CHANGES},
        state = CASE WHEN excluded.ended THEN NULL ELSE coalesce(excluded.state, live_calls.state) END
    """
)

# COPY is refused under row-level security. The numbers of messages are drawn behind the sort.
_ARRAYS = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _MESSAGES.items())
_INSERT = text(
    f"""
    INSERT INTO sip_messages ({", ".join(_MESSAGES)})
    SELECT {", ".join(_MESSAGES)}
      FROM unnest({_ARRAYS}) WITH ORDINALITY AS new ({", ".join(_MESSAGES)}, position)
     ORDER BY position
    """
)

_END = text(
    """
    UPDATE live_calls
       SET ended = true, ended_at = coalesce(answered_at, started_at), state = NULL,
           sip_reason = coalesce(sip_reason, 'Its end was not seen'),
           details = details || '{"state": "ended", "expired": true}'
     WHERE NOT ended AND at < :before
    RETURNING id
    """
)

_NOTIFY = text("SELECT pg_notify(:channel, topic) FROM unnest(CAST(:topics AS text[])) AS topic")


def _columns(batch: Sequence[NewMessage]) -> dict[str, list[Any]]:
    columns = {name: list(map(attrgetter(name), batch)) for name in _MESSAGES}
    columns["direction"] = [direction.value for direction in columns["direction"]]
    return columns
