"""Days of real traffic: made ahead, filled, and forgotten by dropping them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from storage import call_pages, live_calls
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.partitions import PartitionChanges
from tests.storage.factories import NOON
from tests.storage.live_rows import GOING_ON, a_live_call, as_new, days_with_rows, write_live
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

TODAY = date(2026, 11, 23)


async def maintain(database: Database, today: date = TODAY, **days: int) -> PartitionChanges:
    async with database.system() as session:
        return await live_calls.maintain_days(session, today=today, **days)


async def test_days_are_made_ahead_once_and_filled(database: Database, org_id: str) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    await write_live(database, [a_live_call(org_id), a_live_call(org_id, at=midnight)])
    assert await days_with_rows(database) == {"live_calls_default": 2}
    changes = await maintain(database, days_ahead=1)
    assert changes == PartitionChanges(("live_calls_20261123", "live_calls_20261124"), ())
    assert await maintain(database, days_ahead=1) == PartitionChanges((), ())
    await write_live(database, [a_live_call(org_id, at=midnight + timedelta(days=1))])
    assert await days_with_rows(database) == {
        "live_calls_20261123": 1,
        "live_calls_20261124": 1,
        "live_calls_default": 1,
    }


async def test_a_call_that_moved_into_its_day_still_changes(
    database: Database, org_id: str
) -> None:
    begun = a_live_call(org_id, id="lc_a", **GOING_ON)
    await write_live(database, [begun])
    await maintain(database)
    await write_live(database, [a_live_call(org_id, id="lc_a")])
    assert await days_with_rows(database) == {"live_calls_20261123": 1}
    async with database.tenant(org_id) as session:
        call = await call_pages.logged(session, "lc_a")
    assert call is not None
    assert call.ended


async def test_days_past_the_retention_are_dropped(database: Database, org_id: str) -> None:
    await maintain(database, days_ahead=0)
    ancient = NOON - timedelta(days=100)
    await write_live(database, [a_live_call(org_id), a_live_call(org_id, at=ancient)])
    kept_until = TODAY + timedelta(days=7)
    changes = await maintain(database, kept_until, days_ahead=0, days_kept=7)
    assert changes.dropped == ()
    assert await days_with_rows(database) == {"live_calls_20261123": 1}
    changes = await maintain(database, kept_until + timedelta(days=1), days_ahead=0, days_kept=7)
    assert changes.dropped == ("live_calls_20261123",)
    assert await days_with_rows(database) == {}


async def test_a_day_is_as_its_table_is(database: Database, database_urls: TestDatabase) -> None:
    await maintain(database, days_ahead=0)
    with psycopg.connect(database_urls.owner_url) as owner:
        indexes = owner.execute(
            "SELECT tablename, indexdef FROM pg_indexes WHERE tablename LIKE 'live_calls%'"
        ).fetchall()
        options = owner.execute(
            "SELECT relname, reloptions FROM pg_class WHERE relispartition AND relkind = 'r' "
            "AND relname LIKE 'live_calls%' ORDER BY relname"
        ).fetchall()
    by_table: dict[str, set[str]] = {}
    for table, index in indexes:
        by_table.setdefault(table, set()).add(index.partition(" USING ")[2])
    assert len(by_table["live_calls"]) == 7
    assert by_table["live_calls"] == by_table["live_calls_20261123"]
    assert by_table["live_calls"] == by_table["live_calls_default"]
    assert options == [
        ("live_calls_20261123", ["fillfactor=50"]),
        ("live_calls_default", ["fillfactor=50"]),
    ]


async def test_maintenance_gives_way_to_a_long_transaction(database: Database, org_id: str) -> None:
    async with database.system() as writer:
        await live_calls.write(writer, [as_new(a_live_call(org_id))], [])
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            await maintain(database)
    assert len((await maintain(database)).created) == 4


@pytest.mark.parametrize(("ahead", "kept"), [(-1, 30), (400, 30), (3, 0)])
async def test_senseless_maintenance_is_refused(database: Database, ahead: int, kept: int) -> None:
    with pytest.raises(ValueError, match="days_"):
        await maintain(database, days_ahead=ahead, days_kept=kept)
