"""A real PostgreSQL for the tests: one server a run, a migrated database for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from local.postgres import APP_ROLE, OWNER_ROLE, EmbeddedPostgres
from local.postgres_cluster import ADMIN_DATABASE, ADMIN_ROLE
from storage import migrate
from storage.tables import METADATA

__all__ = ["PostgresForTests", "TestDatabase", "run_postgres"]

TEMPLATE = "template_migrated"

DAY_PARTITIONS = """
    SELECT inhrelid::regclass::text FROM pg_inherits
     WHERE inhparent IN ('sip_messages'::regclass, 'health_hours'::regclass, 'live_calls'::regclass)
       AND inhrelid::regclass::text NOT LIKE '%_default'
"""
DISCONNECT_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND backend_type = 'client backend'
"""
DELETE_EVERYTHING = "; ".join(
    f"DELETE FROM {table.name}" for table in reversed(METADATA.sorted_tables)
)
# What a test may have changed beside rows: then its database is not lent again.
SHAPE = """
    SELECT (SELECT array_agg(version_num) FROM alembic_version),
           (SELECT array_agg((relname, relkind, relrowsecurity)::text ORDER BY relname)
              FROM pg_class WHERE relnamespace = 'public'::regnamespace),
           (SELECT array_agg((tablename, policyname, qual)::text ORDER BY tablename, policyname)
              FROM pg_policies)
"""


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """libpq URLs of one database: as the owner of its tables, as the app, as a superuser."""

    __test__ = False

    name: str
    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    admin_url: str = field(repr=False)


class PostgresForTests:
    """Makes databases by copying a migrated one, and empties those that can be lent again."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self._empty: list[TestDatabase] = []
        self._admins: dict[str, psycopg.Connection[Any]] = {}
        self._create(TEMPLATE, template="template1")
        template = self._of(TEMPLATE)
        migrate.upgrade(template.owner_url, app_role=APP_ROLE)
        with psycopg.connect(template.admin_url) as admin:
            self._shape = admin.execute(SHAPE).fetchone()

    def close(self) -> None:
        """Leave the server."""
        for admin in self._admins.values():
            admin.close()
        self._admins.clear()

    @contextmanager
    def lend(self) -> Iterator[TestDatabase]:
        """A migrated database without rows; sequences go on from wherever they are."""
        database = self._empty.pop() if self._empty else self._copy(TEMPLATE)
        try:
            yield database
        finally:
            if self._emptied(database):
                self._empty.append(database)
            else:
                self._drop(database)

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[TestDatabase]:
        """A new database, which takes some tenths of a second; gone afterwards."""
        database = self._copy(TEMPLATE if migrated else "template1")
        try:
            yield database
        finally:
            self._drop(database)

    def _emptied(self, database: TestDatabase) -> bool:
        """Remove every row and whoever is still connected; false when more than rows changed."""
        try:
            return self._swept(self._admin(database))
        except psycopg.OperationalError:
            # The test ended every connection, this one too.
            self._leave(database)
            return self._swept(self._admin(database))

    def _swept(self, admin: psycopg.Connection[Any]) -> bool:
        try:
            with admin.transaction():
                admin.execute(DISCONNECT_OTHERS)
                for (partition,) in admin.execute(DAY_PARTITIONS).fetchall():
                    admin.execute(f"DROP TABLE {partition}")
                admin.execute(DELETE_EVERYTHING)
                return admin.execute(SHAPE).fetchone() == self._shape
        except psycopg.errors.UndefinedTable:
            return False

    def _admin(self, database: TestDatabase) -> psycopg.Connection[Any]:
        """A superuser's connection that stays open: to make one costs more than all its work."""
        if database.name not in self._admins:
            self._admins[database.name] = psycopg.connect(
                database.admin_url, prepare_threshold=None
            )
        return self._admins[database.name]

    def _leave(self, database: TestDatabase) -> None:
        admin = self._admins.pop(database.name, None)
        if admin is not None:
            admin.close()

    def _of(self, name: str) -> TestDatabase:
        return TestDatabase(
            name,
            owner_url=self.server.url(OWNER_ROLE, name),
            app_url=self.server.url(APP_ROLE, name),
            admin_url=self.server.url(ADMIN_ROLE, name),
        )

    def _copy(self, template: str) -> TestDatabase:
        name = f"test_{next(self._numbers)}"
        self._create(name, template=template)
        return self._of(name)

    def _create(self, name: str, *, template: str) -> None:
        self._administrate(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(OWNER_ROLE), sql.Identifier(template)
            )
        )

    def _drop(self, database: TestDatabase) -> None:
        self._leave(database)
        self._administrate(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name))
        )

    def _administrate(self, statement: sql.Composed) -> None:
        url = self.server.url(ADMIN_ROLE, ADMIN_DATABASE)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def run_postgres(folder: Path) -> Iterator[PostgresForTests]:
    """A server whose data is in ``folder`` and need not survive anything."""
    # Every test connects anew; what makes guessing passwords slow is of no use here.
    with EmbeddedPostgres(folder, durable=False, settings={"scram_iterations": "1"}) as server:
        made = PostgresForTests(server)
        try:
            yield made
        finally:
            made.close()
            # Nobody reads the data again, so the server need not wait for anybody or write it out.
            server.kill()
