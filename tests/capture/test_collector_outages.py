"""A database that goes away costs nothing, and what it refuses keeps nothing else out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from capture.writing import LiveWriter
from storage.engine import Database
from storage.tables import LiveCallRow
from tests.activities.test_call_writer import Breaking, away
from tests.capture.collecting import Station, messages_of, only_row, rows_of, sent
from tests.domain.live_traffic import START, normal_call
from tests.storage.live_rows import a_live_call, a_seen_message, as_new, nobodys_call
from tests.support.postgres import TestDatabase as Urls

pytestmark = pytest.mark.postgres


@pytest.fixture
async def writing(database_urls: Urls) -> AsyncIterator[Database]:
    """The collector's own connections."""
    opened = Database(database_urls.app_url, pool_size=2)
    yield opened
    await opened.dispose()


async def test_a_database_that_is_away_for_a_second_loses_and_doubles_nothing(
    database: Database, writing: Database, database_urls: Urls, trunk_id: str
) -> None:
    station = Station(writing, now=START + timedelta(seconds=40))
    traffic = normal_call()
    await station.sees(traffic.messages[:4])
    with away(database_urls):
        turn = asyncio.create_task(station.sees(traffic.messages[4:]))
        done, _ = await asyncio.wait({turn}, timeout=1)
        assert not done
    await asyncio.wait_for(turn, 20)
    row = await only_row(database)
    assert (row.ended, row.trunk_id, row.messages) == (True, trunk_id, len(traffic.messages))
    assert [each.data for each in await messages_of(database, row)] == sent(traffic.messages)


async def test_owners_and_stored_calls_are_waited_for_too(
    database: Database, writing: Database, database_urls: Urls, trunk_id: str
) -> None:
    first = Station(writing)
    traffic = normal_call()
    await first.sees(traffic.messages[:8])
    second = Station(writing, now=START + timedelta(seconds=34))
    with away(database_urls):
        turn = asyncio.create_task(
            second.sees([*normal_call("new@x").messages, *traffic.messages[8:]])
        )
        done, _ = await asyncio.wait({turn}, timeout=0.5)
        assert not done
    await asyncio.wait_for(turn, 20)
    rows = await rows_of(database)
    assert [(row.ended, row.trunk_id) for row in rows] == [(True, trunk_id)] * 2


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_connection_that_breaks_in_the_commit_doubles_and_loses_nothing(
    database: Database, database_urls: Urls, arrived: bool
) -> None:
    call = nobodys_call()
    batch = [a_seen_message(call, text) for text in (b"INVITE", b"ACK")]
    call_id = call.id
    breaking = Breaking(database_urls, arrived=arrived)
    writer = LiveWriter(breaking)
    await asyncio.wait_for(writer.write([as_new(call)], batch), 20)
    assert breaking.broke
    await breaking.dispose()
    row = await only_row(database)
    assert row.id == call_id
    assert [each.data for each in await messages_of(database, row)] == [b"INVITE", b"ACK"]
    assert writer.unwritable == 0


async def test_rows_that_postgresql_refuses_keep_no_others_out(
    database: Database, trunk_id: str, org_id: str
) -> None:
    calls = [
        a_live_call(org_id, id=f"lc_{number}", sip_call_id=f"{number}@x") for number in range(7)
    ]
    calls[3].sip_code = 2**40
    calls[5].pdd_ms = 2**31
    batch = [a_seen_message(call, b"INVITE") for call in calls]
    batch[2] = replace(batch[2], local_port=2**40)
    batch[6] = replace(batch[6], remote_address="a\x00b")
    ids = {call.id for call in calls}
    writer = LiveWriter(database)
    await writer.write([as_new(call) for call in calls], batch)
    rows = await rows_of(database)
    assert {row.id for row in rows} == ids - {"lc_3", "lc_5"}
    written = {row.id for row in rows if await messages_of(database, row)}
    assert written == ids - {"lc_2", "lc_3", "lc_5", "lc_6"}
    assert writer.unwritable == 4


async def test_the_order_of_messages_is_kept_when_some_are_refused(
    database: Database, org_id: str
) -> None:
    call: LiveCallRow = a_live_call(org_id)
    batch = [a_seen_message(call, b"%d" % number) for number in range(9)]
    batch[4] = replace(batch[4], transport="a\x00b")
    await LiveWriter(database).write([as_new(call)], batch)
    messages = await messages_of(database, await only_row(database))
    assert [each.data for each in messages] == [b"%d" % n for n in range(9) if n != 4]


async def test_octets_that_are_no_text_are_written_as_they_came(
    database: Database, trunk_id: str
) -> None:
    traffic = normal_call()
    messages = [
        replace(
            each, data=each.data.replace(b"PBX 1.0", b"\x00\xff\xfe").replace(b"OK", b"\xc3\x00")
        )
        for each in traffic.messages
    ]
    station = Station(database, now=START + timedelta(seconds=40))
    await station.sees(messages)
    row = await only_row(database)
    assert [each.data for each in await messages_of(database, row)] == sent(messages)
    assert (row.ended, station.writer.unwritable) == (True, 0)
    assert "\x00" not in f"{row.sip_reason}{row.details}"
