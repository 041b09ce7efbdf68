"""Whose a number is that was seen in a call: for telling real traffic apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.live_call_match import Owner
from domain.trunk import Direction
from storage.engine import require_system_scope

__all__ = ["owners_of"]


async def owners_of(session: AsyncSession, numbers: Iterable[str]) -> Mapping[str, Sequence[Owner]]:
    """Who has these numbers on a trunk, by number as it is configured; nobody's are left out.

    Each comes with the addresses that the trunk's endpoints lead to now. Needs the system scope.
    """
    require_system_scope(session)
    wanted = sorted(set(numbers))
    owners: defaultdict[str, list[Owner]] = defaultdict(list)
    if wanted:
        for row in await session.execute(_OWNERS, {"numbers": wanted}):
            owner = Owner(
                org_id=row.org_id,
                trunk_id=row.trunk_id,
                direction=Direction(row.direction),
                phone_number=row.phone_number,
                peer_addresses=frozenset(row.addresses),
            )
            owners[row.phone_number].append(owner)
    return owners


_OWNERS = text(
    """
    SELECT b.org_id, b.trunk_id, b.direction, b.phone_number,
           coalesce(array_agg(DISTINCT t.address) FILTER (WHERE t.address IS NOT NULL), '{}')
               AS addresses
      FROM number_bindings b
      LEFT JOIN trunk_endpoints e ON e.trunk_id = b.trunk_id
      LEFT JOIN health_name_targets l ON l.name_id = e.name_id
      LEFT JOIN health_targets t ON t.id = l.target_id
     WHERE b.phone_number = ANY (CAST(:numbers AS text[]))
     GROUP BY b.id, b.org_id, b.trunk_id, b.direction, b.phone_number, b.priority
     ORDER BY b.phone_number, b.org_id, b.priority
    """
)
