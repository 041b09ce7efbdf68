"""Migrations and models say the same, up and down, however many run at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from storage import migrate
from storage.engine import Database, connection_parameters
from storage.errors import DatabaseUnavailable, MigrationFailed
from storage.tables import METADATA
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import PostgresForTests, TestDatabase

pytestmark = pytest.mark.postgres

COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
           pg_get_expr(d.adbin, d.adrelid)
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT c.relispartition AND c.relname <> 'alembic_version'
     ORDER BY 1, 2
"""
CONSTRAINTS = """
    SELECT c.relname, o.conname, pg_get_constraintdef(o.oid)
      FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
     WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
       AND c.relname <> 'alembic_version'
     ORDER BY 1, 2
"""
INDEXES = """
    SELECT pg_get_indexdef(i.indexrelid)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
     WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
       AND c.relname <> 'alembic_version'
     ORDER BY 1
"""
PARTITIONING = (
    "SELECT partrelid::regclass::text, pg_get_partkeydef(partrelid) FROM pg_partitioned_table "
    "ORDER BY 1"
)


@pytest.fixture
def empty(postgres: PostgresForTests) -> Iterator[TestDatabase]:
    """A database without tables."""
    with postgres.database(migrated=False) as made:
        yield made


def engine_for(url: str) -> Engine:
    return create_engine(
        "postgresql+psycopg://",
        connect_args=connection_parameters(url, application="test"),
        poolclass=NullPool,
    )


def catalog(url: str, *queries: str) -> list[list[tuple[Any, ...]]]:
    with psycopg.connect(url) as connection:
        return [connection.execute(query).fetchall() for query in queries]


def tables_of(url: str) -> set[str]:
    ((rows),) = (
        catalog(
            url,
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND relnamespace = 'public'::regnamespace",
        ),
    )
    return {name for (name,) in rows[0]}


def test_alembic_finds_no_difference_between_models_and_migrations(
    database_urls: TestDatabase,
) -> None:
    with psycopg.connect(database_urls.owner_url) as owner:
        owner.execute("SELECT maintain_sip_messages('2026-11-23', 2, 30)")
        owner.execute("SELECT maintain_live_calls('2026-11-23', 2, 30)")
    with engine_for(database_urls.owner_url).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={**migrate.comparison_options(), "target_metadata": METADATA}
        )
        assert compare_metadata(context, METADATA) == []


def test_models_and_migrations_build_the_same_catalog(
    database_urls: TestDatabase, empty: TestDatabase
) -> None:
    with engine_for(empty.owner_url).begin() as connection:
        for extension in ("pg_trgm", "btree_gin"):
            connection.exec_driver_sql(f"CREATE EXTENSION {extension}")
        METADATA.create_all(connection)
    queries = (COLUMNS, CONSTRAINTS, INDEXES, PARTITIONING)
    assert catalog(database_urls.owner_url, *queries) == catalog(empty.owner_url, *queries)


def test_down_to_nothing_and_up_again(empty: TestDatabase) -> None:
    migrate.upgrade(empty.owner_url)
    with psycopg.connect(empty.owner_url) as owner:
        owner.execute("SELECT maintain_sip_messages('2026-11-23', 2, 30)")
        owner.execute("SELECT maintain_live_calls('2026-11-23', 2, 30)")
    there = tables_of(empty.owner_url)
    days = {
        f"{table}_{day}"
        for table in ("sip_messages", "live_calls")
        for day in ("20261123", "20261124", "20261125")
    }
    assert days <= there
    migrate.downgrade(empty.owner_url, "base")
    assert tables_of(empty.owner_url) == {"alembic_version"}
    ((functions),) = catalog(
        empty.owner_url,
        "SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace "
        "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
    )
    assert functions == []
    migrate.upgrade(empty.owner_url)
    assert tables_of(empty.owner_url) == there - days


@pytest.mark.parametrize("revision", [f"{number:04}" for number in range(1, 15)])
def test_every_revision_goes_down_to_the_one_before(empty: TestDatabase, revision: str) -> None:
    migrate.upgrade(empty.owner_url, revision=revision)
    migrate.downgrade(empty.owner_url, "-1")
    migrate.upgrade(empty.owner_url)
    with psycopg.connect(empty.owner_url) as owner:
        row = owner.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row == (migrate.head(),)


def test_migrations_of_several_processes_wait_for_each_other(empty: TestDatabase) -> None:
    with ThreadPoolExecutor(6) as pool:
        for run in [pool.submit(migrate.upgrade, empty.owner_url) for _ in range(6)]:
            run.result()
    assert METADATA.tables.keys() <= tables_of(empty.owner_url)


def test_a_failed_migration_leaves_nothing(empty: TestDatabase) -> None:
    with psycopg.connect(empty.owner_url) as owner:
        owner.execute(
            "CREATE FUNCTION maintain_sip_messages(date, integer, integer) "
            "RETURNS int LANGUAGE sql AS 'SELECT 1'"
        )
    with pytest.raises(MigrationFailed, match="maintain_sip_messages"):
        migrate.upgrade(empty.owner_url)
    assert tables_of(empty.owner_url) == set()


def test_an_unknown_revision_is_named(empty: TestDatabase) -> None:
    with pytest.raises(MigrationFailed, match="9999"):
        migrate.upgrade(empty.owner_url, revision="9999")


def test_a_missing_app_role_is_named_with_its_remedy(empty: TestDatabase) -> None:
    with pytest.raises(MigrationFailed, match="CREATE ROLE nobody_there LOGIN"):
        migrate.upgrade(empty.owner_url, app_role="nobody_there")


def test_a_server_that_is_away(loopback: LoopbackBlock) -> None:
    with pytest.raises(DatabaseUnavailable):
        migrate.upgrade(f"postgresql://owner@{loopback.address()}:5432/trunkline")


async def test_a_process_can_tell_whether_the_schema_is_its_own(
    postgres: PostgresForTests, empty: TestDatabase
) -> None:
    database = Database(empty.app_url)
    async with database.system() as session:
        assert not await migrate.is_current(session)
    migrate.upgrade(empty.owner_url)
    async with database.system() as session:
        assert await migrate.is_current(session)
    with psycopg.connect(empty.owner_url) as owner:
        owner.execute("UPDATE alembic_version SET version_num = '0001'")
    async with database.system() as session:
        assert not await migrate.is_current(session)
    await database.dispose()
