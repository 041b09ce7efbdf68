"""A trunk's endpoints among the names and targets that are probed, for every organization once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from domain.health import HealthState
from domain.health_rule import HealthPreset, HealthRule, HealthSource
from domain.probe_target import NameIdentity, ProbeProfile, shard_of
from sip.transports import Transport
from storage.engine import Database
from storage.health_config import (
    ResolvedTarget,
    displace,
    load_shards,
    place,
    revisions,
    write_resolution,
)
from storage.health_occupancy import occupied_shards
from tests.storage.factories import NOON
from tests.storage.health_rows import (
    a_name,
    a_target,
    a_transition,
    add_trunk,
    endpoint,
    fences_of,
    place_names,
    rows,
    see,
)

pytestmark = pytest.mark.postgres

CISCO = HealthRule(preset=HealthPreset.CISCO)
EVERY_TABLE = (
    *("health_names", "health_targets", "health_name_targets", "health_states"),
    *("trunk_endpoints", "trunk_health"),
)


async def counts(database: Database) -> list[int]:
    return [(await rows(database, f"SELECT count(*) FROM {table}"))[0][0] for table in EVERY_TABLE]


async def wanted_monitors(database: Database) -> Sequence[Any]:
    return await rows(
        database,
        "SELECT stream, payload FROM outbox WHERE kind = 'monitor_wanted' ORDER BY stream",
    )


async def test_an_address_is_probed_at_once_and_a_host_once_it_is_resolved(
    database: Database, org_id: str
) -> None:
    address, host = a_name("192.0.2.1"), a_name("sip.example.com")
    trunk_id = await add_trunk(database, org_id)

    assert await place_names(database, org_id, trunk_id, address, host)

    shards = {shard_of(address.name_id), shard_of(host.name_id)}
    async with database.system() as session:
        found = await load_shards(session, shards)
    (target,) = found.targets
    assert target.identity == a_target("192.0.2.1")
    assert target.shard == shard_of(address.name_id)
    assert [(each.rule, each.health.state) for each in target.rules] == [
        (HealthRule(), HealthState.UNCHECKED)
    ]
    (name,) = found.names
    assert (name.identity, name.resolved_at, name.expires_at) == (host, None, None)
    assert [tuple(row) for row in await wanted_monitors(database)] == sorted(
        (f"health-monitor:{shard}", {"shard": shard}) for shard in shards
    )
    assert found.revisions == dict.fromkeys(shards, 1)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ((None, None), (5060, Transport.UDP)),
        ((5080, None), (5080, Transport.UDP)),
        ((None, Transport.TLS), (5061, Transport.TLS)),
        ((5071, Transport.TCP), (5071, Transport.TCP)),
    ],
)
@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7"])
async def test_an_address_has_the_port_and_transport_of_rfc_3263(
    database: Database,
    org_id: str,
    host: str,
    name: tuple[int | None, Transport | None],
    target: tuple[int, Transport],
) -> None:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, NameIdentity(host, *name, ProbeProfile(host)))
    found = await rows(database, "SELECT address, port, transport FROM health_targets")
    assert [tuple(row) for row in found] == [(host, *target)]


async def test_placing_the_same_again_changes_nothing(database: Database, org_id: str) -> None:
    trunk_id = await add_trunk(database, org_id)
    name = a_name()
    assert await place_names(database, org_id, trunk_id, name, rule=CISCO)
    assert not await place_names(database, org_id, trunk_id, name, rule=CISCO)
    async with database.system() as session:
        assert await revisions(session, [shard_of(name.name_id)]) == {shard_of(name.name_id): 1}
    assert len(await wanted_monitors(database)) == 1


async def test_two_organizations_share_a_target_until_the_last_leaves(
    database: Database, org_id: str, other_org_id: str
) -> None:
    name = a_name()
    mine, theirs = await add_trunk(database, org_id), await add_trunk(database, other_org_id)
    await place_names(database, org_id, mine, name)
    await place_names(database, other_org_id, theirs, name)
    assert await counts(database) == [1, 1, 1, 1, 2, 2]

    async with database.tenant(org_id) as session:
        assert await displace(session, org_id=org_id, trunk_id=mine)
    assert await counts(database) == [1, 1, 1, 1, 1, 1]

    async with database.tenant(other_org_id) as session:
        assert await displace(session, org_id=other_org_id, trunk_id=theirs)
    assert await counts(database) == [0] * len(EVERY_TABLE)
    async with database.system() as session:
        # Each of the four changes was one for the holder of the shard.
        assert await revisions(session, [shard_of(name.name_id)]) == {shard_of(name.name_id): 4}


async def test_a_rule_of_its_own_is_a_state_of_its_own(
    database: Database, org_id: str, other_org_id: str
) -> None:
    name = a_name()
    mine, theirs = await add_trunk(database, org_id), await add_trunk(database, other_org_id)
    await place_names(database, org_id, mine, name)
    await place_names(database, other_org_id, theirs, name, rule=CISCO)
    async with database.system() as session:
        (target,) = (await load_shards(session, [shard_of(name.name_id)])).targets
    assert [each.rule for each in target.rules] == [CISCO, HealthRule()]

    calls = HealthRule(source=HealthSource.CALLS)
    await place_names(database, other_org_id, theirs, name, rule=calls)
    async with database.system() as session:
        (target,) = (await load_shards(session, [shard_of(name.name_id)])).targets
    assert [each.rule for each in target.rules] == [HealthRule(), calls]


async def test_endpoints_that_are_left_out_go_and_their_targets_with_them(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_trunk(database, org_id)
    first, second = a_name("192.0.2.1"), a_name("192.0.2.2")
    await place_names(database, org_id, trunk_id, first, second)
    await place_names(database, org_id, trunk_id, second)
    found = await rows(
        database, "SELECT e.position, e.label, t.address FROM trunk_endpoints e, health_targets t"
    )
    assert [tuple(row) for row in found] == [(0, "192.0.2.2", "192.0.2.2")]


async def test_a_trunk_that_is_gone_has_no_endpoints(
    database: Database, org_id: str, other_org_id: str
) -> None:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, a_name())
    await rows(database, "DELETE FROM trunks RETURNING id")
    assert await place_names(database, org_id, trunk_id, a_name(), a_name("192.0.2.2"))
    assert await counts(database) == [0] * len(EVERY_TABLE)

    foreign = await add_trunk(database, org_id)
    assert not await place_names(database, other_org_id, foreign, a_name())
    assert await counts(database) == [0] * len(EVERY_TABLE)


async def test_a_target_stays_in_the_shard_that_had_it_first(
    database: Database, org_id: str
) -> None:
    address = a_name("192.0.2.1")
    host = next(
        name
        for number in range(1000)
        if shard_of((name := a_name(f"sip{number}.example.com")).name_id)
        != shard_of(address.name_id)
    )
    # The same request to the same address: the host is only the way there.
    address = NameIdentity("192.0.2.1", 5060, Transport.UDP, host.profile)
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, address, host)
    shard = shard_of(host.name_id)
    fences = await fences_of(database, host)
    before = {shard_of(address.name_id), shard}
    async with database.system() as session:
        known = await revisions(session, before)
        await write_resolution(
            session,
            shard,
            fences[shard],
            host.name_id,
            [ResolvedTarget(a_target("192.0.2.1", host.host))],
            now=NOON,
            ttl=timedelta(minutes=1),
        )
        changed = await revisions(session, before)
    ((target_shard,),) = await rows(database, "SELECT shard FROM health_targets")
    assert target_shard == shard_of(address.name_id)
    # The holder of the target is told, though the name is another one's.
    assert all(changed[each] > known[each] for each in before)

    await place_names(database, org_id, trunk_id, host)
    ((target_shard,),) = await rows(database, "SELECT shard FROM health_targets")
    assert target_shard == shard_of(address.name_id)


async def test_two_ways_to_write_an_address_are_one_target_in_one_shard(
    database: Database, org_id: str
) -> None:
    written = [
        NameIdentity("192.0.2.1", port, transport, ProbeProfile("192.0.2.1"))
        for port, transport in ((5060, Transport.UDP), (None, None), (5060, None))
    ]
    first, *_ = written
    await place_names(database, org_id, await add_trunk(database, org_id), first)
    for name in written:
        await place_names(database, org_id, await add_trunk(database, org_id), name)
    assert len(await rows(database, "SELECT FROM health_targets")) == 1
    assert {row.stream for row in await wanted_monitors(database)} == {
        f"health-monitor:{shard_of(first.name_id)}"
    }
    async with database.system() as session:
        assert await occupied_shards(session) == {shard_of(first.name_id)}


async def test_a_trunk_stands_as_its_best_target_from_the_moment_it_is_placed(
    database: Database, org_id: str
) -> None:
    up, down = a_name("192.0.2.1"), a_name("192.0.2.2")
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, up, down)
    await see(database, up, a_transition(a_target("192.0.2.1").target_id, HealthState.REACHABLE))
    await see(database, down, a_transition(a_target("192.0.2.2").target_id, HealthState.DOWN))

    late = await add_trunk(database, org_id)
    await place_names(database, org_id, late, up, down)
    await place_names(database, org_id, trunk_id, down)
    found = await rows(database, "SELECT trunk_id, state FROM trunk_health")
    assert {row[0]: row[1] for row in found} == {trunk_id: "down", late: "reachable"}


async def test_a_target_that_comes_back_counts_on_from_what_was_recorded(
    database: Database, org_id: str
) -> None:
    trunk_id, name = await add_trunk(database, org_id), a_name()
    target_id = a_target("192.0.2.1").target_id
    await place_names(database, org_id, trunk_id, name)
    await see(database, name, a_transition(target_id, HealthState.HEALTHY, seq=7))
    async with database.tenant(org_id) as session:
        await displace(session, org_id=org_id, trunk_id=trunk_id)
    await place_names(database, org_id, trunk_id, name)
    assert [tuple(row) for row in await rows(database, "SELECT state, seq FROM health_states")] == [
        ("unchecked", 7)
    ]


async def test_whoever_leaves_and_whoever_comes_at_once_do_not_lose_the_target(
    database: Database, org_id: str, other_org_id: str
) -> None:
    names = [a_name(f"192.0.2.{number}") for number in range(1, 5)]
    mine, theirs = await add_trunk(database, org_id), await add_trunk(database, other_org_id)
    for _ in range(5):
        await place_names(database, org_id, mine, *names)
        async with database.tenant(org_id) as leaving, database.tenant(other_org_id) as coming:
            going = asyncio.create_task(displace(leaving, org_id=org_id, trunk_id=mine))
            arriving = asyncio.create_task(
                place(
                    coming,
                    org_id=other_org_id,
                    trunk_id=theirs,
                    endpoints=[endpoint(name, place) for place, name in enumerate(names[::-1])],
                )
            )
            # One waits for the other: commit whichever is through.
            done, _ = await asyncio.wait({going, arriving}, return_when=asyncio.FIRST_COMPLETED)
            first, second = (leaving, coming) if going in done else (coming, leaving)
            await first.commit()
            await asyncio.gather(going, arriving)
            await second.commit()
        assert await counts(database) == [4, 4, 4, 4, 4, 1]
        async with database.tenant(other_org_id) as session:
            await displace(session, org_id=other_org_id, trunk_id=theirs)
        assert await counts(database) == [0] * len(EVERY_TABLE)
