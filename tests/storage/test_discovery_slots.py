"""One running discovery per organization, so many per target and hour, exactly."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from storage import discoveries
from storage.discoveries import (
    AlreadyRunning,
    Claimed,
    Resolution,
    TargetLimited,
)
from storage.engine import Database
from storage.tables import Discovery, DiscoveryStatus
from tests.storage.factories import NOON, a_discovery, add_organization, running_discovery
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

HOUR = timedelta(hours=1)


async def claim(
    database: Database,
    org_id: str,
    *,
    host: str = "sip.example.com",
    at: datetime = NOON,
    limit: int = 20,
) -> Claimed | AlreadyRunning | TargetLimited:
    async with database.system() as session:
        return await discoveries.claim_slot(
            session, a_discovery(org_id, host=host, at=at), runs_per_target=limit
        )


async def close(database: Database, discovery_id: str, *, at: datetime = NOON) -> None:
    async with database.system() as session:
        assert await discoveries.complete(
            session, discovery_id, recommended=None, fingerprint=None, now=at
        )


async def run(database: Database, org_id: str, host: str, at: datetime) -> Discovery:
    """A discovery that began and ended at this time."""
    discovery = await running_discovery(database, org_id, host=host, at=at)
    await close(database, discovery.id, at=at)
    return discovery


def resolved_to(*addresses: str) -> Resolution:
    return Resolution(
        addresses=addresses,
        pinned=[{"address": address, "port": 5060} for address in addresses],
        srv_records=[{"target": "sbc.example.com", "port": 5060}],
        trail=[{"question": "sip.example.com", "outcome": "answered"}],
    )


async def pin(
    database: Database,
    discovery_id: str,
    resolution: Resolution,
    *,
    limit: int = 20,
    at: datetime = NOON,
) -> Discovery | TargetLimited | None:
    async with database.system() as session:
        return await discoveries.record_resolution(
            session, discovery_id, resolution, now=at, runs_per_target=limit
        )


class TestSlot:
    async def test_a_claim_makes_a_running_discovery(self, database: Database, org_id: str) -> None:
        new = a_discovery(org_id)
        async with database.system() as session:
            outcome = await discoveries.claim_slot(session, new, runs_per_target=20)
        assert isinstance(outcome, Claimed)
        async with database.tenant(org_id) as session:
            found = await discoveries.get(session, new.id)
        assert found is not None
        assert found.status is DiscoveryStatus.RUNNING
        assert (found.org_id, found.host, found.input) == (org_id, new.host, new.input)
        assert (found.started_at, found.deadline_at) == (new.started_at, new.deadline_at)
        assert (found.workflow_id, found.requested_by) == (new.workflow_id, new.requested_by)
        assert (found.pinned, found.addresses, found.completed_at) == (None, [], None)

    async def test_a_second_discovery_is_refused_with_the_running_id(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        second = await claim(database, org_id, host="other.example.com")
        assert second == AlreadyRunning(running.id)

    async def test_organizations_do_not_hold_each_others_slots(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        assert isinstance(await claim(database, org_id), Claimed)
        assert isinstance(await claim(database, other_org_id), Claimed)

    @pytest.mark.parametrize("end", ["complete", "fail"])
    async def test_a_closed_discovery_frees_the_slot(
        self, database: Database, org_id: str, end: str
    ) -> None:
        running = await running_discovery(database, org_id)
        async with database.system() as session:
            if end == "complete":
                await discoveries.complete(
                    session, running.id, recommended=None, fingerprint=None, now=NOON
                )
            else:
                await discoveries.fail(
                    session, running.id, error_code="x", error_message="x", now=NOON
                )
        assert isinstance(await claim(database, org_id), Claimed)

    async def test_a_discovery_past_its_deadline_does_not_hold_the_slot(
        self, database: Database, org_id: str
    ) -> None:
        stuck = await running_discovery(database, org_id)
        just_before = stuck.deadline_at - timedelta(microseconds=1)
        assert await claim(database, org_id, at=just_before) == AlreadyRunning(stuck.id)
        assert isinstance(await claim(database, org_id, at=stuck.deadline_at), Claimed)
        async with database.tenant(org_id) as session:
            ended = await discoveries.get(session, stuck.id)
        assert ended is not None
        assert (ended.status, ended.error_code) == (DiscoveryStatus.FAILED, "INTERRUPTED")
        assert ended.completed_at == stuck.deadline_at

    async def test_of_fifty_claims_at_once_one_wins(
        self, database_urls: TestDatabase, org_id: str
    ) -> None:
        database = Database(database_urls.app_url, pool_size=50)
        outcomes = await asyncio.gather(
            *(claim(database, org_id, host=f"h{n % 7}.example.com") for n in range(50))
        )
        winners = [outcome for outcome in outcomes if isinstance(outcome, Claimed)]
        assert len(winners) == 1
        losers = [outcome for outcome in outcomes if not isinstance(outcome, Claimed)]
        assert losers == [AlreadyRunning(winners[0].discovery.id)] * 49
        await database.dispose()

    async def test_counting_needs_the_system_scope(self, database: Database, org_id: str) -> None:
        async with database.tenant(org_id) as session:
            with pytest.raises(RuntimeError, match="system"):
                await discoveries.claim_slot(session, a_discovery(org_id), runs_per_target=20)
            with pytest.raises(RuntimeError, match="system"):
                await discoveries.record_resolution(
                    session, "disc_x", resolved_to(), now=NOON, runs_per_target=20
                )


class TestRunsPerHost:
    async def test_the_limit_counts_all_organizations(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        await run(database, org_id, "sip.example.com", NOON - timedelta(minutes=40))
        await run(database, other_org_id, "sip.example.com", NOON - timedelta(minutes=10))
        refused = await claim(database, org_id, limit=2)
        assert refused == TargetLimited("sip.example.com", timedelta(minutes=20))

    async def test_another_host_is_not_limited(self, database: Database, org_id: str) -> None:
        await run(database, org_id, "sip.example.com", NOON)
        assert isinstance(await claim(database, org_id, host="x.example.com", limit=1), Claimed)

    async def test_runs_leave_the_window_after_an_hour(
        self, database: Database, org_id: str
    ) -> None:
        await run(database, org_id, "sip.example.com", NOON - HOUR)
        assert isinstance(await claim(database, org_id, limit=1), Claimed)

    async def test_the_answer_says_when_the_next_run_is_due(
        self, database: Database, org_id: str
    ) -> None:
        for minutes in (50, 30, 20, 5):
            await run(database, org_id, "sip.example.com", NOON - timedelta(minutes=minutes))
        refused = await claim(database, org_id, limit=2)
        assert isinstance(refused, TargetLimited)
        assert refused.retry_after == timedelta(minutes=40)
        due = NOON + refused.retry_after
        assert isinstance(await claim(database, org_id, limit=2, at=due), Claimed)

    async def test_the_limit_is_exact_under_concurrency(
        self, database_urls: TestDatabase, database: Database
    ) -> None:
        crowd = [await add_organization(database, f"Org {n}") for n in range(50)]
        wide = Database(database_urls.app_url, pool_size=50)
        outcomes = await asyncio.gather(*(claim(wide, one, limit=20) for one in crowd))
        assert sum(isinstance(outcome, Claimed) for outcome in outcomes) == 20
        assert sum(isinstance(outcome, TargetLimited) for outcome in outcomes) == 30
        await wide.dispose()


class TestResolution:
    async def test_the_first_look_up_is_pinned(self, database: Database, org_id: str) -> None:
        running = await running_discovery(database, org_id)
        first = await pin(database, running.id, resolved_to("192.0.2.1", "192.0.2.2"))
        again = await pin(database, running.id, resolved_to("127.0.0.1"))
        for pinned in (first, again):
            assert isinstance(pinned, Discovery)
            assert pinned.addresses == ["192.0.2.1", "192.0.2.2"]
            assert pinned.pinned == [
                {"address": "192.0.2.1", "port": 5060},
                {"address": "192.0.2.2", "port": 5060},
            ]
            assert pinned.srv_records == [{"target": "sbc.example.com", "port": 5060}]
            assert pinned.trail == [{"question": "sip.example.com", "outcome": "answered"}]

    async def test_of_concurrent_look_ups_one_is_pinned(
        self, database: Database, org_id: str
    ) -> None:
        running = await running_discovery(database, org_id)
        seen = await asyncio.gather(
            *(pin(database, running.id, resolved_to(f"192.0.2.{n}")) for n in range(8))
        )
        assert all(isinstance(one, Discovery) for one in seen)
        assert len({str(one.addresses) for one in seen if isinstance(one, Discovery)}) == 1

    async def test_an_empty_look_up_is_pinned_too(self, database: Database, org_id: str) -> None:
        running = await running_discovery(database, org_id)
        await pin(database, running.id, resolved_to())
        again = await pin(database, running.id, resolved_to("192.0.2.1"))
        assert isinstance(again, Discovery)
        assert again.pinned == []

    async def test_a_closed_or_unknown_discovery_pins_nothing(
        self, database: Database, org_id: str
    ) -> None:
        closed = await run(database, org_id, "sip.example.com", NOON)
        assert await pin(database, closed.id, resolved_to("192.0.2.1")) is None
        assert await pin(database, "disc_unknown", resolved_to("192.0.2.1")) is None

    async def test_many_names_for_one_address_share_its_limit(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        for minutes, one in ((50, org_id), (20, other_org_id)):
            at = NOON - timedelta(minutes=minutes)
            discovery = await running_discovery(database, one, host=f"n{minutes}.example", at=at)
            pinned = await pin(
                database, discovery.id, resolved_to("192.0.2.9", f"192.0.2.{minutes}"), at=at
            )
            assert isinstance(pinned, Discovery)
            await close(database, discovery.id, at=at)
        third = await running_discovery(database, org_id, host="third.example")
        refused = await pin(database, third.id, resolved_to("192.0.2.200", "192.0.2.9"), limit=2)
        assert refused == TargetLimited("192.0.2.9", timedelta(minutes=10))
        async with database.tenant(org_id) as session:
            found = await discoveries.get(session, third.id)
        assert found is not None
        assert found.pinned is None

    async def test_the_address_limit_is_exact_under_concurrency(
        self, database_urls: TestDatabase, database: Database
    ) -> None:
        crowd = [await add_organization(database, f"Org {n}") for n in range(20)]
        running = [
            await running_discovery(database, one, host=f"h{number}.example")
            for number, one in enumerate(crowd)
        ]
        wide = Database(database_urls.app_url, pool_size=20)
        orders = (("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1"))
        outcomes = await asyncio.gather(
            *(
                pin(wide, one.id, resolved_to(*orders[number % 2]), limit=7)
                for number, one in enumerate(running)
            )
        )
        assert sum(isinstance(outcome, Discovery) for outcome in outcomes) == 7
        assert sum(isinstance(outcome, TargetLimited) for outcome in outcomes) == 13
        await wide.dispose()
