"""Idempotency keys: a mutation that a client sends again is answered, not done, again.

``claim`` is committed before the work begins, so that a second request sees it; ``finish`` is best
part of the transaction of the work itself. All within the organization's own scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.engine import require_system_scope
from storage.tables import IdempotencyKey, IdempotencyState

__all__ = [
    "Claim",
    "Claimed",
    "InProgress",
    "KeyReused",
    "Replay",
    "claim",
    "expire",
    "finish",
    "release",
]

LIFETIME: Final = timedelta(hours=24)
ABANDONED_AFTER: Final = timedelta(minutes=2)
"""A request that ran this long belongs to a process that died: longer than any route may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One request with an ``Idempotency-Key``; ``request_hash`` is a hash of what it asks."""

    org_id: str
    key: str
    method: str
    path: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """The request is to be done now. ``since`` tells this claim from a later one of the key."""

    request: Claim
    since: datetime


@dataclass(frozen=True, slots=True)
class InProgress:
    """The same request is being done by somebody else."""


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The request was done; this was its answer, the body sealed."""

    status: int
    headers: Mapping[str, Any]
    response_sealed: bytes = field(repr=False)


async def claim(
    session: AsyncSession, request: Claim, *, now: datetime
) -> Claimed | InProgress | KeyReused | Replay:
    """Take the key for this request, or learn what became of it.

    Of requests that claim at once exactly one is ``Claimed``. A key is free again 24 hours after its
    claim, and a claim that was neither finished nor released in two minutes is taken over.
    """
    fresh = {
        "state": IdempotencyState.RUNNING,
        "created_at": now,
        "expires_at": now + LIFETIME,
        "method": request.method,
        "path": request.path,
        "request_hash": request.request_hash,
        "status": None,
        "headers": None,
        "response_sealed": None,
    }
    won = await session.scalar(
        insert(IdempotencyKey)
        .values(org_id=request.org_id, key=request.key, **fresh)
        .on_conflict_do_nothing()
        .returning(col(IdempotencyKey.key))
    )
    if won is not None:
        return Claimed(request, now)
    found = await session.scalar(
        select(IdempotencyKey)
        .where(*_is(request))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        # Released or expired between the two statements; the client may send it again.
        return InProgress()
    abandoned = (
        found.state is IdempotencyState.RUNNING and found.created_at + ABANDONED_AFTER <= now
    )
    same = (found.method, found.path, found.request_hash) == (
        request.method,
        request.path,
        request.request_hash,
    )
    if found.expires_at <= now or (abandoned and same):
        for name, value in fresh.items():
            setattr(found, name, value)
        await session.flush()
        return Claimed(request, now)
    if not same:
        return KeyReused()
    if found.status is None or found.response_sealed is None:
        return InProgress()
    return Replay(found.status, found.headers or {}, found.response_sealed)


async def finish(
    session: AsyncSession,
    claimed: Claimed,
    *,
    status: int,
    headers: Mapping[str, Any],
    response_sealed: bytes,
) -> bool:
    """Keep the answer; false when the claim was taken over meanwhile (then nothing changes)."""
    finished = await session.scalar(
        update(IdempotencyKey)
        .where(*_is_held(claimed))
        .values(
            state=IdempotencyState.DONE,
            status=status,
            headers=dict(headers),
            response_sealed=response_sealed,
        )
        .returning(col(IdempotencyKey.key))
        .execution_options(synchronize_session=False)
    )
    return finished is not None


async def release(session: AsyncSession, claimed: Claimed) -> None:
    """Forget a claim whose request failed in a way that sending it again may mend."""
    await session.execute(
        delete(IdempotencyKey)
        .where(*_is_held(claimed))
        .execution_options(synchronize_session=False)
    )


async def expire(session: AsyncSession, *, now: datetime) -> int:
    """Delete what is older than 24 hours; returns how many. Needs the system scope."""
    require_system_scope(session)
    gone = await session.scalars(
        delete(IdempotencyKey)
        .where(col(IdempotencyKey.expires_at) <= now)
        .returning(col(IdempotencyKey.key))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _is(request: Claim) -> tuple[Any, Any]:
    return (
        col(IdempotencyKey.org_id) == request.org_id,
        col(IdempotencyKey.key) == request.key,
    )


def _is_held(claimed: Claimed) -> tuple[Any, ...]:
    return (
        *_is(claimed.request),
        col(IdempotencyKey.state) == IdempotencyState.RUNNING,
        col(IdempotencyKey.created_at) == claimed.since,
    )
