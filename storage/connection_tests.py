"""Who may test what connection now: so many tests per target and hour, counted in the audit log.

Counts across organizations and needs a session of ``Database.system()``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.engine import require_system_scope
from storage.tables import AuditEntry

__all__ = ["ACTION", "WINDOW", "until_allowed"]

ACTION: Final = "trunk.test_connection"
"""Of the audit entry that admits a test; its ``after`` has the ``host``."""

WINDOW: Final = timedelta(hours=1)


async def until_allowed(
    session: AsyncSession, host: str, *, limit: int, now: datetime
) -> timedelta | None:
    """How long until the host may be tested again; ``None`` when it may be now.

    Until the transaction ends nobody else is told anything about the host, so whoever appends the
    audit entry in it is counted.
    """
    require_system_scope(session)
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"connection test {host}"},
    )
    # With this test gone from the window, ``limit - 1`` are left in it.
    last_that_counts: datetime | None = await session.scalar(
        select(col(AuditEntry.at))
        .where(
            text("action = 'trunk.test_connection'"),
            text("(after ->> 'host') = :host").bindparams(host=host),
            col(AuditEntry.at) > now - WINDOW,
        )
        .order_by(col(AuditEntry.at).desc())
        .offset(limit - 1)
        .limit(1)
    )
    return None if last_that_counts is None else last_that_counts + WINDOW - now
