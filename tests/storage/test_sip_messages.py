"""SIP messages and their daily partitions."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from storage import sip_messages
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.partitions import PartitionChanges
from storage.sip_messages import NewMessage
from storage.tables import MessageDirection
from tests.api.waiting import eventually
from tests.storage.factories import NOON
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

TODAY = date(2026, 11, 23)
BYTES = b"SIP/2.0 200 OK\r\nServer: \x00\xff\r\n\r\n"


def a_message(org_id: str, at: datetime = NOON, **fields: Any) -> NewMessage:
    return NewMessage(
        **{
            "org_id": org_id,
            "owner_kind": "discovery",
            "owner_id": "disc_a",
            "at": at,
            "direction": MessageDirection.IN,
            "transport": "udp",
            "local_address": "192.0.2.10",
            "local_port": 40000,
            "remote_address": "2001:db8::1",
            "remote_port": 5060,
            "retransmission": False,
            "data": BYTES,
            **fields,
        }
    )


async def write(database: Database, *messages: NewMessage) -> None:
    async with database.system() as session:
        await sip_messages.append(session, messages)


async def maintain(database: Database, today: date = TODAY, **days: int) -> PartitionChanges:
    async with database.system() as session:
        return await sip_messages.maintain_partitions(session, today=today, **days)


async def days_with_rows(database: Database) -> dict[str, int]:
    """Number of messages by the partition they are in."""
    async with database.system() as session:
        rows = await session.execute(
            text("SELECT tableoid::regclass::text, count(*) FROM sip_messages GROUP BY 1")
        )
        return {str(name): int(count) for name, count in rows}


async def test_a_message_is_kept_byte_for_byte(database: Database, org_id: str) -> None:
    sent = a_message(org_id, direction=MessageDirection.OUT, retransmission=True)
    await write(database, sent, a_message(org_id))
    async with database.tenant(org_id) as session:
        first, second = await sip_messages.of_owner(session, "discovery", "disc_a")
    assert (first.data, first.at, first.direction) == (BYTES, NOON, MessageDirection.OUT)
    assert (first.transport, first.retransmission) == ("udp", True)
    assert (first.local_address, first.local_port) == ("192.0.2.10", 40000)
    assert (first.remote_address, first.remote_port) == ("2001:db8::1", 5060)
    assert (second.direction, second.retransmission) == (MessageDirection.IN, False)
    assert first.seq < second.seq


async def test_messages_of_an_owner_are_paged_in_order(database: Database, org_id: str) -> None:
    await write(database, *(a_message(org_id, data=b"%d" % n) for n in range(5)))
    await write(database, a_message(org_id, owner_id="disc_b"))
    await write(database, a_message(org_id, owner_kind="call"))
    await write(database)
    async with database.tenant(org_id) as session:
        page = await sip_messages.of_owner(session, "discovery", "disc_a", limit=2)
        rest = await sip_messages.of_owner(
            session, "discovery", "disc_a", after_seq=page[-1].seq, since=NOON
        )
    assert [message.data for message in (*page, *rest)] == [b"0", b"1", b"2", b"3", b"4"]


async def test_another_organization_reads_nothing(
    database: Database, org_id: str, other_org_id: str
) -> None:
    await maintain(database)
    await write(database, a_message(org_id))
    async with database.tenant(other_org_id) as session:
        assert await sip_messages.of_owner(session, "discovery", "disc_a") == []


async def test_partitions_of_today_and_the_days_ahead_are_made_once(database: Database) -> None:
    changes = await maintain(database, days_ahead=2)
    assert changes == PartitionChanges(
        created=("sip_messages_20261123", "sip_messages_20261124", "sip_messages_20261125"),
        dropped=(),
    )
    assert await maintain(database, days_ahead=2) == PartitionChanges((), ())


async def test_a_day_begins_at_midnight_utc(database: Database, org_id: str) -> None:
    await maintain(database, days_ahead=1)
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    await write(
        database,
        a_message(org_id, midnight - timedelta(microseconds=1)),
        a_message(org_id, midnight),
        a_message(org_id, midnight + timedelta(days=1)),
    )
    assert await days_with_rows(database) == {
        "sip_messages_20261123": 1,
        "sip_messages_20261124": 1,
        "sip_messages_default": 1,
    }


async def test_messages_that_came_before_their_partition_move_into_it(
    database: Database, org_id: str
) -> None:
    await write(database, a_message(org_id), a_message(org_id, NOON + timedelta(days=9)))
    assert await days_with_rows(database) == {"sip_messages_default": 2}
    await maintain(database)
    assert await days_with_rows(database) == {
        "sip_messages_20261123": 1,
        "sip_messages_default": 1,
    }
    await write(database, a_message(org_id))
    async with database.tenant(org_id) as session:
        found = await sip_messages.of_owner(session, "discovery", "disc_a", since=NOON)
    assert len({message.seq for message in found}) == 3


async def test_days_past_the_retention_are_dropped(database: Database, org_id: str) -> None:
    await maintain(database, days_ahead=0)
    await maintain(database, TODAY + timedelta(days=1), days_ahead=0)
    ancient = NOON - timedelta(days=100)
    await write(database, a_message(org_id), a_message(org_id, ancient))
    still_kept = TODAY + timedelta(days=7)
    changes = await maintain(database, still_kept, days_ahead=0, days_kept=7)
    assert changes.dropped == ()
    changes = await maintain(database, still_kept + timedelta(days=1), days_ahead=0, days_kept=7)
    assert changes.dropped == ("sip_messages_20261123",)
    assert await days_with_rows(database) == {}


async def test_a_partition_has_the_indexes_of_its_table(
    database: Database, database_urls: TestDatabase
) -> None:
    await maintain(database, days_ahead=0)
    with psycopg.connect(database_urls.owner_url) as owner:
        indexes = owner.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'sip_messages_20261123'"
        ).fetchall()
    assert sorted(index.partition(" USING ")[2] for (index,) in indexes) == [
        "btree (at, seq)",
        "btree (owner_id, seq)",
    ]


async def test_reading_one_day_spares_the_others(database: Database, org_id: str) -> None:
    await maintain(database, days_ahead=5)
    async with database.tenant(org_id) as session:
        plan = await session.scalars(
            text("EXPLAIN SELECT * FROM sip_messages WHERE owner_id = 'x' AND at >= '2026-11-28Z'")
        )
        lines = "\n".join(plan)
    assert "sip_messages_20261128" in lines
    assert "sip_messages_20261123" not in lines


async def test_maintenance_at_once_by_many_processes_is_done_by_one(
    database: Database,
) -> None:
    changes = await asyncio.gather(*(maintain(database, days_ahead=3) for _ in range(6)))
    assert sum(len(one.created) for one in changes) == 4


async def test_a_message_that_arrives_while_its_day_is_made_waits_and_lands_in_it(
    database: Database, database_urls: TestDatabase, org_id: str
) -> None:
    writers = """
        SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    with psycopg.connect(database_urls.owner_url) as owner:
        owner.execute("SELECT maintain_sip_messages(%s, 0, 30)", [TODAY])
        waiting = [asyncio.create_task(write(database, a_message(org_id))) for _ in range(2)]
        with psycopg.connect(database_urls.admin_url, autocommit=True) as admin:

            async def all_wait() -> bool:
                return admin.execute(writers).fetchone() == (len(waiting),)

            await eventually(all_wait, seconds=30)
        owner.commit()
    await asyncio.gather(*waiting)
    assert await days_with_rows(database) == {"sip_messages_20261123": 2}


async def test_maintenance_gives_way_to_a_long_transaction(database: Database, org_id: str) -> None:
    async with database.tenant(org_id) as writer:
        await sip_messages.append(writer, [a_message(org_id)])
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            await maintain(database)
    assert len((await maintain(database)).created) == 4
    assert await days_with_rows(database) == {"sip_messages_20261123": 1}


@pytest.mark.parametrize(("ahead", "kept"), [(-1, 30), (400, 30), (3, 0)])
async def test_senseless_maintenance_is_refused(database: Database, ahead: int, kept: int) -> None:
    with pytest.raises(ValueError, match="days_"):
        await maintain(database, days_ahead=ahead, days_kept=kept)
