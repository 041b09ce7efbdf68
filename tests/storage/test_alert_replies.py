"""Replies to probes as the decision about slow endpoints gets them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.health_history import CLASSES, HourTotals, MinuteSample, OutcomeClass, pack_minutes
from domain.probe_target import NameIdentity
from storage.alert_pictures import picture_of_organization
from storage.engine import Database
from storage.health_writes import HourRow, flush_hours
from tests.storage.alert_rows import add_alerting_trunk
from tests.storage.factories import NOON
from tests.storage.health_rows import (
    a_name,
    a_target,
    fences_of,
    place_names,
)

pytestmark = pytest.mark.postgres

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIRST, SECOND = a_name("192.0.2.1"), a_name("192.0.2.2")


async def test_replies_of_the_last_quarter_hour_come_with_who_asks_for_them(
    database: Database, org_id: str
) -> None:
    asking = await add_alerting_trunk(database, org_id, response_time_ms=200)
    other = await add_alerting_trunk(database, org_id, unreachable_minutes=5)
    await place_names(database, org_id, asking, FIRST)
    await place_names(database, org_id, other, SECOND)
    await flush(database, FIRST, NOON - HOUR, {40: 10, 50: 20, 55: None, 58: 30})
    await flush(database, FIRST, NOON, {0: 40, 3: 50})
    await flush(database, SECOND, NOON, {0: 60})
    async with database.tenant(org_id) as session:
        found = await picture_of_organization(session, org_id, now=NOON + 4 * MINUTE)
    replies = {
        each.trunk_id: [(reply.at, reply.ms) for reply in each.endpoints[0].targets[0].replies]
        for each in found.trunks
    }
    assert replies[asking] == [
        (NOON - 10 * MINUTE, 20),
        (NOON - 2 * MINUTE, 30),
        (NOON, 40),
        (NOON + 3 * MINUTE, 50),
    ]
    assert replies[other] == []


async def flush(
    database: Database, name: NameIdentity, hour: datetime, ms: dict[int, int | None]
) -> None:
    """Write replies of an hour by their minutes; ``None`` is silence."""
    minutes = {minute: MinuteSample(OutcomeClass.OK, took) for minute, took in ms.items()}
    totals = HourTotals(len(minutes), (0,) * CLASSES, 0, 0)
    row = HourRow(a_target(name.host).target_id, hour, totals, pack_minutes(minutes))
    fences = await fences_of(database, name)
    async with database.system() as session:
        await flush_hours(session, fences, [row])
