"""What a name was resolved to: written by who holds its shard, told to whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.health import HealthState
from domain.probe_target import ProbeProfile, TargetIdentity, shard_of
from sip.transports import Transport
from storage.engine import Database
from storage.health_config import (
    ResolvedTarget,
    displace,
    load_shards,
    revisions,
    write_resolution,
)
from storage.health_writes import FenceLost
from tests.storage.factories import NOON
from tests.storage.health_rows import (
    a_name,
    a_target,
    a_transition,
    add_trunk,
    fences_of,
    place_names,
    rows,
    see,
)

pytestmark = pytest.mark.postgres

HOST = a_name("sip.example.com")
SHARD = shard_of(HOST.name_id)
TTL = timedelta(minutes=5)


def at(address: str, priority: int = 0, weight: int = 0) -> ResolvedTarget:
    return ResolvedTarget(a_target(address, HOST.host), priority, weight)


async def resolve(
    database: Database,
    found: Sequence[ResolvedTarget] | str,
    *,
    now: datetime = NOON,
    fence: int | None = None,
) -> bool:
    held = (await fences_of(database, HOST))[SHARD] if fence is None else fence
    async with database.system() as session:
        return await write_resolution(session, SHARD, held, HOST.name_id, found, now=now, ttl=TTL)


async def one_name(database: Database) -> Any:
    (row,) = await rows(database, "SELECT resolved_at, expires_at, error FROM health_names")
    return tuple(row)


async def changes(database: Database) -> list[tuple[Any, ...]]:
    found = await rows(database, "SELECT added, removed, error FROM name_changes ORDER BY id")
    return [
        (
            [each["address"] for each in row.added],
            [each["address"] for each in row.removed],
            row.error,
        )
        for row in found
    ]


async def nudged(database: Database) -> list[str]:
    found = await rows(
        database, "SELECT payload ->> 'trunk_id' AS id FROM outbox WHERE kind = 'trunk_facts'"
    )
    return sorted(row.id for row in found)


async def revision(database: Database) -> int:
    async with database.system() as session:
        return (await revisions(session, [SHARD]))[SHARD]


@pytest.fixture
async def trunk_id(database: Database, org_id: str) -> str:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, HOST)
    return trunk_id


async def test_what_was_found_is_probed_and_told(
    database: Database, org_id: str, other_org_id: str, trunk_id: str
) -> None:
    theirs = await add_trunk(database, other_org_id)
    await place_names(database, other_org_id, theirs, HOST)
    before = await revision(database)

    assert await resolve(database, [at("192.0.2.1", 10, 60), at("192.0.2.2", 20, 40)])

    async with database.system() as session:
        found = await load_shards(session, [SHARD])
    assert sorted(each.identity.address for each in found.targets) == ["192.0.2.1", "192.0.2.2"]
    assert [each.health.state for target in found.targets for each in target.rules] == [
        HealthState.UNCHECKED
    ] * 2
    assert await one_name(database) == (NOON, NOON + TTL, None)
    assert await changes(database) == [(["192.0.2.1", "192.0.2.2"], [], None)]
    assert await nudged(database) == sorted([trunk_id, theirs])
    assert await revision(database) == before + 1


async def test_the_same_in_another_order_is_no_change(database: Database, trunk_id: str) -> None:
    await resolve(database, [at("192.0.2.1"), at("192.0.2.2")])
    before = await revision(database)
    later = NOON + TTL
    assert not await resolve(
        database, [at("192.0.2.2"), at("192.0.2.1"), at("192.0.2.2")], now=later
    )
    assert await one_name(database) == (later, later + TTL, None)
    assert len(await changes(database)) == 1
    assert await revision(database) == before


async def test_another_weight_is_told_without_being_another_target(
    database: Database, trunk_id: str
) -> None:
    await resolve(database, [at("192.0.2.1", 10, 60)])
    assert await resolve(database, [at("192.0.2.1", 10, 40)])
    assert [
        tuple(row) for row in await rows(database, "SELECT weight FROM health_name_targets")
    ] == [(40,)]
    assert len(await changes(database)) == 1


async def test_a_target_that_left_the_dns_is_probed_no_more(
    database: Database, trunk_id: str
) -> None:
    await resolve(database, [at("192.0.2.1"), at("192.0.2.2")])
    await see(database, HOST, a_transition(at("192.0.2.1").identity.target_id, HealthState.HEALTHY))
    assert await resolve(database, [at("192.0.2.2"), at("192.0.2.3")])
    found = await rows(database, "SELECT address FROM health_targets ORDER BY address")
    assert [row.address for row in found] == ["192.0.2.2", "192.0.2.3"]
    assert (await changes(database))[1] == (["192.0.2.3"], ["192.0.2.1"], None)
    # What made the trunk healthy is gone.
    assert [tuple(row) for row in await rows(database, "SELECT state FROM trunk_health")] == [
        ("unchecked",)
    ]


async def test_after_an_error_the_targets_stay(database: Database, trunk_id: str) -> None:
    await resolve(database, [at("192.0.2.1")])
    later = NOON + TTL
    for error in ("SERVFAIL", "SERVFAIL", "timed out\x00"):
        assert not await resolve(database, error, now=later)
    assert await one_name(database) == (NOON, later + TTL, "timed out\ufffd")
    assert [each[2] for each in await changes(database)] == [None, "SERVFAIL", "timed out\ufffd"]
    ((address,),) = await rows(database, "SELECT address FROM health_targets")
    assert address == "192.0.2.1"

    assert not await resolve(database, [at("192.0.2.1")], now=later)
    assert await one_name(database) == (later, later + TTL, None)


async def test_a_name_that_leads_nowhere_makes_the_trunk_down(
    database: Database, org_id: str, trunk_id: str
) -> None:
    states = "SELECT state FROM trunk_health"
    assert [tuple(row) for row in await rows(database, states)] == [("unchecked",)]
    await resolve(database, "NXDOMAIN")
    assert [tuple(row) for row in await rows(database, states)] == [("down",)]
    assert await nudged(database) == [trunk_id]
    # Another endpoint of which nothing is known says nothing against it; one that is up does.
    await place_names(database, org_id, trunk_id, HOST, a_name())
    assert [tuple(row) for row in await rows(database, states)] == [("down",)]
    await see(
        database, a_name(), a_transition(a_target("192.0.2.1").target_id, HealthState.DEGRADED)
    )
    assert [tuple(row) for row in await rows(database, states)] == [("degraded",)]
    await place_names(database, org_id, trunk_id, HOST)
    assert [tuple(row) for row in await rows(database, states)] == [("down",)]
    await resolve(database, [at("192.0.2.1")])
    assert [tuple(row) for row in await rows(database, states)] == [("unchecked",)]


async def test_a_name_that_nobody_uses_any_more_is_left_alone(
    database: Database, org_id: str, trunk_id: str
) -> None:
    fence = (await fences_of(database, HOST))[SHARD]
    async with database.tenant(org_id) as session:
        await displace(session, org_id=org_id, trunk_id=trunk_id)
    assert not await resolve(database, [at("192.0.2.1")], fence=fence)
    assert not await resolve(database, "NXDOMAIN", fence=fence)
    assert await rows(database, "SELECT FROM health_targets") == []
    assert await changes(database) == []


@pytest.mark.parametrize("found", ["NXDOMAIN", [at("192.0.2.1")]])
async def test_who_lost_the_shard_writes_nothing(
    database: Database, trunk_id: str, found: Sequence[ResolvedTarget] | str
) -> None:
    fence = (await fences_of(database, HOST))[SHARD]
    await fences_of(database, HOST)
    with pytest.raises(FenceLost) as lost:
        await resolve(database, found, fence=fence)
    assert lost.value.shards == (SHARD,)
    assert await one_name(database) == (None, None, None)
    assert await rows(database, "SELECT FROM health_targets") == []
    assert await nudged(database) == []


async def test_an_ipv6_target_over_tls_is_kept_as_it_is(database: Database, trunk_id: str) -> None:
    target = TargetIdentity("2001:db8::1", 5061, Transport.TLS, ProbeProfile(HOST.host))
    await resolve(database, [ResolvedTarget(target, 0, 0)])
    async with database.system() as session:
        (loaded,) = (await load_shards(session, [SHARD])).targets
    assert loaded.identity == target
    assert loaded.target_id == target.target_id
