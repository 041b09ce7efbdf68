"""What a trunk's owner sees: endpoints with their targets, changes in pages, and nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.health import HealthState
from domain.health_rule import STANDARD_RULE, HealthPreset, HealthRule
from domain.probe_target import shard_of
from storage.engine import Database
from storage.health_config import ResolvedTarget, write_resolution
from storage.health_history import purge
from storage.health_observations import NewObservation, add_observation
from storage.health_reads import changes_of_names, picture_of, transitions_of
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
ADDRESS = a_name("192.0.2.9")
STRICT = HealthRule(preset=HealthPreset.STRICT_200)


async def resolve(database: Database, *targets: ResolvedTarget) -> None:
    fences = await fences_of(database, HOST)
    shard = shard_of(HOST.name_id)
    async with database.system() as session:
        await write_resolution(
            session,
            shard,
            fences[shard],
            HOST.name_id,
            targets or "SERVFAIL",
            now=NOON,
            ttl=timedelta(minutes=1),
        )


def at(address: str, priority: int = 0, weight: int = 0) -> ResolvedTarget:
    return ResolvedTarget(a_target(address, HOST.host), priority, weight)


async def test_a_picture_has_endpoints_by_position_and_targets_by_priority(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, HOST, ADDRESS)
    await resolve(database, at("192.0.2.3", 20), at("192.0.2.1", 10, 5), at("192.0.2.2", 10, 9))
    await see(database, HOST, a_transition(at("192.0.2.3").identity.target_id, HealthState.DOWN))

    async with database.tenant(org_id) as session:
        first, second = await picture_of(session, trunk_id)
    assert (first.position, first.label, first.identity) == (0, "sip.example.com", HOST)
    assert (first.name_id, first.rule, first.error) == (HOST.name_id, STANDARD_RULE, None)
    assert (first.resolved_at, first.expires_at) == (NOON, NOON + timedelta(minutes=1))
    assert [
        (each.identity.address, each.priority, each.weight, each.health.state)
        for each in first.targets
    ] == [
        ("192.0.2.2", 10, 9, HealthState.UNCHECKED),
        ("192.0.2.1", 10, 5, HealthState.UNCHECKED),
        ("192.0.2.3", 20, 0, HealthState.DOWN),
    ]
    assert (second.position, [each.identity.address for each in second.targets]) == (
        1,
        ["192.0.2.9"],
    )


async def test_a_host_that_was_never_found_has_no_targets_and_a_reason(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, HOST)
    await resolve(database)
    async with database.tenant(org_id) as session:
        (found,) = await picture_of(session, trunk_id)
    assert (found.targets, found.error, found.resolved_at) == ((), "SERVFAIL", None)


async def test_a_picture_is_the_organizations_own(
    database: Database, org_id: str, other_org_id: str
) -> None:
    mine, theirs = await add_trunk(database, org_id), await add_trunk(database, other_org_id)
    await place_names(database, org_id, mine, ADDRESS)
    await place_names(database, other_org_id, theirs, ADDRESS, rule=STRICT)
    target_id = a_target("192.0.2.9").target_id
    await see(database, ADDRESS, a_transition(target_id, HealthState.HEALTHY))
    await see(database, ADDRESS, a_transition(target_id, HealthState.DOWN, rule=STRICT))

    async with database.tenant(org_id) as session:
        assert await picture_of(session, theirs) == ()
        ((target,),) = [each.targets for each in await picture_of(session, mine)]
        assert target.health.state is HealthState.HEALTHY
        both = [(target_id, STRICT.key), (target_id, STANDARD_RULE.key)]
        (change,) = await transitions_of(session, both, limit=10)
    assert change.rule_key == STANDARD_RULE.key


async def test_changes_come_in_pages_newest_first(database: Database, org_id: str) -> None:
    trunk_id = await add_trunk(database, org_id)
    names = [a_name("192.0.2.1"), a_name("192.0.2.2")]
    await place_names(database, org_id, trunk_id, *names)
    ids = [a_target(name.host).target_id for name in names]
    states = [HealthState.HEALTHY, HealthState.DOWN]
    for seq in range(1, 4):
        for name, target_id in zip(names, ids, strict=True):
            await see(database, name, a_transition(target_id, states[seq % 2], seq=seq))
    pairs = [(target_id, "standard") for target_id in ids]
    async with database.tenant(org_id) as session:
        seen = []
        before: int | None = None
        while page := await transitions_of(session, pairs, limit=4, before_id=before):
            seen += [(each.target_id, each.seq) for each in page]
            before = page[-1].id
        assert await transitions_of(session, [], limit=4) == []
    assert seen == [(ids[index], seq) for seq in (3, 2, 1) for index in (1, 0)]


async def test_changes_of_names_come_in_pages_newest_first(
    database: Database, org_id: str, other_org_id: str
) -> None:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, HOST)
    await resolve(database, at("192.0.2.1"))
    await resolve(database, at("192.0.2.2"))
    await resolve(database)
    async with database.tenant(org_id) as session:
        newest, middle = await changes_of_names(session, [HOST.name_id], limit=2)
        (oldest,) = await changes_of_names(session, [HOST.name_id], limit=2, before_id=middle.id)
    assert newest.error == "SERVFAIL"
    told = {"port": 5060, "transport": "udp"}
    assert (middle.added, middle.removed) == (
        [{"address": "192.0.2.2", **told}],
        [{"address": "192.0.2.1", **told}],
    )
    assert (oldest.added, oldest.at) == ([{"address": "192.0.2.1", **told}], NOON)
    async with database.tenant(other_org_id) as session:
        assert await changes_of_names(session, [HOST.name_id], limit=2) == []


async def test_what_is_old_is_forgotten(database: Database, org_id: str) -> None:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, HOST, ADDRESS)
    await resolve(database, at("192.0.2.1"))
    target_id = a_target("192.0.2.9").target_id
    days = timedelta(days=1)
    for seq, ago in enumerate((91, 89), start=1):
        change = a_transition(target_id, HealthState.DOWN, seq=seq, at=NOON - ago * days)
        await see(database, ADDRESS, change)
    async with database.tenant(org_id) as session:
        await add_observation(
            session,
            NewObservation(
                org_id=org_id,
                trunk_id=trunk_id,
                at=NOON - 8 * days,
                host="192.0.2.9",
                port=5060,
                transport=None,
                sign="alive",
            ),
        )
    async with database.system() as session:
        gone = await purge(session, before=NOON - 90 * days, observed_before=NOON - 7 * days)
    assert gone == 2
    assert [row.seq for row in await rows(database, "SELECT seq FROM health_transitions")] == [2]
    assert len(await rows(database, "SELECT FROM name_changes")) == 1
    assert await rows(database, "SELECT FROM health_observations") == []
