"""What is shared by organizations is seen, and written, by those whose trunks lead there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table

from storage.tables import METADATA
from tests.storage.tenant_rows import REACHED, a_value, insert_statement
from tests.storage.test_tenancy import (
    MINE,
    THEIRS,
)
from tests.support.postgres import PostgresForTests, TestDatabase

pytestmark = pytest.mark.postgres

TABLES = sorted(REACHED)
BY_RULE = {"health_states", "health_transitions"}


def a_row(table: Table, org_id: str, **fields: Any) -> dict[str, Any]:
    """A row that leads to, or belongs to, the target of an organization's trunk."""
    known = {
        "id": f"{table.name} {org_id}",
        "org_id": org_id,
        "trunk_id": f"trunk {org_id}",
        "name_id": f"health_names {org_id}",
        "target_id": f"health_targets {org_id}",
        "rule_key": f"rule {org_id}",
        **fields,
    }
    return {
        column.name: known.get(column.name, a_value(column.type, org_id))
        for column in table.columns
        if column.identity is None
    }


def add(connection: psycopg.Connection[Any], table: str, org_id: str, **fields: Any) -> None:
    row = a_row(METADATA.tables[table], org_id, **fields)
    connection.execute(insert_statement(METADATA.tables[table], row), row)


@pytest.fixture(scope="module")
def urls(postgres: PostgresForTests) -> Iterator[TestDatabase]:
    """One database in which each organization has an endpoint, and all that follows from it."""
    with postgres.database() as made:
        with psycopg.connect(made.admin_url) as admin:
            admin.execute("SET session_replication_role = replica")
            for org_id in (MINE, THEIRS):
                for table in ("trunk_endpoints", *TABLES):
                    add(admin, table, org_id)
        yield made


@pytest.fixture
def scoped(urls: TestDatabase) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of the app as one of the organizations; undone afterwards."""
    with psycopg.connect(urls.app_url) as connection:
        connection.execute("SELECT set_config('trunkline.org_id', %s, true)", [MINE])
        yield connection
        connection.rollback()


def count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("table", TABLES)
def test_a_policy_through_the_trunks_endpoints_stands(urls: TestDatabase, table: str) -> None:
    with psycopg.connect(urls.admin_url) as admin:
        secured = admin.execute(
            "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table]
        ).fetchone()
        policies = admin.execute(
            "SELECT permissive, roles, cmd, qual, with_check FROM pg_policies WHERE tablename = %s",
            [table],
        ).fetchall()
    assert secured == (True,)
    ((permissive, roles, command, sees, writes),) = policies
    assert (permissive, roles, command) == ("PERMISSIVE", ["public"], "ALL")
    assert sees == writes
    words = sees.split()
    assert "(EXISTS" in words
    # The table before it on the way, whose own policy holds.
    reached = words[words.index("FROM") + 1 :]
    assert {"trunk_endpoints", "health_name_targets", "((health_name_targets"} & set(reached)
    assert ("rule_key" in sees) == (table in BY_RULE)


@pytest.mark.parametrize("table", TABLES)
def test_a_tenant_sees_what_its_endpoints_lead_to(
    urls: TestDatabase, scoped: psycopg.Connection[Any], table: str
) -> None:
    assert count(scoped, table) == 1
    scoped.execute("DELETE FROM trunk_endpoints")
    assert count(scoped, table) == 0
    with psycopg.connect(urls.app_url) as system:
        system.execute("SELECT set_config('trunkline.org_id', '*', true)")
        assert count(system, table) == 2


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("setting", [None, "", "org_", "%"])
def test_without_an_organization_nothing_is_seen_and_nothing_written(
    urls: TestDatabase, table: str, setting: str | None
) -> None:
    with psycopg.connect(urls.app_url) as connection:
        if setting is not None:
            connection.execute("SELECT set_config('trunkline.org_id', %s, true)", [setting])
        assert count(connection, table) == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            add(connection, table, MINE)


@pytest.mark.parametrize("table", TABLES)
def test_a_tenant_cannot_write_where_none_of_its_endpoints_leads(
    scoped: psycopg.Connection[Any], table: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        add(scoped, table, THEIRS)


@pytest.mark.parametrize("table", sorted(BY_RULE))
def test_what_another_rule_made_of_a_shared_target_is_not_seen(
    urls: TestDatabase, scoped: psycopg.Connection[Any], table: str
) -> None:
    with psycopg.connect(urls.admin_url) as admin:
        add(admin, table, MINE, rule_key=f"rule {THEIRS}")
    try:
        assert count(scoped, table) == 1
    finally:
        with psycopg.connect(urls.admin_url) as admin:
            admin.execute(
                f"DELETE FROM {table} WHERE rule_key = %s AND target_id = %s",
                [f"rule {THEIRS}", f"health_targets {MINE}"],
            )


@pytest.mark.parametrize("table", [*TABLES, "health_shards"])
@pytest.mark.parametrize("statement", ["TRUNCATE {} CASCADE", "DROP TABLE {} CASCADE"])
def test_the_apps_role_cannot_go_around_the_rows(
    scoped: psycopg.Connection[Any], table: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scoped.execute(statement.format(table))


@pytest.mark.parametrize("table", ["health_transitions", "name_changes"])
def test_what_was_recorded_is_forgotten_but_not_rewritten(urls: TestDatabase, table: str) -> None:
    with psycopg.connect(urls.app_url) as system:
        system.execute("SELECT set_config('trunkline.org_id', '*', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            system.execute(f"UPDATE {table} SET at = at")


def test_collecting_takes_nothing_that_somebody_uses(
    urls: TestDatabase, scoped: psycopg.Connection[Any]
) -> None:
    names = [f"health_names {org_id}" for org_id in (MINE, THEIRS)]
    targets = [f"health_targets {org_id}" for org_id in (MINE, THEIRS)]
    scoped.execute("SELECT collect_health(%s, %s)", [names, targets])
    scoped.execute("SELECT set_config('trunkline.org_id', '*', true)")
    assert [count(scoped, table) for table in TABLES] == [2] * len(TABLES)
