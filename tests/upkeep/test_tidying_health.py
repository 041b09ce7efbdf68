"""The hourly pass of workers: days of samples made, made smaller and dropped; old changes forgotten."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from domain.health import HealthState
from storage.engine import Database
from storage.tables import ProcessKind
from tests.storage.factories import NOON, add_organization
from tests.storage.health_rows import (
    a_name,
    a_target,
    a_transition,
    add_trunk,
    place_names,
    rows,
    see,
)
from tests.support.postgres import TestDatabase
from upkeep.health_days import tidy_health
from upkeep.passes import passes_of, this_process

pytestmark = pytest.mark.postgres

DAY = timedelta(days=1)


async def test_days_are_made_ahead_and_old_ones_lose_their_minutes_and_go(
    database: Database, database_urls: TestDatabase
) -> None:
    today = NOON.replace(hour=0)
    with psycopg.connect(database_urls.owner_url) as owner:
        for ago in (40, 9, 3, 2):
            owner.execute("SELECT maintain_health_hours(%s, 0, 90)", [(today - ago * DAY).date()])
            owner.execute(
                "INSERT INTO health_hours VALUES ('tgt_a', %s, 1, '{}', 0, 0, '\\x00')",
                [today - ago * DAY],
            )

    await tidy_health(database, now=NOON)

    left = await rows(database, "SELECT hour, minutes FROM health_hours ORDER BY hour")
    assert [(row.hour, row.minutes is None) for row in left] == [
        (today - 9 * DAY, True),
        (today - 3 * DAY, True),
        (today - 2 * DAY, False),
    ]
    days = await rows(
        database,
        "SELECT inhrelid::regclass::text AS day FROM pg_inherits "
        "WHERE inhparent = 'health_hours'::regclass",
    )
    ahead = {f"health_hours_{today + days * DAY:%Y%m%d}" for days in range(4)}
    assert ahead <= {row.day for row in days}


async def test_changes_are_kept_as_long_as_the_operator_says(database: Database) -> None:
    org_id = await add_organization(database)
    name, target_id = a_name(), a_target("192.0.2.1").target_id
    await place_names(database, org_id, await add_trunk(database, org_id), name)
    for seq, ago in enumerate((100, 60, 1), start=1):
        change = a_transition(target_id, HealthState.DOWN, seq=seq, at=NOON - ago * DAY)
        await see(database, name, change)

    async def kept(history: timedelta) -> list[int]:
        await tidy_health(database, now=NOON, history_kept=history)
        found = await rows(database, "SELECT seq FROM health_transitions ORDER BY id")
        return [row.seq for row in found]

    assert await kept(120 * DAY) == [1, 2, 3]
    assert await kept(90 * DAY) == [2, 3]
    assert await kept(31 * DAY) == [3]


@pytest.mark.parametrize(("kind", "tidies"), [(ProcessKind.WORKER, True), (ProcessKind.API, False)])
def test_workers_tidy_what_they_wrote(kind: ProcessKind, tidies: bool) -> None:
    async def nowhere() -> None:
        return None

    passes = passes_of(this_process(kind), Database("postgresql://nobody@127.0.0.1/x"), nowhere)
    assert ("health-days" in {each.name for each in passes}) is tidies
