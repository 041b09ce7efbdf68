"""The call log and its calls watched live: what is written while one watches arrives at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.server_sent_events import HEARTBEAT
from sip.capture import CapturedMessage
from storage import call_pages, calls, live_calls, sip_messages
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.ids import new_id
from storage.tables import CallMatch, LiveCallRow
from storage.tables.live_call import NOBODYS
from tests.api.calling import conclude
from tests.api.logged import NUMBER, Log
from tests.api.streaming import ServerSentEvent, Stream, opened_stream
from tests.api.tenants import Tenant
from tests.domain.traces import RESPONSE_DIGEST, UDP, challenged_call, request
from tests.storage.call_steps import a_message
from tests.storage.factories import queued_call

pytestmark = pytest.mark.postgres

OF_NUMBER = f"?phone_number={NUMBER.replace('+', '%2B')}"
GOING_ON: dict[str, Any] = {"ended": False, "ended_at": None, "sip_code": None, "sip_reason": None}


@pytest.fixture
async def log_of_calls(
    app: FastAPI, client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> AsyncIterator[Log]:
    """The log of an application that listens."""
    # What the application's upkeep would do beside the first rows of an empty installation.
    async with database.system() as session:
        today = datetime.now(UTC).date()
        await sip_messages.maintain_partitions(session, today=today)
        await live_calls.maintain_days(session, today=today)
    async with app.router.lifespan_context(app):
        await app.state.trunkline.listener.listening()
        yield Log(client, tenant, database)


@pytest.fixture
def told_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not told that there is news does not find it within the test."""
    monkeypatch.setattr("api.services.call_log_stream.MISSED_NEWS", timedelta(hours=1))


class Watch:
    """Opens streams of the log."""

    def __init__(self, app: FastAPI, tenant: Tenant) -> None:
        self.app, self.tenant = app, tenant

    def __call__(
        self,
        path: str,
        after: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Stream]:
        sent = dict(headers or self.tenant.viewer)
        if after is not None:
            sent["Last-Event-ID"] = after
        return opened_stream(self.app, f"/v1/sip/calls{path}", sent)

    async def all(self, call_id: str, after: str | None = None) -> list[ServerSentEvent]:
        """Everything of a call up to the end of its stream."""
        async with self(f"/{call_id}/events", after) as stream:
            return await stream.rest()


@pytest.fixture
def watch(app: FastAPI, tenant: Tenant) -> Watch:
    return Watch(app, tenant)


async def again(log: Log, call: LiveCallRow, **fields: Any) -> LiveCallRow:
    """A later version of a call."""
    return await log.add(id=call.id, sip_call_id=call.sip_call_id, **fields)


@pytest.mark.usefixtures("told_only")
async def test_the_newest_calls_come_first_and_new_ones_at_once(
    log_of_calls: Log, watch: Watch
) -> None:
    old = [await log_of_calls.add(seconds) for seconds in range(3)]
    async with watch(f"/events{OF_NUMBER}&limit=2") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["x-accel-buffering"] == "no"
        shown = [await stream.event() for _ in range(2)]
        assert [each.data["id"] for each in shown] == [old[1].id, old[2].id]
        assert {(each.name, each.id) for each in shown} == {("call", "")}

        new = await log_of_calls.add(10, **GOING_ON)
        event = await stream.event()
        assert (event.data["id"], event.data["outcome"]) == (new.id, "in-progress")
        await again(log_of_calls, new, seconds=10)
        event = await stream.event()
        assert (event.data["id"], event.data["status"]) == (new.id, "200 OK")
        assert event.data == (await log_of_calls.data(phone_number=NUMBER))["calls"][0]


async def test_only_what_the_query_asks_for_is_told(
    log_of_calls: Log, watch: Watch, other_tenant: Tenant
) -> None:
    async with watch(f"/events{OF_NUMBER}&sip_code=4xx") as stream:
        await log_of_calls.add()
        await log_of_calls.add(sip_code=486, number="2001")
        await log_of_calls.add(sip_code=486, org_id=other_tenant.org_id)
        told = await log_of_calls.add(1, sip_code=486, answered_at=None)
        event = await stream.event()
    assert event.data["id"] == told.id


@pytest.mark.usefixtures("told_only")
async def test_operators_watch_what_belongs_to_nobody(log_of_calls: Log, watch: Watch) -> None:
    fields: dict[str, Any] = {
        "org_id": NOBODYS,
        "match": CallMatch.UNMATCHED,
        "number": None,
        "direction": None,
    }
    operator = log_of_calls.tenant.operator
    async with watch("/events?unassigned=true", headers=operator) as stream:
        await log_of_calls.add()
        told = await log_of_calls.add(1, **fields)
        assert (await stream.event()).data["id"] == told.id
    async with watch(f"/{told.id}/events", headers=operator) as stream:
        (end,) = await stream.rest()
    assert end.data["match"] == "unmatched"
    async with watch("/events?unassigned=true") as stream:
        assert stream.status == 403


async def test_a_log_without_a_number_cannot_be_watched(watch: Watch) -> None:
    async with watch("/events") as stream:
        assert stream.status == 400
        assert "phone_number: is required" in stream.raw.decode()


async def test_a_test_call_is_found_in_the_log_all_the_same(
    log_of_calls: Log, watch: Watch
) -> None:
    async with watch(f"/events{OF_NUMBER}") as stream:
        call = await queued_call(
            log_of_calls.database, log_of_calls.tenant.org_id, at=log_of_calls.now, number=NUMBER
        )
        event = await stream.event()
    assert (event.data["id"], event.data["kind"]) == (call.id, "test")


async def test_a_silent_log_stays_open_and_leaves_nothing_behind(
    log_of_calls: Log, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.services.call_log_stream.HEARTBEAT_INTERVAL", timedelta(0))
    monkeypatch.setattr("api.services.call_log_stream.MISSED_NEWS", timedelta(seconds=0.02))
    monkeypatch.setattr("api.services.call_log_stream.AT_LEAST_APART", timedelta(0))
    listener = watch.app.state.trunkline.listener
    async with watch(f"/events{OF_NUMBER}") as stream:
        while stream.raw.count(HEARTBEAT) < 3:
            await stream.more()
        assert listener._waiters
    assert not listener._waiters


async def test_streams_end_after_a_while_so_that_a_revoked_key_sees_no_more(
    log_of_calls: Log, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.services.call_log_stream.LONGEST", timedelta(seconds=0.2))
    monkeypatch.setattr("api.services.call_log_stream.MISSED_NEWS", timedelta(seconds=0.02))
    call = await log_of_calls.add(**GOING_ON)
    for path in (f"/events{OF_NUMBER}", f"/{call.id}/events"):
        async with watch(path) as stream:
            assert stream.status == 200
            await stream.rest()
            assert stream.ended


async def test_a_database_that_goes_away_ends_the_streams(
    log_of_calls: Log, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the server closed the connection")

    call = await log_of_calls.add(**GOING_ON)
    await log_of_calls.record(call, challenged_call()[:1])
    async with watch(f"/events{OF_NUMBER}") as log, watch(f"/{call.id}/events") as one:
        await log.event()
        await one.event()
        monkeypatch.setattr(call_pages, "page", is_away)
        monkeypatch.setattr(call_pages, "logged", is_away)
        await log_of_calls.add()
        assert await log.rest() == []
        assert await one.rest() == []


@pytest.mark.usefixtures("told_only")
async def test_every_message_of_a_call_comes_as_it_is_written_and_then_its_end(
    log_of_calls: Log, watch: Watch
) -> None:
    messages = challenged_call()
    call = await log_of_calls.add(**GOING_ON)
    await log_of_calls.record(call, messages[:3])
    async with watch(f"/{call.sip_call_id}/events") as stream:
        first = [await stream.event() for _ in range(3)]
        assert [each.data["index"] for each in first] == [0, 1, 2]
        assert first[2].data["summary"].startswith("401 Unauthorized")
        await log_of_calls.record(call, messages[3:])
        assert (await stream.event()).data["method"] == "ACK"
        await again(log_of_calls, call)
        rest = await stream.rest()
    assert RESPONSE_DIGEST.encode() not in stream.raw
    assert [each.name for each in rest] == ["message"] * 7 + ["call"]
    assert (rest[-1].data["id"], rest[-1].data["status"]) == (call.id, "200 OK")
    assert rest[-1].id.endswith("-end")
    listed = (await log_of_calls.data(phone_number=NUMBER))["calls"]
    assert rest[-1].data == listed[0]


async def test_who_comes_again_goes_on_behind_what_was_seen(
    log_of_calls: Log, watch: Watch
) -> None:
    call = await log_of_calls.add()
    await log_of_calls.record(call, challenged_call())
    everything = await watch.all(call.id)
    assert len({each.id for each in everything}) == 12
    for place, last in enumerate(everything[:-1]):
        assert await watch.all(call.id, last.id) == everything[place + 1 :]
    async with watch(f"/{call.id}/events", everything[-1].id) as stream:
        assert stream.status == 204


async def test_a_flood_is_passed_on_up_to_its_bound(
    log_of_calls: Log, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.services.call_log_stream.MOST_MESSAGES", 200)
    call = await log_of_calls.add()
    flood: list[CapturedMessage] = [
        UDP.sent(number, request("INVITE", cseq=number + 1)) for number in range(450)
    ]
    await log_of_calls.record(call, flood)
    events = await watch.all(call.id)
    assert [each.data["index"] for each in events[:-1]] == list(range(200))
    assert events[-1].name == "call"


async def test_a_test_call_can_be_watched_here_as_well(log_of_calls: Log, watch: Watch) -> None:
    org_id, database = log_of_calls.tenant.org_id, log_of_calls.database
    test = await queued_call(database, org_id, at=log_of_calls.now)
    async with watch(f"/{test.id}/events") as stream:
        message = a_message(org_id, test.id, request("INVITE"), at=log_of_calls.now)
        async with database.tenant(org_id) as session:
            await calls.add_messages(session, test.id, [message])
        assert (await stream.event()).data["method"] == "INVITE"
        await conclude(database, org_id, test.id)
        (end,) = await stream.rest()
    assert (end.name, end.data["id"], end.data["kind"]) == ("call", test.id, "test")


async def test_who_may_not_see_a_call_cannot_watch_it(
    log_of_calls: Log, watch: Watch, other_tenant: Tenant
) -> None:
    call = await log_of_calls.add()
    for key, headers in ((new_id("lc"), None), (call.id, other_tenant.operator)):
        async with watch(f"/{key}/events", headers=headers) as stream:
            assert stream.status == 404
            assert json.loads(stream.raw)["errors"][0]["message"] == "no such call"
