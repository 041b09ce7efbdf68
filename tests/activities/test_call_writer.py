"""One writer for all calls: together when they come together, each on its own when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from activities.call_backlog import CallBacklog
from activities.call_writer import CallWriter
from domain.call_state import CallFailure, CallStatus
from storage import call_batches, calls
from storage.call_batches import CallChanges, Written
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.tables import Call
from tests.storage.call_steps import a_message, an_event, read
from tests.storage.factories import NOON, add_organization, queued_call
from tests.support.postgres import TestDatabase as Urls

pytestmark = pytest.mark.postgres

CALLS = 50
STEPS = ("INVITE", "100", "180", "200", "ACK", "BYE")


@pytest.fixture
async def narrow(database_urls: Urls) -> AsyncIterator[Database]:
    """A database with two connections."""
    opened = Database(database_urls.app_url, pool_size=2)
    yield opened
    await opened.dispose()


@pytest.fixture
async def org_id(database: Database) -> str:
    return await add_organization(database)


class Counted:
    """Counts the batches of a writer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[int] = []
        self._write = call_batches.write
        monkeypatch.setattr(call_batches, "write", self.write)

    async def write(self, session: AsyncSession, batch: Sequence[CallChanges]) -> Written:
        self.batches.append(len(batch))
        return await self._write(session, batch)


def opened(writer: CallWriter, call: Call, gone: list[str] | None = None) -> CallBacklog:
    told = [] if gone is None else gone
    return writer.open(call.id, call.org_id, on_gone=lambda: told.append(call.id))


class Breaking(Database):
    """Loses its connection once, in the commit of a batch: before it arrives, or the answer to it."""

    def __init__(self, urls: Urls, *, arrived: bool) -> None:
        super().__init__(urls.app_url, pool_size=1)
        self.broke = False
        self._admin_url, self._arrived = urls.admin_url, arrived

    @asynccontextmanager
    async def system(self) -> AsyncIterator[AsyncSession]:
        breaks, self.broke = not self.broke, True
        async with super().system() as session:
            yield session
            if breaks and not self._arrived:
                pid = await session.scalar(text("SELECT pg_backend_pid()"))
                with psycopg.connect(self._admin_url) as admin:
                    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        if breaks and self._arrived:
            raise DatabaseUnavailable("the answer to COMMIT never came")


@contextmanager
def away(urls: Urls) -> Iterator[None]:
    """Nobody gets into the database, and whoever was in is out."""
    with psycopg.connect(urls.admin_url, autocommit=True) as admin:
        let_in = "UPDATE pg_database SET datallowconn = %s WHERE datname = current_database()"
        admin.execute(let_in, [False])
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        try:
            yield
        finally:
            admin.execute(let_in, [True])


async def lives(writer: CallWriter, call: Call) -> None:
    """A call that saves before each of its messages."""
    backlog = opened(writer, call)
    for step in STEPS:
        await backlog.save(step.encode())
        backlog.put(a_message(call.org_id, call.id, step))
        backlog.put(an_event(step))
    backlog.note({"status": CallStatus.IN_PROGRESS, "answered_at": NOON})
    await writer.close(backlog)


async def log_of(database: Database, call: Call) -> tuple[list[str], list[str]]:
    """Messages and events as they are read."""
    async with database.tenant(call.org_id) as session:
        messages = await calls.messages(session, call)
        events = await calls.events(session, call.id)
    return [each.data.decode() for each in messages], [each.event for each in events]


async def test_fifty_calls_share_two_connections_and_few_transactions(
    database: Database, narrow: Database, org_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = [await queued_call(database, org_id) for _ in range(CALLS)]
    counted = Counted(monkeypatch)
    async with CallWriter(narrow) as writer:
        await asyncio.gather(*(lives(writer, call) for call in placed))
    # Each call has to wait for six commits; alone that would be 300.
    assert len(counted.batches) <= 30
    for call in placed:
        assert await log_of(database, call) == (list(STEPS), list(STEPS))
        row = await read(database, call.id, org_id)
        assert (row.status, row.answered_at, row.snapshot) == (
            CallStatus.IN_PROGRESS,
            NOON,
            b"BYE",
        )


async def test_a_snapshot_is_committed_when_save_returns(
    database: Database, org_id: str, call_writer: CallWriter
) -> None:
    call = await queued_call(database, org_id)
    backlog = opened(call_writer, call)
    for number in range(20):
        await backlog.save(b"%d" % number)
        assert (await read(database, call.id, org_id)).snapshot == b"%d" % number
    await backlog.save(None)
    assert (await read(database, call.id, org_id)).snapshot is None
    await call_writer.close(backlog)


async def test_an_ended_and_an_unknown_call_are_told_and_the_others_written(
    database: Database, org_id: str, call_writer: CallWriter
) -> None:
    ended, going, gone = [await queued_call(database, org_id) for _ in range(3)]
    async with database.tenant(org_id) as session:
        await calls.fail(session, ended.id, CallFailure.INTERRUPTED, now=NOON)
        await session.delete(await session.get_one(Call, gone.id))
    told: list[str] = []
    backlogs = [opened(call_writer, call, told) for call in (ended, going, gone)]
    for backlog in backlogs:
        backlog.note({"status": CallStatus.RINGING})
        backlog.put(an_event("ringing"))
    await asyncio.gather(*(call_writer.close(backlog) for backlog in backlogs))
    assert sorted(told) == sorted([ended.id, gone.id])
    assert (await read(database, ended.id, org_id)).status is CallStatus.FAILED
    assert (await read(database, going.id, org_id)).status is CallStatus.RINGING
    assert (await log_of(database, ended))[1] == ["failed", "ringing"]


async def test_a_call_that_cannot_be_written_fails_alone(
    database: Database, org_id: str, call_writer: CallWriter
) -> None:
    bad, good = [await queued_call(database, org_id) for _ in range(2)]
    told: list[str] = []
    backlogs = [opened(call_writer, call, told) for call in (bad, good)]
    without_zone = replace(a_message(org_id, bad.id), at=NOON.replace(tzinfo=None))
    backlogs[0].put(without_zone)
    backlogs[1].put(a_message(org_id, good.id))
    saves = await asyncio.gather(
        *(backlog.save(b"kept") for backlog in backlogs), return_exceptions=True
    )
    assert (type(saves[0]), saves[1]) == (ValueError, None)
    assert told == [bad.id]
    with pytest.raises(ValueError, match="no time zone"):
        await call_writer.close(backlogs[0])
    await call_writer.close(backlogs[1])
    assert await log_of(database, good) == (["INVITE"], [])


async def test_a_locked_call_does_not_keep_the_others_waiting(
    database: Database, org_id: str, call_writer: CallWriter
) -> None:
    locked, free = [await queued_call(database, org_id) for _ in range(2)]
    backlogs = [opened(call_writer, call) for call in (locked, free)]
    async with database.tenant(org_id) as session:
        await session.scalar(
            select(col(Call.id)).where(col(Call.id) == locked.id).with_for_update()
        )
        waiting = asyncio.create_task(backlogs[0].save(b"late"))
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            for _ in range(5):
                await backlogs[1].save(b"at once")
        assert not waiting.done()
    await waiting
    assert (await read(database, locked.id, org_id)).snapshot == b"late"
    await asyncio.gather(*(call_writer.close(backlog) for backlog in backlogs))


async def test_a_database_that_is_away_for_a_second_costs_nothing(
    database: Database, database_urls: Urls, org_id: str
) -> None:
    placed = [await queued_call(database, org_id) for _ in range(5)]
    writing = Database(database_urls.app_url, pool_size=1)
    async with CallWriter(writing) as writer:
        with away(database_urls):
            living = [asyncio.create_task(lives(writer, call)) for call in placed]
            done, _ = await asyncio.wait(living, timeout=1)
            assert not done
        await asyncio.gather(*living)
    await writing.dispose()
    for call in placed:
        assert await log_of(database, call) == (list(STEPS), list(STEPS))


async def test_a_database_that_stays_away_is_told_after_a_while(
    database: Database, database_urls: Urls, org_id: str
) -> None:
    call = await queued_call(database, org_id)
    writing = Database(database_urls.app_url, pool_size=1)
    async with CallWriter(writing, patience=timedelta(milliseconds=300)) as writer:
        backlog = opened(writer, call)
        with away(database_urls):
            backlog.put(a_message(org_id, call.id))
            with pytest.raises(DatabaseUnavailable, match=r"0\.3 seconds"):
                await backlog.save(b"late")
            with pytest.raises(DatabaseUnavailable):
                await writer.close(backlog)

        async def is_closed() -> bool:
            # Its patience is short, and the server may need a moment to take connections again.
            with suppress(DatabaseUnavailable):
                await writer.close(backlog)
                return True
            return False

        async with asyncio.timeout(20):
            while not await is_closed():
                pass
    await writing.dispose()
    assert (await read(database, call.id, org_id)).snapshot == b"late"
    assert await log_of(database, call) == (["INVITE"], [])


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_connection_that_breaks_in_the_commit_doubles_and_loses_nothing(
    database: Database, database_urls: Urls, org_id: str, arrived: bool
) -> None:
    call = await queued_call(database, org_id)
    breaking = Breaking(database_urls, arrived=arrived)
    async with CallWriter(breaking) as writer:
        backlog = opened(writer, call)
        backlog.put(an_event("once"))
        await backlog.save(b"kept")
        await writer.close(backlog)
    assert breaking.broke
    await breaking.dispose()
    assert await log_of(database, call) == ([], ["once"])


async def test_what_does_not_fit_is_counted_and_progress_is_kept(
    database: Database, org_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.call_writer.MAX_WAITING_ROWS", 3)
    call = await queued_call(database, org_id)
    async with CallWriter(database) as writer:
        backlog = opened(writer, call)
        for number in range(5):
            backlog.put(an_event(str(number)))
            backlog.note({"status": CallStatus.RINGING})
        assert backlog.dropped == 2
        await writer.close(backlog)
        backlog.put(an_event("room again"))
        await backlog.written()
    assert (await log_of(database, call))[1] == ["0", "1", "2", "room again"]
    assert (await read(database, call.id, org_id)).status is CallStatus.RINGING
