"""The hourly pass: days are made ahead, old ones go, and nobody waits for what else it does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from storage.engine import Database
from storage.tables import ProcessKind
from tests.api.waiting import eventually
from tests.support.postgres import TestDatabase
from upkeep.loops import Pass
from upkeep.passes import TRAFFIC_DAYS_KEPT, passes_of, this_process

pytestmark = pytest.mark.postgres


def tidying(database: Database, traffic_days_kept: int = TRAFFIC_DAYS_KEPT) -> Pass:
    async def nowhere() -> None:
        return None

    passes = passes_of(
        this_process(ProcessKind.API), database, nowhere, traffic_days_kept=traffic_days_kept
    )
    return next(each for each in passes if each.name == "tidy")


async def partitions(database: Database) -> set[str]:
    """Days of messages and of calls of real traffic."""
    async with database.system() as session:
        found = await session.scalars(
            text(
                "SELECT inhrelid::regclass::text FROM pg_inherits i JOIN pg_class c "
                "ON c.oid = i.inhparent WHERE c.relname IN ('sip_messages', 'live_calls') "
                "AND inhrelid::regclass::text NOT LIKE '%_default'"
            )
        )
        return set(found)


def days(first: int, last: int) -> set[str]:
    """The partitions of these days, counted from today."""
    today = datetime.now(UTC).date()
    return {
        f"{table}_{today + timedelta(days=each):%Y%m%d}"
        for table in ("sip_messages", "live_calls")
        for each in range(first, last + 1)
    }


async def test_days_are_made_before_they_begin_and_at_once(
    database: Database, database_urls: TestDatabase
) -> None:
    with psycopg.connect(database_urls.owner_url) as owner:
        owner.execute("LOCK TABLE worker_presence IN ACCESS EXCLUSIVE MODE")
        passing = asyncio.ensure_future(tidying(database).run())

        async def made() -> bool:
            return days(0, 3) <= await partitions(database)

        await eventually(made, seconds=30)
        assert not passing.done()
        owner.rollback()
    await passing


async def test_real_traffic_is_kept_as_long_as_the_operator_says(
    database: Database, database_urls: TestDatabase
) -> None:
    with psycopg.connect(database_urls.owner_url) as owner:
        for function in ("maintain_sip_messages", "maintain_live_calls"):
            owner.execute(f"SELECT {function}(current_date - 12, 10, 30)")
    await tidying(database, traffic_days_kept=7).run()
    assert await partitions(database) == days(-7, -2) | days(0, 3)
    await tidying(database, traffic_days_kept=2).run()
    assert await partitions(database) == days(-2, -2) | days(0, 3)
