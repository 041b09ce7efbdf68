"""Days of samples: made ahead, made smaller when their minutes are too old, dropped whole."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.partitions import PartitionChanges, maintain

__all__ = ["DAYS_KEPT", "DAYS_WITH_MINUTES", "compact_day", "maintain_days"]

DAYS_KEPT: Final = 31
"""Whole days before today: the longest window of uptime is 30 days."""

DAYS_WITH_MINUTES: Final = 2
"""Whole days before today: 48 hours of minutes are there at every moment."""

COMPACTING: Final = timedelta(minutes=10)
"""Millions of rows are written anew in seconds; on a machine that is busy, in minutes."""


async def maintain_days(
    session: AsyncSession, *, today: date, days_ahead: int = 3, days_kept: int = DAYS_KEPT
) -> PartitionChanges:
    """Make days ahead and drop old ones, as ``partitions.maintain`` says."""
    return await maintain(
        session,
        func.maintain_health_hours,
        today=today,
        days_ahead=days_ahead,
        days_kept=days_kept,
    )


async def compact_day(
    session: AsyncSession, *, today: date, days_with_minutes: int = DAYS_WITH_MINUTES
) -> str | None:
    """Take the minutes out of the oldest day that is older than ``days_with_minutes`` days and has
    them; the name of its partition, or ``None`` when there is none.

    For a transaction of its own: it may take minutes, and locks the table at its end. Gives way as
    ``maintain_days`` does.
    """
    await session.execute(
        text("SELECT set_config('statement_timeout', :limit, true)"),
        {"limit": f"{int(COMPACTING.total_seconds())}s"},
    )
    name: str | None = await session.scalar(
        select(func.compact_health_hours(today - timedelta(days=days_with_minutes)))
    )
    return name
