"""The outbox delivers every committed entry, per stream in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from storage import outbox
from storage.engine import Database
from storage.notify import Listener
from storage.tables import OutboxEntry
from tests.storage.factories import NOON
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres


async def add(database: Database, org_id: str, stream: str, kind: str) -> int:
    async with database.tenant(org_id) as session:
        return await outbox.append(
            session, org_id=org_id, stream=stream, kind=kind, payload={"kind": kind}
        )


async def deliver(database: Database, *, limit: int = 20) -> list[str]:
    """What one round of a relay takes."""
    async with database.system() as session:
        claimed = await outbox.claim(session, now=NOON, limit=limit)
        await outbox.mark_delivered(session, [entry.id for entry in claimed], now=NOON)
        return [entry.kind for entry in claimed]


async def test_entries_of_a_stream_are_delivered_one_after_the_other(
    database: Database, org_id: str
) -> None:
    for kind in ("created", "changed", "deleted"):
        await add(database, org_id, "trk_a", kind)
    assert [await deliver(database) for _ in range(4)] == [
        ["created"],
        ["changed"],
        ["deleted"],
        [],
    ]


async def test_streams_do_not_wait_for_each_other(database: Database, org_id: str) -> None:
    await add(database, org_id, "trk_a", "a1")
    await add(database, org_id, "trk_a", "a2")
    await add(database, org_id, "trk_b", "b1")
    assert await deliver(database) == ["a1", "b1"]
    assert await deliver(database) == ["a2"]


async def test_a_rolled_back_change_sends_nothing(database: Database, org_id: str) -> None:
    async with database.tenant(org_id) as session:
        await outbox.append(session, org_id=org_id, stream="s", kind="lost", payload={})
        await session.rollback()
    assert await deliver(database) == []


async def test_a_claimed_entry_holds_its_stream_for_other_relays(
    database: Database, org_id: str
) -> None:
    await add(database, org_id, "trk_a", "a1")
    await add(database, org_id, "trk_a", "a2")
    await add(database, org_id, "trk_b", "b1")
    async with database.system() as first:
        (head,) = await outbox.claim(first, now=NOON, limit=1)
        assert head.kind == "a1"
        async with database.system() as second:
            assert [one.kind for one in await outbox.claim(second, now=NOON)] == ["b1"]
            await second.rollback()


async def test_what_a_dying_relay_held_is_delivered_by_another(
    database: Database, org_id: str
) -> None:
    await add(database, org_id, "trk_a", "a1")
    async with database.system() as dying:
        assert len(await outbox.claim(dying, now=NOON)) == 1
        await dying.rollback()
    assert await deliver(database) == ["a1"]


async def test_a_failed_delivery_holds_its_stream_until_the_retry(
    database: Database, org_id: str
) -> None:
    first = await add(database, org_id, "trk_a", "a1")
    await add(database, org_id, "trk_a", "a2")
    later = NOON + timedelta(seconds=30)
    async with database.system() as session:
        await outbox.claim(session, now=NOON)
        await outbox.mark_failed(session, first, error="Temporal is away", retry_at=later)
    async with database.system() as session:
        assert await outbox.claim(session, now=later - timedelta(microseconds=1)) == []
        (again,) = await outbox.claim(session, now=later)
        assert (again.id, again.attempts, again.last_error) == (first, 1, "Temporal is away")
        await outbox.mark_delivered(session, [first], now=later)
    async with database.system() as session:
        done = await session.get_one(OutboxEntry, first)
        assert (done.delivered_at, done.attempts, done.last_error) == (later, 2, None)
    assert await deliver(database) == ["a2"]


async def test_numbers_of_a_stream_follow_the_order_of_commits(
    database: Database, org_id: str
) -> None:
    async with database.tenant(org_id) as slow:
        await outbox.append(slow, org_id=org_id, stream="trk_a", kind="first", payload={})
        fast = asyncio.create_task(add(database, org_id, "trk_a", "second"))
        await asyncio.sleep(0.05)
        assert not fast.done()
        assert await deliver(database) == []
    await fast
    assert [await deliver(database) for _ in range(2)] == [["first"], ["second"]]


async def test_many_relays_deliver_everything_once_and_in_order(
    database_urls: TestDatabase, database: Database, org_id: str
) -> None:
    streams = [f"trk_{n}" for n in range(5)]
    for n in range(8):
        for stream in streams:
            await add(database, org_id, stream, f"{stream}:{n}")
    wide = Database(database_urls.app_url, pool_size=10)
    delivered: list[str] = []

    async def relay() -> None:
        while len(delivered) < 40:
            async with wide.system() as session:
                claimed = await outbox.claim(session, now=NOON, limit=2)
                await outbox.mark_delivered(session, [one.id for one in claimed], now=NOON)
                delivered.extend(one.kind for one in claimed)

    await asyncio.gather(*(relay() for _ in range(8)))
    assert len(delivered) == 40
    for stream in streams:
        mine = [kind for kind in delivered if kind.startswith(f"{stream}:")]
        assert mine == [f"{stream}:{n}" for n in range(8)]
    await wide.dispose()


async def test_an_entry_wakes_the_relays(
    database: Database, org_id: str, database_urls: TestDatabase
) -> None:
    async with (
        Listener(database_urls.app_url) as listener,
        listener.subscribe("outbox:new") as waiter,
    ):
        await listener.listening()
        await waiter.wait(timedelta(0))
        await add(database, org_id, "trk_a", "a1")
        assert await waiter.wait(timedelta(seconds=10))


async def test_only_what_was_delivered_long_ago_is_purged(database: Database, org_id: str) -> None:
    await add(database, org_id, "trk_a", "delivered")
    await add(database, org_id, "trk_a", "waiting")
    await deliver(database)
    async with database.system() as session:
        assert await outbox.purge(session, delivered_before=NOON) == 0
        assert await outbox.purge(session, delivered_before=NOON + timedelta(seconds=1)) == 1
        assert await session.scalar(text("SELECT count(*) FROM outbox")) == 1


async def test_relaying_needs_the_system_scope(database: Database, org_id: str) -> None:
    async with database.tenant(org_id) as session:
        with pytest.raises(RuntimeError, match="system"):
            await outbox.claim(session, now=NOON)
        with pytest.raises(RuntimeError, match="system"):
            await outbox.purge(session, delivered_before=NOON)


def entries(org_id: str, *named: tuple[str, str]) -> list[outbox.NewEntry]:
    return [outbox.NewEntry(org_id=org_id, stream=stream, kind=kind) for stream, kind in named]


async def test_many_entries_keep_the_order_within_their_streams(
    database: Database, org_id: str
) -> None:
    async with database.tenant(org_id) as session:
        await outbox.append_each(
            session, entries(org_id, ("b", "b1"), ("a", "a1"), ("b", "b2"), ("a", "a2"))
        )
        await outbox.append_each(session, [])
    assert await deliver(database) == ["b1", "a1"]
    assert await deliver(database) == ["b2", "a2"]


async def test_who_appends_to_several_streams_waits_for_each_and_nobody_for_ever(
    database: Database, org_id: str
) -> None:
    streams = [f"trunk:{number}" for number in range(10)]

    async def write(number: int) -> None:
        order = streams if number % 2 else streams[::-1]
        async with database.tenant(org_id) as session:
            await outbox.append_each(
                session, entries(org_id, *((stream, f"{number}") for stream in order))
            )

    await asyncio.gather(*(write(number) for number in range(8)))
    async with database.system() as session:
        found = await session.scalars(text("SELECT kind FROM outbox ORDER BY id"))
        kinds = found.all()
    # Whoever had the streams had all of them until the commit.
    assert [kinds[start : start + 10] for start in range(0, 80, 10)] == [
        [kind] * 10 for kind in kinds[::10]
    ]
