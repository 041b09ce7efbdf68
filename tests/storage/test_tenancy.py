"""No session sees or writes another organization's rows, whatever its SQL says.

Everything here is parametrised over the models: a new table is tested from its first line on, and
fails until a migration protects it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from storage.engine import Database
from storage.ids import new_id
from storage.reading import Question
from storage.tables import METADATA
from tests.storage.tenant_rows import (
    APPEND_ONLY,
    KEPT_BY_DAY,
    REACHED,
    TENANT_COLUMN,
    WITHOUT_TENANT,
    a_row,
    insert_statement,
)
from tests.support.postgres import PostgresForTests, TestDatabase

pytestmark = pytest.mark.postgres

MINE = new_id("org")
THEIRS = new_id("org")


@pytest.fixture(scope="module")
def urls(postgres: PostgresForTests) -> Iterator[TestDatabase]:
    """One database in which both organizations have a row in every table."""
    with postgres.database() as made:
        with psycopg.connect(made.admin_url) as admin:
            # Rows of tenants may need others of tables without one, which are of no matter here.
            admin.execute("SET session_replication_role = replica")
            for table in METADATA.sorted_tables:
                if table.name in TENANT_COLUMN:
                    for org_id in (MINE, THEIRS):
                        row = a_row(table, org_id)
                        admin.execute(insert_statement(table, row), row)
        yield made


@pytest.fixture
async def shared(urls: TestDatabase) -> Any:
    opened = Database(urls.app_url)
    yield opened
    await opened.dispose()


def rows_of_theirs(urls: TestDatabase, table: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(urls.admin_url) as admin:
        return admin.execute(
            f"SELECT * FROM {table} WHERE {TENANT_COLUMN[table]} = %s", [THEIRS]
        ).fetchall()


def test_every_table_has_a_tenant_or_is_known_to_have_none() -> None:
    assert set(METADATA.tables) == set(TENANT_COLUMN) | REACHED | WITHOUT_TENANT


@pytest.mark.parametrize("table", TENANT_COLUMN)
def test_row_level_security_stands_on_every_tenant_table(urls: TestDatabase, table: str) -> None:
    with psycopg.connect(urls.admin_url) as admin:
        secured = admin.execute(
            "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table]
        ).fetchone()
        policies = admin.execute(
            "SELECT permissive, roles, cmd, qual, with_check FROM pg_policies WHERE tablename = %s",
            [table],
        ).fetchall()
    assert secured == (True,)
    # A second policy would widen what the first one lets through.
    ((permissive, roles, command, sees, writes),) = policies
    assert (permissive, roles, command) == ("PERMISSIVE", ["public"], "ALL")
    assert sees == writes
    assert f"{TENANT_COLUMN[table]} = NULLIF(current_setting('trunkline.org_id'" in sees


def test_every_partition_is_closed_to_who_names_it(urls: TestDatabase) -> None:
    with psycopg.connect(urls.admin_url) as admin:
        admin.execute("SELECT maintain_sip_messages('2026-11-23', 2, 30)")
        admin.execute("SELECT maintain_health_hours('2026-11-23', 2, 30)")
        admin.execute("SELECT maintain_live_calls('2026-11-23', 2, 30)")
        partitions = admin.execute(
            "SELECT relname, relrowsecurity, has_table_privilege('trunkline_app', oid, 'SELECT') "
            "FROM pg_class WHERE relispartition AND relkind = 'r'"
        ).fetchall()
    assert len(partitions) == 12
    assert {(secured, readable) for _, secured, readable in partitions} == {(True, False)}


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_a_tenant_sees_its_own_rows_only(
    shared: Database, urls: TestDatabase, table: str
) -> None:
    assert len(rows_of_theirs(urls, table)) == 1
    owner = TENANT_COLUMN[table]
    async with shared.tenant(MINE) as session:
        seen = (await session.scalars(text(f"SELECT {owner} FROM {table}"))).all()
        named = await session.scalar(
            text(f"SELECT count(*) FROM {table} WHERE {owner} = :theirs"), {"theirs": THEIRS}
        )
    assert seen == [MINE]
    assert named == 0


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_a_read_shows_the_organizations_own_rows_only(
    shared: Database, urls: TestDatabase, table: str
) -> None:
    assert len(rows_of_theirs(urls, table)) == 1
    owner = METADATA.tables[table].columns[TENANT_COLUMN[table]]
    named = select(owner).where(owner == bindparam("theirs"))

    assert await shared.read(MINE, Question.of(select(owner), tuple)) == [(MINE,)]
    assert await shared.read(MINE, Question.of(named, tuple), theirs=THEIRS) == []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        *(
            ("UPDATE {table} SET {owner} = {owner}", table)
            for table in sorted(set(TENANT_COLUMN) - APPEND_ONLY)
        ),
        *(
            ("DELETE FROM {table}", table)
            for table in sorted(set(TENANT_COLUMN) - APPEND_ONLY - KEPT_BY_DAY)
        ),
    ],
)
def test_a_tenant_changes_its_own_rows_only(urls: TestDatabase, table: str, statement: str) -> None:
    assert len(rows_of_theirs(urls, table)) == 1
    owner = TENANT_COLUMN[table]
    changing = f"{statement} RETURNING {owner}".format(table=table, owner=owner)
    with psycopg.connect(urls.app_url) as connection:
        connection.execute("SELECT set_config('trunkline.org_id', %s, true)", [MINE])
        assert connection.execute(changing).fetchall() == [(MINE,)]
        connection.rollback()


@pytest.mark.parametrize("table", TENANT_COLUMN)
@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE {} CASCADE", "DROP TABLE {} CASCADE", "ALTER TABLE {} DISABLE ROW LEVEL SECURITY"],
)
def test_the_apps_role_cannot_go_around_the_rows(
    urls: TestDatabase, table: str, statement: str
) -> None:
    with (
        psycopg.connect(urls.app_url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.format(table))


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_a_tenant_cannot_write_a_row_for_another(
    shared: Database, urls: TestDatabase, table: str
) -> None:
    row = a_row(METADATA.tables[table], THEIRS, suffix=" forged")
    if table == "organizations":
        row["id"] = new_id("org")
    with psycopg.connect(urls.app_url) as connection:
        connection.execute("SELECT set_config('trunkline.org_id', %s, true)", [MINE])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(insert_statement(METADATA.tables[table], row), row)


@pytest.mark.parametrize("table", TENANT_COLUMN)
def test_a_tenant_cannot_give_its_row_to_another(urls: TestDatabase, table: str) -> None:
    with psycopg.connect(urls.app_url) as connection:
        connection.execute("SELECT set_config('trunkline.org_id', %s, true)", [MINE])
        with pytest.raises(
            psycopg.errors.InsufficientPrivilege, match=r"row-level security|permission denied"
        ):
            connection.execute(f"UPDATE {table} SET {TENANT_COLUMN[table]} = %s", [new_id("org")])


@pytest.mark.parametrize("table", TENANT_COLUMN)
@pytest.mark.parametrize("setting", [None, "", "org_", "%"])
def test_without_an_organization_nothing_is_seen_and_nothing_written(
    urls: TestDatabase, table: str, setting: str | None
) -> None:
    row = a_row(METADATA.tables[table], MINE, suffix=" unscoped")
    if table == "organizations":
        row["id"] = new_id("org")
    with psycopg.connect(urls.app_url) as connection:
        if setting is not None:
            connection.execute("SELECT set_config('trunkline.org_id', %s, true)", [setting])
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(insert_statement(METADATA.tables[table], row), row)


@pytest.mark.parametrize("table", TENANT_COLUMN)
async def test_the_system_scope_sees_every_organization(shared: Database, table: str) -> None:
    async with shared.system() as session:
        seen = await session.scalars(text(f"SELECT {TENANT_COLUMN[table]} FROM {table}"))
        assert set(seen) >= {MINE, THEIRS}


async def test_an_empty_organization_id_is_nobodys(urls: TestDatabase) -> None:
    with psycopg.connect(urls.admin_url, autocommit=True) as admin:
        admin.execute(
            "INSERT INTO outbox (org_id, stream, kind, payload, attempts) "
            "VALUES ('', 's', 'k', '{}', 0)"
        )
    with psycopg.connect(urls.app_url) as connection:
        connection.execute("SELECT set_config('trunkline.org_id', 'org_x', true)")
        connection.commit()
        # From here on the setting of this connection reads as an empty string, not as NULL.
        assert connection.execute(
            "SELECT current_setting('trunkline.org_id', true), (SELECT count(*) FROM outbox)"
        ).fetchone() == ("", 0)


async def test_a_pooled_connection_forgets_its_scope(urls: TestDatabase) -> None:
    database = Database(urls.app_url, pool_size=1)
    backends = set()
    for scope in (database.tenant(MINE), database.system(), database.tenant(THEIRS)):
        async with scope as session:
            backends.add(await session.scalar(text("SELECT pg_backend_pid()")))
            await session.execute(text("SELECT count(*) FROM organizations"))
        async with database._engine.connect() as bare:
            backends.add(await bare.scalar(text("SELECT pg_backend_pid()")))
            assert await bare.scalar(text("SELECT count(*) FROM organizations")) == 0
    assert len(backends) == 1
    await database.dispose()


async def test_a_session_is_one_transaction(shared: Database) -> None:
    async with shared.tenant(MINE) as session:
        await session.commit()
        with pytest.raises(InvalidRequestError, match="closed transaction"):
            await session.execute(text("SELECT 1"))


async def test_a_savepoint_keeps_the_scope(shared: Database) -> None:
    async with shared.tenant(MINE) as session:
        async with session.begin_nested() as savepoint:
            await savepoint.rollback()
        assert (await session.scalars(text("SELECT id FROM organizations"))).all() == [MINE]


async def test_concurrent_tenants_of_one_pool_do_not_mix(urls: TestDatabase) -> None:
    database = Database(urls.app_url, pool_size=3)

    async def look(org_id: str) -> None:
        async with database.tenant(org_id) as session:
            await asyncio.sleep(0)
            seen = (await session.scalars(text("SELECT id FROM organizations"))).all()
            assert seen == [org_id]

    await asyncio.gather(*(look(org_id) for org_id in [MINE, THEIRS] * 40))
    await database.dispose()


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        *(("DELETE FROM {}", table) for table in sorted(APPEND_ONLY | KEPT_BY_DAY)),
        *(("UPDATE {} SET org_id = org_id", table) for table in sorted(APPEND_ONLY)),
    ],
)
async def test_what_was_recorded_is_not_rewritten_even_by_the_system(
    shared: Database, table: str, statement: str
) -> None:
    async def rewrite() -> None:
        async with shared.system() as session:
            await session.execute(text(statement.format(table)))

    with pytest.raises(DBAPIError, match="permission denied"):
        await rewrite()
