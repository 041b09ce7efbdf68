"""Which trunk's own TLS settings a target is probed with."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.engine import require_system_scope
from storage.tables import HealthNameTarget, Trunk, TrunkEndpoint

__all__ = ["trunks_of_targets"]


async def trunks_of_targets(session: AsyncSession, targets: Collection[str]) -> dict[str, Trunk]:
    """One trunk for each of these targets that has an endpoint there, by the target's id.

    Of several any will do: what a target's connection needs is part of its identity, so they have
    it in common. Needs the system scope.
    """
    require_system_scope(session)
    found = await session.execute(
        select(col(HealthNameTarget.target_id), Trunk)
        .join(TrunkEndpoint, col(TrunkEndpoint.name_id) == col(HealthNameTarget.name_id))
        .join(
            Trunk,
            (col(Trunk.org_id) == col(TrunkEndpoint.org_id))
            & (col(Trunk.id) == col(TrunkEndpoint.trunk_id)),
        )
        .where(col(HealthNameTarget.target_id).in_(targets))
    )
    return {row[0]: row[1] for row in found}
