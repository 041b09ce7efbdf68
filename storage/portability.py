"""What winning carriers said of numbers, kept with its age for whoever asks next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.engine import require_system_scope
from storage.tables import PortabilityResult

__all__ = ["KnownResult", "get_many", "purge", "put_many"]


@dataclass(frozen=True, slots=True)
class KnownResult:
    """What was said, and when."""

    result: Mapping[str, Any]
    checked_at: datetime


async def get_many(
    session: AsyncSession, carrier: str, numbers: Collection[str], *, since: datetime
) -> dict[str, KnownResult]:
    """What the carrier said of these numbers at ``since`` or later, by number."""
    rows = await session.scalars(
        select(PortabilityResult).where(
            col(PortabilityResult.carrier) == carrier,
            col(PortabilityResult.number).in_(list(numbers)),
            col(PortabilityResult.checked_at) >= since,
        )
    )
    return {row.number: KnownResult(row.result, row.checked_at) for row in rows}


async def put_many(
    session: AsyncSession, carrier: str, results: Mapping[str, Mapping[str, Any]], *, now: datetime
) -> None:
    """Keep what the carrier says of these numbers now; what is newer already stays."""
    if not results:
        return
    new = insert(PortabilityResult).values(
        [
            {"carrier": carrier, "number": number, "result": dict(result), "checked_at": now}
            # In one order, so that of two who write the same numbers none waits for the other twice.
            for number, result in sorted(results.items())
        ]
    )
    await session.execute(
        new.on_conflict_do_update(
            index_elements=["carrier", "number"],
            set_={"result": new.excluded.result, "checked_at": new.excluded.checked_at},
            where=col(PortabilityResult.checked_at) < new.excluded.checked_at,
        )
    )


async def purge(session: AsyncSession, *, checked_before: datetime) -> None:
    """Forget what is older. Needs the system scope."""
    require_system_scope(session)
    await session.execute(
        delete(PortabilityResult)
        .where(col(PortabilityResult.checked_at) < checked_before)
        .execution_options(synchronize_session=False)
    )
