"""Trunks of which nobody has decided yet where their calls go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.engine import require_system_scope
from storage.health_facts import TRUNK_FACTS, nudge

__all__ = ["nudge_undecided"]


async def nudge_undecided(
    session: AsyncSession, *, changed_before: datetime, nudged_before: datetime, limit: int
) -> int:
    """Nudge trunks without a route, none more often than that; how many there were.

    A trunk that changed since is being told of that. Needs the system scope.
    """
    require_system_scope(session)
    found = await session.execute(
        text(
            """
            SELECT t.id, t.org_id FROM trunks t
             WHERE t.updated_at < :changed_before
               AND NOT EXISTS (SELECT FROM trunk_routes r
                                WHERE r.org_id = t.org_id AND r.trunk_id = t.id)
               AND NOT EXISTS (SELECT FROM outbox o
                                WHERE o.stream = 'trunk:' || t.id AND o.kind = :kind
                                  AND o.created_at >= :nudged_before)
             ORDER BY t.id LIMIT :limit
            """
        ),
        {
            "changed_before": changed_before,
            "nudged_before": nudged_before,
            "kind": TRUNK_FACTS,
            "limit": limit,
        },
    )
    users = {row.id: row.org_id for row in found}
    if users:
        await nudge(session, users)
    return len(users)
