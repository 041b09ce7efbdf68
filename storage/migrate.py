"""Brings the schema to a revision, as the role that owns it.

All revisions of one call run in one transaction: it ends at the wanted revision or where it began.
Calls from several processes wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import Column, SchemaItem

from storage.engine import connection_parameters
from storage.errors import DatabaseUnavailable, MigrationFailed

__all__ = ["APP_ROLE", "comparison_options", "downgrade", "head", "is_current", "upgrade"]

APP_ROLE: Final = "trunkline_app"

# Identity columns of partitioned tables came with 17.
OLDEST_SERVER: Final = 170000
# Longer than any migration of another process takes; then something is stuck.
LOCK_TIMEOUT: Final = timedelta(minutes=5)

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(owner_url: str, *, app_role: str = APP_ROLE, revision: str = "head") -> None:
    """Migrate up to ``revision`` and grant ``app_role`` what the app needs.

    ``owner_url`` connects as the role that owns, or will own, the tables; ``app_role`` must exist.
    Blocks. Raises ``DatabaseUnavailable`` and ``MigrationFailed``.
    """
    with _owner_connection(owner_url, app_role) as connection, _as_migration_failure():
        command.upgrade(_config(connection, app_role), revision)


def downgrade(owner_url: str, revision: str, *, app_role: str = APP_ROLE) -> None:
    """Migrate down to ``revision``; ``base`` removes every table and what is in it.

    Blocks. Raises ``DatabaseUnavailable`` and ``MigrationFailed``.
    """
    with _owner_connection(owner_url, app_role) as connection, _as_migration_failure():
        command.downgrade(_config(connection, app_role), revision)


@cache
def head() -> str:
    """The newest revision of this release."""
    found = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    if found is None:
        raise MigrationFailed(f"there are no migrations in {_SCRIPTS}")
    return found


async def is_current(session: AsyncSession) -> bool:
    """Whether the database is at this release's revision; false also without any table."""
    if not await session.scalar(text("SELECT to_regclass('public.alembic_version') IS NOT NULL")):
        return False
    found = await session.scalar(text("SELECT version_num FROM alembic_version"))
    return bool(found == head())


def comparison_options() -> dict[str, Any]:
    """How Alembic compares models with a database: partitions belong to their table."""
    return {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": _is_modelled,
    }


def _is_modelled(
    item: SchemaItem, name: str | None, kind: str, reflected: bool, other: SchemaItem | None
) -> bool:
    table = getattr(item, "table", None) if not isinstance(item, Column) else None
    owner = str(name if kind == "table" else getattr(table, "name", ""))
    return not (reflected and owner.startswith(("sip_messages_", "health_hours_", "live_calls_")))


def _config(connection: Connection, app_role: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["app_role"] = app_role
    return config


@contextmanager
def _owner_connection(owner_url: str, app_role: str) -> Iterator[Connection]:
    """One transaction as the owner, alone among migrations."""
    parameters = connection_parameters(owner_url, application="trunkline-migrate")
    # An index over years of messages takes longer than any statement of the app.
    parameters["options"] += (
        f" -c statement_timeout=0 -c lock_timeout={int(LOCK_TIMEOUT.total_seconds())}s"
    )
    engine = create_engine(
        "postgresql+psycopg://", connect_args=parameters, poolclass=NullPool, hide_parameters=True
    )
    try:
        connection = engine.connect()
    except OperationalError as error:
        raise DatabaseUnavailable(str(error.orig).partition("\n")[0]) from error
    with connection, connection.begin():
        _check_server(connection, app_role)
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('trunkline migrations', 0))")
        )
        yield connection


def _check_server(connection: Connection, app_role: str) -> None:
    version = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
    if version is None or version < OLDEST_SERVER:
        raise MigrationFailed(f"PostgreSQL 17 or newer is needed, the server is {version}")
    exists = connection.scalar(
        text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)"), {"role": app_role}
    )
    if not exists:
        raise MigrationFailed(
            f"the app's role does not exist; as a superuser run: CREATE ROLE {app_role} LOGIN"
        )


@contextmanager
def _as_migration_failure() -> Iterator[None]:
    try:
        yield
    except (CommandError, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise MigrationFailed(f"the migration was rolled back: {reason}") from error
