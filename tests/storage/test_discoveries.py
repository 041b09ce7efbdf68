"""Attempts and results of discoveries."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from storage import discoveries
from storage.engine import Database
from storage.notify import Listener, topic
from storage.tables import DiscoveryStatus
from tests.storage.factories import NOON, an_attempt, running_discovery
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

RECOMMENDED = {"port": 5060, "transport": "udp", "codecs": ["PCMU"]}
FINGERPRINT = {"system": "Asterisk", "confidence": 0.9}


class TestAttempts:
    async def test_attempts_are_read_in_the_order_they_were_written(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(org_id) as session:
            first = [an_attempt(5080), an_attempt(5060)]
            assert await discoveries.add_attempts(session, running.id, first) == 2
        async with database.tenant(org_id) as session:
            assert await discoveries.add_attempts(session, running.id, [an_attempt(5061)]) == 1
        async with database.tenant(org_id) as session:
            found = await discoveries.attempts(session, running.id)
            assert [one.port for one in found] == [5080, 5060, 5061]
            later = await discoveries.attempts(session, running.id, after_seq=found[0].seq)
            assert [one.port for one in later] == [5060, 5061]
            one = await discoveries.attempts(session, running.id, after_seq=found[0].seq, limit=1)
            assert [attempt.port for attempt in one] == [5060]

    async def test_every_fact_of_an_attempt_is_kept(self, database: Database, org_id: str) -> None:
        running = await running_discovery(database, org_id)
        details = {"tls": {"version": "TLSv1.3"}, "allow": ["INVITE"], "source": None}
        attempt = an_attempt(details=details, response_time_ms=45.125)
        silent = an_attempt(
            5061,
            outcome="timeout",
            response_code=None,
            response_reason=None,
            response_time_ms=None,
            user_agent=None,
            error="No answer within 4 seconds.",
        )
        async with database.tenant(org_id) as session:
            await discoveries.add_attempts(session, running.id, [attempt, silent])
        async with database.tenant(org_id) as session:
            answered, missed = await discoveries.attempts(session, running.id)
        assert (answered.org_id, answered.discovery_id) == (org_id, running.id)
        assert (answered.address, answered.port, answered.transport) == ("192.0.2.1", 5060, "udp")
        assert (answered.host, answered.outcome) == ("sip.example.com", "answered")
        assert (answered.response_code, answered.response_reason) == (200, "OK")
        assert (answered.response_time_ms, answered.details) == (45.125, details)
        assert (answered.started_at, answered.ended_at) == (attempt.started_at, attempt.ended_at)
        assert (missed.response_code, missed.response_time_ms) == (None, None)
        assert missed.error == "No answer within 4 seconds."

    async def test_a_candidate_that_has_a_row_keeps_it(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(org_id) as session:
            await discoveries.add_attempts(session, running.id, [an_attempt(5060)])
        async with database.tenant(org_id) as session:
            repeated = [an_attempt(5060, response_code=503), an_attempt(5061), an_attempt(5061)]
            assert await discoveries.add_attempts(session, running.id, repeated) == 1
            assert await discoveries.add_attempts(session, running.id, repeated) == 0
            assert await discoveries.add_attempts(session, running.id, []) == 0
        async with database.tenant(org_id) as session:
            found = await discoveries.attempts(session, running.id)
        assert [(one.port, one.response_code) for one in found] == [(5060, 200), (5061, 200)]

    async def test_a_closed_or_unknown_discovery_takes_no_attempts(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(org_id) as session:
            await discoveries.fail(session, running.id, error_code="x", error_message="x", now=NOON)
            assert await discoveries.add_attempts(session, running.id, [an_attempt()]) is None
            assert await discoveries.add_attempts(session, "disc_x", [an_attempt()]) is None
            assert await discoveries.attempts(session, running.id) == []

    async def test_another_organizations_discovery_takes_no_attempts(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(other_org_id) as session:
            assert await discoveries.add_attempts(session, running.id, [an_attempt()]) is None

    async def test_closing_waits_for_a_batch_under_way(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(org_id) as writer:
            await discoveries.add_attempts(writer, running.id, [an_attempt()])

            async def close() -> int:
                async with database.tenant(org_id) as closer:
                    await discoveries.complete(
                        closer, running.id, recommended=None, fingerprint=None, now=NOON
                    )
                    return len(await discoveries.attempts(closer, running.id))

            closing = asyncio.create_task(close())
            await _until_somebody_waits_for_a_lock(database)
            assert not closing.done()
        assert await closing == 1

    async def test_a_peers_worst_words_do_not_fail_the_batch(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        hostile = an_attempt(
            response_reason="O\x00K", user_agent="\udcff", details={"server": "\x00"}
        )
        async with database.tenant(org_id) as session:
            batch = [hostile, an_attempt(5061)]
            assert await discoveries.add_attempts(session, running.id, batch) == 2
        async with database.tenant(org_id) as session:
            found, _ = await discoveries.attempts(session, running.id)
        assert (found.response_reason, found.user_agent) == ("O\ufffdK", "\ufffd")


class TestResult:
    async def test_a_completed_discovery_has_its_result_for_ten_minutes(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(org_id) as session:
            assert await discoveries.complete(
                session, running.id, recommended=RECOMMENDED, fingerprint=FINGERPRINT, now=NOON
            )
        last_moment = NOON + timedelta(minutes=10) - timedelta(microseconds=1)
        async with database.tenant(org_id) as session:
            found = await discoveries.find(session, running.id, now=last_moment)
            assert found is not None
            assert found.status is DiscoveryStatus.COMPLETED
            assert (found.recommended, found.fingerprint) == (RECOMMENDED, FINGERPRINT)
            assert found.completed_at == NOON
            expired = NOON + timedelta(minutes=10)
            assert await discoveries.find(session, running.id, now=expired) is None
            assert await discoveries.get(session, running.id) is not None

    async def test_a_failed_discovery_says_why_and_keeps_what_was_found(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(org_id) as session:
            await discoveries.add_attempts(session, running.id, [an_attempt()])
            assert await discoveries.fail(
                session,
                running.id,
                error_code="INTERRUPTED",
                error_message="The worker went away.",
                now=NOON,
            )
        async with database.tenant(org_id) as session:
            found = await discoveries.find(session, running.id, now=NOON)
            assert found is not None
            assert found.status is DiscoveryStatus.FAILED
            assert (found.error_code, found.error_message) == (
                "INTERRUPTED",
                "The worker went away.",
            )
            assert len(await discoveries.attempts(session, running.id)) == 1
            assert len(await discoveries.attempts(session, running.id)) == 1

    async def test_a_closed_discovery_does_not_change_any_more(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(org_id) as session:
            await discoveries.complete(
                session, running.id, recommended=RECOMMENDED, fingerprint=None, now=NOON
            )
        later = NOON + timedelta(minutes=1)
        async with database.tenant(org_id) as session:
            assert not await discoveries.complete(
                session, running.id, recommended=None, fingerprint=None, now=later
            )
            assert not await discoveries.fail(
                session, running.id, error_code="x", error_message="x", now=later
            )
            found = await discoveries.get(session, running.id)
        assert found is not None
        assert (found.status, found.completed_at) == (DiscoveryStatus.COMPLETED, NOON)
        assert (found.recommended, found.error_code) == (RECOMMENDED, None)

    async def test_another_organization_neither_finds_nor_closes_it(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.tenant(other_org_id) as session:
            assert await discoveries.find(session, running.id, now=NOON) is None
            assert not await discoveries.fail(
                session, running.id, error_code="x", error_message="x", now=NOON
            )
            assert await discoveries.history(session, org_id, limit=10) == []

    async def test_running_discoveries_are_listed_for_the_reaper_by_their_age(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        older = await running_discovery(database, org_id, at=NOON - timedelta(minutes=5))
        newer = await running_discovery(database, other_org_id, at=NOON)
        async with database.system() as session:
            after = newer.started_at + timedelta(microseconds=1)
            found = await discoveries.running(session, started_before=after)
            assert [one.id for one in found] == [older.id, newer.id]
            found = await discoveries.running(session, started_before=newer.started_at)
            assert [one.id for one in found] == [older.id]
            await discoveries.fail(session, older.id, error_code="x", error_message="", now=NOON)
            assert await discoveries.running(session, started_before=newer.started_at) == []

    async def test_history_is_paged_newest_first(self, database: Database, org_id: str) -> None:
        made = []
        for minute in (0, 1, 1, 2, 3):
            one = await running_discovery(database, org_id, at=NOON + timedelta(minutes=minute))
            async with database.tenant(org_id) as session:
                await discoveries.fail(session, one.id, error_code="x", error_message="x", now=NOON)
            made.append(one)
        async with database.tenant(org_id) as session:
            pages = []
            last = None
            while page := await discoveries.history(session, org_id, limit=2, before=last):
                pages.append([one.id for one in page])
                last = page[-1]
        assert [len(page) for page in pages] == [2, 2, 1]
        newest_first = sorted(made, key=lambda one: (one.started_at, one.id), reverse=True)
        assert [one for page in pages for one in page] == [one.id for one in newest_first]


async def test_every_change_is_notified(
    database: Database, org_id: str, database_urls: TestDatabase
) -> None:
    running = await running_discovery(database, org_id)
    async with Listener(database_urls.app_url) as listener:
        await listener.listening()
        async with listener.subscribe(topic(discoveries.CHANNEL, running.id)) as waiter:
            async with database.system() as session:
                await discoveries.record_resolution(
                    session,
                    running.id,
                    discoveries.Resolution(addresses=[], pinned=[], srv_records=[], trail=[]),
                    now=NOON,
                    runs_per_target=1,
                )
            assert await waiter.wait(timedelta(seconds=10))
            async with database.tenant(org_id) as session:
                await discoveries.add_attempts(session, running.id, [an_attempt()])
            assert await waiter.wait(timedelta(seconds=10))
            async with database.tenant(org_id) as session:
                await discoveries.complete(
                    session, running.id, recommended=None, fingerprint=None, now=NOON
                )
            assert await waiter.wait(timedelta(seconds=10))


async def _until_somebody_waits_for_a_lock(database: Database) -> None:
    async with asyncio.timeout(10):
        while True:
            async with database.system() as session:
                waiting = await session.scalar(
                    text(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                        "AND datname = current_database()"
                    )
                )
            if waiting:
                return
            await asyncio.sleep(0.01)
