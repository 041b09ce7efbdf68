"""Test calls on their way: progress, snapshot, end."""

from __future__ import annotations

import asyncio

import pytest

from domain.call_state import CallFailure, CallResult, CallStatus, call_failure_message
from storage import calls
from storage.engine import Database
from tests.storage.call_steps import SECOND, an_event, end, read
from tests.storage.factories import NOON, queued_call
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres


class TestProgress:
    async def test_what_becomes_known_is_added_to_what_is_there(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            assert await calls.progress(
                session,
                call.id,
                status=CallStatus.INITIATED,
                sip_call_id="a84b4c76e66710",
                from_user="+14155550100",
                to_user="100",
                target={"address": "198.51.100.7", "port": 5060, "transport": "udp"},
            )
        async with database.tenant(org_id) as session:
            assert await calls.progress(session, call.id, answered_at=NOON + SECOND)
        found = await read(database, call.id, org_id)
        assert (found.status, found.result) == (CallStatus.INITIATED, CallResult.PENDING)
        assert (found.sip_call_id, found.answered_at) == ("a84b4c76e66710", NOON + SECOND)
        assert (found.from_user, found.to_user) == ("+14155550100", "100")
        assert found.target == {"address": "198.51.100.7", "port": 5060, "transport": "udp"}
        assert found.details == call.details

    @pytest.mark.parametrize(
        ("earlier", "later"),
        [
            (CallStatus.INITIATED, CallStatus.RINGING),
            (CallStatus.RINGING, CallStatus.IN_PROGRESS),
            (CallStatus.QUEUED, CallStatus.IN_PROGRESS),
            (CallStatus.INITIATED, CallStatus.IN_PROGRESS),
        ],
    )
    async def test_the_status_goes_forward_only(
        self, database: Database, org_id: str, earlier: CallStatus, later: CallStatus
    ) -> None:
        call = await queued_call(database, org_id)
        for status in (earlier, later, earlier):
            async with database.tenant(org_id) as session:
                assert await calls.progress(session, call.id, status=status, to_user=status.value)
        found = await read(database, call.id, org_id)
        assert found.status is later
        # What came with the late word is kept all the same.
        assert found.to_user == earlier.value

    async def test_an_ended_call_makes_no_progress(self, database: Database, org_id: str) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            await end(session, call.id)
            assert not await calls.progress(session, call.id, status=CallStatus.RINGING)
            assert not await calls.request_hang_up(session, call.id, now=NOON)
        found = await read(database, call.id, org_id)
        assert (found.status, found.hang_up_at) == (CallStatus.COMPLETED, None)

    async def test_progress_without_news_is_a_mistake(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            with pytest.raises(ValueError, match="nothing"):
                await calls.progress(session, call.id)

    async def test_the_first_request_to_hang_up_is_the_one_that_counts(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id)
        for second in (1, 2):
            async with database.tenant(org_id) as session:
                assert await calls.request_hang_up(session, call.id, now=NOON + second * SECOND)
        assert (await read(database, call.id, org_id)).hang_up_at == NOON + SECOND


class TestEnd:
    async def test_a_call_ends_once(self, database: Database, org_id: str) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            assert await end(
                session,
                call.id,
                duration_ms=8000,
                sip_code=200,
                sip_reason="OK",
                details={"proof": [{"rung": "dns", "outcome": "pass"}], "diagnosis": None},
            )
        async with database.tenant(org_id) as session:
            assert not await end(
                session, call.id, status=CallStatus.FAILED, details={"failure_reason": "late"}
            )
        found = await read(database, call.id, org_id)
        assert (found.status, found.result) == (CallStatus.COMPLETED, CallResult.CONNECTED)
        assert (found.ended_at, found.duration_ms) == (NOON + 8 * SECOND, 8000)
        assert (found.sip_code, found.sip_reason) == (200, "OK")
        assert found.details == {
            "settings": {"host": "sip.example.com", "callee": "+14155550100"},
            "proof": [{"rung": "dns", "outcome": "pass"}],
            "diagnosis": None,
        }

    async def test_details_of_a_peer_that_cannot_be_stored_are_replaced(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            assert await end(
                session,
                call.id,
                sip_reason="Busy\x00 \udcff",
                details={"facts": {"said": ("Bad\x00", "\ud800")}},
            )
        found = await read(database, call.id, org_id)
        assert found.sip_reason == "Busy\ufffd \ufffd"
        assert found.details["facts"] == {"said": ["Bad\ufffd", "\ufffd"]}

    async def test_the_end_keeps_the_snapshot_and_the_timeline(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            await calls.save_snapshot(session, call.id, b"sealed")
            await calls.add_event(session, call.id, an_event())
            await end(session, call.id)
            # A leg that is still up is still to be ended, and that is told too.
            assert await calls.snapshot(session, call.id) == b"sealed"
            assert await calls.add_event(session, call.id, an_event("completed")) is not None
            assert [each.event for each in await calls.events(session, call.id)] == [
                "ringing",
                "completed",
            ]

    async def test_of_many_ends_at_once_one_is_kept(
        self, database_urls: TestDatabase, org_id: str
    ) -> None:
        database = Database(database_urls.app_url, pool_size=10)
        call = await queued_call(database, org_id)

        async def conclude(code: int) -> bool:
            async with database.tenant(org_id) as session:
                return await end(session, call.id, sip_code=code)

        outcomes = await asyncio.gather(*(conclude(400 + n) for n in range(10)))
        assert sum(outcomes) == 1
        found = await read(database, call.id, org_id)
        assert found.sip_code == 400 + outcomes.index(True)
        await database.dispose()


class TestFailure:
    @pytest.mark.parametrize("reason", CallFailure)
    async def test_a_call_that_fails_for_our_reason_says_so_to_programs_and_people(
        self, database: Database, org_id: str, reason: CallFailure
    ) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            assert await calls.fail(session, call.id, reason, now=NOON + SECOND)
        async with database.tenant(org_id) as session:
            assert not await calls.fail(session, call.id, reason, now=NOON + 2 * SECOND)
            (line,) = await calls.events(session, call.id)
        found = await read(database, call.id, org_id)
        assert (found.status, found.result) == (CallStatus.FAILED, CallResult.FAILED)
        assert found.ended_at == NOON + SECOND
        assert found.details == call.details | {"failure_reason": reason.value}
        assert (line.event, line.at) == ("failed", NOON + SECOND)
        assert line.detail == call_failure_message(reason)

    async def test_a_call_that_was_taken_did_start(self, database: Database, org_id: str) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            await calls.progress(session, call.id, status=CallStatus.INITIATED)
            assert not await calls.fail(session, call.id, CallFailure.NOT_STARTED, now=NOON)
            assert await calls.events(session, call.id) == []
        assert (await read(database, call.id, org_id)).ended_at is None

    async def test_a_result_is_not_overwritten(self, database: Database, org_id: str) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            await end(session, call.id)
            assert not await calls.fail(session, call.id, CallFailure.INTERRUPTED, now=NOON)
        found = await read(database, call.id, org_id)
        assert found.status is CallStatus.COMPLETED
        assert "failure_reason" not in found.details


class TestSnapshot:
    async def test_it_is_kept_replaced_and_forgotten(self, database: Database, org_id: str) -> None:
        call = await queued_call(database, org_id)
        for sealed in (b"\x01first", b"\x01second", None):
            async with database.tenant(org_id) as session:
                assert await calls.save_snapshot(session, call.id, sealed)
            async with database.tenant(org_id) as session:
                assert await calls.snapshot(session, call.id) == sealed

    async def test_an_ended_calls_snapshot_can_be_saved_and_forgotten(
        self, database: Database, org_id: str
    ) -> None:
        call = await queued_call(database, org_id)
        async with database.tenant(org_id) as session:
            await end(session, call.id)
            assert await calls.save_snapshot(session, call.id, b"late")
            assert await calls.snapshot(session, call.id) == b"late"
            assert await calls.save_snapshot(session, call.id, None)

    async def test_an_unknown_call_has_none(self, database: Database, org_id: str) -> None:
        async with database.tenant(org_id) as session:
            assert not await calls.save_snapshot(session, "tc_unknown", b"x")
            assert await calls.snapshot(session, "tc_unknown") is None


class TestUnfinished:
    async def test_the_reaper_sees_unfinished_test_calls_oldest_first(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        second = await queued_call(database, org_id, at=NOON + SECOND)
        first = await queued_call(database, other_org_id, at=NOON)
        ended = await queued_call(database, org_id, at=NOON)
        await queued_call(database, org_id, at=NOON + 2 * SECOND)
        async with database.tenant(org_id) as session:
            await end(session, ended.id)
        async with database.system() as session:
            limit = NOON + 2 * SECOND
            found = await calls.unfinished(session, started_before=limit)
            assert [each.id for each in found] == [first.id, second.id]
            one = await calls.unfinished(session, started_before=limit, limit=1)
            assert [each.id for each in one] == [first.id]
