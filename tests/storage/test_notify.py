"""Notifications between processes over PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from storage.engine import Database
from storage.notify import Listener, notify, topic
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

SOON = timedelta(seconds=10)
AT_ONCE = timedelta(milliseconds=50)


@pytest.fixture
async def listener(database_urls: TestDatabase) -> AsyncIterator[Listener]:
    async with Listener(database_urls.app_url) as opened:
        await opened.listening()
        yield opened


async def send(database: Database, payload: str) -> None:
    async with database.system() as session:
        await notify(session, "discovery", payload)


async def test_a_waiter_is_woken_when_the_transaction_commits(
    database: Database, listener: Listener
) -> None:
    async with listener.subscribe(topic("discovery", "disc_a")) as waiter:
        async with database.system() as session:
            await notify(session, "discovery", "disc_a")
            assert not await waiter.wait(AT_ONCE)
        assert await waiter.wait(SOON)


async def test_a_rolled_back_transaction_wakes_nobody(
    database: Database, listener: Listener
) -> None:
    async with listener.subscribe("discovery:disc_a") as waiter:
        async with database.system() as session:
            await notify(session, "discovery", "disc_a")
            await session.rollback()
        await send(database, "disc_b")
        assert not await waiter.wait(AT_ONCE)


async def test_other_topics_stay_asleep(database: Database, listener: Listener) -> None:
    async with (
        listener.subscribe("discovery:disc_a") as woken,
        listener.subscribe("discovery:disc_b") as asleep,
    ):
        await send(database, "disc_a")
        assert await woken.wait(SOON)
        assert not await asleep.wait(timedelta(0))


async def test_all_waiters_of_a_topic_are_woken(database: Database, listener: Listener) -> None:
    async with (
        listener.subscribe("discovery:disc_a") as first,
        listener.subscribe("discovery:disc_a") as second,
    ):
        await send(database, "disc_a")
        assert await first.wait(SOON)
        assert await second.wait(SOON)


async def test_what_came_between_two_waits_is_not_lost(
    database: Database, listener: Listener
) -> None:
    async with (
        listener.subscribe("discovery:disc_a") as waiter,
        listener.subscribe("discovery:disc_b") as fence,
    ):
        await send(database, "disc_a")
        await send(database, "disc_b")
        assert await fence.wait(SOON)
        assert await waiter.wait(timedelta(0))
        assert not await waiter.wait(AT_ONCE)


async def test_an_ended_subscription_leaves_nothing_behind(listener: Listener) -> None:
    async with listener.subscribe("discovery:disc_a"), listener.subscribe("discovery:disc_a"):
        pass
    assert listener._waiters == {}


async def test_a_lost_connection_is_replaced_and_everybody_is_woken(
    database: Database, listener: Listener, database_urls: TestDatabase
) -> None:
    async with listener.subscribe("discovery:disc_a") as waiter:
        with psycopg.connect(database_urls.admin_url, autocommit=True) as admin:
            ended = admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'trunkline-listener' AND datname = current_database()"
            ).fetchall()
        assert ended == [(True,)]
        # Something may have been missed while nobody listened.
        assert await waiter.wait(SOON)
        await listener.listening()
        await send(database, "disc_a")
        assert await waiter.wait(SOON)


async def test_a_listener_waits_for_a_server_that_is_away(loopback: LoopbackBlock) -> None:
    url = f"postgresql://app:x@{loopback.address()}:5432/trunkline"
    async with Listener(url) as listener, listener.subscribe("discovery:disc_a") as waiter:
        assert not await waiter.wait(AT_ONCE)


async def test_a_listener_closes_its_connection(database_urls: TestDatabase) -> None:
    async with Listener(database_urls.app_url) as opened:
        await opened.listening()
    with psycopg.connect(database_urls.admin_url, autocommit=True) as admin:
        async with asyncio.timeout(5):
            while True:
                left = admin.execute(
                    "SELECT FROM pg_stat_activity WHERE datname = current_database() "
                    "AND application_name = 'trunkline-listener'"
                ).fetchall()
                if not left:
                    break
                await asyncio.sleep(0.01)


async def test_content_is_not_for_notifications(database: Database) -> None:
    async with database.system() as session:
        with pytest.raises(ValueError, match="an id, not content"):
            await notify(session, "discovery", "x" * 8000)
