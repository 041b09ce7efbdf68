"""Reads that cost one round trip: a SELECT that was compiled once, sent together with its scope.

A read is a transaction of its own. In libpq's pipeline mode PostgreSQL takes what comes before a
Sync message as one transaction (PostgreSQL documentation, "Pipelining" of the extended query
protocol), so the setting that row-level security compares, which is local to its transaction, holds
for exactly this statement, and the connection goes back without it. It cannot write either.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar, cast

import psycopg
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait
from sqlalchemy import Dialect, Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

__all__ = ["Question", "Readers", "is_away"]

RowT = TypeVar("RowT")

_DIALECT: Final = cast(Callable[..., Dialect], PGDialect_psycopg)(paramstyle="numeric_dollar")
_SCOPE: Final = (
    b"SELECT set_config('trunkline.org_id', $1, true), "
    b"set_config('transaction_read_only', 'on', true), "
    b"set_config('plan_cache_mode', $2, true), "
    b"set_config('enable_sort', $3, true)"
)

# SQLSTATEs that say "not now" about the server: class 08 connection exception, 57P01-57P05 shutdown,
# crash, starting up, database dropped, idle session; 53300 too many connections; 55P03 a lock that
# the statement would not wait for any longer; 57014 the server's own time limit, or an operator who
# cancelled it; class 40 a transaction that met another one (a deadlock among them).
_NOT_NOW: Final = frozenset(
    {"57P01", "57P02", "57P03", "57P04", "57P05", "53300", "55P03", "57014", "40P01", "40001"}
)


def is_away(error: BaseException | None) -> bool:
    """Whether the moment, not the statement, is what failed."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = error.sqlstate
    # libpq reports a connection that could not be opened, or broke, without an SQLSTATE.
    return state is None or state.startswith("08") or state in _NOT_NOW


@dataclass(frozen=True, slots=True)
class Question(Generic[RowT]):
    """A SELECT as it goes to the server, and what becomes of a row of its answer.

    ``row`` gets the values of a row's columns. ``names`` are the parameters in their order; those
    that ``given`` does not know come with each use. A ``kept`` question is prepared and planned
    once on each connection, for whatever values; another one is planned for those it comes with.
    ``in_index_order`` keeps the planner from sorting what an index has in the wanted order already:
    while statistics are young it thinks that this is less.
    """

    sql: bytes
    names: tuple[str, ...]
    given: Mapping[str, Any]
    row: Callable[[Sequence[Any]], RowT]
    kept: bool = True
    in_index_order: bool = False

    @classmethod
    def of(
        cls,
        statement: Select[Any],
        row: Callable[[Sequence[Any]], RowT],
        *,
        kept: bool = True,
        in_index_order: bool = False,
    ) -> Question[RowT]:
        """Compile ``statement``; its parameters are the names of its ``bindparam``s.

        Columns come as psycopg reads them: words as text, times in UTC, JSON parsed.
        """
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        return cls(
            str(compiled).encode(),
            tuple(compiled.positiontup or ()),
            {name: value for name, value in compiled.params.items() if value is not None},
            row,
            kept,
            in_index_order,
        )

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in their order. Raises ``KeyError`` when one is missing."""
        known = {**self.given, **given}
        return [known[name] for name in self.names]


class _Reader:
    """A connection that answers questions, one at a time."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        # Kept, because it knows how the values of a type are read once it has read some.
        self._adapting = Transformer(connection)
        self._names: dict[bytes, bytes] = {}
        self._prepared: set[bytes] = set()

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    async def ask(
        self, scope: str, question: Question[RowT], given: Mapping[str, Any]
    ) -> list[RowT]:
        """The rows of the answer. Raises ``psycopg.Error``; the connection must be closed then."""
        values = question.values(given)
        parameters = self._adapting.dump_sequence(values, [PyFormat.TEXT] * len(values))
        answer = await self._connection.wait(self._exchange(scope, question, parameters))
        self._adapting.set_pgresult(answer)
        return self._adapting.load_rows(0, answer.ntuples, question.row)

    def _exchange(
        self, scope: str, question: Question[Any], parameters: Sequence[Buffer | None]
    ) -> PQGen[PGresult]:
        """Send the scope and the statement as one transaction, and take what comes back."""
        libpq = self._connection.pgconn
        libpq.enter_pipeline_mode()
        plan = b"force_generic_plan" if question.kept else b"auto"
        sort = b"off" if question.in_index_order else b"on"
        self._send(_SCOPE, [scope.encode(), plan, sort])
        if question.kept:
            self._send(question.sql, parameters)
        else:
            libpq.send_query_params(question.sql, parameters)
        libpq.pipeline_sync()
        while libpq.flush():
            if (yield Wait.RW) & Ready.R:
                libpq.consume_input()
        _scope, answer = yield from _answers(libpq)
        libpq.exit_pipeline_mode()
        self._prepared.update(self._names)
        return answer

    def _send(self, sql: bytes, parameters: Sequence[Buffer | None]) -> None:
        name = self._names.setdefault(sql, b"read%d" % len(self._names))
        if sql not in self._prepared:
            self._connection.pgconn.send_prepare(name, sql)
        self._connection.pgconn.send_query_prepared(name, parameters)


def _answers(libpq: PGconn) -> PQGen[list[PGresult]]:
    """The results with rows up to the Sync.

    Raises ``psycopg.Error``: that of the statement that failed, or that the connection was lost.
    """
    answers: list[PGresult] = []
    failed: PGresult | None = None
    while True:
        while libpq.is_busy():
            yield Wait.R
            libpq.consume_input()
        result = libpq.get_result()
        if result is None:
            # The end of one statement's results, or of everything when the connection is gone.
            if libpq.status == ConnStatus.BAD:
                break
        elif result.status == ExecStatus.PIPELINE_SYNC:
            break
        elif result.status == ExecStatus.TUPLES_OK:
            answers.append(result)
        elif result.status == ExecStatus.FATAL_ERROR:
            failed = failed or result
    if failed is not None:
        raise error_from_result(failed)
    if libpq.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the connection was lost")
    return answers


@dataclass(slots=True)
class Readers:
    """At most ``size`` connections for reads, opened when they are needed.

    ``parameters`` are psycopg's; ``wait`` is how long a read waits for a connection.
    """

    parameters: Mapping[str, Any]
    size: int
    wait: timedelta
    _idle: list[_Reader] = field(default_factory=list)
    _free: asyncio.Semaphore = field(init=False)
    _closed: bool = False

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.size)

    async def ask(
        self, scope: str, question: Question[RowT], given: Mapping[str, Any]
    ) -> list[RowT]:
        """The rows of the answer, as ``scope`` sees them.

        Raises ``psycopg.Error``, and ``TimeoutError`` when every connection is in use.
        """
        async with self._turn():
            while True:
                kept = bool(self._idle)
                reader = self._idle.pop() if kept else await self._opened()
                try:
                    rows = await reader.ask(scope, question, given)
                except psycopg.Error as error:
                    await reader.close()
                    # A connection may have broken while nobody used it, and a read can be repeated.
                    if not (kept and is_away(error)):
                        raise
                except BaseException:
                    await reader.close()
                    raise
                else:
                    if self._closed:
                        await reader.close()
                    else:
                        self._idle.append(reader)
                    return rows

    async def close(self) -> None:
        """Close the connections that nobody uses, and the others when their reads end."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _opened(self) -> _Reader:
        connection = await psycopg.AsyncConnection.connect(**self.parameters, autocommit=True)
        return _Reader(connection)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._free.locked():
            async with asyncio.timeout(self.wait.total_seconds()):
                await self._free.acquire()
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()
