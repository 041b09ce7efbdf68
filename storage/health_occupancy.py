"""Which shards have something to probe."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.probe_target import SHARDS
from storage.engine import require_system_scope

__all__ = ["occupied_shards"]


async def occupied_shards(session: AsyncSession) -> frozenset[int]:
    """The shards that hold a target, or a name that is looked up. Needs the system scope."""
    require_system_scope(session)
    # Asked for each shard by its index: there may be a hundred thousand rows of them.
    found = await session.scalars(
        text(
            """
            SELECT s.shard FROM generate_series(0, CAST(:last AS integer)) AS s (shard)
             WHERE EXISTS (SELECT FROM health_names n WHERE n.shard = s.shard
                              AND (n.resolved_at IS NULL OR n.expires_at IS NOT NULL))
                OR EXISTS (SELECT FROM health_targets t WHERE t.shard = s.shard)
            """
        ),
        {"last": SHARDS - 1},
    )
    return frozenset(found)
