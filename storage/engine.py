"""Transactions that see one organization, or explicitly all of them.

Tenancy is PostgreSQL's row-level security: every table with an ``org_id`` has a policy that compares
it with the setting ``trunkline.org_id``. A session sets it when its transaction begins, and a read
(``storage.reading``) in the transaction that it is, always local to that transaction, so a pooled
connection forgets it with the transaction. Without the setting nothing is seen and nothing can be
written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction

from storage.errors import DatabaseUnavailable, UnsafeRole
from storage.ids import is_id
from storage.reading import Question, Readers, is_away

__all__ = ["Database", "connection_parameters", "libpq_url", "require_system_scope"]

SYSTEM_SCOPE: Final = "*"
CONNECT_TIMEOUT: Final = timedelta(seconds=5)
POOL_TIMEOUT: Final = timedelta(seconds=5)
# A statement here reads or writes rows by index; one that runs longer is stuck, and a connection
# that idles inside a transaction keeps locks from everybody else.
STATEMENT_TIMEOUT: Final = timedelta(seconds=30)
IDLE_IN_TRANSACTION_TIMEOUT: Final = timedelta(seconds=60)

RowT = TypeVar("RowT")


def libpq_url(url: str) -> str:
    """``url`` as libpq and psycopg read it: without SQLAlchemy's driver name."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgresql", "postgres", "postgresql+psycopg"}:
        return f"postgresql://{rest}"
    raise ValueError("a database URL starts with postgresql:// or postgresql+psycopg://")


def connection_parameters(url: str, *, application: str) -> dict[str, Any]:
    """Everything psycopg needs to connect, from a URL in either spelling.

    What the URL says wins, except that times always come back in UTC. Raises ``ValueError`` when
    it is not a PostgreSQL URL.
    """
    try:
        given = conninfo_to_dict(libpq_url(url))
    except psycopg.ProgrammingError:
        # The text of the error quotes the URL, which holds the password.
        raise ValueError("the database URL cannot be read") from None
    options = [
        f"-c statement_timeout={_milliseconds(STATEMENT_TIMEOUT)}",
        f"-c idle_in_transaction_session_timeout={_milliseconds(IDLE_IN_TRANSACTION_TIMEOUT)}",
        str(given.pop("options", None) or ""),
        "-c timezone=UTC",
    ]
    return {
        "connect_timeout": int(CONNECT_TIMEOUT.total_seconds()),
        "application_name": application,
        # A server that vanished without a FIN is noticed within half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        **given,
        "options": " ".join(option for option in options if option),
    }


class _ScopedSession(Session):
    """The synchronous core of the sessions below; its transactions carry ``info["org_id"]``."""


@event.listens_for(_ScopedSession, "after_begin")
def _set_scope(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    connection.execute(
        text("SELECT set_config('trunkline.org_id', :org_id, true)"),
        {"org_id": session.info["org_id"]},
    )


def require_system_scope(session: AsyncSession) -> None:
    """Refuse to count across organizations in a session that sees one of them.

    Raises ``RuntimeError``: the caller has a bug, and its answer would be wrong without a word.
    """
    if session.info.get("org_id") != SYSTEM_SCOPE:
        raise RuntimeError("this needs a session of Database.system()")


class Database:
    """A pool of connections to PostgreSQL as the app's role.

    ``url`` is ``postgresql://…`` or ``postgresql+psycopg://…``, with everything libpq understands
    (several hosts, ``sslmode``, ``host=`` of a socket folder). Nothing is connected before the
    first transaction. Sessions share ``pool_size`` connections, and reads up to ``readers`` others:
    they are answered while every session waits for a lock. With ``ping`` a session's connection is
    tried before it is used, so that one that broke meanwhile fails nobody; without, its next
    transaction raises ``DatabaseUnavailable``.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        readers: int = 4,
        application: str = "trunkline",
        ping: bool = True,
    ) -> None:
        parameters = connection_parameters(url, application=application)
        self._readers = Readers(parameters, readers, POOL_TIMEOUT)
        self._engine = create_async_engine(
            "postgresql+psycopg://",
            connect_args=parameters,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT.total_seconds(),
            pool_pre_ping=ping,
            hide_parameters=True,
        )

    @asynccontextmanager
    async def tenant(self, org_id: str) -> AsyncIterator[AsyncSession]:
        """One transaction that sees and writes rows of this organization only.

        Commits on exit, rolls back on any error. Raises ``ValueError`` when ``org_id`` is not an
        organization's id, ``DatabaseUnavailable`` when PostgreSQL is not there.
        """
        async with self._transaction(_organization(org_id)) as session:
            yield session

    @asynccontextmanager
    async def system(self) -> AsyncIterator[AsyncSession]:
        """One transaction across all organizations, for what belongs to none of them: finding the
        key of a request, limits per target, the reaper, the relay, operators' commands.

        Commits on exit, rolls back on any error. Raises ``DatabaseUnavailable``.
        """
        async with self._transaction(SYSTEM_SCOPE) as session:
            yield session

    async def read(self, org_id: str, question: Question[RowT], **values: Any) -> list[RowT]:
        """What the question finds among the rows of this organization, in one round trip.

        The question may name the organization as ``org_id``. Sees what is committed. Raises ``ValueError`` when ``org_id`` is not an organization's id,
        ``KeyError`` when a value of the question is missing, ``DatabaseUnavailable`` when
        PostgreSQL is not there.
        """
        scope = _organization(org_id)
        try:
            return await self._readers.ask(scope, question, {"org_id": scope, **values})
        except TimeoutError as error:
            raise DatabaseUnavailable("every connection for reads is in use") from error
        except psycopg.Error as error:
            if is_away(error):
                raise DatabaseUnavailable(_first_line(error)) from error
            raise

    @asynccontextmanager
    async def _transaction(self, scope: str) -> AsyncIterator[AsyncSession]:
        session = AsyncSession(
            self._engine,
            sync_session_class=_ScopedSession,
            expire_on_commit=False,
            info={"org_id": scope},
        )
        try:
            async with session, session.begin():
                yield session
        except PoolTimeout as error:
            raise DatabaseUnavailable("every connection of the pool is in use") from error
        except DBAPIError as error:
            if error.connection_invalidated or is_away(error.orig):
                raise DatabaseUnavailable(_first_line(error.orig)) from error
            raise

    async def check_role(self) -> None:
        """Refuse a role that row-level security would not hold.

        Raises ``UnsafeRole`` when the role (or the one it logged in as) is a superuser, has
        BYPASSRLS, or owns a table, itself or through a role it is a member of;
        ``DatabaseUnavailable`` when PostgreSQL is not there.
        """
        async with self.system() as session:
            row = (await session.execute(_ROLE_FACTS)).one()
        reasons = [
            reason
            for holds, reason in (
                (row.superuser, "is a superuser"),
                (row.bypasses, "bypasses row-level security (BYPASSRLS)"),
                (row.owned is not None, f"owns tables ({row.owned})"),
            )
            if holds
        ]
        if reasons:
            raise UnsafeRole(
                f"PostgreSQL role {row.role!r} {' and '.join(reasons)}, so one organization could "
                "read another's rows. Give TRUNKLINE_DATABASE_URL a role that owns nothing, and "
                "TRUNKLINE_DATABASE_OWNER_URL the owner."
            )

    async def check(self) -> None:
        """Run a query. Raises ``DatabaseUnavailable``."""
        async with self.system() as session:
            await session.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close every pooled connection."""
        await self._readers.close()
        await self._engine.dispose()


_ROLE_FACTS = text(
    """
    WITH me AS (SELECT oid, rolname, rolsuper, rolbypassrls FROM pg_roles
                WHERE rolname IN (current_user, session_user))
    SELECT session_user AS role,
           (SELECT bool_or(rolsuper) FROM me) AS superuser,
           (SELECT bool_or(rolbypassrls) FROM me) AS bypasses,
           (SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
               AND n.nspname = 'public'
               AND EXISTS (SELECT FROM me WHERE pg_has_role(me.oid, c.relowner, 'MEMBER'))
               AND NOT (SELECT bool_or(rolsuper) FROM me)) AS owned
    """
)


def _organization(org_id: str) -> str:
    if not is_id("org", org_id):
        raise ValueError(f"{org_id!r} is not the id of an organization")
    return org_id


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0] or "the connection was lost"


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
