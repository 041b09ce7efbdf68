"""What many calls have to write, in one transaction and a handful of statements.

Every call's row is locked before anything of the call is written, as in ``storage.call_log``, so
that the numbers of its events and messages are in the order of the commits. A row that somebody else
has locked is left for later: one call never makes the others wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.call_state import CallStatus
from storage import transactions
from storage.call_admission import CHANNEL
from storage.call_log import OWNER_KIND, NewEvent
from storage.columns import storable
from storage.engine import require_system_scope
from storage.notify import CHANNEL as NOTIFICATIONS
from storage.notify import topic
from storage.sip_messages import NewMessage

__all__ = ["CallChanges", "Standing", "Written", "was_committed", "write"]


class Standing(StrEnum):
    """What a batch found of a call."""

    OPEN = "open"
    """All was written."""
    ENDED = "ended"
    """All but ``progress`` was written."""
    BUSY = "busy"
    """Nothing was written: somebody else holds the row."""
    UNKNOWN = "unknown"
    """Nothing was written: the organization has no such call."""


@dataclass(slots=True, kw_only=True)
class CallChanges:
    """What became known of one call; ``messages`` and ``events`` in their order.

    ``progress`` holds values for ``storage.calls.progress``. ``sealed`` replaces the snapshot
    (``None`` forgets it) when ``saves``.
    """

    call_id: str
    org_id: str
    messages: Sequence[NewMessage] = ()
    events: Sequence[NewEvent] = ()
    progress: Mapping[str, Any] = field(default_factory=dict)
    saves: bool = False
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction wrote if it is committed: ``standings`` by the id of the call."""

    transaction: int
    standings: Mapping[str, Standing]


async def write(session: AsyncSession, batch: Sequence[CallChanges]) -> Written:
    """Write all that can be written; each call comes once. Raises ``RuntimeError`` in a session of
    one organization, and SQLAlchemy's errors when the transaction is lost."""
    require_system_scope(session)
    ids = [each.call_id for each in batch]
    found = (await session.execute(_LOCK, {"ids": ids})).all()
    standings = {row.id: Standing.ENDED if row.ended else Standing.OPEN for row in found}
    owners = {row.id: row.org_id for row in found}
    if len(found) < len(ids):
        for row in await session.execute(_OWNERS, {"ids": ids}):
            owners.setdefault(row.id, row.org_id)
            standings.setdefault(row.id, Standing.BUSY)
    for each in batch:
        if owners.get(each.call_id) != each.org_id:
            standings[each.call_id] = Standing.UNKNOWN
    held = [each for each in batch if standings[each.call_id] in (Standing.OPEN, Standing.ENDED)]
    is_open = {call_id: found is Standing.OPEN for call_id, found in standings.items()}
    if held:
        await session.execute(_WRITE, _values(held, is_open))
    transaction = found[0].transaction if found else 0
    return Written(transaction, standings)


async def was_committed(session: AsyncSession, written: Written) -> bool | None:
    """Whether the transaction that lost its connection is committed; ``None`` while it runs."""
    return await transactions.was_committed(session, written.transaction)


_LOCK = text(
    """
    SELECT id, org_id, ended_at IS NOT NULL AS ended,
           CAST(CAST(pg_current_xact_id() AS text) AS bigint) AS transaction
      FROM calls
     WHERE id = ANY (CAST(:ids AS text[]))
     ORDER BY id
       FOR NO KEY UPDATE SKIP LOCKED
    """
)

_OWNERS = text("SELECT id, org_id FROM calls WHERE id = ANY (CAST(:ids AS text[]))")

_UPDATE: Final = {
    "ids": "text",
    "saves": "boolean",
    "sealed": "bytea",
    "status": "text",
    "sip_call_id": "text",
    "from_user": "text",
    "to_user": "text",
    "target": "jsonb",
    "answered_at": "timestamptz",
}
_MESSAGES: Final = {
    "org_id": "text",
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
_EVENTS: Final = {
    "org_id": "text",
    "call_id": "text",
    "at": "timestamptz",
    "event": "text",
    "detail": "text",
    "data": "jsonb",
}


def _rows(prefix: str, columns: Mapping[str, str]) -> str:
    """Rows out of one array for each column, in their order."""
    arrays = ", ".join(f"CAST(:{prefix}_{name} AS {kind}[])" for name, kind in columns.items())
    return f"unnest({arrays}) WITH ORDINALITY AS new ({', '.join(columns)}, position)"


# One statement, because each costs a round trip. A status that does not come after the present one
# changes nothing. The numbers of messages and events are drawn behind the sort.
_WRITE = text(
    f"""
    WITH updated AS (
        UPDATE calls
           SET snapshot = CASE WHEN new.saves THEN new.sealed ELSE calls.snapshot END,
               status = CASE WHEN array_position(CAST(:steps AS text[]), new.status)
                                > array_position(CAST(:steps AS text[]), calls.status)
                             THEN new.status ELSE calls.status END,
               sip_call_id = coalesce(new.sip_call_id, calls.sip_call_id),
               from_user = coalesce(new.from_user, calls.from_user),
               to_user = coalesce(new.to_user, calls.to_user),
               target = coalesce(new.target, calls.target),
               answered_at = coalesce(new.answered_at, calls.answered_at)
          FROM {_rows("call", _UPDATE)}
         WHERE calls.id = new.ids
    ), messages AS (
        INSERT INTO sip_messages ({", ".join(_MESSAGES)}, owner_kind)
        SELECT {", ".join(_MESSAGES)}, '{OWNER_KIND}' FROM {_rows("message", _MESSAGES)}
         ORDER BY position
    ), events AS (
        INSERT INTO call_events ({", ".join(_EVENTS)})
        SELECT {", ".join(_EVENTS)} FROM {_rows("event", _EVENTS)}
         ORDER BY position
    )
    SELECT pg_notify(:channel, topic) FROM unnest(CAST(:topics AS text[])) AS topic
    """
)

_STEPS: Final = [
    step.value
    for step in (
        CallStatus.QUEUED,
        CallStatus.INITIATED,
        CallStatus.RINGING,
        CallStatus.IN_PROGRESS,
    )
]


def _values(held: Sequence[CallChanges], is_open: Mapping[str, bool]) -> dict[str, Any]:
    """The parameters of ``_WRITE``."""
    changed = [each for each in held if each.saves or (each.progress and is_open[each.call_id])]
    messages = [row for each in held for row in each.messages]
    events = [(each, row) for each in held for row in each.events]
    news = [each.call_id for each in held if _is_news(each, is_open)]
    columns = {
        "call": _call_columns(changed, is_open),
        "message": _message_columns(messages),
        "event": _event_columns(events),
    }
    return {
        "steps": _STEPS,
        "channel": NOTIFICATIONS,
        "topics": [topic(CHANNEL, call_id) for call_id in news],
        **{
            f"{prefix}_{name}": values
            for prefix, found in columns.items()
            for name, values in found.items()
        },
    }


def _call_columns(
    changed: Sequence[CallChanges], is_open: Mapping[str, bool]
) -> dict[str, list[Any]]:
    known = [each.progress if is_open[each.call_id] else {} for each in changed]
    columns: dict[str, list[Any]] = {
        "ids": [each.call_id for each in changed],
        "saves": [each.saves for each in changed],
        "sealed": [each.sealed for each in changed],
    }
    for name, written in _PROGRESS.items():
        found = [progress.get(name) for progress in known]
        columns[name] = [None if value is None else written(value) for value in found]
    return columns


def _message_columns(rows: Sequence[NewMessage]) -> dict[str, list[Any]]:
    columns = {name: list(map(attrgetter(name), rows)) for name in _MESSAGES}
    columns["at"] = [_aware(at) for at in columns["at"]]
    columns["direction"] = [direction.value for direction in columns["direction"]]
    return columns


def _event_columns(rows: Sequence[tuple[CallChanges, NewEvent]]) -> dict[str, list[Any]]:
    return {
        "org_id": [call.org_id for call, _ in rows],
        "call_id": [call.call_id for call, _ in rows],
        "at": [_aware(event.at) for _, event in rows],
        "event": [event.event for _, event in rows],
        "detail": [storable(event.detail) for _, event in rows],
        "data": [json.dumps(storable(event.data)) for _, event in rows],
    }


def _is_news(changes: CallChanges, is_open: Mapping[str, bool]) -> bool:
    """Whether somebody who watches the call sees something new."""
    shown = changes.messages or changes.events
    return bool(shown) or bool(changes.progress and is_open[changes.call_id])


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment


_PROGRESS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "status": lambda status: CallStatus(status).value,
    "sip_call_id": storable,
    "from_user": storable,
    "to_user": storable,
    "target": lambda target: json.dumps(storable(target)),
    "answered_at": _aware,
}
"""The columns of a call's progress, and how each value is written."""
