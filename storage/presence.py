"""Which API and worker processes are alive, as they say themselves every few seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.columns import row_of
from storage.tables import ProcessKind, WorkerPresence

__all__ = ["ProcessFacts", "beat", "leave", "purge", "seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """What a process says of itself; ``id`` is new with every start."""

    id: str
    kind: ProcessKind
    host: str
    pid: int
    task_queues: Sequence[str]
    started_at: datetime


async def beat(session: AsyncSession, process: ProcessFacts, *, now: datetime) -> None:
    """Say that the process is alive."""
    facts = {**row_of(process), "task_queues": list(process.task_queues), "seen_at": now}
    await session.execute(
        insert(WorkerPresence)
        .values(facts)
        .on_conflict_do_update(index_elements=[col(WorkerPresence.id)], set_=facts)
    )


async def leave(session: AsyncSession, process_id: str) -> None:
    """Say that the process ends."""
    await session.execute(delete(WorkerPresence).where(col(WorkerPresence.id) == process_id))


async def seen(
    session: AsyncSession,
    kind: ProcessKind,
    *,
    since: datetime,
    task_queue: str | None = None,
) -> list[WorkerPresence]:
    """Processes of this kind that spoke after ``since`` (and poll ``task_queue``), oldest first."""
    query = select(WorkerPresence).where(
        col(WorkerPresence.kind) == kind, col(WorkerPresence.seen_at) > since
    )
    if task_queue is not None:
        query = query.where(col(WorkerPresence.task_queues).contains([task_queue]))
    return list(await session.scalars(query.order_by(col(WorkerPresence.started_at))))


async def purge(session: AsyncSession, *, silent_since: datetime) -> int:
    """Forget processes that did not speak after this time; returns how many."""
    gone = await session.scalars(
        delete(WorkerPresence)
        .where(col(WorkerPresence.seen_at) <= silent_since)
        .returning(col(WorkerPresence.id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
