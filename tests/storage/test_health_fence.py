"""One process holds a shard: what another one writes is refused, whichever came first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health import HealthState
from domain.health_history import HourTotals, MinuteSample, OutcomeClass, pack_minutes
from domain.probe_target import shard_of
from storage.engine import Database
from storage.health_writes import (
    FenceLost,
    HourRow,
    flush_hours,
    take_shard,
    write_states,
    write_transitions,
)
from tests.api.waiting import eventually
from tests.storage.factories import NOON
from tests.storage.health_rows import (
    a_name,
    a_target,
    a_transition,
    add_trunk,
    fences_of,
    place_names,
    rows,
)
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

NAME = a_name()
TARGET = a_target("192.0.2.1").target_id
SHARD = shard_of(NAME.name_id)
UP = a_transition(TARGET, HealthState.HEALTHY)
HOUR = HourRow(
    TARGET,
    NOON,
    HourTotals(1, (0, 1), 5, 5),
    pack_minutes({0: MinuteSample(OutcomeClass.OK, 5)}),
)


@pytest.fixture(autouse=True)
async def placed(database: Database, org_id: str) -> None:
    await place_names(database, org_id, await add_trunk(database, org_id), NAME)


async def take(database: Database) -> int:
    async with database.system() as session:
        return await take_shard(session, SHARD, "another", NOON + timedelta(seconds=1))


async def everything(database: Database) -> list[int]:
    return [
        (await rows(database, f"SELECT count(*) FROM {table}"))[0][0]
        for table in ("health_transitions", "health_hours")
    ] + [(await rows(database, "SELECT seq FROM health_states"))[0][0]]


async def test_every_holder_gets_a_higher_fence(database: Database) -> None:
    assert [await take(database) for _ in range(3)] == [1, 2, 3]
    ((holder, taken_at),) = await rows(
        database, "SELECT holder, taken_at FROM health_shards WHERE fence = 3"
    )
    assert (holder, taken_at) == ("another", NOON + timedelta(seconds=1))


Write = Callable[[AsyncSession, Mapping[int, int]], Awaitable[None]]

WRITES: dict[str, Write] = {
    "transitions": lambda session, fences: write_transitions(session, fences, [UP]),
    "states": lambda session, fences: write_states(session, fences, [UP.state]),
    "hours": lambda session, fences: flush_hours(session, fences, [HOUR]),
}


async def write(database: Database, what: str, fences: Mapping[int, int]) -> None:
    async with database.system() as session:
        await WRITES[what](session, fences)


@pytest.mark.parametrize("what", WRITES)
async def test_what_a_former_holder_writes_is_undone(database: Database, what: str) -> None:
    fences = await fences_of(database, NAME)
    await take(database)
    with pytest.raises(FenceLost, match=f"shard {SHARD}"):
        await write(database, what, fences)
    assert await everything(database) == [0, 0, 0]


async def test_shards_that_nobody_took_cannot_be_written_for(database: Database) -> None:
    with pytest.raises(FenceLost) as lost:
        await write(database, "hours", {SHARD: 0, (SHARD + 1) % 64: 0})
    assert lost.value.shards == ((SHARD + 1) % 64,)


async def test_whoever_takes_the_shard_waits_for_a_write_that_is_being_committed(
    database: Database,
) -> None:
    fences = await fences_of(database, NAME)
    async with database.system() as writer:
        await flush_hours(writer, fences, [HOUR])
        taking = asyncio.create_task(take(database))
        done, _ = await asyncio.wait({taking}, timeout=0.3)
        assert not done
    assert await taking == fences[SHARD] + 1
    assert await everything(database) == [0, 1, 0]


@pytest.mark.parametrize("what", WRITES)
async def test_a_write_in_whose_midst_the_shard_is_taken_is_undone(
    database: Database, what: str
) -> None:
    fences = await fences_of(database, NAME)

    async def overtaken() -> None:
        async with database.system() as writer:
            # The transaction has begun, and written, before the shard is taken.
            await writer.execute(text("UPDATE health_states SET misses = 2"))
            await take(database)
            await WRITES[what](writer, fences)

    with pytest.raises(FenceLost):
        await overtaken()
    assert await everything(database) == [0, 0, 0]
    assert await rows(database, "SELECT FROM health_states WHERE misses = 2") == []


async def test_placing_a_trunk_does_not_wait_for_a_flush(
    database: Database, database_urls: TestDatabase, org_id: str
) -> None:
    fences = await fences_of(database, NAME)
    trunk_id = await add_trunk(database, org_id)
    with psycopg.connect(database_urls.owner_url) as owner:
        owner.execute("LOCK TABLE health_hours IN ACCESS EXCLUSIVE MODE")
        flushing = asyncio.create_task(write(database, "hours", fences))

        async def waits() -> bool:
            query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
            ((count,),) = await rows(database, query)
            return bool(count)

        await eventually(waits, seconds=30)
        await place_names(database, org_id, trunk_id, NAME)
        assert not flushing.done()
        owner.rollback()
    await flushing
    assert await everything(database) == [0, 1, 0]
