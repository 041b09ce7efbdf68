"""A collector goes on with the calls of the one before it, and ends when it is told to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from storage.engine import Database
from storage.tables import LiveCallRow
from tests.capture.collecting import (
    Station,
    messages_of,
    only_row,
    received,
    rows_of,
    sent,
)
from tests.domain.live_traffic import (
    START,
    moment,
    normal_call,
)

pytestmark = pytest.mark.postgres


async def test_a_collector_that_takes_over_goes_on_with_calls_in_progress(
    database: Database, org_id: str, trunk_id: str
) -> None:
    traffic = normal_call()
    first = Station(database)
    await first.sees(traffic.messages[:8])
    await first.collector.leave()
    assert (await only_row(database)).state is not None

    second = Station(database, now=first.now + timedelta(seconds=20))
    await second.sees(traffic.messages[8:])

    row = await only_row(database)
    assert (row.ended, row.sip_code, row.duration_ms) == (True, 200, 30_000)
    assert (row.org_id, row.trunk_id, row.started_at) == (org_id, trunk_id, START)
    assert (row.messages, row.state) == (len(traffic.messages), None)
    messages = await messages_of(database, row)
    assert [each.data for each in messages] == sent(traffic.messages)


async def test_a_collector_that_was_killed_loses_no_call_that_lasted(
    database: Database, trunk_id: str
) -> None:
    traffic = normal_call()
    first = Station(database)
    await first.sees(traffic.messages[:8])

    second = Station(database, now=START + timedelta(seconds=34))
    await second.sees(traffic.messages[8:])

    row = await only_row(database)
    assert (row.ended, row.duration_ms) == (True, 30_000)


async def test_an_invite_that_is_sent_again_to_the_next_collector_is_the_same_call(
    database: Database, trunk_id: str
) -> None:
    traffic = normal_call()
    traffic.repeats(500, 0)
    again = traffic.messages.pop()
    first = Station(database, now=START + timedelta(milliseconds=3))
    await first.sees(traffic.messages[:3])
    second = Station(database, now=START + timedelta(milliseconds=500))
    await second.sees([again, *traffic.messages[3:]])
    row = await only_row(database)
    assert row.ended
    assert len(await messages_of(database, row)) == len(traffic.messages) + 1


async def test_a_state_that_cannot_be_read_costs_its_call_only(
    database: Database, trunk_id: str
) -> None:
    first = Station(database)
    calls = [normal_call("a@x"), normal_call("b@x")]
    for traffic in calls:
        await first.sees(traffic.messages[:8])
    await first.collector.leave()
    row, _ = await rows_of(database)
    async with database.system() as session:
        (await session.get_one(LiveCallRow, (row.at, row.id))).state = {"version": 99}
    second = Station(database, now=START + timedelta(seconds=34))
    await second.sees([*calls[0].messages[8:], *calls[1].messages[8:]])
    assert [each.ended for each in await rows_of(database)] == [False, True]


async def test_a_call_id_that_is_used_again_is_another_call(
    database: Database, trunk_id: str
) -> None:
    station = Station(database, now=START + timedelta(seconds=40))
    await station.sees(normal_call().messages)
    for _ in range(3):
        await station.sees([], after=30)
    assert station.collector.assembler.calls == 0
    later = normal_call()
    station.now = START + timedelta(minutes=3)
    await station.collector.turn(received(later.messages, late=timedelta(minutes=2)))
    first, second = sorted(await rows_of(database), key=lambda row: row.started_at)
    assert second.started_at - first.started_at == timedelta(minutes=2)
    assert (first.ended, second.ended) == (True, True)
    assert len(await messages_of(database, first)) == len(later.messages)


async def test_the_task_goes_on_until_it_is_stopped_and_everything_is_written(
    database: Database, trunk_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.collector.TURN", 0.0)
    station, stop = Station(database), asyncio.Event()
    traffic = normal_call()
    station.source.batches = [
        received(traffic.messages[:4]),
        [],
        received(traffic.messages[4:9]),
    ]
    stop.set()
    running = asyncio.create_task(station.collector.run(stop))
    await asyncio.wait_for(running, 10)
    assert station.source.batches == [received(traffic.messages[4:9])]
    assert (await only_row(database)).state is not None

    stop.clear()
    running = asyncio.create_task(station.collector.run(stop))
    while station.source.batches:
        station.source.asked.clear()
        await station.source.asked.wait()
    stop.set()
    await asyncio.wait_for(running, 10)
    row = await only_row(database)
    assert (row.messages, row.ended) == (9, False)
    assert moment(0) == row.started_at
