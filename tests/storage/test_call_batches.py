"""Changes of many calls in one transaction: numbers, standings and news as for one call."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.call_state import CallStatus
from storage import call_batches, calls
from storage.call_batches import CallChanges, Standing
from storage.engine import Database
from storage.notify import Listener, topic
from storage.tables import Call
from tests.storage.call_steps import SECOND, a_message, an_event, end, read
from tests.storage.factories import NOON, queued_call
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

AT_ONCE = timedelta(milliseconds=50)
SOON = timedelta(seconds=10)


def changes_of(call: Call, **fields: object) -> CallChanges:
    changes = CallChanges(call_id=call.id, org_id=call.org_id)
    for name, value in fields.items():
        setattr(changes, name, value)
    return changes


async def written(database: Database, *batch: CallChanges) -> dict[str, Standing]:
    async with database.system() as session:
        return dict((await call_batches.write(session, batch)).standings)


async def test_calls_of_two_organizations_are_written_together(
    database: Database, org_id: str, other_org_id: str
) -> None:
    mine, theirs = await queued_call(database, org_id), await queued_call(database, other_org_id)
    standings = await written(
        database,
        *(
            changes_of(
                call,
                messages=[a_message(call.org_id, call.id, text) for text in ("INVITE", "100")],
                events=[an_event("initiated", ms=1.5), an_event("ringing")],
                progress={
                    "status": CallStatus.RINGING,
                    "sip_call_id": "a\x00b\udc80",
                    "target": {"host": "\x00", "port": 5060},
                },
                saves=True,
                sealed=b"sealed",
            )
            for call in (mine, theirs)
        ),
    )
    assert standings == {mine.id: Standing.OPEN, theirs.id: Standing.OPEN}
    for call in (mine, theirs):
        row = await read(database, call.id, call.org_id)
        assert (row.status, row.snapshot) == (CallStatus.RINGING, b"sealed")
        assert (row.sip_call_id, row.target) == ("a\ufffdb\ufffd", {"host": "\ufffd", "port": 5060})
        async with database.tenant(call.org_id) as session:
            messages = await calls.messages(session, call)
            events = await calls.events(session, call.id)
        assert [each.data for each in messages] == [b"INVITE", b"100"]
        assert [(each.event, each.data) for each in events] == [
            ("initiated", {"ms": 1.5}),
            ("ringing", {}),
        ]
        assert {each.org_id for each in messages} == {call.org_id}
        assert {each.org_id for each in events} == {call.org_id}


async def test_what_is_not_said_stays(database: Database, org_id: str) -> None:
    call = await queued_call(database, org_id)
    known = {"status": CallStatus.IN_PROGRESS, "answered_at": NOON + SECOND, "from_user": "a"}
    await written(database, changes_of(call, progress=known, saves=True, sealed=b"kept"))
    await written(database, changes_of(call, progress={"status": CallStatus.RINGING}))
    row = await read(database, call.id, org_id)
    assert (row.status, row.answered_at) == (CallStatus.IN_PROGRESS, NOON + SECOND)
    assert (row.from_user, row.snapshot) == ("a", b"kept")
    await written(database, changes_of(call, saves=True, sealed=None))
    assert (await read(database, call.id, org_id)).snapshot is None


async def test_an_ended_call_keeps_its_result_and_gets_the_rest(
    database: Database, org_id: str
) -> None:
    call = await queued_call(database, org_id)
    async with database.tenant(org_id) as session:
        await end(session, call.id)
    standings = await written(
        database,
        changes_of(
            call,
            progress={"status": CallStatus.RINGING, "to_user": "late"},
            events=[an_event()],
            saves=True,
            sealed=b"legs",
        ),
    )
    assert standings == {call.id: Standing.ENDED}
    row = await read(database, call.id, org_id)
    assert (row.status, row.to_user, row.snapshot) == (CallStatus.COMPLETED, None, b"legs")
    async with database.tenant(org_id) as session:
        assert len(await calls.events(session, call.id)) == 1


async def test_another_organizations_call_is_unknown(
    database: Database, org_id: str, other_org_id: str
) -> None:
    call = await queued_call(database, other_org_id)
    stolen = CallChanges(call_id=call.id, org_id=org_id, events=[an_event()], saves=True)
    missing = CallChanges(call_id="tc_missing", org_id=org_id, events=[an_event()])
    assert await written(database, stolen, missing) == {
        call.id: Standing.UNKNOWN,
        "tc_missing": Standing.UNKNOWN,
    }
    async with database.tenant(other_org_id) as session:
        assert await calls.events(session, call.id) == []


async def test_a_call_that_somebody_holds_is_left_for_later(
    database: Database, org_id: str
) -> None:
    held, free = [await queued_call(database, org_id) for _ in range(2)]
    batch = [changes_of(call, events=[an_event()]) for call in (held, free)]
    async with database.tenant(org_id) as session:
        await session.scalar(select(col(Call.id)).where(col(Call.id) == held.id).with_for_update())
        async with asyncio.timeout(5):
            assert await written(database, *batch) == {
                held.id: Standing.BUSY,
                free.id: Standing.OPEN,
            }
        assert await calls.events(session, held.id) == []
    assert await written(database, batch[0]) == {held.id: Standing.OPEN}


async def test_who_reads_up_to_a_number_misses_none_before_it(
    database: Database, org_id: str
) -> None:
    call = await queued_call(database, org_id)
    async with database.system() as session:
        await call_batches.write(session, [changes_of(call, events=[an_event("first")])])

        async def second() -> None:
            async with database.tenant(org_id) as other:
                await calls.add_event(other, call.id, an_event("second"))

        waiting = asyncio.create_task(second())
        # A number drawn while the first is not committed could be read before it.
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
    await waiting
    async with database.tenant(org_id) as session:
        found = await calls.events(session, call.id)
    assert [each.event for each in found] == ["first", "second"]


async def test_news_is_told_of_each_call_that_shows_any(
    database: Database, database_urls: TestDatabase, org_id: str
) -> None:
    shown, sealed = [await queued_call(database, org_id) for _ in range(2)]
    async with (
        Listener(database_urls.app_url) as listener,
        listener.subscribe(topic(calls.CHANNEL, shown.id)) as news,
        listener.subscribe(topic(calls.CHANNEL, sealed.id)) as silence,
    ):
        await listener.listening()
        for waiter in (news, silence):
            while await waiter.wait(AT_ONCE):
                pass
        await written(
            database,
            changes_of(shown, events=[an_event()]),
            changes_of(sealed, saves=True, sealed=b"x"),
        )
        assert await news.wait(SOON)
        assert not await silence.wait(AT_ONCE)


async def test_a_session_of_one_organization_is_refused(database: Database, org_id: str) -> None:
    async with database.tenant(org_id) as session:
        with pytest.raises(RuntimeError, match="system"):
            await call_batches.write(session, [])


async def test_the_fate_of_a_transaction_can_be_asked(database: Database, org_id: str) -> None:
    call = await queued_call(database, org_id)
    async with database.system() as session:
        running = await call_batches.write(session, [changes_of(call, events=[an_event()])])
        async with database.system() as other:
            assert await call_batches.was_committed(other, running) is None
    async with database.system() as session:
        assert await call_batches.was_committed(session, running) is True
    async with database.system() as session:
        undone = await call_batches.write(session, [changes_of(call, saves=True)])
        await session.rollback()
    async with database.system() as session:
        assert await call_batches.was_committed(session, undone) is False
