"""A trunk's endpoints, placed among the names and targets that are probed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.probe_target import NameIdentity, TargetIdentity, shard_of
from domain.trunk_endpoints import PlacedEndpoint
from sip.transports import Transport
from storage.health_facts import change_shards, lock_ids, want_monitors
from storage.health_of_trunks import refresh

__all__ = ["PlacedEndpoint", "add_states", "add_targets", "collect", "displace", "place"]


async def place(
    session: AsyncSession,
    *,
    org_id: str,
    trunk_id: str,
    endpoints: Sequence[PlacedEndpoint],
) -> bool:
    """Let exactly these be the trunk's endpoints; whether anything changed.

    A host that is an address has its target at once. Names, targets and states that nobody uses any
    more go; the shards that are concerned get a new revision, and those that have something to
    probe are wanted. A trunk that is gone has no endpoints. Needs the organization's session.
    """
    await lock_ids(session, [trunk_id])
    wanted = {each.position: each for each in endpoints}
    if not await _exists(session, org_id, trunk_id):
        wanted = {}
    present = await _present(session, org_id, trunk_id)
    if present == {position: _facts(each) for position, each in wanted.items()}:
        return False
    before = {name_id for name_id, *_ in present.values()}
    after = {each.identity.name_id: each.identity for each in wanted.values()}
    literals = {name_id: found for name_id in after if (found := _literal(after[name_id]))}
    await lock_ids(session, before | after.keys())
    left = await _targets_of(session, before)
    await lock_ids(session, left.keys() | {each.target_id for each in literals.values()})

    await _replace_endpoints(session, org_id, trunk_id, list(wanted.values()))
    await _add_names(session, after, literals)
    for name_id, target in literals.items():
        await _lead(session, name_id, target.target_id)
        await add_targets(session, {target.target_id: target}, shard_of(name_id))
    used = await _targets_of(session, after)
    await add_states(session, after)
    await collect(session, before - after.keys(), {**left, **used})
    if wanted:
        await refresh(session, {trunk_id: org_id})
    else:
        await session.execute(
            text("DELETE FROM trunk_health WHERE org_id = :org_id AND trunk_id = :trunk_id"),
            {"org_id": org_id, "trunk_id": trunk_id},
        )
    # An address is not looked up: what is to be done for it is done where its target is.
    probing = {shard_of(name_id) for name_id in after if name_id not in literals}
    probing |= set(used.values())
    await change_shards(
        session, probing | {shard_of(name_id) for name_id in before} | set(left.values())
    )
    await want_monitors(session, org_id, probing)
    return True


async def displace(session: AsyncSession, *, org_id: str, trunk_id: str) -> bool:
    """The trunk is gone, or not to be probed any more; whether it was probed."""
    return await place(session, org_id=org_id, trunk_id=trunk_id, endpoints=())


async def add_targets(
    session: AsyncSession, targets: Mapping[str, TargetIdentity], shard: int
) -> None:
    """Have these targets; one that is there already keeps its shard."""
    if not targets:
        return
    found = list(targets.items())
    await session.execute(
        text(
            """
            INSERT INTO health_targets (id, shard, address, port, transport, profile)
            SELECT id, :shard, address, port, transport, profile
              FROM unnest(CAST(:ids AS text[]), CAST(:addresses AS text[]),
                          CAST(:ports AS integer[]), CAST(:transports AS text[]),
                          CAST(:profiles AS jsonb[]))
                AS t (id, address, port, transport, profile)
                ON CONFLICT DO NOTHING
            """
        ),
        {
            "shard": shard,
            "ids": [target_id for target_id, _ in found],
            "addresses": [each.address for _, each in found],
            "ports": [each.port for _, each in found],
            "transports": [each.transport.value for _, each in found],
            "profiles": [Jsonb(each.profile.to_json()) for _, each in found],
        },
    )


async def add_states(session: AsyncSession, names: Collection[str]) -> None:
    """Have a state for each target of these names and each rule that judges it, and hold them all.

    What is made here counts on from what was recorded before the target was forgotten. From then on
    until the end nobody changes these states, so that whoever does afterwards sees who uses them.
    """
    await session.execute(
        text(
            """
            INSERT INTO health_states
                   (target_id, rule_key, rule, state, seq, misses, goods, reason)
            SELECT DISTINCT ON (l.target_id, e.rule_key)
                   l.target_id, e.rule_key, e.rule, 'unchecked',
                   coalesce((SELECT t.seq FROM health_transitions t
                              WHERE t.target_id = l.target_id AND t.rule_key = e.rule_key
                              ORDER BY t.id DESC LIMIT 1), 0),
                   0, 0, ''
              FROM trunk_endpoints e
              JOIN health_name_targets l ON l.name_id = e.name_id
             WHERE e.name_id = ANY(CAST(:names AS text[]))
             ORDER BY l.target_id, e.rule_key
                ON CONFLICT DO NOTHING
            """
        ),
        {"names": sorted(names)},
    )
    await session.execute(
        text(
            """
            SELECT 1
              FROM (SELECT DISTINCT l.target_id, e.rule_key
                      FROM trunk_endpoints e
                      JOIN health_name_targets l ON l.name_id = e.name_id
                     WHERE e.name_id = ANY(CAST(:names AS text[]))
                     ORDER BY l.target_id, e.rule_key) AS used
             CROSS JOIN LATERAL (
                SELECT 1 FROM health_states s
                 WHERE s.target_id = used.target_id AND s.rule_key = used.rule_key
                   FOR SHARE) AS held
            """
        ),
        {"names": sorted(names)},
    )


async def collect(session: AsyncSession, names: Collection[str], targets: Collection[str]) -> None:
    """Forget those of these names and targets, and their states, that nobody uses any more."""
    await session.execute(
        text("SELECT collect_health(CAST(:names AS text[]), CAST(:targets AS text[]))"),
        {"names": sorted(names), "targets": sorted(targets)},
    )


_Facts = tuple[str, str, dict[str, Any]]


def _facts(endpoint: PlacedEndpoint) -> _Facts:
    return (
        endpoint.identity.name_id,
        endpoint.label,
        endpoint.rule.model_dump(mode="json", exclude_defaults=True),
    )


def _literal(identity: NameIdentity) -> TargetIdentity | None:
    """The target that a host is by itself; RFC 3263 4.1: UDP when nothing names a transport."""
    try:
        ip_address(identity.host)
    except ValueError:
        return None
    transport = identity.transport or Transport.UDP
    return TargetIdentity(
        identity.host, identity.port or transport.default_port, transport, identity.profile
    )


async def _exists(session: AsyncSession, org_id: str, trunk_id: str) -> bool:
    found = await session.scalar(
        text("SELECT true FROM trunks WHERE org_id = :org_id AND id = :trunk_id"),
        {"org_id": org_id, "trunk_id": trunk_id},
    )
    return bool(found)


async def _present(session: AsyncSession, org_id: str, trunk_id: str) -> dict[int, _Facts]:
    found = await session.execute(
        text(
            "SELECT position, name_id, label, rule FROM trunk_endpoints "
            "WHERE org_id = :org_id AND trunk_id = :trunk_id"
        ),
        {"org_id": org_id, "trunk_id": trunk_id},
    )
    return {position: (name_id, label, rule) for position, name_id, label, rule in found}


async def _targets_of(session: AsyncSession, names: Collection[str]) -> dict[str, int]:
    """Shards by the ids of the targets that these names lead to."""
    found = await session.execute(
        text(
            "SELECT t.id, t.shard FROM health_name_targets l JOIN health_targets t "
            "ON t.id = l.target_id WHERE l.name_id = ANY(CAST(:names AS text[]))"
        ),
        {"names": sorted(names)},
    )
    return {row[0]: row[1] for row in found}


async def _replace_endpoints(
    session: AsyncSession, org_id: str, trunk_id: str, endpoints: Sequence[PlacedEndpoint]
) -> None:
    trunk = {"org_id": org_id, "trunk_id": trunk_id}
    await session.execute(
        text("DELETE FROM trunk_endpoints WHERE org_id = :org_id AND trunk_id = :trunk_id"), trunk
    )
    if not endpoints:
        return
    facts = [_facts(each) for each in endpoints]
    await session.execute(
        text(
            """
            INSERT INTO trunk_endpoints
                   (org_id, trunk_id, position, name_id, label, rule_key, rule)
            SELECT :org_id, :trunk_id, position, name_id, label, rule_key, rule
              FROM unnest(CAST(:positions AS integer[]), CAST(:names AS text[]),
                          CAST(:labels AS text[]), CAST(:keys AS text[]), CAST(:rules AS jsonb[]))
                AS e (position, name_id, label, rule_key, rule)
            """
        ),
        {
            **trunk,
            "positions": [each.position for each in endpoints],
            "names": [name_id for name_id, *_ in facts],
            "labels": [label for _, label, _ in facts],
            "keys": [each.rule.key for each in endpoints],
            "rules": [Jsonb(rule) for *_, rule in facts],
        },
    )


async def _add_names(
    session: AsyncSession,
    names: Mapping[str, NameIdentity],
    literals: Collection[str],
) -> None:
    if not names:
        return
    found = list(names.items())
    await session.execute(
        text(
            """
            INSERT INTO health_names (id, shard, host, port, transport, profile, resolved_at)
            SELECT id, shard, host, port, transport, profile, CASE WHEN literal THEN now() END
              FROM unnest(CAST(:ids AS text[]), CAST(:shards AS smallint[]),
                          CAST(:hosts AS text[]), CAST(:ports AS integer[]),
                          CAST(:transports AS text[]), CAST(:profiles AS jsonb[]),
                          CAST(:literals AS boolean[]))
                AS n (id, shard, host, port, transport, profile, literal)
                ON CONFLICT DO NOTHING
            """
        ),
        {
            "ids": [name_id for name_id, _ in found],
            "shards": [shard_of(name_id) for name_id, _ in found],
            "hosts": [each.host for _, each in found],
            "ports": [each.port for _, each in found],
            "transports": [each.transport and each.transport.value for _, each in found],
            "profiles": [Jsonb(each.profile.to_json()) for _, each in found],
            "literals": [name_id in literals for name_id, _ in found],
        },
    )


async def _lead(session: AsyncSession, name_id: str, target_id: str) -> None:
    await session.execute(
        text(
            "INSERT INTO health_name_targets (name_id, target_id, priority, weight, position) "
            "VALUES (:name, :target, 0, 0, 0) ON CONFLICT DO NOTHING"
        ),
        {"name": name_id, "target": target_id},
    )
