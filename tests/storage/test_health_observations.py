"""How calls ended: told by who placed them, noted once by who watches the target."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.health_observation import Observed
from domain.probe_target import NameIdentity, ProbeProfile, shard_of
from sip.transports import Transport
from storage.engine import Database
from storage.health_observations import (
    NewObservation,
    TrunkCall,
    add_observation,
    calls_of_trunk,
    new_observations,
)
from tests.storage.factories import NOON
from tests.storage.health_rows import a_name, a_target, add_trunk, fences_of, place_names, rows

pytestmark = pytest.mark.postgres

NAME = a_name()
TARGET = a_target("192.0.2.1").target_id
SHARD = shard_of(NAME.name_id)


def a_call(org_id: str, trunk_id: str, **fields: Any) -> NewObservation:
    call = NewObservation(
        org_id=org_id,
        trunk_id=trunk_id,
        at=NOON,
        host="192.0.2.1",
        port=5060,
        transport=Transport.UDP,
        address="192.0.2.1",
        target_port=5060,
        target_transport=Transport.UDP,
        sign="unreachable",
        status=503,
        detail="Service Unavailable\x00",
    )
    return replace(call, **fields)


async def note(database: Database, call: NewObservation) -> None:
    async with database.tenant(call.org_id) as session:
        await add_observation(session, call)


@pytest.fixture
async def trunk_id(database: Database, org_id: str) -> str:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, NAME)
    return trunk_id


async def test_a_call_is_noted_once_by_the_holder_of_the_target(
    database: Database, org_id: str, trunk_id: str
) -> None:
    await note(database, a_call(org_id, trunk_id))
    await note(database, a_call(org_id, trunk_id, status=200, sign="alive", detail=None))
    fences = await fences_of(database, NAME)
    async with database.system() as session:
        first, second = await new_observations(session, fences, NOON)
        assert await new_observations(session, fences, NOON) == []
    assert (first.target_id, first.shard, first.at) == (TARGET, SHARD, NOON)
    assert (first.kind, first.sign, first.status) == (Observed.CALL, "unreachable", 503)
    assert first.detail == "Service Unavailable\ufffd"
    assert (second.sign, second.status, second.detail) == ("alive", 200, None)
    assert first.id < second.id


async def test_a_former_holder_notes_nothing(
    database: Database, org_id: str, trunk_id: str
) -> None:
    await note(database, a_call(org_id, trunk_id))
    former = await fences_of(database, NAME)
    holder = await fences_of(database, NAME)
    async with database.system() as session:
        assert await new_observations(session, former, NOON) == []
        assert await new_observations(session, {(SHARD + 1) % 64: 1}, NOON) == []
        assert len(await new_observations(session, holder, NOON)) == 1


async def test_what_was_noted_in_a_transaction_that_failed_is_noted_again(
    database: Database, org_id: str, trunk_id: str
) -> None:
    await note(database, a_call(org_id, trunk_id))
    fences = await fences_of(database, NAME)
    async with database.system() as session:
        assert len(await new_observations(session, fences, NOON)) == 1
        await session.rollback()
    async with database.system() as session:
        assert len(await new_observations(session, fences, NOON)) == 1


async def test_the_trunk_is_told_of_its_call(
    database: Database, org_id: str, other_org_id: str, trunk_id: str
) -> None:
    theirs = await add_trunk(database, other_org_id)
    await place_names(database, other_org_id, theirs, NAME)
    await note(database, a_call(org_id, trunk_id))
    found = await rows(database, "SELECT stream FROM outbox WHERE kind = 'trunk_facts'")
    assert [row.stream for row in found] == [f"trunk:{trunk_id}"]


@pytest.mark.parametrize(
    "fields",
    [
        {"address": None, "target_port": None, "target_transport": None},
        {"address": "192.0.2.2"},
        {"target_port": 5070},
        {"target_transport": Transport.TCP},
        {"host": "sip.example.com"},
        {"port": None},
        {"transport": None},
    ],
    ids=lambda fields: "-".join(fields),
)
async def test_a_call_to_what_is_not_watched_is_the_trunks_alone(
    database: Database, org_id: str, trunk_id: str, fields: dict[str, Any]
) -> None:
    await note(database, a_call(org_id, trunk_id, **fields))
    ((target_id, shard),) = await rows(database, "SELECT target_id, shard FROM health_observations")
    assert (target_id, shard) == (None, None)
    async with database.tenant(org_id) as session:
        assert len(await calls_of_trunk(session, trunk_id, since=NOON - DAY, limit=5)) == 1


DAY = timedelta(days=1)


async def test_a_call_by_a_host_is_noted_for_the_target_of_that_host(
    database: Database, org_id: str, trunk_id: str
) -> None:
    # The same address twice, each asked for another domain.
    other = NameIdentity("192.0.2.1", None, None, ProbeProfile("other.example.com"))
    await place_names(database, org_id, trunk_id, NAME, other)
    await note(database, a_call(org_id, trunk_id, port=None, transport=None))
    ((target_id,),) = await rows(database, "SELECT target_id FROM health_observations")
    assert target_id == a_target("192.0.2.1", "other.example.com").target_id


async def test_a_trunk_knows_its_own_calls_in_order(
    database: Database, org_id: str, trunk_id: str
) -> None:
    other = await add_trunk(database, org_id)
    for minutes, status in ((0, 486), (1, 503), (2, None), (3, 200)):
        at = NOON + timedelta(minutes=minutes)
        await note(database, a_call(org_id, trunk_id, at=at, status=status))
    await note(database, a_call(org_id, other, at=NOON + DAY))
    async with database.tenant(org_id) as session:
        found = await calls_of_trunk(session, trunk_id, since=NOON, limit=2)
        every = await calls_of_trunk(session, trunk_id, since=NOON, limit=9)
    assert [each.status for each in found] == [None, 200]
    assert [each.status for each in every] == [503, None, 200]
    assert every[0] == TrunkCall(
        NOON + timedelta(minutes=1), "192.0.2.1", 5060, Transport.UDP, "unreachable", 503
    )
