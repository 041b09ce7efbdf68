"""Reads in one round trip: whose rows they see, what they leave behind, and how they fail."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Integer, Select, Text, bindparam, column, func, select, text
from sqlmodel import col

from storage import number_pages
from storage.engine import Database
from storage.ids import new_id
from storage.number_pages import NumberFilter
from storage.reading import Question
from storage.tables import Organization
from tests.storage.factories import add_organization
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres


def asked(statement: Select[Any], **how: Any) -> Question[tuple[Any, ...]]:
    return Question.of(statement, tuple, **how)


def sent(sql: str) -> Question[tuple[Any, ...]]:
    """A question in the server's own words."""
    return Question(sql.encode(), (), {}, tuple)


ORGANIZATIONS = asked(select(col(Organization.id)))
BACKEND = asked(select(func.pg_backend_pid()))
SCOPE = "SELECT current_setting('trunkline.org_id', true)"


def terminate(urls: TestDatabase, pid: int) -> None:
    with psycopg.connect(urls.admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def terminate_once_asleep(urls: TestDatabase) -> None:
    asleep = (
        "SELECT pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event = 'PgSleep'"
    )
    with psycopg.connect(urls.admin_url, autocommit=True) as admin:
        while (found := admin.execute(asleep).fetchone()) is None:
            time.sleep(0.01)
    terminate(urls, found[0])


class TestTenancy:
    @pytest.mark.parametrize("kept", [True, False])
    async def test_a_read_sees_its_organizations_rows_only(
        self, database: Database, org_id: str, other_org_id: str, kept: bool
    ) -> None:
        every = asked(select(col(Organization.id)), kept=kept)
        theirs = asked(
            select(col(Organization.id)).where(
                col(Organization.id) == bindparam("theirs", type_=Text)
            ),
            kept=kept,
        )

        assert await database.read(org_id, every) == [(org_id,)]
        assert await database.read(other_org_id, every) == [(other_org_id,)]
        assert await database.read(org_id, theirs, theirs=other_org_id) == []
        assert await database.read(org_id, theirs, theirs=org_id) == [(org_id,)]

    async def test_an_organization_that_is_not_there_has_no_rows(self, database: Database) -> None:
        assert await database.read(new_id("org"), ORGANIZATIONS) == []

    @pytest.mark.parametrize("scope", ["", "*", "org_", "key_" + "a" * 22, "org_' OR true --"])
    async def test_a_read_needs_the_id_of_an_organization(
        self, database: Database, scope: str
    ) -> None:
        with pytest.raises(ValueError, match="not the id of an organization"):
            await database.read(scope, ORGANIZATIONS)

    async def test_a_connection_goes_back_without_a_tenant(
        self, single: Database, org_id: str, other_org_id: str
    ) -> None:
        (backend,) = await single.read(org_id, BACKEND)

        # The one connection itself, with nothing of ours in between.
        (reader,) = single._readers._idle
        connection = reader._connection
        cursor = await connection.execute(
            f"SELECT pg_backend_pid(), ({SCOPE}), (SELECT count(*) FROM organizations), "
            "current_setting('transaction_read_only'), current_setting('enable_sort'), "
            "current_setting('plan_cache_mode')"
        )
        assert await cursor.fetchone() == (*backend, "", 0, "off", "on", "auto")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.info.pipeline_status == psycopg.pq.PipelineStatus.OFF
        assert await single.read(other_org_id, ORGANIZATIONS) == [(other_org_id,)]
        assert await single.read(other_org_id, BACKEND) == [backend]

    async def test_reads_at_the_same_time_do_not_mix(
        self, database: Database, org_id: str, other_org_id: str
    ) -> None:
        async def look(mine: str) -> None:
            assert await database.read(mine, ORGANIZATIONS) == [(mine,)]

        await asyncio.gather(*(look(mine) for mine in [org_id, other_org_id] * 40))

    async def test_a_failed_read_leaves_no_tenant_either(
        self, single: Database, org_id: str, other_org_id: str
    ) -> None:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await single.read(org_id, sent("SELECT 1 / 0"))

        assert await single.read(other_org_id, ORGANIZATIONS) == [(other_org_id,)]

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM organizations RETURNING id",
            "UPDATE organizations SET name = 'x' RETURNING id",
            "SELECT id FROM organizations FOR UPDATE",
        ],
    )
    async def test_a_read_cannot_write(
        self, database: Database, org_id: str, statement: str
    ) -> None:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await database.read(org_id, sent(statement))

        assert await database.read(org_id, ORGANIZATIONS) == [(org_id,)]


class TestAnswers:
    async def test_values_come_as_python_knows_them(self, database: Database, org_id: str) -> None:
        noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
        question = sent(
            "SELECT 'w', 7, true, NULL, ARRAY['a', 'b'], '{\"a\": [1, null]}'::jsonb, "
            "timestamptz '2026-11-23 13:00+01'"
        )

        ((*values, at),) = await database.read(org_id, question)

        assert values == ["w", 7, True, None, ["a", "b"], {"a": [1, None]}]
        assert (at, at.utcoffset()) == (noon, timedelta())

    @pytest.mark.parametrize("kept", [True, False])
    @pytest.mark.parametrize("value", ["", "plain", "'; DROP TABLE organizations --", "a\\b%_é€"])
    async def test_a_value_is_never_part_of_the_statement(
        self, database: Database, org_id: str, value: str, kept: bool
    ) -> None:
        echo = asked(select(bindparam("value", type_=Text)), kept=kept)

        assert await database.read(org_id, echo, value=value) == [(value,)]

    async def test_a_question_may_be_asked_again_and_again(
        self, single: Database, org_id: str
    ) -> None:
        counted = asked(
            select(column("n", Integer)).select_from(
                text("generate_series(1, cast(:to AS int)) n").bindparams(bindparam("to"))
            )
        )

        for to in (3, 0, 1, 250):
            rows = await single.read(org_id, counted, to=to)
            assert rows == [(n,) for n in range(1, to + 1)]

    async def test_a_missing_value_is_a_mistake_of_the_caller(
        self, single: Database, org_id: str
    ) -> None:
        with pytest.raises(KeyError, match="value"):
            await single.read(org_id, asked(select(bindparam("value", type_=Text))))

        assert await single.read(org_id, ORGANIZATIONS) == [(org_id,)]

    async def test_a_read_sees_what_was_committed_just_now(
        self, database: Database, org_id: str
    ) -> None:
        named = asked(select(col(Organization.name)))
        for name in ("One", "Two"):
            async with database.tenant(org_id) as session:
                await session.execute(text("UPDATE organizations SET name = :n"), {"n": name})
            assert await database.read(org_id, named) == [(name,)]

    async def test_a_large_answer_arrives_whole(self, database: Database, org_id: str) -> None:
        question = sent("SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) n")

        rows = await database.read(org_id, question)

        assert [n for n, _ in rows] == list(range(1, 5001))


BOUND = """
    INSERT INTO number_bindings (id, org_id, phone_number, direction, trunk_id, priority)
    SELECT %(trunk)s || n || d, %(org)s, '+1415' || lpad(n::text, 7, '0'), d, %(trunk)s, 0
      FROM generate_series(1, 20000) n, unnest(array['inbound', 'outbound']) d
     ORDER BY md5(n::text)
"""
TRUNK = """
    INSERT INTO trunks (id, org_id, implicit, direction, fingerprint, revision, auth_mode, options)
    VALUES (%(trunk)s, %(org)s, true, 'both', '', 1, 'ip', '{}')
"""


async def test_a_page_of_numbers_is_read_in_the_order_of_the_index_without_statistics(
    database: Database, database_urls: TestDatabase
) -> None:
    org_id = await add_organization(database)
    given = {"org": org_id, "trunk": new_id("trk")}
    with psycopg.connect(database_urls.owner_url) as owner:
        owner.execute(TRUNK, given)
        owner.execute(BOUND, given)
    question = number_pages._every()
    planned = Question(b"EXPLAIN " + question.sql, question.names, {}, str, in_index_order=True)

    lines = await database.read(org_id, planned, after="+14150005000", limit=1000)
    page = await number_pages.page(
        database, org_id, NumberFilter(), limit=1000, after="+14150005000"
    )

    plan = "\n".join(lines).replace("Incremental Sort", "")
    assert "Index Scan" in plan
    assert "Sort  (" not in plan
    assert [each.phone_number for each in page] == [f"+1415{n:07}" for n in range(5001, 6001)]
