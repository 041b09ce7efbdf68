"""Tables in daily partitions: days are made ahead, and forgotten by dropping them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["PartitionChanges", "maintain"]


@dataclass(frozen=True, slots=True)
class PartitionChanges:
    """Names of partitions made and dropped by one round of maintenance."""

    created: tuple[str, ...]
    dropped: tuple[str, ...]


async def maintain(
    session: AsyncSession, function: Any, *, today: date, days_ahead: int, days_kept: int
) -> PartitionChanges:
    """Make the partitions of ``today`` (UTC) and the days ahead, drop those older than ``days_kept``
    days, with the rows of no partition that are as old. ``function`` is the table's own, as
    ``sqlalchemy.func.maintain_…``.

    Changes nothing while another process is at it. Raises ``DatabaseUnavailable`` when readers or
    writers hold the table for more than two seconds: they go first, and the next round comes.
    Raises ``ValueError`` unless ``days_ahead`` is 0 to 31 and ``days_kept`` at least 1.
    """
    if not 0 <= days_ahead <= 31 or days_kept < 1:
        raise ValueError("days_ahead must be 0 to 31 and days_kept at least 1")
    rows = await session.execute(
        select(text("change"), text("partition_name")).select_from(
            function(today, days_ahead, days_kept)
        )
    )
    changes = [(str(change), str(name)) for change, name in rows]
    return PartitionChanges(
        created=tuple(name for change, name in changes if change == "created"),
        dropped=tuple(name for change, name in changes if change == "dropped"),
    )
