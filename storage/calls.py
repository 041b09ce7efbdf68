"""Test calls: from the admitted start to the result, and everything that happened between.

A call is unfinished from ``admit`` until ``conclude``; the result of a concluded one stays. Whatever
is written notifies ``topic(CHANNEL, call_id)`` (see ``storage.notify``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.call_state import (
    CallFailure,
    CallResult,
    CallStatus,
    call_failure_message,
    statuses_before,
)
from domain.call_timeline import TimelineWord
from storage.call_admission import CHANNEL, Admitted, Limited, NewTestCall, Usage, admit, usage
from storage.call_log import OWNER_KIND, NewEvent, add_event, add_messages, events, messages
from storage.call_outcomes import note_outcome
from storage.notify import notify
from storage.tables import Call, CallKind

__all__ = [
    "CHANNEL",
    "OWNER_KIND",
    "Admitted",
    "Limited",
    "NewEvent",
    "NewTestCall",
    "Usage",
    "add_event",
    "add_messages",
    "admit",
    "conclude",
    "events",
    "fail",
    "get",
    "get_test",
    "messages",
    "progress",
    "request_hang_up",
    "save_snapshot",
    "snapshot",
    "unfinished",
    "usage",
]


async def get(session: AsyncSession, call_id: str) -> Call | None:
    """The call, test or live."""
    return await session.get(Call, call_id)


async def get_test(session: AsyncSession, call_id: str) -> Call | None:
    """The call when it is a test call."""
    found: Call | None = await session.scalar(
        select(Call).where(col(Call.id) == call_id, col(Call.kind) == CallKind.TEST)
    )
    return found


async def unfinished(
    session: AsyncSession, *, started_before: datetime, limit: int = 100
) -> list[Call]:
    """Test calls without an end that began before this time, oldest first: for the reaper."""
    found = await session.scalars(
        select(Call)
        .where(
            col(Call.kind) == CallKind.TEST,
            col(Call.ended_at).is_(None),
            col(Call.started_at) < started_before,
        )
        .order_by(col(Call.started_at))
        .limit(limit)
    )
    return list(found)


async def progress(
    session: AsyncSession,
    call_id: str,
    *,
    status: CallStatus | None = None,
    sip_call_id: str | None = None,
    from_user: str | None = None,
    to_user: str | None = None,
    target: Mapping[str, Any] | None = None,
    answered_at: datetime | None = None,
) -> bool:
    """Write what became known of an unfinished call; ``None`` leaves what is there.

    ``status`` never steps back. False, and no change, when the call has ended: then whoever places
    it must end its legs.
    """
    values: dict[str, Any] = {
        name: value
        for name, value in (
            ("sip_call_id", sip_call_id),
            ("from_user", from_user),
            ("to_user", to_user),
            ("target", None if target is None else dict(target)),
            ("answered_at", answered_at),
        )
        if value is not None
    }
    if status is not None:
        values["status"] = case(
            (col(Call.status).in_(statuses_before(status)), status), else_=col(Call.status)
        )
    if not values:
        raise ValueError("nothing became known")
    return await _change_unfinished(session, call_id, **values)


async def request_hang_up(session: AsyncSession, call_id: str, *, now: datetime) -> bool:
    """Note that somebody asked for the end; the first one's time stays. False when it has ended."""
    return await _change_unfinished(
        session,
        call_id,
        hang_up_at=case((col(Call.hang_up_at).is_(None), now), else_=col(Call.hang_up_at)),
    )


async def conclude(
    session: AsyncSession,
    call_id: str,
    *,
    status: CallStatus,
    result: CallResult,
    ended_at: datetime,
    duration_ms: int | None = None,
    sip_code: int | None = None,
    sip_reason: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> bool:
    """End the call with its result, once; false, and no change, when it has ended already.

    ``details`` are added to those of the row, key by key. Events, messages and the snapshot stay.
    What the call says of its trunk is noted with it.
    """
    values: dict[str, Any] = {
        "status": status,
        "result": result,
        "ended_at": ended_at,
        "duration_ms": duration_ms,
        "sip_code": sip_code,
        "sip_reason": sip_reason,
    }
    if details:
        values["details"] = col(Call.details).op("||")(dict(details))
    ended = await _change_unfinished(session, call_id, **values)
    if ended:
        await note_outcome(session, call_id, details, ended_at=ended_at)
    return ended


async def fail(session: AsyncSession, call_id: str, reason: CallFailure, *, now: datetime) -> bool:
    """End the call for a reason of ours, with a last line in its timeline.

    False, and no change, when it has ended already; with ``NOT_STARTED`` also when it was taken.
    """
    only = (col(Call.status) == CallStatus.QUEUED,) if reason is CallFailure.NOT_STARTED else ()
    ended = await _change_unfinished(
        session,
        call_id,
        *only,
        status=CallStatus.FAILED,
        result=CallResult.FAILED,
        ended_at=now,
        details=col(Call.details).op("||")({"failure_reason": reason.value}),
    )
    if ended:
        words = call_failure_message(reason)
        await add_event(session, call_id, NewEvent(at=now, event=TimelineWord.FAILED, detail=words))
    return ended


async def save_snapshot(session: AsyncSession, call_id: str, sealed: bytes | None) -> bool:
    """Keep, or with ``None`` forget, what another process needs to end the call's legs.

    Also of a call that has ended: its legs may still be up. False when there is no such call.
    """
    changed = await session.scalar(
        update(Call)
        .where(col(Call.id) == call_id)
        .values(snapshot=sealed)
        .returning(col(Call.id))
        .execution_options(synchronize_session=False)
    )
    return changed is not None


async def snapshot(session: AsyncSession, call_id: str) -> bytes | None:
    """What ``save_snapshot`` kept, sealed."""
    found: bytes | None = await session.scalar(
        select(col(Call.snapshot)).where(col(Call.id) == call_id)
    )
    return found


async def _change_unfinished(
    session: AsyncSession, call_id: str, *conditions: ColumnElement[bool], **values: Any
) -> bool:
    changed = await session.scalar(
        update(Call)
        .where(col(Call.id) == call_id, col(Call.ended_at).is_(None), *conditions)
        .values(**values)
        .returning(col(Call.id))
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return False
    await notify(session, CHANNEL, call_id)
    return True
