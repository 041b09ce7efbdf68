"""What a read does when the server is away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.ids import new_id
from tests.storage.test_reading import (
    BACKEND,
    ORGANIZATIONS,
    sent,
    terminate,
    terminate_once_asleep,
)
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres


class TestFailures:
    async def test_no_server_behind_the_url(self, loopback: LoopbackBlock) -> None:
        database = Database(f"postgresql://app:hunter2@{loopback.address()}:5432/trunkline")
        with pytest.raises(DatabaseUnavailable) as caught:
            await database.read(new_id("org"), ORGANIZATIONS)
        assert "hunter2" not in str(caught.value)
        await database.dispose()

    async def test_connections_that_ended_while_idle_are_replaced(
        self, database: Database, database_urls: TestDatabase, org_id: str
    ) -> None:
        slow = sent("SELECT pg_backend_pid() FROM pg_sleep(0.2)")
        found = await asyncio.gather(*(database.read(org_id, slow) for _ in range(3)))
        backends = {pid for ((pid,),) in found}
        assert len(backends) == 3
        for pid in backends:
            terminate(database_urls, pid)

        assert await database.read(org_id, ORGANIZATIONS) == [(org_id,)]

    async def test_a_connection_that_ends_during_its_first_read(
        self, single: Database, database_urls: TestDatabase, org_id: str
    ) -> None:
        waiting = asyncio.create_task(single.read(org_id, sent("SELECT pg_sleep(30)")))
        await asyncio.to_thread(terminate_once_asleep, database_urls)

        with pytest.raises(DatabaseUnavailable):
            await waiting
        assert await single.read(org_id, ORGANIZATIONS) == [(org_id,)]

    async def test_a_read_is_repeated_when_a_kept_connection_ends(
        self, single: Database, database_urls: TestDatabase, org_id: str
    ) -> None:
        await single.read(org_id, BACKEND)
        waiting = asyncio.create_task(single.read(org_id, sent("SELECT 1 FROM pg_sleep(2)")))
        await asyncio.to_thread(terminate_once_asleep, database_urls)

        assert await waiting == [(1,)]

    async def test_a_cancelled_read_frees_its_turn(self, single: Database, org_id: str) -> None:
        waiting = asyncio.create_task(single.read(org_id, sent("SELECT pg_sleep(30)")))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert await single.read(org_id, ORGANIZATIONS) == [(org_id,)]

    async def test_reads_wait_for_a_connection_but_not_for_ever(
        self, database_urls: TestDatabase, org_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.engine.POOL_TIMEOUT", timedelta(milliseconds=100))
        database = Database(database_urls.app_url, readers=1)
        held = asyncio.create_task(database.read(org_id, sent("SELECT 1 FROM pg_sleep(2)")))
        await asyncio.sleep(0)

        with pytest.raises(DatabaseUnavailable, match="in use"):
            await database.read(org_id, ORGANIZATIONS)
        assert await held == [(1,)]
        assert await database.read(org_id, ORGANIZATIONS) == [(org_id,)]
        await database.dispose()

    async def test_reads_are_answered_while_every_session_is_busy(
        self, database_urls: TestDatabase, org_id: str
    ) -> None:
        database = Database(database_urls.app_url, pool_size=1)
        async with database.tenant(org_id) as session:
            await session.execute(text("SELECT 1"))
            assert await database.read(org_id, ORGANIZATIONS) == [(org_id,)]
        await database.dispose()
