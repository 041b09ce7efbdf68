"""Changes of state: written once with what proves them, and told to every trunk they concern."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from domain.health import HealthState, TargetHealth
from domain.health_rule import HealthPreset, HealthRule
from storage import outbox
from storage.engine import Database
from storage.health_reads import picture_of, transitions_of
from storage.health_writes import (
    StateRow,
    TransitionRow,
    write_transitions,
)
from tests.storage.factories import NOON
from tests.storage.health_rows import (
    a_name,
    a_target,
    a_transition,
    add_trunk,
    fences_of,
    health_of,
    nudges,
    place_names,
    rows,
    see,
)

pytestmark = pytest.mark.postgres

NAME = a_name()
TARGET = a_target("192.0.2.1").target_id
STRICT = HealthRule(preset=HealthPreset.STRICT_200)

UNCHECKED, HEALTHY, REACHABLE, DEGRADED, DOWN = HealthState


@pytest.fixture
async def trunk_id(database: Database, org_id: str) -> str:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, NAME)
    return trunk_id


async def test_a_change_is_kept_with_its_evidence(
    database: Database, org_id: str, trunk_id: str
) -> None:
    change = a_transition(TARGET, DOWN, reason="unanswered \x00", seen_by="probe\ud800")
    await see(database, NAME, change)

    async with database.tenant(org_id) as session:
        (found,) = await transitions_of(session, [(TARGET, "standard")], limit=10)
        ((picture,),) = [each.targets for each in await picture_of(session, trunk_id)]
    assert (found.before, found.after, found.seq, found.at) == (UNCHECKED, DOWN, 1, NOON)
    assert found.reason == "unanswered \ufffd"
    assert found.evidence == {
        "misses": 3,
        "goods": 0,
        "rule_key": "standard",
        "seen_by": "probe\ufffd",
    }
    assert (found.request, found.reply) == (change.request, change.reply)
    assert picture.health == replace(change.state.health, reason="unanswered \ufffd")
    assert await health_of(database, trunk_id) == "down"
    assert await nudges(database) == [f"trunk:{trunk_id}"]


async def test_a_change_that_is_there_is_not_written_again(
    database: Database, trunk_id: str
) -> None:
    first = a_transition(TARGET, HEALTHY)
    second = a_transition(TARGET, DOWN, seq=2, before=HEALTHY)
    await see(database, NAME, first)
    await see(database, NAME, first, second)
    await see(database, NAME, first, second)
    found = await rows(database, "SELECT seq FROM health_transitions ORDER BY id")
    assert [row.seq for row in found] == [1, 2]
    assert [tuple(row) for row in await rows(database, "SELECT state, seq FROM health_states")] == [
        ("down", 2)
    ]
    assert await health_of(database, trunk_id) == "down"


async def test_what_came_back_within_one_write_stands_as_it_ended(
    database: Database, trunk_id: str
) -> None:
    await see(
        database,
        NAME,
        a_transition(TARGET, HEALTHY),
        a_transition(TARGET, DOWN, seq=2, before=HEALTHY),
    )
    assert await health_of(database, trunk_id) == "down"
    assert len(await rows(database, "SELECT FROM health_transitions")) == 2


async def test_what_nobody_uses_is_not_written(
    database: Database, org_id: str, trunk_id: str
) -> None:
    gone = a_transition(a_target("192.0.2.99").target_id, DOWN)
    other_rule = a_transition(TARGET, DOWN, rule=STRICT)
    await see(database, NAME, gone, other_rule)
    assert await rows(database, "SELECT FROM health_transitions") == []
    assert await nudges(database) == []
    assert len(await rows(database, "SELECT FROM health_states")) == 1


async def test_rows_without_a_reply_have_none(database: Database, trunk_id: str) -> None:
    change = a_transition(TARGET, DOWN)
    silent = TransitionRow(
        StateRow(TARGET, "standard", TargetHealth(DOWN, seq=1)), change.transition, {}
    )
    await see(database, NAME, silent)
    ((request, reply),) = await rows(database, "SELECT request, reply FROM health_transitions")
    assert (request, reply) == (None, None)
    ((since, last_status),) = await rows(database, "SELECT since, last_status FROM health_states")
    assert (since, last_status) == (None, None)


async def test_bytes_of_any_length_are_kept_up_to_a_bound(
    database: Database, trunk_id: str
) -> None:
    change = replace(a_transition(TARGET, DOWN), reply=b"x" * 100_000)
    await see(database, NAME, change)
    ((length,),) = await rows(database, "SELECT length(reply) FROM health_transitions")
    assert length == 8192


async def test_every_trunk_with_the_target_and_the_rule_is_told(
    database: Database, org_id: str, other_org_id: str, trunk_id: str
) -> None:
    theirs = await add_trunk(database, other_org_id)
    strict = await add_trunk(database, org_id)
    await place_names(database, other_org_id, theirs, NAME)
    await place_names(database, org_id, strict, NAME, rule=STRICT)

    await see(database, NAME, a_transition(TARGET, REACHABLE))

    assert await nudges(database) == sorted([f"trunk:{trunk_id}", f"trunk:{theirs}"])
    owners = await rows(database, "SELECT stream, org_id FROM outbox WHERE kind = 'trunk_facts'")
    assert {row.stream: row.org_id for row in owners} == {
        f"trunk:{trunk_id}": org_id,
        f"trunk:{theirs}": other_org_id,
    }
    assert await health_of(database, strict) == "unchecked"
    assert await health_of(database, theirs) == "reachable"


async def test_a_trunk_is_as_good_as_its_best_target(database: Database, org_id: str) -> None:
    trunk_id = await add_trunk(database, org_id)
    names = [a_name(f"192.0.2.{number}") for number in (1, 2, 3)]
    ids = [a_target(name.host).target_id for name in names]
    await place_names(database, org_id, trunk_id, *names)
    seen = [
        (0, 1, UNCHECKED, DOWN, "down"),
        (1, 1, UNCHECKED, REACHABLE, "reachable"),
        (2, 1, UNCHECKED, DEGRADED, "reachable"),
        (0, 2, DOWN, HEALTHY, "healthy"),
        (1, 2, REACHABLE, DOWN, "healthy"),
        (0, 3, HEALTHY, DOWN, "degraded"),
        (2, 2, DEGRADED, DOWN, "down"),
        (2, 3, DOWN, UNCHECKED, "down"),
    ]
    for index, seq, before, after, expected in seen:
        change = a_transition(ids[index], after, seq=seq, before=before)
        await see(database, names[index], change)
        assert await health_of(database, trunk_id) == expected


async def test_two_writes_at_once_that_each_take_a_target_take_the_trunk_down(
    database: Database, org_id: str
) -> None:
    trunk_id = await add_trunk(database, org_id)
    names = [a_name("192.0.2.1"), a_name("192.0.2.2")]
    ids = [a_target(name.host).target_id for name in names]
    await place_names(database, org_id, trunk_id, *names)
    fences = await fences_of(database, *names)
    async with database.system() as session:
        await write_transitions(session, fences, [a_transition(each, HEALTHY) for each in ids])

    first, second = [a_transition(each, DOWN, seq=2, before=HEALTHY) for each in ids]
    async with database.system() as one, database.system() as other:
        await write_transitions(one, fences, [first])
        later = asyncio.create_task(write_transitions(other, fences, [second]))
        await asyncio.wait({later}, timeout=0.2)
        await one.commit()
        await later
    assert await health_of(database, trunk_id) == "down"


async def test_a_nudge_that_waits_serves_every_change_and_one_under_way_none(
    database: Database, org_id: str, trunk_id: str
) -> None:
    await see(database, NAME, a_transition(TARGET, HEALTHY))
    await see(database, NAME, a_transition(TARGET, DOWN, seq=2, before=HEALTHY))
    assert len(await nudges(database)) == 1

    async with database.system() as relay:
        claimed = await outbox.claim(relay, now=NOON)
        assert f"trunk:{trunk_id}" in {entry.stream for entry in claimed}
        # The trunk may have looked already.
        await see(database, NAME, a_transition(TARGET, HEALTHY, seq=3, before=DOWN))
        assert len(await nudges(database)) == 2
        await outbox.mark_delivered(relay, [entry.id for entry in claimed], now=NOON)
    await see(database, NAME, a_transition(TARGET, DOWN, seq=4, before=HEALTHY))
    assert len(await nudges(database)) == 2


async def test_a_waiting_change_of_the_configuration_is_no_nudge(
    database: Database, org_id: str, trunk_id: str
) -> None:
    async with database.tenant(org_id) as session:
        await outbox.append(
            session,
            org_id=org_id,
            stream=f"trunk:{trunk_id}",
            kind="trunk.changed",
            payload={"trunk_id": trunk_id},
        )
    await see(database, NAME, a_transition(TARGET, HEALTHY))
    assert len(await nudges(database)) == 1


async def test_hundreds_of_targets_of_one_trunk_may_change_at_once(
    database: Database, org_id: str
) -> None:
    names = [a_name(f"10.0.{number // 250}.{number % 250 + 1}") for number in range(300)]
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, *names)
    fences = await fences_of(database, *names)
    ids = [a_target(name.host).target_id for name in names]

    async with database.system() as session:
        await write_transitions(session, fences, [a_transition(each, DOWN) for each in ids])
    assert await health_of(database, trunk_id) == "down"
    assert len(await rows(database, "SELECT FROM health_transitions")) == 300
    assert await nudges(database) == [f"trunk:{trunk_id}"]
