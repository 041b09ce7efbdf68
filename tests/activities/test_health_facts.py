"""Changes of state reach the database, whatever happens to it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from activities import health_facts
from activities.health_facts import FactWriter
from activities.health_flush import flush_samples
from activities.health_samples import packed
from activities.health_shards import HeldShard
from activities.health_targets import WatchedTarget
from domain.health import Observation, Observed, TargetHealth
from domain.health_history import OutcomeClass
from domain.health_rule import STANDARD_RULE
from domain.probe_target import shard_of
from sip.net.health_prober import ProbeJob
from sip.transports import Transport
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.health_config import LoadedRule
from storage.health_writes import take_shard
from storage.secret_box import SecretBox, generate_key
from tests.activities.health_stage import a_trunk, eventually, name_of, place_trunk, rows, target_of
from tests.storage.factories import NOON
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

AT = NOON.timestamp()


class Absent(Database):
    """A database that can be away."""

    away = False

    @asynccontextmanager
    async def system(self) -> AsyncIterator[AsyncSession]:
        if self.away:
            raise DatabaseUnavailable("it is away")
        async with super().system() as session:
            yield session


@pytest.fixture
async def absent(database_urls: TestDatabase) -> AsyncIterator[Absent]:
    opened = Absent(database_urls.app_url, ping=False)
    yield opened
    await opened.dispose()


class Stage:
    """A placed target in a shard that is held, and a writer of its changes."""

    def __init__(self, target: WatchedTarget, fence: int) -> None:
        self.target = target
        self.fences = {target.shard: fence}
        self.lost: list[int] = []

    def writer(self, database: Database) -> FactWriter:
        return FactWriter(database, lambda: self.fences, self._on_lost)

    def _on_lost(self, shards: Collection[int]) -> None:
        self.lost += shards
        for shard in shards:
            self.fences.pop(shard)

    def see(self, writer: FactWriter, kind: Observed, *, times: int = 1, at: float = AT) -> None:
        """Let the target be seen so often, ten seconds apart."""
        for number in range(times):
            status = 200 if kind is Observed.REPLY else None
            seen = Observation(at + 10 * number, kind, status)
            for standing, step in self.target.see(seen, own=True):
                writer.changed(self.target, standing, step, seen, None)


@pytest.fixture
async def stage(absent: Absent) -> Stage:
    name = name_of("192.0.2.1")
    box = SecretBox.from_key_ring(generate_key("a"))
    await place_trunk(absent, await a_trunk(absent, box), name)
    shard = shard_of(name.name_id)
    async with absent.system() as session:
        fence = await take_shard(session, shard, "test", NOON)
    target_id = target_of(name)
    job = ProbeJob(target_id, "192.0.2.1", 5060, Transport.UDP, "192.0.2.1")
    rule = LoadedRule(STANDARD_RULE, TargetHealth(), None)
    return Stage(WatchedTarget(target_id, shard, job, [rule], 60.0), fence)


async def changes(database: Database) -> list[str]:
    found = await rows(database, "SELECT after FROM health_transitions ORDER BY id")
    return [row.after for row in found]


async def test_who_relays_learns_of_changes_and_not_of_counters(
    absent: Absent, stage: Stage
) -> None:
    async with stage.writer(absent) as writer:
        stage.see(writer, Observed.REPLY)
        await writer.flush(stage.target.shard)
        assert writer.news.is_set()
        writer.news.clear()
        stage.see(writer, Observed.TIMEOUT, at=AT + 60)
        await writer.flush(stage.target.shard)
        assert not writer.news.is_set()


async def test_changes_of_one_target_are_all_kept_in_their_order(
    absent: Absent, stage: Stage
) -> None:
    async with stage.writer(absent) as writer:
        stage.see(writer, Observed.REPLY)
        stage.see(writer, Observed.REFUSED, times=3, at=AT + 60)
        stage.see(writer, Observed.REPLY, times=3, at=AT + 120)
        stage.see(writer, Observed.TIMEOUT, at=AT + 180)
        await writer.flush(stage.target.shard)
    assert await changes(absent) == ["healthy", "down", "healthy"]
    (state,) = await rows(absent, "SELECT state, seq, misses FROM health_states")
    assert tuple(state) == ("healthy", 3, 1)


async def test_a_database_that_is_away_loses_nothing(absent: Absent, stage: Stage) -> None:
    async with stage.writer(absent) as writer:
        absent.away = True
        stage.see(writer, Observed.REPLY)
        await asyncio.sleep(0.7)
        stage.see(writer, Observed.TIMEOUT, times=3, at=AT + 60)
        assert len(writer) == 2
        absent.away = False
        await asyncio.wait_for(writer.flush(stage.target.shard), 30)
    assert await changes(absent) == ["healthy", "down"]


async def test_a_connection_that_broke_is_no_loss(
    absent: Absent, database: Database, stage: Stage
) -> None:
    async with stage.writer(absent) as writer:
        await absent.check()
        await rows(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND "
            "backend_type = 'client backend'",
        )
        stage.see(writer, Observed.REPLY)
        await asyncio.wait_for(writer.flush(stage.target.shard), 30)
    assert await changes(database) == ["healthy"]


async def test_of_very_many_changes_the_oldest_are_given_up(
    absent: Absent, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_facts, "MAX_WAITING", 2)
    async with stage.writer(absent) as writer:
        absent.away = True
        for number in range(4):
            stage.see(writer, Observed.REPLY, times=3, at=AT + 120 * number)
            stage.see(writer, Observed.TIMEOUT, times=3, at=AT + 120 * number + 60)
        assert (len(writer), writer.dropped) == (2, 6)
        absent.away = False
        await asyncio.wait_for(writer.flush(stage.target.shard), 30)
    assert await changes(absent) == ["healthy", "down"]
    (state,) = await rows(absent, "SELECT state, seq FROM health_states")
    assert tuple(state) == ("down", 8)


async def test_what_is_of_a_shard_that_was_taken_is_not_written(
    absent: Absent, stage: Stage
) -> None:
    async with stage.writer(absent) as writer:
        async with absent.system() as session:
            await take_shard(session, stage.target.shard, "another", NOON)
        stage.see(writer, Observed.REPLY)
        await asyncio.wait_for(writer.flush(stage.target.shard), 30)
    assert stage.lost == [stage.target.shard]
    assert await changes(absent) == []


async def test_samples_are_kept_while_the_database_is_away(absent: Absent, stage: Stage) -> None:
    target = stage.target
    shard = HeldShard(target.shard, stage.fences[target.shard], flush_every=300)
    shard.targets[target.target_id] = target
    target.samples.append(packed(AT, OutcomeClass.OK, 12.0, regular=True))
    absent.away = True
    with pytest.raises(DatabaseUnavailable):
        await flush_samples(shard, absent)
    target.samples.append(packed(AT + 60, OutcomeClass.TIMEOUT, None, regular=True))
    absent.away = False
    await flush_samples(shard, absent)
    (hour,) = await rows(absent, "SELECT probes, total_ms FROM health_hours")
    assert tuple(hour) == (2, 12)
    assert shard.samples == 2


async def test_a_statement_that_failed_is_repeated(absent: Absent, stage: Stage) -> None:
    target = stage.target
    shard = HeldShard(target.shard, stage.fences[target.shard], flush_every=300)
    shard.targets[target.target_id] = target
    target.samples.append(packed(AT, OutcomeClass.OK, 12.0, regular=True))
    async with absent.system() as session:
        await session.execute(text("LOCK TABLE health_hours IN ACCESS EXCLUSIVE MODE"))
        flushing = asyncio.create_task(flush_samples(shard, absent))

        async def waits() -> object:
            return (
                await session.execute(
                    text(
                        "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                        "WHERE NOT l.granted AND d.datname = current_database()"
                    )
                )
            ).scalar()

        pid = await eventually(waits)
        await session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(DatabaseUnavailable):
            await flushing
    await flush_samples(shard, absent)
    assert [row.probes for row in await rows(absent, "SELECT probes FROM health_hours")] == [1]


async def test_a_target_that_comes_back_has_one_row_for_its_hour(
    absent: Absent, stage: Stage
) -> None:
    target = stage.target
    shard = HeldShard(target.shard, stage.fences[target.shard], flush_every=300)
    shard.targets[target.target_id] = target
    target.samples.append(packed(AT, OutcomeClass.OK, 12.0, regular=True))
    shard.departed = [(target.target_id, target.samples[:]), (target.target_id, target.samples[:])]
    await flush_samples(shard, absent)
    assert [row.probes for row in await rows(absent, "SELECT probes FROM health_hours")] == [3]
