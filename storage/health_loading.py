"""What the holder of shards has to probe, and where it stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health import TargetHealth
from domain.health_observation import HealthState, Observed
from domain.health_rule import HealthRule
from domain.probe_target import NameIdentity, ProbeProfile, TargetIdentity
from sip.transports import Transport
from storage.engine import require_system_scope

__all__ = [
    "HEALTH_COLUMNS",
    "LoadedName",
    "LoadedRule",
    "LoadedTarget",
    "ShardConfig",
    "health_of",
    "load_shards",
    "revisions",
    "target_of",
]

ROWS_AT_A_TIME: Final = 250
"""Between two portions other tasks of the process get their turn."""


@dataclass(frozen=True, slots=True)
class LoadedName:
    """A host that is resolved again when ``expires_at`` has come; ``None`` is at once."""

    name_id: str
    shard: int
    identity: NameIdentity
    resolved_at: datetime | None
    expires_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """Where a target stands by one rule; ``next_at`` (seconds since 1970) is when it wants an extra
    look, as far as it was written."""

    rule: HealthRule
    health: TargetHealth
    next_at: float | None


@dataclass(frozen=True, slots=True)
class LoadedTarget:
    """A target, and everything that somebody makes of it."""

    target_id: str
    shard: int
    identity: TargetIdentity
    rules: tuple[LoadedRule, ...]


@dataclass(frozen=True, slots=True)
class ShardConfig:
    """Names that need looking up and targets that need probing, with the revisions of their shards:
    what is here is at least as new as they say."""

    revisions: dict[int, int]
    names: tuple[LoadedName, ...]
    targets: tuple[LoadedTarget, ...]


HEALTH_COLUMNS: Final = """
    s.state, extract(epoch FROM s.since)::float8 AS since, s.seq, s.misses, s.goods,
    extract(epoch FROM s.maintenance_until)::float8 AS maintenance_until,
    extract(epoch FROM s.last_at)::float8 AS last_at, s.last_ms, s.last_status,
    s.missed_by,
    extract(epoch FROM s.next_at)::float8 AS next_at, s.reason
"""
"""Of ``health_states s``; what ``health_of`` reads."""

_NAMES = text(
    """
    SELECT id, shard, host, port, transport, profile, resolved_at, expires_at, error
      FROM health_names
     WHERE shard = ANY(CAST(:shards AS smallint[]))
       AND (resolved_at IS NULL OR expires_at IS NOT NULL)
    """
)

# Rules are few: each is read once, by its key.
_RULES = text(
    """
    SELECT DISTINCT ON (e.rule_key) e.rule_key, e.rule FROM trunk_endpoints e ORDER BY e.rule_key
    """
)

_TARGETS = text(
    f"""
    SELECT t.id, t.shard, t.address, t.port, t.transport, t.profile, s.rule_key,
           {HEALTH_COLUMNS}
      FROM health_targets t
      JOIN health_states s ON s.target_id = t.id
     WHERE t.shard = ANY(CAST(:shards AS smallint[]))
     ORDER BY t.id, s.rule_key
    """
)


async def load_shards(session: AsyncSession, shards: Collection[int]) -> ShardConfig:
    """Everything that the holder of these shards looks after. Needs the system scope."""
    require_system_scope(session)
    # First: what is committed while the rest is read shows in the next look at the revisions.
    known = await revisions(session, shards)
    wanted = {"shards": sorted(shards)}
    names = [_name(row) async for row in _portions(session, _NAMES, wanted)]
    rules = {key: HealthRule.model_validate(rule) for key, rule in await session.execute(_RULES)}
    targets: list[LoadedTarget] = []
    judged: list[LoadedRule] = []
    last: Any = None
    async for row in _portions(session, _TARGETS, wanted):
        if last is not None and row.id != last.id:
            targets.append(_target(last, judged))
            judged = []
        last = row
        if row.rule_key in rules:
            judged.append(LoadedRule(rules[row.rule_key], health_of(row), row.next_at))
    if last is not None:
        targets.append(_target(last, judged))
    return ShardConfig(known, tuple(names), tuple(each for each in targets if each.rules))


async def revisions(session: AsyncSession, shards: Collection[int]) -> dict[int, int]:
    """How often what these shards probe has changed; every shard is there."""
    found = await session.execute(
        text(
            "SELECT shard, config_revision FROM health_shards "
            "WHERE shard = ANY(CAST(:shards AS smallint[]))"
        ),
        {"shards": sorted(shards)},
    )
    return dict.fromkeys(shards, 0) | {row[0]: row[1] for row in found}


async def _portions(session: AsyncSession, query: TextClause, wanted: dict[str, Any]) -> Any:
    streamed = await session.stream(query, wanted)
    async for portion in streamed.partitions(ROWS_AT_A_TIME):
        for row in portion:
            yield row


def health_of(row: Row[Any]) -> TargetHealth:
    """The state in a row of ``HEALTH_COLUMNS``."""
    return TargetHealth(
        state=HealthState(row.state),
        since=row.since,
        seq=row.seq,
        misses=row.misses,
        goods=row.goods,
        maintenance_until=row.maintenance_until,
        last_at=row.last_at,
        last_ms=row.last_ms,
        last_status=row.last_status,
        missed_by=None if row.missed_by is None else Observed(row.missed_by),
        reason=row.reason,
    )


def target_of(row: Row[Any]) -> TargetIdentity:
    """The target in a row of ``health_targets``."""
    return TargetIdentity(
        row.address, row.port, Transport(row.transport), ProbeProfile.from_json(row.profile)
    )


def _target(row: Any, rules: list[LoadedRule]) -> LoadedTarget:
    return LoadedTarget(row.id, row.shard, target_of(row), tuple(rules))


def _name(row: Any) -> LoadedName:
    transport = None if row.transport is None else Transport(row.transport)
    identity = NameIdentity(row.host, row.port, transport, ProbeProfile.from_json(row.profile))
    return LoadedName(row.id, row.shard, identity, row.resolved_at, row.expires_at, row.error)
