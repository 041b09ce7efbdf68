"""Who holds a shard: one process at a time, and what another one writes is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.columns import storable
from storage.engine import require_system_scope
from storage.errors import StorageError

__all__ = ["FenceLost", "hold", "take_shard"]


class FenceLost(StorageError):
    """Another process has taken one of the shards; nothing of the transaction may remain.

    ``shards`` are those that were lost.
    """

    def __init__(self, shards: tuple[int, ...]) -> None:
        super().__init__(f"taken by another process: shard {', '.join(map(str, shards))}")
        self.shards = shards


async def take_shard(session: AsyncSession, shard: int, holder: str, now: datetime) -> int:
    """Make ``holder`` the only one who may write for this shard; the fence to write with.

    Waits for a write of the former holder that is being committed. Needs the system scope.
    """
    require_system_scope(session)
    fence = await session.scalar(
        text(
            """
            INSERT INTO health_shards (shard, fence, holder, taken_at)
            VALUES (:shard, 1, :holder, :now)
                ON CONFLICT (shard) DO UPDATE
               SET fence = health_shards.fence + 1, holder = excluded.holder,
                   taken_at = excluded.taken_at
            RETURNING fence
            """
        ),
        {"shard": shard, "holder": storable(holder), "now": now},
    )
    return int(fence)


async def hold(session: AsyncSession, fences: Mapping[int, int]) -> None:
    """Nobody takes these shards before the transaction ends. Raises ``FenceLost``.

    The last statement of a write: what counts is who holds the shard when it is committed, and the
    others who change the row, who place trunks, wait the shorter.
    """
    found = await session.execute(
        text(
            "SELECT shard, fence FROM health_shards WHERE shard = ANY(CAST(:shards AS smallint[])) "
            "ORDER BY shard FOR SHARE"
        ),
        {"shards": sorted(fences)},
    )
    held = {row[0]: row[1] for row in found}
    lost = tuple(shard for shard in sorted(fences) if held.get(shard) != fences[shard])
    if lost:
        raise FenceLost(lost)
