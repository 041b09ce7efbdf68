"""A test call watched live: everything once, in order, at once, and on from where one was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import monotonic

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from api.server_sent_events import HEARTBEAT, Cursor
from api.services.test_call_views import MISSED_NEWS
from storage import calls, sip_messages
from storage.calls import NewEvent
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.ids import new_id
from tests.api.streaming import ServerSentEvent, opened_stream, served
from tests.api.tenants import Tenant
from tests.api.waiting import eventually
from tests.api.watching import Watched
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.postgres

LIVE = 0.2
"""Seconds within which a watcher sees what was written, on a machine that has time for it."""

UNTOLD = MISSED_NEWS.total_seconds()
"""Who is not told that there is news finds it no sooner than this."""


@pytest.fixture
async def watched(app: FastAPI, database: Database, tenant: Tenant) -> AsyncIterator[Watched]:
    made = Watched(app, database, tenant)
    await made.admit()
    # What the application's upkeep would do beside the first message of an empty installation.
    async with database.system() as session:
        await sip_messages.maintain_partitions(session, today=datetime.now(UTC).date())
    async with app.router.lifespan_context(app):
        await app.state.trunkline.listener.listening()
        yield made


def words(events: list[ServerSentEvent]) -> list[str]:
    return [each.data["event"] if each.name == "timeline" else each.name for each in events]


async def test_what_happens_is_seen_at_once(watched: Watched) -> None:
    async with watched.watch() as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        delays = []
        for word in ("initiated", "ringing", "answered"):
            before = monotonic()
            await watched.happens(word)
            event = await stream.event()
            delays.append(monotonic() - before)
            assert (event.name, event.data["event"]) == ("timeline", word)
        before = monotonic()
        await watched.goes_over_the_wire()
        assert (await stream.event()).name == "message"
        delays.append(monotonic() - before)
        assert min(delays) < LIVE
        assert max(delays) < UNTOLD
        assert not stream.ended


async def test_the_stream_ends_with_the_result(watched: Watched) -> None:
    async with watched.watch() as stream:
        await watched.happens("completed")
        await watched.ends()
        timeline, result = await stream.rest()
    assert (timeline.name, result.name) == ("timeline", "result")
    assert timeline.data == {
        "event": "completed",
        "at": timeline.data["at"],
        "detail": "It is completed",
        "data": {"n": 1},
    }
    assert (result.data["call_id"], result.data["status"]) == (watched.call_id, "completed")
    assert result.data["timeline"] == [timeline.data]


async def test_the_result_is_the_status(watched: Watched, client: httpx.AsyncClient) -> None:
    await watched.happens("completed")
    await watched.ends()
    status = await client.get(
        "/v1/sip/test-call/status",
        params={"call_id": watched.call_id},
        headers=watched.tenant.viewer,
    )
    *_, result = await watched.seen()
    assert result.data == status.json()["data"]


async def test_messages_and_timeline_come_in_the_order_in_which_they_happened(
    watched: Watched,
) -> None:
    for word in ("initiated", None, "ringing", None, None, "answered"):
        await (watched.happens(word) if word else watched.goes_over_the_wire())
    await watched.ends()

    seen = await watched.seen()

    expected = ["initiated", "message", "ringing", "message", "message", "answered", "result"]
    assert words(seen) == expected
    indexes = [each.data["index"] for each in seen if each.name == "message"]
    assert indexes == [0, 1, 2]


async def test_who_comes_again_goes_on_behind_what_was_seen(watched: Watched) -> None:
    for word in ("initiated", None, "ringing", None, "answered"):
        await (watched.happens(word) if word else watched.goes_over_the_wire())
    await watched.ends()
    everything = await watched.seen()
    assert len({each.id for each in everything}) == len(everything)

    for place, last in enumerate(everything[:-1]):
        assert await watched.seen(last.id) == everything[place + 1 :]


async def test_who_has_seen_the_end_is_told_not_to_come_again(watched: Watched) -> None:
    await watched.ends()
    (result,) = await watched.seen()

    async with watched.watch(result.id) as stream:
        assert stream.status == 204
        assert await stream.rest() == []


@pytest.mark.parametrize("after", ["", "x", "-", "1", "1-2-3", "9" * 40 + "-1", "-1--1", "1-2-END"])
async def test_a_cursor_that_is_not_ours_begins_anew(watched: Watched, after: str) -> None:
    await watched.happens("initiated")
    await watched.ends()

    assert words(await watched.seen(after)) == ["initiated", "result"]


@given(st.text())
def test_any_text_is_a_cursor_or_the_beginning(text: str) -> None:
    cursor = Cursor.of(text)
    assert cursor == Cursor() or Cursor.of(str(cursor)) == cursor


@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1), st.booleans())
def test_a_cursor_is_read_as_it_was_written(messages: int, events: int, over: bool) -> None:
    cursor = Cursor(messages, events, over)
    assert Cursor.of(str(cursor)) == cursor


async def test_secrets_do_not_reach_the_watcher(watched: Watched) -> None:
    async with watched.watch() as stream:
        await watched.goes_over_the_wire()
        message = await stream.event()
        assert b"6629fae49393a05397450978507c4ef1" not in stream.raw
        assert b"dcd98b7102dd" not in stream.raw
    assert "a84b4c76e66710" in json.dumps(message.data)


async def test_a_flood_is_passed_on_whole(watched: Watched) -> None:
    await watched.goes_over_the_wire(times=250)
    await watched.happens("answered")
    await watched.ends()

    seen = await watched.seen()

    assert [each.data["index"] for each in seen if each.name == "message"] == list(range(250))
    assert words(seen)[-1] == "result"
    assert words(seen).count("answered") == 1


async def test_lost_news_are_found_all_the_same(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.services.test_call_stream.MISSED_NEWS", timedelta(seconds=0.05))
    async with watched.watch() as stream:
        async with watched.database.tenant(watched.tenant.org_id) as session:
            monkeypatch.setattr("storage.call_log.notify", _says_nothing)
            new = NewEvent(at=datetime.now(UTC), event="ringing", detail="It rings")
            await calls.add_event(session, watched.call_id, new)
        event = await stream.event()
    assert event.data["event"] == "ringing"


async def _is_away(*_: object) -> None:
    raise DatabaseUnavailable("the server closed the connection")


async def _says_nothing(*_: object) -> None:
    pass


async def test_a_silent_stream_stays_alive(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.services.test_call_stream.HEARTBEAT_INTERVAL", timedelta(0))
    monkeypatch.setattr("api.services.test_call_stream.MISSED_NEWS", timedelta(seconds=0.02))
    async with watched.watch() as stream:
        while stream.raw.count(HEARTBEAT) < 3:
            await stream.more()
        await watched.happens("ringing")
        event = await stream.event()
    assert event.data["event"] == "ringing"


async def test_a_client_that_goes_away_leaves_nothing_behind(watched: Watched) -> None:
    listener = watched.app.state.trunkline.listener
    async with watched.watch() as stream:
        await watched.happens("initiated")
        await stream.event()
        assert listener._waiters
    assert not listener._waiters


async def test_many_watchers_see_the_same(watched: Watched) -> None:
    watching = [asyncio.create_task(watched.seen()) for _ in range(8)]
    for word in ("initiated", None, "ringing"):
        await (watched.happens(word) if word else watched.goes_over_the_wire())
    await watched.ends()

    first, *others = await asyncio.gather(*watching)
    assert words(first) == ["initiated", "message", "ringing", "result"]
    assert all(seen == first for seen in others)


async def test_a_database_that_goes_away_ends_the_stream(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched.watch() as stream:
        await watched.happens("initiated")
        first = await stream.event()
        monkeypatch.setattr(calls, "get_test", _is_away)
        await watched.ends()
        assert await stream.rest() == []
        assert stream.ended
        monkeypatch.undo()
    (result,) = await watched.seen(first.id)
    assert result.name == "result"


async def test_an_unknown_call_is_not_found(watched: Watched, other_tenant: Tenant) -> None:
    for call_id, tenant in ((new_id("tc"), watched.tenant), (watched.call_id, other_tenant)):
        path = f"/v1/sip/test-call/{call_id}/events"
        async with opened_stream(watched.app, path, tenant.viewer) as stream:
            assert stream.status == 404
            assert stream.headers["content-type"] == "application/json"


async def test_a_real_server_passes_each_event_on_as_it_comes(
    watched: Watched, loopback: LoopbackBlock
) -> None:
    async with served(watched.app, loopback.address()) as url, httpx.AsyncClient() as client:
        async with client.stream(
            "GET", url + watched.path, headers=watched.tenant.viewer
        ) as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            for word in ("initiated", "ringing"):
                await watched.happens(word)
                before = monotonic()
                while await anext(lines) != "event: timeline":
                    pass
                assert f'"event":"{word}"' in await anext(lines)
                assert monotonic() - before < UNTOLD
        # The client is gone; the server notices without having anything to say.
        listener = watched.app.state.trunkline.listener

        async def nobody_waits() -> bool:
            return not listener._waiters

        await eventually(nobody_waits)
