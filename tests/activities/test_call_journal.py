"""What the calling user agent observes becomes rows as it happens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from activities.call_journal import CallJournal, read_snapshot
from activities.call_writer import CallWriter
from activities.contracts import TestCallOrder as Order
from domain.call_state import CallFailure, CallStatus
from sip.call_facts import DnsFacts, TargetFacts, TargetOutcome
from sip.dialog_state import (
    Answered,
    Calling,
    CallSnapshot,
    DialogPhase,
    DialogState,
    Origin,
    Ringing,
    Said,
    Trying,
)
from sip.net.wire import Direction, WireRecord
from sip.transaction import Flow
from storage import calls
from storage.engine import Database
from storage.notify import Listener, topic
from storage.secret_box import SealBroken, SecretBox, generate_key
from storage.tables import Call, CallEvent
from tests.storage.factories import add_organization, queued_call
from tests.support.postgres import TestDatabase as Urls

pytestmark = pytest.mark.postgres

BOX = SecretBox.from_key_ring(generate_key("test"))
FLOW = Flow("UDP", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
INVITE = (
    "INVITE sip:+12025550123@sip.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:+14155550100@192.0.2.1>;tag=a\r\n"
    "To: <sip:+12025550123@sip.example.com>\r\n"
    "Call-ID: one@192.0.2.1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:trunkline@192.0.2.1>\r\n"
    "Content-Length: 0\r\n\r\n"
)
SNAPSHOT = CallSnapshot(INVITE, True, (), "UDP", FLOW.local, FLOW.remote)
DIALOG = DialogState(
    call_id="one@192.0.2.1",
    local="<sip:+14155550100@192.0.2.1>",
    local_tag="a",
    remote="<sip:+12025550123@sip.example.com>",
    remote_tag="b",
    remote_target="sip:192.0.2.2",
    route_set=(),
    invite_cseq=1,
    local_cseq=1,
    remote_cseq=None,
    phase=DialogPhase.CONFIRMED,
    origin=Origin("UDP", "192.0.2.1", 5060, "sip:trunkline@192.0.2.1", "Trunkline/test"),
)
AT_ONCE = timedelta(milliseconds=200)
"""What a live view may lag behind the wire."""


class Journalled:
    """A call in the database, and its journal."""

    def __init__(self, database: Database, writer: CallWriter, order: Order) -> None:
        self.database, self.order = database, order
        self._writer = writer
        self.gone = 0

    def open(self) -> CallJournal:
        return CallJournal(self._writer, BOX, self.order, on_gone=self._count)

    async def row(self) -> Call:
        async with self.database.tenant(self.order.org_id) as session:
            found = await calls.get(session, self.order.call_id)
        assert found is not None
        return found

    async def timeline(self) -> list[CallEvent]:
        async with self.database.tenant(self.order.org_id) as session:
            return await calls.events(session, self.order.call_id)

    def _count(self) -> None:
        self.gone += 1


@pytest.fixture
async def journalled(database: Database, call_writer: CallWriter) -> Journalled:
    org_id = await add_organization(database)
    call = await queued_call(database, org_id, at=datetime.now(UTC))
    return Journalled(database, call_writer, Order(call_id=call.id, org_id=org_id))


async def test_what_happens_is_the_timeline_and_the_status(journalled: Journalled) -> None:
    target = TargetFacts(
        address="192.0.2.2",
        port=5060,
        transport="udp",
        host="sip.example.com",
        outcome=TargetOutcome.CALLED,
    )
    async with journalled.open() as journal:
        journal.event(DnsFacts(name="sip.example.com", literal=False, ms=1.0, targets=1))
        journal.event(target)
        journal.event(Calling(0.0, 1))
        journal.event(Trying(0.1))
        journal.event(Ringing(0.2, 180, "Ringing", "b", False))
    row = await journalled.row()
    words = [each.event for each in await journalled.timeline()]
    assert words == ["resolved", "initiated", "trying", "ringing"]
    assert row.status is CallStatus.RINGING
    assert row.target == {
        "address": "192.0.2.2",
        "port": 5060,
        "transport": "udp",
        "host": "sip.example.com",
    }


async def test_an_answer_is_noted_with_its_time(journalled: Journalled) -> None:
    before = datetime.now(UTC)
    async with journalled.open() as journal:
        journal.event(Answered(1.0, 200, "OK", None, DIALOG, Said()))
    row = await journalled.row()
    assert row.status is CallStatus.IN_PROGRESS
    assert row.answered_at is not None
    assert before <= row.answered_at <= datetime.now(UTC)


async def test_every_message_is_kept_in_order_and_seen_while_the_call_goes_on(
    journalled: Journalled, database_urls: Urls
) -> None:
    order = journalled.order
    async with Listener(database_urls.app_url) as listener, journalled.open() as journal:
        await asyncio.wait_for(listener.listening(), 5)
        async with listener.subscribe(topic(calls.CHANNEL, order.call_id)) as waiter:
            journal.wire(WireRecord(datetime.now(UTC), Direction.OUT, FLOW, INVITE.encode()))
            assert await waiter.wait(AT_ONCE)
        answer = b"SIP/2.0 100 Trying\r\n\r\n"
        journal.wire(WireRecord(datetime.now(UTC), Direction.IN, FLOW, answer))
    async with journalled.database.tenant(order.org_id) as session:
        kept = await calls.messages(session, await journalled.row())
    assert [each.data for each in kept] == [INVITE.encode(), answer]
    assert {each.owner_kind for each in kept} == {"call"}


async def test_the_snapshot_is_sealed_before_save_returns(journalled: Journalled) -> None:
    async with journalled.open() as journal:
        await journal.save(SNAPSHOT)
        assert await read_snapshot(journalled.database, BOX, journalled.order) == SNAPSHOT
    row = await journalled.row()
    assert row.snapshot is not None
    assert b"sip.example.com" not in row.snapshot
    assert (row.sip_call_id, row.from_user, row.to_user) == (
        "one@192.0.2.1",
        "+14155550100",
        "+12025550123",
    )


async def test_a_snapshot_opens_for_its_own_organization_only(journalled: Journalled) -> None:
    async with journalled.open() as journal:
        await journal.save(SNAPSHOT)
    other = await add_organization(journalled.database)
    stolen = await queued_call(journalled.database, other)
    row = await journalled.row()
    async with journalled.database.tenant(other) as session:
        await calls.save_snapshot(session, stolen.id, row.snapshot)
    with pytest.raises(SealBroken):
        await read_snapshot(journalled.database, BOX, Order(call_id=stolen.id, org_id=other))


async def test_when_nothing_is_left_to_end_the_snapshot_goes(journalled: Journalled) -> None:
    async with journalled.open() as journal:
        await journal.save(SNAPSHOT)
        await journal.save(replace(SNAPSHOT, pending=False))
    assert await read_snapshot(journalled.database, BOX, journalled.order) is None


async def test_a_call_whose_row_was_ended_is_told_to_end(journalled: Journalled) -> None:
    order = journalled.order
    async with journalled.database.tenant(order.org_id) as session:
        await calls.fail(session, order.call_id, CallFailure.INTERRUPTED, now=datetime.now(UTC))
    async with journalled.open() as journal:
        journal.event(Ringing(0.2, 180, "Ringing", "b", False))
    assert journalled.gone == 1
    assert (await journalled.row()).status is CallStatus.FAILED


async def test_a_call_that_is_not_there_is_told_to_end(
    journalled: Journalled, call_writer: CallWriter
) -> None:
    gone = asyncio.Event()
    order = Order(call_id="tc_of_nobody", org_id=journalled.order.org_id)
    async with CallJournal(call_writer, BOX, order, on_gone=gone.set) as journal:
        journal.event(Trying(0.1))
        await asyncio.wait_for(gone.wait(), 5)


async def test_a_call_of_another_organization_gets_nothing(
    journalled: Journalled, call_writer: CallWriter
) -> None:
    other = await add_organization(journalled.database)
    order = Order(call_id=journalled.order.call_id, org_id=other)
    gone = asyncio.Event()
    async with CallJournal(call_writer, BOX, order, on_gone=gone.set) as journal:
        journal.event(Ringing(0.2, 180, "Ringing", "b", False))
        await journal.save(SNAPSHOT)
    row = await journalled.row()
    assert gone.is_set()
    assert (row.status, row.snapshot, await journalled.timeline()) == (CallStatus.QUEUED, None, [])
