"""A notice is claimed before it is sent, by one at a time, and ends sent or given up."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from storage import port_notices
from storage.engine import Database
from storage.port_notices import NewNotice
from storage.tables import NoticeChannel, NoticeState
from tests.storage.factories import NOON
from tests.storage.port_rows import placed

pytestmark = pytest.mark.postgres

MINUTE = timedelta(minutes=1)
LATER = NOON + 5 * MINUTE


async def written(database: Database, org_id: str, *names: str) -> str:
    """Notices of a new order; its id."""
    order = await placed(database, org_id)
    notices = [
        NewNotice(
            id=name,
            transition_key="1",
            channel=NoticeChannel.WEBHOOK,
            recipient=f"whk_{name}",
            message_id=f"msg_{name}",
            content={"type": "port.updated"},
        )
        for name in names
    ]
    async with database.tenant(org_id) as session:
        assert await port_notices.add(session, order.id, org_id, notices, at=NOON) == len(names)
        assert await port_notices.add(session, order.id, org_id, notices, at=NOON) == 0
        assert await port_notices.add(session, order.id, org_id, [], at=NOON) == 0
    return order.id


async def test_of_two_processes_one_sends(database: Database, org_id: str) -> None:
    await written(database, org_id, "a")

    async def claim() -> bool:
        async with database.tenant(org_id) as session:
            claimed = await port_notices.claim(session, "a", now=NOON, lapses_at=LATER)
            return claimed is not None

    assert sorted(await asyncio.gather(claim(), claim(), claim())) == [False, False, True]


async def test_a_notice_that_was_sent_is_over(database: Database, org_id: str) -> None:
    order_id = await written(database, org_id, "a", "b")
    async with database.tenant(org_id) as session:
        claimed = await port_notices.claim(session, "a", now=NOON, lapses_at=LATER)
        assert claimed is not None
        assert (claimed.state, claimed.attempts, claimed.message_id) == ("claimed", 1, "msg_a")
        assert await port_notices.sent(session, claimed, now=NOON + MINUTE)
        assert not await port_notices.sent(session, claimed, now=NOON + MINUTE)
        assert await port_notices.claim(session, "a", now=LATER, lapses_at=LATER) is None
        assert [each.id for each in await port_notices.pending(session, order_id)] == ["b"]
        assert len(await port_notices.of_order(session, order_id)) == 2
        over = await port_notices.get(session, "a")
    assert over is not None
    assert (over.state, over.ended_at, over.next_at) == (NoticeState.SENT, NOON + MINUTE, None)


async def test_a_notice_that_failed_waits_for_its_time(database: Database, org_id: str) -> None:
    order_id = await written(database, org_id, "a", "b")
    async with database.tenant(org_id) as session:
        claimed = await port_notices.claim(session, "a", now=NOON, lapses_at=LATER)
        assert claimed is not None
        assert await port_notices.failed(session, claimed, error="451 later", next_at=LATER)
        assert await port_notices.claim(session, "a", now=NOON + MINUTE, lapses_at=LATER) is None
        # The next one first.
        assert [each.id for each in await port_notices.pending(session, order_id)] == ["b", "a"]
        again = await port_notices.claim(session, "a", now=LATER, lapses_at=LATER + MINUTE)
        assert again is not None
        assert (again.attempts, again.last_error) == (2, "451 later")
        assert await port_notices.given_up(session, again, error="550 no", now=LATER)
        over = await port_notices.get(session, "a")
    assert over is not None
    assert (over.state, over.last_error, over.ended_at) == ("given_up", "550 no", LATER)


async def test_the_claim_of_a_process_that_died_lapses(database: Database, org_id: str) -> None:
    await written(database, org_id, "a")
    async with database.tenant(org_id) as session:
        dead = await port_notices.claim(session, "a", now=NOON, lapses_at=LATER)
    async with database.tenant(org_id) as session:
        taken = await port_notices.claim(session, "a", now=LATER, lapses_at=LATER + MINUTE)
        assert dead is not None
        assert taken is not None
        # Should it come back after all, it ends nobody else's attempt.
        assert not await port_notices.failed(session, dead, error="late", next_at=NOON)
        assert await port_notices.sent(session, taken, now=LATER)
