"""How many test calls an organization may start: so many within a sliding window.

Callers import these from ``storage.calls``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.call_state import CallResult, CallStatus
from storage.tables import Call, CallDirection, CallKind

__all__ = ["CHANNEL", "Admitted", "Limited", "NewTestCall", "Usage", "admit", "usage"]

CHANNEL: Final = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTestCall:
    """A test call that asks to be admitted.

    ``settings`` is a ``domain.call_settings.CallSettings`` as JSON. ``parent_id`` and ``variant``
    say of which call this is a retry and what it changes; both or neither.
    """

    id: str
    org_id: str
    number: str
    trunk_id: str | None
    settings: Mapping[str, Any]
    parent_id: str | None = None
    variant: str | None = None
    started_at: datetime
    deadline_at: datetime
    workflow_id: str
    requested_by: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """``used`` of ``limit`` starts count now; the first of them no longer does at ``resets_at``.

    With none used ``resets_at`` is now.
    """

    used: int
    limit: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Admitted(Usage):
    """The call has its row and counts, with itself in ``used``."""


@dataclass(frozen=True, slots=True)
class Limited(Usage):
    """The window is full. ``retry_after`` from now, at ``resets_at``, the next call fits."""

    retry_after: timedelta


async def admit(
    session: AsyncSession, new: NewTestCall, *, limit: int, window: timedelta
) -> Admitted | Limited:
    """Write the row of a test call when its organization started fewer than ``limit`` within the
    ``window`` before it, retries and failed ones included.

    Exact however many processes admit at once. The session may be the organization's own or the
    system's. Raises ``ValueError`` for a limit below one.
    """
    if limit < 1:
        raise ValueError("at least one test call must fit into a window")
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"test calls of {new.org_id}"},
    )
    before = await usage(session, new.org_id, now=new.started_at, limit=limit, window=window)
    if before.used >= limit:
        return Limited(before.used, limit, before.resets_at, before.resets_at - new.started_at)
    session.add(
        Call(
            id=new.id,
            org_id=new.org_id,
            kind=CallKind.TEST,
            number=new.number,
            trunk_id=new.trunk_id,
            direction=CallDirection.OUTBOUND,
            status=CallStatus.QUEUED,
            result=CallResult.PENDING,
            started_at=new.started_at,
            deadline_at=new.deadline_at,
            parent_id=new.parent_id,
            variant=new.variant,
            workflow_id=new.workflow_id,
            requested_by=new.requested_by,
            details={"settings": dict(new.settings)},
        )
    )
    await session.flush()
    first = new.started_at + window if before.used == 0 else before.resets_at
    return Admitted(before.used + 1, limit, first)


async def usage(
    session: AsyncSession, org_id: str, *, now: datetime, limit: int, window: timedelta
) -> Usage:
    """How much of the organization's window is used; no lock is taken."""
    # The youngest ``limit`` decide: with a limit that was lowered, more may be in the window.
    counted = (
        select(col(Call.started_at))
        .where(
            col(Call.org_id) == org_id,
            col(Call.kind) == CallKind.TEST,
            col(Call.started_at) > now - window,
        )
        .order_by(col(Call.started_at).desc())
        .limit(limit)
        .subquery()
    )
    used, first = (
        await session.execute(select(func.count(), func.min(counted.c.started_at)))
    ).one()
    return Usage(used, limit, now if first is None else first + window)
