"""The hourly pass: days of messages are made ahead, and nobody waits for what else it does."""

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
from upkeep.passes import passes_of, this_process

pytestmark = pytest.mark.postgres


def tidying(database: Database) -> Pass:
    async def nowhere() -> None:
        return None

    passes = passes_of(this_process(ProcessKind.API), database, nowhere)
    return next(each for each in passes if each.name == "tidy")


async def partitions(database: Database) -> set[str]:
    async with database.system() as session:
        found = await session.scalars(
            text(
                "SELECT inhrelid::regclass::text FROM pg_inherits i JOIN pg_class c "
                "ON c.oid = i.inhparent WHERE c.relname = 'sip_messages'"
            )
        )
        return set(found)


async def test_days_are_made_before_they_begin_and_at_once(
    database: Database, database_urls: TestDatabase
) -> None:
    today = datetime.now(UTC).date()
    with psycopg.connect(database_urls.owner_url) as owner:
        owner.execute("LOCK TABLE worker_presence IN ACCESS EXCLUSIVE MODE")
        passing = asyncio.ensure_future(tidying(database).run())

        async def made() -> bool:
            ahead = {f"sip_messages_{today + timedelta(days=days):%Y%m%d}" for days in range(4)}
            return ahead <= await partitions(database)

        await eventually(made, seconds=30)
        assert not passing.done()
        owner.rollback()
    await passing
