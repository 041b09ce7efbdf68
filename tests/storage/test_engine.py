"""Connections: URLs, scopes, failures."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from storage import organizations
from storage.engine import Database, connection_parameters, libpq_url, require_system_scope
from storage.errors import DatabaseUnavailable, UnsafeRole
from storage.ids import new_id
from tests.storage.factories import add_organization
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import PostgresForTests, TestDatabase

pytestmark = pytest.mark.postgres

SECRET = "hunter2hunter2"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_both_spellings_of_a_url_are_accepted(scheme: str) -> None:
    assert libpq_url(f"{scheme}://a@b/c") == "postgresql://a@b/c"


@pytest.mark.parametrize("url", ["", "mysql://a@b/c", "a@b/c", "postgresql+asyncpg://a@b/c"])
def test_another_databases_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://"):
        libpq_url(url)


def test_everything_libpq_understands_passes_through() -> None:
    parameters = connection_parameters(
        "postgresql+psycopg://app:p%40ss@/trunkline?host=/tmp/a%20b&options=-c%20jit%3Doff"
        "&connect_timeout=9",
        application="test",
    )
    assert parameters["host"] == "/tmp/a b"
    assert parameters["password"] == "p@ss"
    assert parameters["connect_timeout"] == "9"
    assert "-c jit=off" in parameters["options"]
    assert parameters["options"].endswith("-c timezone=UTC")


def test_an_unreadable_url_is_refused_without_quoting_its_password() -> None:
    with pytest.raises(ValueError, match="cannot be read") as caught:
        connection_parameters(f"postgresql://app:{SECRET}@h:x:y/?=%zz", application="test")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_transaction_commits_on_exit(database: Database) -> None:
    org_id = await add_organization(database)
    async with database.tenant(org_id) as session:
        assert await organizations.get(session, org_id) is not None


async def test_an_error_rolls_everything_back(database: Database, org_id: str) -> None:
    async def rename_and_stumble() -> None:
        async with database.tenant(org_id) as session:
            await organizations.change(session, org_id, name="Renamed")
            raise LookupError

    with pytest.raises(LookupError):
        await rename_and_stumble()
    async with database.tenant(org_id) as session:
        found = await organizations.get(session, org_id)
        assert found is not None
        assert found.name == "Example"


async def test_a_cancelled_transaction_is_rolled_back_and_its_connection_is_usable(
    database_urls: TestDatabase, org_id: str
) -> None:
    database = Database(database_urls.app_url, pool_size=1)
    inside = asyncio.Event()

    async def rename_and_hang() -> None:
        async with database.tenant(org_id) as session:
            await organizations.change(session, org_id, name="Renamed")
            inside.set()
            await session.execute(text("SELECT pg_sleep(30)"))

    task = asyncio.create_task(rename_and_hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.tenant(org_id) as session:
        found = await organizations.get(session, org_id)
        assert found is not None
        assert found.name == "Example"
    await database.dispose()


@pytest.mark.parametrize(
    "scope",
    ["", "*", "org_", "org_x", pytest.param(new_id("key"), id="a key"), "org_' OR true --"],
)
async def test_a_tenant_scope_needs_the_id_of_an_organization(
    database: Database, scope: str
) -> None:
    with pytest.raises(ValueError, match="not the id of an organization"):
        async with database.tenant(scope):
            raise AssertionError("the scope was opened")


async def test_counting_across_organizations_is_refused_in_a_tenants_session(
    database: Database, org_id: str
) -> None:
    async with database.system() as session:
        require_system_scope(session)
    async with database.tenant(org_id) as session:
        with pytest.raises(RuntimeError, match=r"Database\.system"):
            require_system_scope(session)


class TestUnavailable:
    async def test_no_server_behind_the_url(self, loopback: LoopbackBlock) -> None:
        database = Database(f"postgresql://app:{SECRET}@{loopback.address()}:5432/trunkline")
        with pytest.raises(DatabaseUnavailable) as caught:
            await database.check()
        assert SECRET not in str(caught.value)
        await database.dispose()

    async def test_a_wrong_password(self, database_urls: TestDatabase) -> None:
        database = Database(database_urls.app_url.replace("trunkline_app:", "trunkline_app:x"))
        with pytest.raises(DatabaseUnavailable):
            await database.check()
        await database.dispose()

    async def test_a_connection_that_ends_in_the_middle_of_a_transaction(
        self, database: Database, database_urls: TestDatabase, org_id: str
    ) -> None:
        async def lose_the_connection() -> None:
            async with database.tenant(org_id) as session:
                pid = await session.scalar(text("SELECT pg_backend_pid()"))
                _terminate(database_urls, pid)
                await session.execute(text("SELECT 1"))

        with pytest.raises(DatabaseUnavailable):
            await lose_the_connection()

    async def test_connections_that_ended_in_the_pool_are_replaced(
        self, database: Database, database_urls: TestDatabase
    ) -> None:
        async with database.system() as session:
            pid = await session.scalar(text("SELECT pg_backend_pid()"))
        _terminate(database_urls, pid)
        await database.check()

    async def test_a_pool_without_a_free_connection(
        self, database_urls: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.engine.POOL_TIMEOUT", timedelta(milliseconds=50))
        database = Database(database_urls.app_url, pool_size=1)
        async with database.system() as session:
            await session.execute(text("SELECT 1"))
            with pytest.raises(DatabaseUnavailable, match="in use"):
                await database.check()
        await database.dispose()

    async def test_of_two_transactions_that_wait_for_each_other_one_may_try_again(
        self, database: Database
    ) -> None:
        both = asyncio.Barrier(2)

        async def lock(first: int, second: int) -> None:
            async with database.system() as session:
                await session.execute(text(f"SELECT pg_advisory_xact_lock({first})"))
                await both.wait()
                await session.execute(text(f"SELECT pg_advisory_xact_lock({second})"))

        ended = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
        assert [type(each) for each in ended if each is not None] == [DatabaseUnavailable]

    async def test_a_statement_that_the_server_cancelled_may_be_tried_again(
        self, database: Database
    ) -> None:
        async def sleep() -> None:
            async with database.system() as session:
                await session.execute(text("SET LOCAL statement_timeout = 50"))
                await session.execute(text("SELECT pg_sleep(30)"))

        with pytest.raises(DatabaseUnavailable):
            await sleep()

    async def test_a_broken_statement_is_no_unavailability(self, database: Database) -> None:
        with pytest.raises(ProgrammingError):
            async with database.system() as session:
                await session.execute(text("SELECT nothing FROM nowhere"))

    async def test_a_broken_constraint_is_no_unavailability(
        self, database: Database, org_id: str
    ) -> None:
        same = organizations.NewOrganization(id=org_id, name="Twin", region="us")
        with pytest.raises(IntegrityError):
            async with database.system() as session:
                await organizations.create(session, same)


class TestRole:
    async def test_the_apps_role_is_accepted(self, database: Database) -> None:
        await database.check_role()

    async def test_a_superuser_is_refused(self, database_urls: TestDatabase) -> None:
        await _expect_refusal(database_urls.admin_url, "is a superuser")

    async def test_the_owner_is_refused(self, database_urls: TestDatabase) -> None:
        await _expect_refusal(database_urls.owner_url, "owns tables .*discoveries")

    @pytest.mark.parametrize(
        ("grant", "reason"),
        [
            ("ALTER ROLE {} BYPASSRLS", "BYPASSRLS"),
            ("GRANT trunkline_owner TO {}", "owns tables"),
        ],
    )
    async def test_a_role_with_more_than_it_needs_is_refused(
        self, postgres: PostgresForTests, database_urls: TestDatabase, grant: str, reason: str
    ) -> None:
        role = f"risky_{new_id('key')[4:].lower()}"
        name = sql.Identifier(role)
        with psycopg.connect(database_urls.admin_url, autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(SECRET))
            )
            admin.execute(sql.SQL(grant).format(name))
            try:
                url = postgres.server.app_url.partition("@")[2]
                place = url.replace("/trunkline?", f"/{database_urls.name}?")
                await _expect_refusal(f"postgresql://{role}:{SECRET}@{place}", reason)
            finally:
                admin.execute(sql.SQL("DROP OWNED BY {}").format(name))
                admin.execute(sql.SQL("DROP ROLE {}").format(name))


async def _expect_refusal(url: str, reason: str) -> None:
    database = Database(url)
    with pytest.raises(UnsafeRole, match=reason) as caught:
        await database.check_role()
    assert "TRUNKLINE_DATABASE_URL" in str(caught.value)
    await database.dispose()


def _terminate(urls: TestDatabase, pid: int | None) -> None:
    with psycopg.connect(urls.admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
