"""Calls of real traffic: written as often as they change, found again, kept by day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from storage import call_pages, live_calls
from storage.call_pages import LoggedCall
from storage.engine import Database
from storage.notify import Listener, topic
from storage.tables import LiveCallRow
from tests.storage.factories import NOON
from tests.storage.live_rows import (
    GOING_ON,
    a_live_call,
    a_seen_message,
    as_new,
    days_with_rows,
    nobodys_call,
    write_live,
)
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

SOON = timedelta(seconds=10)
AT_ONCE = timedelta(milliseconds=50)


@pytest.fixture
async def listener(database_urls: TestDatabase) -> AsyncIterator[Listener]:
    async with Listener(database_urls.app_url) as opened:
        await opened.listening()
        yield opened


async def logged(database: Database, org_id: str, call_id: str) -> LoggedCall:
    async with database.tenant(org_id) as session:
        found = await call_pages.logged(session, call_id)
    assert found is not None
    return found


async def row_of(database: Database, org_id: str, call_id: str) -> LiveCallRow:
    call = await logged(database, org_id, call_id)
    async with database.tenant(org_id) as session:
        found = await live_calls.get(session, call)
    assert found is not None
    return found


async def test_a_call_comes_back_as_it_was_written(database: Database, org_id: str) -> None:
    call = a_live_call(
        org_id,
        correlation_id="x-1",
        codecs=["PCMA", "G729"],
        details={"hung_up_by": "callee", "source": ["192.0.2.20", 5060]},
    )
    written = call.model_dump()
    await write_live(database, [call])
    assert (await row_of(database, org_id, call.id)).model_dump() == written


async def test_a_new_version_of_a_call_replaces_the_one_before(
    database: Database, org_id: str
) -> None:
    call = a_live_call(org_id)
    begun = a_live_call(org_id, id=call.id, sip_call_id=call.sip_call_id, **GOING_ON)
    await write_live(database, [begun])
    assert not (await logged(database, org_id, call.id)).ended
    # Messages out of order: the INVITE was captured before what came first.
    earlier = NOON - timedelta(milliseconds=80)
    call.started_at = earlier
    await write_live(database, [call])
    row = await row_of(database, org_id, call.id)
    assert (row.at, row.started_at, row.ended, row.sip_code) == (NOON, earlier, True, 200)
    assert await days_with_rows(database) == {"live_calls_default": 1}


async def test_a_state_stays_until_another_comes_or_the_call_ends(
    database: Database, org_id: str
) -> None:
    call_id = "lc_a"
    going_on: dict[str, Any] = {**GOING_ON, "id": call_id, "sip_call_id": "a@x"}
    for state, kept in (({"version": 1}, {"version": 1}), (None, {"version": 1}), ({"n": 2},) * 2):
        await write_live(database, [a_live_call(org_id, **going_on, state=state)])
        assert (await row_of(database, org_id, call_id)).state == kept
    await write_live(database, [a_live_call(org_id, id=call_id, state={"n": 3})])
    assert (await row_of(database, org_id, call_id)).state is None


async def test_what_peers_put_into_their_words_can_be_stored(
    database: Database, org_id: str
) -> None:
    call = a_live_call(
        org_id,
        sip_call_id="a\x00b\udcff@x",
        from_user="\ud800",
        sip_reason="OK\x00",
        codecs=["PC\x00MU"],
        details={"caller_agent": "A\x00\udc80", "source": ["192.0.2.1", 5060]},
    )
    await write_live(database, [call])
    row = await row_of(database, org_id, call.id)
    assert row.sip_call_id == "a\ufffdb\ufffd@x"
    assert (row.from_user, row.sip_reason, row.codecs) == ("\ufffd", "OK\ufffd", ["PC\ufffdMU"])
    assert row.details == {"caller_agent": "A\ufffd\ufffd", "source": ["192.0.2.1", 5060]}


async def test_messages_are_read_in_the_order_in_which_they_were_written(
    database: Database, org_id: str
) -> None:
    call, other = a_live_call(org_id), a_live_call(org_id)
    batch = [a_seen_message(call, b"%d\x00\xff" % n, after=n % 3) for n in range(30)]
    await write_live(database, [call, other], [*batch, a_seen_message(other, b"no")])
    found = await logged(database, org_id, call.id)
    async with database.tenant(org_id) as session:
        page = await live_calls.messages(session, found, limit=10)
        rest = await live_calls.messages(session, found, after_seq=page[-1].seq)
    assert [each.data for each in (*page, *rest)] == [each.data for each in batch]
    first = page[0]
    assert (first.local_address, first.local_port) == ("192.0.2.20", 5060)
    assert (first.remote_address, first.at) == ("203.0.113.5", NOON)


async def test_an_empty_batch_is_nothing(database: Database) -> None:
    await write_live(database, [])
    assert await days_with_rows(database) == {}


async def test_who_watches_an_organization_or_a_call_is_told(
    database: Database, listener: Listener, org_id: str, other_org_id: str
) -> None:
    call = a_live_call(org_id)
    async with (
        listener.subscribe(topic(live_calls.CHANNEL, org_id)) as owner,
        listener.subscribe(topic(live_calls.CHANNEL, call.id)) as watcher,
        listener.subscribe(topic(live_calls.CHANNEL, other_org_id)) as stranger,
    ):
        await write_live(database, [call])
        assert await owner.wait(SOON)
        assert await watcher.wait(SOON)
        await write_live(database, [], [a_seen_message(call, b"BYE")])
        assert await owner.wait(SOON)
        assert await watcher.wait(SOON)
        assert not await stranger.wait(AT_ONCE)


async def test_only_the_system_writes_and_looks_for_open_calls(
    database: Database, org_id: str
) -> None:
    async with database.tenant(org_id) as session:
        with pytest.raises(RuntimeError):
            await live_calls.write(session, [as_new(a_live_call(org_id))], [])
        with pytest.raises(RuntimeError):
            await live_calls.find_open(session, ["a@x"], since=NOON)


async def test_open_calls_are_found_by_their_call_ids_the_latest_first(
    database: Database, org_id: str
) -> None:
    def going_on(call_id: str, hours: int) -> LiveCallRow:
        at = NOON + timedelta(hours=hours)
        fields = {**GOING_ON, "sip_call_id": call_id, "state": {"hours": hours}}
        return a_live_call(org_id, at=at, **fields)

    await write_live(
        database,
        [
            going_on("a@x", -13),
            going_on("a@x", -2),
            going_on("a@x", -1),
            going_on("b@x", -1),
            going_on("c@x", -1),
            a_live_call(org_id, sip_call_id="a@x"),
        ],
    )
    async with database.system() as session:
        since = NOON - timedelta(hours=12)
        found = await live_calls.find_open(session, {"a@x", "c@x", "d@x"}, since=since)
        assert await live_calls.find_open(session, (), since=since) == []
    told = sorted((row.sip_call_id, row.state["hours"]) for row in found if row.state)
    assert told == [("a@x", -2), ("a@x", -1), ("c@x", -1)]
    assert [row.at for row in found] == sorted((row.at for row in found), reverse=True)


async def test_what_an_exporter_ties_together_is_found_from_each_end(
    database: Database, org_id: str, other_org_id: str
) -> None:
    def leg(call_id: str, correlation: str | None, seconds: int, owner: str = org_id) -> str:
        at = NOON + timedelta(seconds=seconds)
        legs.append(
            a_live_call(owner, at=at, sip_call_id=call_id, correlation_id=correlation, id=call_id)
        )
        return call_id

    legs: list[LiveCallRow] = []
    inner, outer = leg("inner", None, 0), leg("outer", "inner", 1)
    third = leg("third", "inner", 2)
    leg("alone", None, 0)
    leg("foreign", "inner", 1, other_org_id)
    leg("old", "inner", -7200)
    await write_live(database, legs)
    for one, others in ((inner, [outer, third]), (outer, [inner, third]), ("alone", [])):
        row = await row_of(database, org_id, one)
        async with database.tenant(org_id) as session:
            found = await live_calls.related(session, row)
            assert [each.id for each in found] == others
            assert [each.id for each in await live_calls.related(session, row, limit=1)] == others[
                :1
            ]


async def test_nobodys_calls_are_hidden_from_every_organization(
    database: Database, org_id: str
) -> None:
    call = nobodys_call()
    await write_live(database, [call], [a_seen_message(call, b"INVITE")])
    async with database.tenant(org_id) as session:
        assert await call_pages.logged(session, call.id) is None
        assert await session.scalar(text("SELECT count(*) FROM live_calls")) == 0
        assert await session.scalar(text("SELECT count(*) FROM sip_messages")) == 0
    async with database.system() as session:
        assert await call_pages.logged(session, call.id) is not None


async def test_a_call_whose_end_nobody_saw_is_ended_after_a_while(
    database: Database, org_id: str
) -> None:
    old, young = (
        a_live_call(org_id, id=name, sip_call_id=f"{name}@x", at=at, **GOING_ON)
        for name, at in (("lc_old", NOON - timedelta(hours=14)), ("lc_young", NOON))
    )
    await write_live(database, [old, young])
    async with database.system() as session:
        ended = await live_calls.end_forgotten(session, began_before=NOON - timedelta(hours=13))
    assert ended == 1
    row = await row_of(database, org_id, "lc_old")
    assert (row.ended, row.ended_at, row.state) == (True, row.answered_at or row.started_at, None)
    assert row.details["expired"] is True
    assert not (await row_of(database, org_id, "lc_young")).ended
