"""What a name was resolved to, written by the holder of its shard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.probe_target import TargetIdentity
from storage.columns import storable
from storage.engine import require_system_scope
from storage.health_facts import change_shards, lock_ids, nudge, users_of_name
from storage.health_fence import hold
from storage.health_of_trunks import refresh
from storage.health_placing import add_states, add_targets, collect

__all__ = ["ResolvedTarget", "write_resolution"]

MAX_ERROR: Final = 1000


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """One target of a name, with what the DNS says of it (RFC 2782)."""

    identity: TargetIdentity
    priority: int = 0
    weight: int = 0


async def write_resolution(
    session: AsyncSession,
    shard: int,
    fence: int,
    name_id: str,
    found: Sequence[ResolvedTarget] | str,
    *,
    now: datetime,
    ttl: timedelta,
) -> bool:
    """Write what a name was resolved to, or why it was not; whether its targets changed.

    After an error the targets stay. ``ttl`` is how long not to look it up again. A change is
    recorded, the trunks that use the name are nudged and the shards concerned get a new revision;
    the order alone is no change, since servers rotate their answers. A name that nobody uses any
    more is left alone. Needs the system scope. Raises ``FenceLost``.
    """
    require_system_scope(session)
    await lock_ids(session, [name_id])
    known = await session.execute(
        text("SELECT error FROM health_names WHERE id = :name FOR UPDATE"), {"name": name_id}
    )
    name = known.one_or_none()
    changed = False
    if name is not None:
        error = storable(found)[:MAX_ERROR] if isinstance(found, str) else None
        await _note(session, name_id, error, now=now, expires_at=now + ttl)
        if error is not None and error != name.error:
            await _record(session, name_id, now, error=error)
        touched: set[int] = set()
        if not isinstance(found, str):
            touched = await _lead_to(session, shard, name_id, found, now)
        changed = bool(touched)
        if changed or error != name.error:
            users = await users_of_name(session, name_id)
            await refresh(session, users)
            await nudge(session, users)
        if changed:
            await change_shards(session, touched)
    await hold(session, {shard: fence})
    return changed


async def _note(
    session: AsyncSession, name_id: str, error: str | None, *, now: datetime, expires_at: datetime
) -> None:
    await session.execute(
        text(
            """
            UPDATE health_names
               SET error = CAST(:error AS text), expires_at = :expires_at,
                   resolved_at = CASE WHEN CAST(:error AS text) IS NULL THEN CAST(:now AS timestamptz)
                                      ELSE resolved_at END
             WHERE id = :name
            """
        ),
        {"name": name_id, "error": error, "now": now, "expires_at": expires_at},
    )


async def _lead_to(
    session: AsyncSession,
    shard: int,
    name_id: str,
    found: Sequence[ResolvedTarget],
    now: datetime,
) -> set[int]:
    """Let the name lead to these targets; the shards concerned, none when it does already."""
    wanted: dict[str, ResolvedTarget] = {}
    for each in found:
        wanted.setdefault(each.identity.target_id, each)
    present = await _present(session, name_id)
    facts = {key: (each.priority, each.weight) for key, each in wanted.items()}
    if facts == {key: each.facts for key, each in present.items()}:
        return set()
    gone = present.keys() - wanted.keys()
    await lock_ids(session, present.keys() | wanted.keys())
    await add_targets(session, {key: each.identity for key, each in wanted.items()}, shard)
    await _replace(session, name_id, wanted)
    await add_states(session, [name_id])
    touched = await _shards_of(session, present.keys() | wanted.keys())
    await collect(session, (), gone)
    if facts.keys() != present.keys():
        added = [_told(each.identity) for key, each in wanted.items() if key not in present]
        await _record(
            session, name_id, now, added=added, removed=[present[key].told for key in sorted(gone)]
        )
    return {shard, *touched}


@dataclass(frozen=True, slots=True)
class _Present:
    facts: tuple[int, int]
    told: dict[str, Any]


async def _present(session: AsyncSession, name_id: str) -> dict[str, _Present]:
    found = await session.execute(
        text(
            """
            SELECT t.id, l.priority, l.weight, t.address, t.port, t.transport
              FROM health_name_targets l JOIN health_targets t ON t.id = l.target_id
             WHERE l.name_id = :name
            """
        ),
        {"name": name_id},
    )
    return {
        row.id: _Present(
            (row.priority, row.weight),
            {"address": row.address, "port": row.port, "transport": row.transport},
        )
        for row in found
    }


async def _replace(
    session: AsyncSession, name_id: str, wanted: Mapping[str, ResolvedTarget]
) -> None:
    await session.execute(
        text("DELETE FROM health_name_targets WHERE name_id = :name"), {"name": name_id}
    )
    await session.execute(
        text(
            """
            INSERT INTO health_name_targets (name_id, target_id, priority, weight, position)
            SELECT :name, target_id, priority, weight, position
              FROM unnest(CAST(:targets AS text[]), CAST(:priorities AS integer[]),
                          CAST(:weights AS integer[]), CAST(:positions AS integer[]))
                AS l (target_id, priority, weight, position)
            """
        ),
        {
            "name": name_id,
            "targets": list(wanted),
            "priorities": [each.priority for each in wanted.values()],
            "weights": [each.weight for each in wanted.values()],
            "positions": list(range(len(wanted))),
        },
    )


async def _record(
    session: AsyncSession,
    name_id: str,
    now: datetime,
    *,
    added: Sequence[Mapping[str, Any]] = (),
    removed: Sequence[Mapping[str, Any]] = (),
    error: str | None = None,
) -> None:
    await session.execute(
        text(
            "INSERT INTO name_changes (name_id, at, added, removed, error) "
            "VALUES (:name, :now, :added, :removed, :error)"
        ),
        {
            "name": name_id,
            "now": now,
            "added": Jsonb(list(added)),
            "removed": Jsonb(list(removed)),
            "error": error,
        },
    )


def _told(target: TargetIdentity) -> dict[str, Any]:
    return {
        "address": target.address,
        "port": target.port,
        "transport": target.transport.value,
    }


async def _shards_of(session: AsyncSession, targets: Collection[str]) -> set[int]:
    found = await session.scalars(
        text("SELECT DISTINCT shard FROM health_targets WHERE id = ANY(CAST(:ids AS text[]))"),
        {"ids": sorted(targets)},
    )
    return set(found)
