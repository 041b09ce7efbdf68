"""What happened in a call: events, messages, and the news of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.call_state import CallStatus
from storage import calls
from storage.engine import Database
from storage.notify import Listener, Waiter, topic
from storage.tables import Call
from tests.storage.call_steps import SECOND, a_message, an_event, end, read
from tests.storage.factories import NOON, queued_call
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

SOON = timedelta(seconds=10)
AT_ONCE = timedelta(milliseconds=50)


class TestTimeline:
    async def test_events_are_read_in_the_order_they_were_written(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id)
        numbers = []
        for word in ("initiated", "ringing", "answered"):
            async with database.tenant(org_id) as session:
                numbers.append(await calls.add_event(session, call.id, an_event(word, ms=1.5)))
        async with database.tenant(org_id) as session:
            found = await calls.events(session, call.id)
            assert [each.seq for each in found] == numbers
            assert [each.event for each in found] == ["initiated", "ringing", "answered"]
            assert (found[0].at, found[0].detail) == (NOON, "The word is initiated")
            assert (found[0].data, found[0].org_id) == ({"ms": 1.5}, org_id)
            later = await calls.events(session, call.id, after_seq=found[0].seq, limit=1)
            assert [each.event for each in later] == ["ringing"]

    async def test_who_reads_up_to_a_number_misses_none_before_it(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id)
        second_is_in = asyncio.Event()

        async def second() -> None:
            async with database.tenant(org_id) as session:
                await calls.add_event(session, call.id, an_event("second"))
            second_is_in.set()

        async with database.tenant(org_id) as session:
            await calls.add_event(session, call.id, an_event("first"))
            waiting = asyncio.create_task(second())
            # A number drawn while the first is not committed could be read before it.
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await second_is_in.wait()
        await waiting
        async with database.tenant(org_id) as session:
            found = await calls.events(session, call.id)
        assert [each.event for each in found] == ["first", "second"]

    async def test_messages_are_those_of_the_call(self, database: Database, org_id: str) -> None:
        call, other = [await queued_call(database, org_id) for _ in range(2)]
        async with database.tenant(org_id) as session:
            batch = [a_message(org_id, call.id, text) for text in ("INVITE", "100", "180")]
            assert await calls.add_messages(session, call.id, batch)
            assert await calls.add_messages(session, other.id, [a_message(org_id, other.id)])
            assert await calls.add_messages(session, call.id, [])
        async with database.tenant(org_id) as session:
            found = await calls.messages(session, call)
            assert [each.data for each in found] == [b"INVITE", b"100", b"180"]
            later = await calls.messages(session, call, after_seq=found[0].seq, limit=1)
            assert [each.data for each in later] == [b"100"]

    async def test_a_message_stamped_by_a_clock_that_is_behind_is_found(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id, at=NOON + 30 * SECOND)
        async with database.tenant(org_id) as session:
            await calls.add_messages(session, call.id, [a_message(org_id, call.id)])
            assert len(await calls.messages(session, call)) == 1

    async def test_an_unknown_call_gets_neither(self, database: Database, org_id: str) -> None:
        async with database.tenant(org_id) as session:
            assert await calls.add_event(session, "tc_unknown", an_event()) is None
            assert not await calls.add_messages(
                session, "tc_unknown", [a_message(org_id, "tc_unknown")]
            )


Change = Callable[[AsyncSession, Call], Awaitable[object]]

CHANGES: dict[str, Change] = {
    "progress": lambda session, call: calls.progress(session, call.id, status=CallStatus.RINGING),
    "hang-up": lambda session, call: calls.request_hang_up(session, call.id, now=NOON),
    "event": lambda session, call: calls.add_event(session, call.id, an_event()),
    "messages": lambda session, call: calls.add_messages(
        session, call.id, [a_message(call.org_id, call.id)]
    ),
    "end": lambda session, call: end(session, call.id),
}


class TestNews:
    @pytest.fixture
    async def listener(self, database_urls: TestDatabase) -> AsyncIterator[Listener]:
        async with Listener(database_urls.app_url) as opened:
            await opened.listening()
            yield opened

    @pytest.mark.parametrize("change", CHANGES)
    async def test_every_change_is_told(
        self, database: Database, org_id: str, listener: Listener, change: str
    ) -> None:
        call = await queued_call(database, org_id)
        async with listener.subscribe(topic(calls.CHANNEL, call.id)) as waiter:
            await self._settled(waiter)
            async with database.tenant(org_id) as session:
                await CHANGES[change](session, call)
            assert await waiter.wait(SOON)

    @pytest.mark.parametrize("change", ["progress", "hang-up", "end"])
    async def test_what_comes_too_late_is_not_told(
        self, database: Database, org_id: str, listener: Listener, change: str
    ) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            await end(session, call.id)
        async with listener.subscribe(topic(calls.CHANNEL, call.id)) as waiter:
            await self._settled(waiter)
            async with database.tenant(org_id) as session:
                assert await CHANGES[change](session, call) is False
            assert not await waiter.wait(AT_ONCE)

    async def _settled(self, waiter: Waiter) -> None:
        while await waiter.wait(AT_ONCE):
            pass


@pytest.mark.parametrize("change", CHANGES)
async def test_another_organizations_call_does_not_change(
    database: Database, org_id: str, other_org_id: str, change: str
) -> None:
    call = await queued_call(database, other_org_id)
    async with database.tenant(org_id) as session:
        assert not await CHANGES[change](session, call)
        assert not await calls.save_snapshot(session, call.id, b"x")
    found = await read(database, call.id, other_org_id)
    assert (found.status, found.hang_up_at, found.ended_at) == (CallStatus.QUEUED, None, None)
    async with database.tenant(other_org_id) as session:
        assert await calls.events(session, call.id) == []
        assert await calls.messages(session, call) == []
