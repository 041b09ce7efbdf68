"""Audit log, presence of processes, organizations and API keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from storage import api_keys, audit, organizations, presence
from storage.audit import Actor
from storage.engine import Database
from storage.ids import is_id, new_id
from storage.presence import ProcessFacts
from storage.tables import Discovery, ProcessKind, Role
from tests.storage.factories import NOON, running_discovery

pytestmark = pytest.mark.postgres


class TestAudit:
    async def test_entries_are_read_newest_first_in_pages(
        self, database: Database, org_id: str
    ) -> None:
        async with database.tenant(org_id) as session:
            for n in range(5):
                await audit.append(
                    session,
                    org_id=org_id,
                    actor=Actor("api_key", "key_a"),
                    action="organization.change",
                    subject_kind="organization",
                    subject_id=org_id if n % 2 else "key_b",
                    request_id="req_1",
                    before={"n": n},
                    after={"n": n + 1},
                )
            page = await audit.entries(session, org_id, limit=2)
            rest = await audit.entries(session, org_id, limit=9, before_id=page[-1].id)
            mine = await audit.entries(session, org_id, limit=9, subject_id=org_id)
        assert [one.after for one in (*page, *rest)] == [{"n": n} for n in (5, 4, 3, 2, 1)]
        assert [one.after for one in mine] == [{"n": 4}, {"n": 2}]
        assert (page[0].actor_kind, page[0].actor_id) == ("api_key", "key_a")
        assert (page[0].action, page[0].request_id) == ("organization.change", "req_1")
        assert page[0].at is not None

    async def test_another_organization_reads_none(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        async with database.system() as session:
            await audit.append(
                session,
                org_id=org_id,
                actor=Actor("system"),
                action="x.y",
                subject_kind="x",
                subject_id="x",
            )
        async with database.tenant(other_org_id) as session:
            assert await audit.entries(session, org_id, limit=9) == []


class TestPresence:
    facts = ProcessFacts(
        id="wkr_a",
        kind=ProcessKind.WORKER,
        host="host-1",
        pid=42,
        task_queues=("trunkline", "trunkline-discovery"),
        started_at=NOON,
    )

    async def test_a_process_is_seen_while_it_speaks(self, database: Database) -> None:
        async with database.system() as session:
            await presence.beat(session, self.facts, now=NOON)
            later = NOON + timedelta(seconds=5)
            await presence.beat(session, self.facts, now=later)
            (seen,) = await presence.seen(
                session, ProcessKind.WORKER, since=NOON, task_queue="trunkline-discovery"
            )
            assert (seen.id, seen.pid, seen.seen_at) == ("wkr_a", 42, later)
            assert seen.task_queues == ["trunkline", "trunkline-discovery"]
            assert await presence.seen(session, ProcessKind.WORKER, since=later) == []

    async def test_only_processes_of_the_kind_and_queue_count(self, database: Database) -> None:
        async with database.system() as session:
            await presence.beat(session, self.facts, now=NOON)
            api = replace(self.facts, id="wkr_b", kind=ProcessKind.API, task_queues=())
            await presence.beat(session, api, now=NOON)
            before = NOON - timedelta(seconds=1)
            (seen,) = await presence.seen(session, ProcessKind.API, since=before)
            assert seen.id == "wkr_b"
            assert not await presence.seen(
                session, ProcessKind.WORKER, since=before, task_queue="other"
            )

    async def test_a_process_that_leaves_is_gone_at_once(self, database: Database) -> None:
        async with database.system() as session:
            await presence.beat(session, self.facts, now=NOON)
            await presence.leave(session, "wkr_a")
            before = NOON - timedelta(seconds=1)
            assert await presence.seen(session, ProcessKind.WORKER, since=before) == []

    async def test_silent_processes_are_forgotten(self, database: Database) -> None:
        async with database.system() as session:
            await presence.beat(session, self.facts, now=NOON)
            late = replace(self.facts, id="wkr_b")
            await presence.beat(session, late, now=NOON + timedelta(seconds=1))
            assert await presence.purge(session, silent_since=NOON) == 1
            before = NOON - timedelta(seconds=1)
            (left,) = await presence.seen(session, ProcessKind.WORKER, since=before)
            assert left.id == "wkr_b"


class TestOrganizations:
    async def test_an_organization_is_created_and_changed(self, database: Database) -> None:
        org_id = new_id("org")
        hook = {"id": "whk_a", "url": "https://example.com/hook", "description": "pager"}
        async with database.system() as session:
            made = await organizations.create(
                session,
                organizations.NewOrganization(
                    id=org_id,
                    name="Example",
                    region="us",
                    entitlements=("SIP",),
                    alert_emails=("noc@example.com",),
                    alert_phones=("+14155550100",),
                    webhook_endpoints=(hook,),
                ),
            )
            created = made.created_at
        async with database.tenant(org_id) as session:
            changed = await organizations.change(session, org_id, name="Renamed", region="eu")
            assert changed is not None
            assert (changed.name, changed.region) == ("Renamed", "eu")
        async with database.tenant(org_id) as session:
            found = await organizations.get(session, org_id, for_update=True)
        assert found is not None
        assert (found.name, found.region, found.entitlements) == ("Renamed", "eu", ["SIP"])
        assert (found.alert_emails, found.alert_phones) == (["noc@example.com"], ["+14155550100"])
        assert found.webhook_endpoints == [hook]
        assert found.created_at == created < found.updated_at

    async def test_another_organization_is_neither_found_nor_changed(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        async with database.tenant(org_id) as session:
            assert await organizations.get(session, other_org_id) is None
            assert await organizations.change(session, other_org_id, name="Mine") is None
            assert not await organizations.set_signing_secret(
                session, other_org_id, b"sealed", now=NOON
            )
            assert [one.id for one in await organizations.every(session, limit=9)] == [org_id]

    async def test_a_tenant_cannot_create_an_organization(
        self, database: Database, org_id: str
    ) -> None:
        async def create() -> None:
            async with database.tenant(org_id) as session:
                new = organizations.NewOrganization(id=new_id("org"), name="New", region="us")
                await organizations.create(session, new)

        with pytest.raises(Exception, match="row-level security"):
            await create()

    async def test_organizations_are_listed_in_pages(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        async with database.system() as session:
            (first,) = await organizations.every(session, limit=1)
            (second,) = await organizations.every(session, limit=9, after=first.id)
        assert sorted([org_id, other_org_id]) == [first.id, second.id]

    async def test_a_signing_secret_is_replaced(self, database: Database, org_id: str) -> None:
        async with database.tenant(org_id) as session:
            assert await organizations.set_signing_secret(session, org_id, b"one", now=NOON)
            later = NOON + timedelta(days=1)
            assert await organizations.set_signing_secret(session, org_id, b"two", now=later)
        async with database.tenant(org_id) as session:
            found = await organizations.get(session, org_id)
        assert found is not None
        assert (found.signing_secret_sealed, found.signing_secret_set_at) == (b"two", later)

    async def test_what_belongs_to_an_organization_goes_with_it(
        self, database: Database, org_id: str
    ) -> None:
        discovery = await running_discovery(database, org_id)
        async with database.system() as session:
            organization = await organizations.get(session, org_id)
            await session.delete(organization)
        async with database.system() as session:
            assert await session.get(Discovery, discovery.id) is None


class TestApiKeys:
    async def test_a_key_is_found_by_its_hash_with_its_organization(
        self, database: Database, org_id: str
    ) -> None:
        async with database.tenant(org_id) as session:
            made = await api_keys.create(session, org_id, name="CI", role=Role.EDITOR)
        async with database.system() as session:
            found = await api_keys.find(session, api_keys.hash_of(made.secret), now=NOON)
        assert found is not None
        key, organization = found
        assert (key.id, key.name, key.role) == (made.key.id, "CI", Role.EDITOR)
        assert organization.id == org_id
        assert is_id("key", key.id)
        assert made.secret.endswith(key.hint)

    async def test_a_key_has_256_random_bits_and_is_nowhere_in_the_row(
        self, database: Database, org_id: str
    ) -> None:
        async with database.tenant(org_id) as session:
            made = [
                await api_keys.create(session, org_id, name="CI", role=Role.VIEWER)
                for _ in range(3)
            ]
        assert len({one.secret for one in made}) == 3
        for one in made:
            assert len(one.secret) == len("sk_") + 43
            assert one.secret not in repr(one)
            assert one.secret not in str(one.key.model_dump())

    async def test_an_expired_key_is_not_found(self, database: Database, org_id: str) -> None:
        async with database.tenant(org_id) as session:
            made = await api_keys.create(
                session, org_id, name="CI", role=Role.VIEWER, expires_at=NOON
            )
        hashed = api_keys.hash_of(made.secret)
        async with database.system() as session:
            just_before = NOON - timedelta(microseconds=1)
            assert await api_keys.find(session, hashed, now=just_before) is not None
            assert await api_keys.find(session, hashed, now=NOON) is None

    async def test_a_revoked_key_is_not_found_and_keeps_its_first_time(
        self, database: Database, org_id: str
    ) -> None:
        async with database.tenant(org_id) as session:
            made = await api_keys.create(session, org_id, name="CI", role=Role.VIEWER)
        async with database.tenant(org_id) as session:
            await api_keys.revoke(session, made.key.id, now=NOON)
            again = await api_keys.revoke(session, made.key.id, now=NOON + timedelta(days=1))
            assert again is not None
            assert again.revoked_at == NOON
        async with database.system() as session:
            hashed = api_keys.hash_of(made.secret)
            assert await api_keys.find(session, hashed, now=NOON) is None

    async def test_an_unknown_key_is_not_found(self, database: Database) -> None:
        async with database.system() as session:
            assert await api_keys.find(session, api_keys.hash_of("sk_\udcff"), now=NOON) is None

    async def test_another_organizations_keys_are_out_of_reach(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        async with database.tenant(org_id) as session:
            made = await api_keys.create(session, org_id, name="CI", role=Role.VIEWER)
        async with database.tenant(other_org_id) as session:
            assert await api_keys.get(session, made.key.id) is None
            assert await api_keys.listed(session, org_id) == []
            assert await api_keys.revoke(session, made.key.id, now=NOON) is None
        async with database.tenant(org_id) as session:
            (kept,) = await api_keys.listed(session, org_id)
            assert kept.revoked_at is None

    async def test_a_key_needs_an_organization(self, database: Database) -> None:
        async def create() -> None:
            async with database.system() as session:
                await api_keys.create(session, new_id("org"), name="CI", role=Role.VIEWER)

        with pytest.raises(IntegrityError):
            await create()
