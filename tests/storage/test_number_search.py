"""Numbers found by a part of them: by an index, under row-level security, and also without it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from domain.trunk import Direction
from storage import migrate, number_pages
from storage.engine import Database
from storage.ids import new_id
from storage.number_pages import NumberFilter
from storage.number_search import matching
from tests.storage.factories import add_organization
from tests.support.postgres import PostgresForTests, TestDatabase

pytestmark = pytest.mark.postgres

INDEX = "number_bindings_search"

TRUNK = """
    INSERT INTO trunks (id, org_id, implicit, direction, fingerprint, revision, auth_mode, options)
    VALUES (%(trunk)s, %(org)s, true, 'both', convert_to(%(trunk)s, 'UTF8'), 1, 'ip', '{}')
"""
# Prime to the length of the range, so that the numbers are spread and none comes twice.
NUMBERS = """
    INSERT INTO number_bindings (id, org_id, phone_number, direction, trunk_id, priority)
    SELECT %(trunk)s || n || d, %(org)s, '+1' || 2000000000 + n::bigint * 1299709 %% 8000000000, d,
           %(trunk)s, 0
      FROM generate_series(1, %(count)s) n, unnest(array['inbound', 'outbound']) d
"""
ONE = """
    INSERT INTO number_bindings (id, org_id, phone_number, direction, trunk_id, priority)
    VALUES (%(number)s || %(trunk)s, %(org)s, %(number)s, 'outbound', %(trunk)s, 0)
"""


@pytest.fixture
def without_extensions(
    postgres: PostgresForTests, caplog: pytest.LogCaptureFixture
) -> Iterator[tuple[TestDatabase, str]]:
    """A migrated database whose owner may not create extensions, as some managed ones are, and what
    the migration said."""
    with postgres.database(migrated=False) as made:
        with psycopg.connect(made.admin_url) as admin:
            admin.execute(f"ALTER DATABASE {made.name} OWNER TO postgres")
            admin.execute("GRANT CREATE ON SCHEMA public TO trunkline_owner")
        with caplog.at_level(logging.WARNING):
            migrate.upgrade(made.owner_url)
        (said,) = caplog.messages
        yield made, said


def fill(urls: TestDatabase, org_id: str, *numbers: str, count: int = 0) -> str:
    """Bind ``count`` numbers in both directions, and ``numbers`` outbound, to a new trunk."""
    trunk_id = new_id("trk")
    given: dict[str, Any] = {"org": org_id, "trunk": trunk_id, "count": count}
    with psycopg.connect(urls.owner_url) as owner:
        owner.execute(TRUNK, given)
        owner.execute(NUMBERS, given)
        for number in numbers:
            owner.execute(ONE, {**given, "number": number})
    return trunk_id


async def found(database: Database, org_id: str, **wanted: Any) -> list[str]:
    limit, after = wanted.pop("limit", 100), wanted.pop("after", "")
    listed = await number_pages.page(
        database, org_id, NumberFilter(**wanted), limit=limit, after=after
    )
    return [each.phone_number for each in listed]


async def plan_of(database: Database, org_id: str, part: str) -> list[str]:
    """How the server goes about a search, as the app's role in the organization's session."""
    search = matching(part, direction=None, trunk_id=None, limit=100, after="")
    async with database.tenant(org_id) as session:
        connection = await session.connection()
        compiled = search.compile(dialect=connection.dialect)
        lines = await connection.exec_driver_sql(f"EXPLAIN {compiled}", dict(compiled.params))
        return [str(line).strip() for (line,) in lines]


async def test_the_search_goes_by_the_index_with_the_organization_in_it(
    database: Database, database_urls: TestDatabase, org_id: str, other_org_id: str
) -> None:
    for each in (org_id, other_org_id):
        fill(database_urls, each, count=10_000)
    with psycopg.connect(database_urls.owner_url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE number_bindings")

    plan = await plan_of(database, org_id, "77777")

    at = next(index for index, line in enumerate(plan) if f"Index Scan on {INDEX}" in line)
    assert plan[at + 1].startswith("Index Cond:")
    assert "org_id = NULLIF(current_setting(" in plan[at + 1]
    assert "phone_number ~~ '%77777%'" in plan[at + 1]


async def test_a_part_of_a_number_finds_it_and_nothing_of_another_organization(
    database: Database, database_urls: TestDatabase, org_id: str, other_org_id: str
) -> None:
    fill(database_urls, org_id, "+14155550100", "+14155550199", "2001", "front_desk", "50%")
    fill(database_urls, other_org_id, "+14155550177", "2001")

    for part, numbers in (
        ("5550", ["+14155550100", "+14155550199"]),
        ("+1415", ["+14155550100", "+14155550199"]),
        ("0199", ["+14155550199"]),
        ("00", ["+14155550100", "2001"]),
        ("front_desk", ["front_desk"]),
        ("front%desk", []),
        ("%", ["50%"]),
        ("_", ["front_desk"]),
        ("/", []),
        ("177", []),
        ("' OR true --", []),
    ):
        assert await found(database, org_id, search=part) == numbers, part
    assert await found(database, other_org_id, search="200") == ["2001"]


async def test_without_an_organization_nothing_is_found(
    database: Database, database_urls: TestDatabase, org_id: str
) -> None:
    fill(database_urls, org_id, "+14155550100")
    search = matching("555", direction=None, trunk_id=None, limit=10, after="")

    async with database.system() as session:
        assert (await session.scalars(search)).all() == []


async def test_pages_and_filters_of_a_search_show_each_number_once(
    database: Database, database_urls: TestDatabase, org_id: str
) -> None:
    trunk_id = fill(database_urls, org_id, count=500)
    other = fill(database_urls, org_id, "+19995550100")
    whole = await found(database, org_id, limit=1000)
    wanted = [number for number in whole if "99" in number]
    assert len(wanted) > 20

    seen: list[str] = []
    while True:
        page = await found(database, org_id, search="99", limit=7, after=seen[-1] if seen else "")
        seen += page
        if len(page) < 7:
            break

    assert seen == wanted
    assert await found(database, org_id, search="99", direction=Direction.INBOUND) == [
        number for number in wanted if number != "+19995550100"
    ]
    assert await found(database, org_id, search="99", trunk_id=other) == ["+19995550100"]
    assert "+19995550100" not in await found(database, org_id, search="99", trunk_id=trunk_id)


async def test_a_server_that_refuses_the_extensions_is_migrated_and_searches_without(
    without_extensions: tuple[TestDatabase, str],
) -> None:
    urls, said = without_extensions
    database = Database(urls.app_url)
    org_id = await add_organization(database)
    fill(urls, org_id, "+14155550100", "+14155550199", count=100)

    assert await found(database, org_id, search="5550199") == ["+14155550199"]
    async with database.system() as session:
        assert await migrate.is_current(session)
        assert await session.scalar(text(f"SELECT to_regclass('{INDEX}')")) is None
    await database.dispose()
    assert 'permission denied to create extension "pg_trgm"' in said
    assert "CREATE EXTENSION pg_trgm and btree_gin" in said
    migrate.downgrade(urls.owner_url, "0007")


async def test_the_index_that_is_advised_is_the_one_that_the_migration_makes(
    without_extensions: tuple[TestDatabase, str], database_urls: TestDatabase
) -> None:
    urls, said = without_extensions
    with psycopg.connect(urls.admin_url) as admin:
        admin.execute("CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin")
    with psycopg.connect(urls.owner_url) as owner:
        owner.execute(said[said.index("CREATE INDEX") :].encode())
    made = [_definition(each.owner_url) for each in (urls, database_urls)]
    assert made[0] == made[1]


def _definition(url: str) -> Any:
    with psycopg.connect(url) as owner:
        return owner.execute(f"SELECT pg_get_indexdef('{INDEX}'::regclass)").fetchone()
