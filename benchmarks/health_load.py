"""Trunks with very many watched targets, written by COPY as they stand after their first round."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from domain.health_rule import STANDARD_RULE
from domain.health_schedule import seed_of
from domain.probe_target import SHARDS, NameIdentity, ProbeProfile, TargetIdentity, shard_of
from sip.transports import Transport

__all__ = ["LoadedPeer", "load"]

TRUNKS = 500


@dataclass(frozen=True, slots=True)
class LoadedPeer:
    """A target that is watched: its address, and what its probe times are made of."""

    address: str
    target_id: str
    seed: int


def load(
    url: str,
    org_id: str,
    addresses: Sequence[str],
    transport: Transport,
    *,
    domain: str | None = None,
) -> list[LoadedPeer]:
    """Give the organization at most 500 trunks whose endpoints are these addresses.

    Each address is a name, a target and a healthy state of its own; ``domain`` is that of all, else
    each has its address. Nobody is told: who watches is started afterwards.
    """
    rows = []
    for number, address in enumerate(addresses):
        profile = ProbeProfile(domain=domain or address)
        name = NameIdentity(address, transport.default_port, transport, profile)
        target = TargetIdentity(address, transport.default_port, transport, profile)
        trunk_id = f"trk_{number % min(TRUNKS, len(addresses)):022d}"
        rows.append((trunk_id, number, address, name.name_id, target.target_id, profile.to_json()))
    trunks = sorted({row[0] for row in rows})
    port, over, rule = transport.default_port, transport.value, STANDARD_RULE
    with psycopg.connect(url) as connection:
        _copy(
            connection,
            "trunks",
            "id org_id implicit name direction fingerprint revision sip_endpoint auth_mode options",
            (
                (each, org_id, False, each, "outbound", each.encode(), 1, "sip:pbx", "ip", "{}")
                for each in trunks
            ),
        )
        _copy(
            connection,
            "health_names",
            "id shard host port transport profile resolved_at",
            (
                (name, shard_of(name), address, port, over, json.dumps(profile), "now")
                for _, _, address, name, _, profile in rows
            ),
        )
        _copy(
            connection,
            "health_targets",
            "id shard address port transport profile",
            (
                (target, shard_of(name), address, port, over, json.dumps(profile))
                for _, _, address, name, target, profile in rows
            ),
        )
        _copy(
            connection,
            "health_name_targets",
            "name_id target_id priority weight position",
            ((name, target, 0, 0, 0) for _, _, _, name, target, _ in rows),
        )
        _copy(
            connection,
            "trunk_endpoints",
            "org_id trunk_id position name_id label rule_key rule",
            (
                (org_id, trunk, number, name, address, rule.key, "{}")
                for trunk, number, address, name, _, _ in rows
            ),
        )
        _copy(
            connection,
            "health_states",
            "target_id rule_key rule state since seq misses goods last_at last_ms last_status reason",
            (
                (target, rule.key, "{}", "healthy", "now", 1, 0, 0, "now", 1.0, 200, "answered 200")
                for _, _, _, _, target, _ in rows
            ),
        )
        _copy(
            connection,
            "trunk_health",
            "org_id trunk_id state since",
            ((org_id, each, "healthy", "now") for each in trunks),
        )
        # Who has no route is asked to decide about one.
        _copy(
            connection,
            "trunk_routes",
            "org_id trunk_id generation route changed_at",
            ((org_id, each, 1, "{}", "now") for each in trunks),
        )
        _copy(
            connection,
            "health_shards",
            "shard config_revision",
            ((shard, 1) for shard in range(SHARDS)),
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return [LoadedPeer(address, target, seed_of(target)) for _, _, address, _, target, _ in rows]


def _copy(
    connection: psycopg.Connection, table: str, columns: str, rows: Iterable[tuple[object, ...]]
) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns.split()))
    )
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
