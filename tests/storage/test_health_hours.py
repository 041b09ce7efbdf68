"""Samples add up by the hour, and their days are made, made smaller and dropped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from domain.health_history import (
    CLASSES,
    HourTotals,
    MinuteSample,
    OutcomeClass,
    pack_minutes,
    unpack_minutes,
)
from domain.probe_target import shard_of
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.health_days import compact_day, maintain_days
from storage.health_history import hours_of
from storage.health_windows import window_totals
from storage.health_writes import HourRow, flush_hours
from tests.storage.factories import NOON
from tests.storage.health_rows import a_name, a_target, add_trunk, fences_of, place_names, rows
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

NAME, TARGET = a_name(), a_target("192.0.2.1").target_id
SHARD = shard_of(NAME.name_id)
TODAY = NOON.date()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def counted(**classes: int) -> tuple[int, ...]:
    return tuple(classes.get(OutcomeClass(each).name, 0) for each in range(CLASSES))


def an_hour(
    samples: Mapping[int, MinuteSample] | None = None,
    *,
    target_id: str = TARGET,
    hour: datetime = NOON,
    totals: HourTotals | None = None,
) -> HourRow:
    minutes = samples or {0: ok(20)}
    return HourRow(
        target_id,
        hour,
        totals or HourTotals(len(minutes), counted(OK=len(minutes)), 20 * len(minutes), 20),
        pack_minutes(minutes),
    )


def ok(ms: int) -> MinuteSample:
    return MinuteSample(OutcomeClass.OK, ms)


SILENT = MinuteSample(OutcomeClass.TIMEOUT)


async def flush(database: Database, *hours: HourRow) -> None:
    fences = await fences_of(database, NAME)
    async with database.system() as session:
        await flush_hours(session, fences, hours)


async def minutes_of(database: Database) -> dict[int, MinuteSample]:
    ((minutes,),) = await rows(database, "SELECT minutes FROM health_hours")
    assert len(minutes) == 180
    return unpack_minutes(minutes)


async def days(database: Database) -> dict[str, int]:
    """Partitions that hold rows, and how many."""
    found = await rows(
        database, "SELECT tableoid::regclass::text AS day, count(*) FROM health_hours GROUP BY 1"
    )
    return {row[0]: row[1] for row in found}


@pytest.fixture(autouse=True)
async def placed(database: Database, org_id: str) -> None:
    await place_names(database, org_id, await add_trunk(database, org_id), NAME)


async def test_flushes_of_an_hour_add_up(database: Database) -> None:
    await flush(
        database,
        an_hour(
            {0: ok(7), 1: SILENT, 4: ok(30)},
            totals=HourTotals(4, counted(OK=3, TIMEOUT=1), 60, 30),
        ),
    )
    await flush(
        database,
        an_hour({5: ok(256), 9: SILENT}, totals=HourTotals(2, counted(OK=1, TIMEOUT=1), 256, 256)),
    )
    ((probes, classes, total_ms, max_ms),) = await rows(
        database, "SELECT probes, classes, total_ms, max_ms FROM health_hours"
    )
    assert (probes, total_ms, max_ms) == (6, 316, 256)
    assert tuple(classes) == counted(OK=4, TIMEOUT=2)
    assert await minutes_of(database) == {
        0: ok(7),
        1: SILENT,
        4: ok(30),
        5: ok(256),
        9: SILENT,
    }


async def test_of_a_minute_in_two_flushes_the_later_one_is_kept(database: Database) -> None:
    await flush(database, an_hour({3: ok(1), 4: SILENT}))
    await flush(database, an_hour({4: ok(65534), 5: ok(1)}))
    assert await minutes_of(database) == {3: ok(1), 4: ok(65534), 5: ok(1)}


@pytest.mark.parametrize("minute", [0, 59])
async def test_the_first_and_the_last_minute_are_minutes(database: Database, minute: int) -> None:
    await flush(database, an_hour({minute: ok(0)}))
    await flush(database, an_hour({59 - minute: ok(256)}))
    assert await minutes_of(database) == {minute: ok(0), 59 - minute: ok(256)}


async def test_totals_without_a_minute_leave_the_minutes(database: Database) -> None:
    await flush(database, an_hour({7: ok(1)}))
    await flush(database, HourRow(TARGET, NOON, HourTotals(1), bytes(180)))
    assert await minutes_of(database) == {7: ok(1)}


async def test_classes_of_an_earlier_release_are_counted_on(
    database: Database, database_urls: TestDatabase
) -> None:
    with psycopg.connect(database_urls.admin_url) as admin:
        admin.execute(
            "INSERT INTO health_hours VALUES (%s, %s, 2, '{0,2}', 10, 5, NULL)", [TARGET, NOON]
        )
    await flush(database, an_hour({3: ok(5)}))
    ((classes,),) = await rows(database, "SELECT classes FROM health_hours")
    assert tuple(classes) == counted(OK=3)
    assert await minutes_of(database) == {3: ok(5)}


async def test_thousands_of_targets_are_flushed_at_once(database: Database) -> None:
    given = [an_hour(target_id=f"tgt_{number}") for number in range(4100)]
    await flush(database, *given)
    await flush(database, *given)
    ((count, probes),) = await rows(database, "SELECT count(*), sum(probes) FROM health_hours")
    assert (count, probes) == (4100, 8200)


async def test_nothing_to_flush_is_nothing(database: Database) -> None:
    await flush(database)
    assert await rows(database, "SELECT FROM health_hours") == []


async def test_days_are_made_ahead_and_what_came_before_them_moves_in(database: Database) -> None:
    await flush(database, an_hour(), an_hour(hour=NOON + DAY))
    assert await days(database) == {"health_hours_default": 2}

    async with database.system() as session:
        changes = await maintain_days(session, today=TODAY, days_ahead=2)
    assert changes.created == tuple(f"health_hours_2026112{day}" for day in (3, 4, 5))
    assert await days(database) == {"health_hours_20261123": 1, "health_hours_20261124": 1}
    await flush(database, an_hour(), an_hour(hour=NOON + 5 * DAY))
    assert await days(database) == {
        "health_hours_20261123": 1,
        "health_hours_20261124": 1,
        "health_hours_default": 1,
    }
    async with database.system() as session:
        assert await maintain_days(session, today=TODAY, days_ahead=2) == type(changes)((), ())


async def test_days_that_are_too_old_are_dropped(database: Database) -> None:
    async with database.system() as session:
        await maintain_days(session, today=TODAY, days_ahead=1)
    await flush(database, an_hour(), an_hour(hour=NOON + DAY), an_hour(hour=NOON - 5 * DAY))
    async with database.system() as session:
        changes = await maintain_days(session, today=date(2026, 12, 25), days_ahead=0)
    assert changes.dropped == ("health_hours_20261123",)
    assert await days(database) == {"health_hours_20261124": 1}


@pytest.mark.parametrize(("days_ahead", "days_kept"), [(-1, 31), (32, 31), (3, 0)])
async def test_days_that_make_no_sense_are_refused(
    database: Database, days_ahead: int, days_kept: int
) -> None:
    async with database.system() as session:
        with pytest.raises(ValueError, match="days_ahead"):
            await maintain_days(session, today=TODAY, days_ahead=days_ahead, days_kept=days_kept)


async def compacted(database: Database, today: date) -> str | None:
    async with database.system() as session:
        return await compact_day(session, today=today)


async def test_minutes_go_after_two_whole_days_and_the_hours_stay(
    database: Database, database_urls: TestDatabase
) -> None:
    async with database.system() as session:
        await maintain_days(session, today=TODAY, days_ahead=2)
    other = a_target("192.0.2.2").target_id
    await flush(
        database,
        an_hour({1: ok(5), 2: SILENT}),
        an_hour(target_id=other),
        an_hour(hour=NOON + HOUR),
        an_hour(hour=NOON + DAY),
    )
    assert await compacted(database, TODAY + 2 * DAY) is None
    assert await compacted(database, TODAY + 3 * DAY) == "health_hours_20261123"
    assert await compacted(database, TODAY + 3 * DAY) is None

    found = await rows(
        database,
        "SELECT tableoid::regclass::text, hour, probes, minutes IS NULL FROM health_hours "
        "WHERE target_id = :target ORDER BY hour",
        target=TARGET,
    )
    assert [tuple(row) for row in found] == [
        ("health_hours_20261123", NOON, 2, True),
        ("health_hours_20261123", NOON + HOUR, 1, True),
        ("health_hours_20261124", NOON + DAY, 1, False),
    ]
    # The day is what it was to everybody else: a partition with its key, which nobody reads by name.
    with psycopg.connect(database_urls.owner_url) as owner:
        shapes = owner.execute(
            """
            SELECT c.relrowsecurity, has_table_privilege('trunkline_app', c.oid, 'SELECT'),
                   (SELECT array_agg(pg_get_constraintdef(o.oid) ORDER BY 1)
                      FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype <> 'n'),
                   (SELECT array_agg(x.indexrelid::regclass::text = c.relname || '_pkey')
                      FROM pg_index x WHERE x.indrelid = c.oid),
                   pg_get_partition_constraintdef(c.oid) IS NOT NULL
              FROM pg_class c WHERE relname IN ('health_hours_20261123', 'health_hours_20261124')
            """
        ).fetchall()
        left = owner.execute("SELECT relname FROM pg_class WHERE relname LIKE '%\\_new%'")
    assert shapes[0] == shapes[1]
    assert shapes[0][:2] == (True, False)
    assert left.fetchall() == []
    # A late sample is still taken.
    await flush(database, an_hour({30: ok(3)}))
    async with database.system() as session:
        (late,) = await hours_of(session, [TARGET], since=NOON, until=NOON + HOUR)
    assert unpack_minutes(late.minutes or b"") == {30: ok(3)}
    assert late.totals.probes == 3


async def test_a_day_is_made_smaller_only_when_nobody_is_in_the_way(database: Database) -> None:
    async with database.system() as session:
        await maintain_days(session, today=TODAY, days_ahead=0)
    await flush(database, an_hour())
    async with database.system() as reader:
        await hours_of(reader, [TARGET], since=NOON, until=NOON + HOUR)
        with pytest.raises(DatabaseUnavailable):
            await compacted(database, TODAY + 9 * DAY)
    assert await days(database) == {"health_hours_20261123": 1}
    assert await compacted(database, TODAY + 9 * DAY) == "health_hours_20261123"


async def test_windows_are_summed_by_target(database: Database) -> None:
    other = a_target("192.0.2.2").target_id
    given: list[Any] = []
    for hours_ago in (0, 5, 30, 24 * 20, 24 * 40):
        hour = NOON - hours_ago * HOUR
        given += [an_hour(hour=hour), an_hour(hour=hour, target_id=other)]
    await flush(database, *given)
    async with database.system() as session:
        found = await window_totals(
            session,
            [TARGET],
            {"24h": NOON - DAY, "7d": NOON - 7 * DAY, "30d": NOON - 30 * DAY},
        )
        assert await window_totals(session, [], {"24h": NOON}) == {}
    assert {key: totals.probes for key, totals in found.items()} == {
        ("24h", TARGET): 2,
        ("7d", TARGET): 3,
        ("30d", TARGET): 4,
    }
    assert found["30d", TARGET] == HourTotals(4, counted(OK=4), 80, 20)


async def test_hours_come_back_in_order(database: Database) -> None:
    given = [an_hour(hour=NOON - ago * HOUR) for ago in (3, 1, 2, 0)]
    await flush(database, *given)
    async with database.system() as session:
        found = await hours_of(session, [TARGET], since=NOON - 2 * HOUR, until=NOON)
    assert [each.hour for each in found] == [NOON - 2 * HOUR, NOON - HOUR]
    assert found[0].hour.tzinfo is UTC
