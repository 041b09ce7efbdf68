"""What was seen of targets is made room for, made smaller, and forgotten when it is old."""

from __future__ import annotations

from datetime import datetime, timedelta

from storage.engine import Database
from storage.health_days import compact_day, maintain_days
from storage.health_history import PURGED_AT_A_TIME, purge

__all__ = ["HISTORY_KEPT", "tidy_health"]

HISTORY_KEPT = timedelta(days=90)
"""Changes of state and of names, unless the operator says otherwise."""

CALLS_KEPT = timedelta(days=7)
"""Outcomes of calls, for failover: it looks back minutes."""


async def tidy_health(
    database: Database, *, now: datetime, history_kept: timedelta = HISTORY_KEPT
) -> None:
    """Make the days ahead, take the minutes out of those that are older than 48 hours, drop those
    older than a month, forget changes older than ``history_kept``.

    Raises ``DatabaseUnavailable``.
    """
    # Each by itself: whoever writes samples waits until the new days are committed.
    async with database.system() as session:
        await maintain_days(session, today=now.date())
    compacted: str | None = ""
    while compacted is not None:
        async with database.system() as session:
            compacted = await compact_day(session, today=now.date())
    gone = PURGED_AT_A_TIME
    while gone >= PURGED_AT_A_TIME:
        async with database.system() as session:
            gone = await purge(session, before=now - history_kept, observed_before=now - CALLS_KEPT)
