"""What is no call, too much, too late or of a wrong clock harms no call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.live_call_placing import CallLimits
from storage.engine import Database
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
    TO_PROXY,
    Traffic,
    normal_call,
)

pytestmark = pytest.mark.postgres


async def test_messages_whose_call_never_shows_are_let_go(database: Database) -> None:
    station = Station(database)
    await station.sees(normal_call().messages[4:])
    assert len(station.collector.held) == len(normal_call().messages) - 4
    for _ in range(4):
        await station.sees([], after=10)
    assert len(station.collector.held) == 0
    assert await rows_of(database) == []
    assert station.collector.assembler.counts.unknown_forgotten == 1
    assert station.collector.held.given_up == len(normal_call().messages) - 4


async def test_messages_without_a_call_do_not_take_the_room_of_calls(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.collector.HELD", 5)
    station = Station(database)
    stray = [
        message for number in range(9) for message in normal_call(f"stray-{number}").messages[-4:-3]
    ]
    traffic = normal_call()
    await station.sees([*stray, *traffic.messages])
    assert station.collector.held.dropped == 4
    row = await only_row(database)
    assert len(await messages_of(database, row)) == len(traffic.messages)


@pytest.mark.parametrize("hours", [-7, 3, 24 * 365 * 20])
async def test_an_exporter_whose_clock_is_hours_off_is_believed_the_order_only(
    database: Database, trunk_id: str, hours: int
) -> None:
    station = Station(database)
    traffic = normal_call()
    for message in traffic.messages:
        station.now = message.at
        await station.collector.turn(received([message], late=timedelta(hours=hours)))
    row = await only_row(database)
    assert (row.ended, row.started_at, row.at) == (True, START, START)
    assert (row.pdd_ms, row.duration_ms) == (1001, 30_000)


async def test_what_comes_at_once_from_such_a_clock_keeps_its_order(
    database: Database, trunk_id: str
) -> None:
    station = Station(database)
    traffic = normal_call()
    await station.collector.turn(received(traffic.messages, late=timedelta(hours=5)))
    row = await only_row(database)
    messages = await messages_of(database, row)
    assert [each.data for each in messages] == sent(traffic.messages)
    assert [each.at for each in messages] == sorted({each.at for each in messages})
    assert (row.ended, row.details["hung_up_by"], row.sip_code) == (True, "caller", 200)


async def test_garbage_and_keep_alives_are_counted_and_written_nowhere(
    database: Database,
) -> None:
    traffic = Traffic()
    for at, data in enumerate(
        (b"", b"\x00" * 40, b"\r\n\r\n", b"INVITE", b"SIP/2.0 200 OK\r\n\r\n")
    ):
        traffic.send(at, TO_PROXY, data)
    traffic.request(9, TO_PROXY, "OPTIONS")
    station = Station(database)
    await station.sees(traffic.messages)
    counts = station.collector.assembler.counts
    assert (counts.received, counts.not_sip, counts.not_calls) == (6, 5, 1)
    assert await rows_of(database) == []
    assert len(station.collector.held) == 0


async def test_a_full_table_refuses_new_calls_and_keeps_the_old_ones(
    database: Database, trunk_id: str
) -> None:
    station = Station(database, limits=CallLimits(max_calls=2))
    calls = [normal_call(f"{number}@x") for number in range(4)]
    for traffic in calls:
        await station.sees(traffic.messages[:3])
    for traffic in calls:
        await station.sees(traffic.messages[3:])
    assert [row.ended for row in await rows_of(database)] == [True, True]
    assert station.collector.assembler.counts.table_full == 4


async def test_a_call_that_nothing_is_heard_of_is_ended(database: Database, trunk_id: str) -> None:
    station = Station(database)
    await station.sees(normal_call().messages[:5])
    for _ in range(60):
        await station.sees([], after=5)
    row = await only_row(database)
    assert (row.ended, row.details["expired"], row.sip_code) == (True, True, None)
