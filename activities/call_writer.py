"""One writer for the rows of all calls of a process (group commit).

One transaction is under way at a time, on a connection of the writer's own; whatever any call hands
over meanwhile goes into the next. A lone row is committed in milliseconds, and fifty calls at once
cost as many transactions as one.

Every change is committed exactly once: when the connection breaks during a commit, PostgreSQL is
asked what became of that transaction before anything is written again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from activities.call_backlog import Allowance, CallBacklog, Taken
from observability.logs import get_logger
from storage import call_batches
from storage.call_batches import CallChanges, Standing, Written
from storage.engine import Database
from storage.errors import DatabaseUnavailable

__all__ = ["CallWriter"]

PATIENCE: Final = timedelta(seconds=4)
"""How long a call waits for a commit before it counts as impossible."""

MAX_ROWS: Final = 500
MAX_BYTES: Final = 4 * 1024 * 1024
"""Messages and events of one transaction: none keeps a snapshot waiting for long."""

MAX_WAITING_ROWS: Final = 100_000
MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""What all calls of a process together may have waiting while the database is away."""

FIRST_BACKOFF: Final = 0.02
LONGEST_BACKOFF: Final = 0.5
"""Seconds between tries while the database is away."""

GATHERING: Final = 0.01
"""Seconds after a transaction of several calls until the next: it then carries the work of more, and
the loop, which paces media too, has less to do. A call that is alone never waits for it."""

BUSY_RETRY: Final = 0.01
"""Seconds until a call is tried again whose row somebody else had locked."""

_log = get_logger("trunkline.call-writer")

Batch = Sequence[tuple[CallBacklog, Taken]]


class CallWriter:
    """Async context manager; leaving it writes the rest, for ``patience`` at most.

    A call is opened, hands over what it has through its backlog, and is closed. ``database`` needs
    one connection.
    """

    def __init__(self, database: Database, *, patience: timedelta = PATIENCE) -> None:
        self._database = database
        self._patience = patience.total_seconds()
        self._room = Allowance(MAX_WAITING_ROWS, MAX_WAITING_BYTES)
        self._opened: set[CallBacklog] = set()
        self._waiting: dict[CallBacklog, None] = {}
        self._woken = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> CallWriter:
        self._task = asyncio.create_task(self._run(), name="call-writer")
        self._task.add_done_callback(self._ended)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._closing = True
        self._woken.set()
        # Unlike awaiting the task, this leaves it alone when its time is over.
        await asyncio.wait({self._task}, timeout=self._patience)
        if not self._task.done():
            _log.error("the database is away, rows of calls are lost")
            self._task.cancel()
            await asyncio.wait({self._task})
        elif not self._task.cancelled():
            self._task.result()

    def open(self, call_id: str, org_id: str, *, on_gone: Callable[[], None]) -> CallBacklog:
        """Begin to write a call; ``close`` it in the end."""
        backlog = CallBacklog(
            call_id,
            org_id,
            wake=self._wake,
            on_gone=on_gone,
            room=self._room,
            patience=self._patience,
        )
        self._opened.add(backlog)
        if self._task is None or self._task.done():
            backlog.fail(RuntimeError("the writer of calls is not running"))
        return backlog

    async def close(self, backlog: CallBacklog) -> None:
        """Return once everything of the call is committed.

        Raises ``DatabaseUnavailable`` when that takes too long (it is written later when it can be)
        and what made the call's rows impossible to write.
        """
        try:
            await backlog.written()
        finally:
            self._opened.discard(backlog)
            if backlog.dropped:
                _log.warning("rows were dropped", call_id=backlog.call_id, rows=backlog.dropped)

    def _wake(self, backlog: CallBacklog) -> None:
        self._waiting[backlog] = None
        self._woken.set()

    async def _run(self) -> None:
        while True:
            if self._waiting:
                batch = self._take()
                await self._commit(batch)
                if len(batch) > 1 and not self._closing:
                    await asyncio.sleep(GATHERING)
            elif self._closing:
                return
            else:
                self._woken.clear()
                await self._woken.wait()

    def _take(self) -> Batch:
        allowance = Allowance(MAX_ROWS, MAX_BYTES)
        waiting, self._waiting = self._waiting, {}
        batch = [(backlog, backlog.take(allowance)) for backlog in waiting]
        # Who got nothing this time is the first to be served next time.
        for backlog, _ in sorted(batch, key=lambda each: each[1].size > 0):
            if not backlog.is_empty:
                self._waiting[backlog] = None
        return batch

    async def _commit(self, batch: Batch) -> None:
        transaction = _Transaction(self._database, [taken.changes for _, taken in batch])
        backoff = FIRST_BACKOFF
        while True:
            try:
                standings = await transaction.run()
            except DatabaseUnavailable as error:
                if backoff == FIRST_BACKOFF:
                    _log.warning("rows of calls wait for the database", reason=str(error))
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF)
            except (SQLAlchemyError, ValueError) as error:
                await self._divide(batch, error)
                return
            else:
                break
        for backlog, taken in batch:
            self._settle(backlog, taken, standings[backlog.call_id])
        if all(standing is Standing.BUSY for standing in standings.values()):
            await asyncio.sleep(BUSY_RETRY)

    async def _divide(self, batch: Batch, error: SQLAlchemyError | ValueError) -> None:
        """Find the call whose rows cannot be written, and write those of the others."""
        if len(batch) > 1:
            for each in batch:
                await self._commit([each])
            return
        [(backlog, taken)] = batch
        _log.error("rows cannot be written", call_id=backlog.call_id, exc_info=error)
        self._waiting.pop(backlog, None)
        backlog.fail(error, taken)

    def _settle(self, backlog: CallBacklog, taken: Taken, standing: Standing) -> None:
        if standing is Standing.BUSY:
            backlog.put_back(taken)
            self._waiting[backlog] = None
            return
        backlog.done(taken)
        if standing is not Standing.OPEN:
            backlog.on_gone()

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        lost = error or DatabaseUnavailable("the process ended before it was written")
        for backlog in self._opened:
            backlog.fail(lost)


class _Transaction:
    """One batch, until it is known to be committed."""

    def __init__(self, database: Database, changes: Sequence[CallChanges]) -> None:
        self._database, self._changes = database, changes
        self._written: Written | None = None

    async def run(self) -> Mapping[str, Standing]:
        """Commit the batch unless a former run did. Raises what storage and SQLAlchemy raise."""
        if self._written is not None and await self._is_committed(self._written):
            return self._written.standings
        self._written = None
        async with self._database.system() as session:
            # Known before the commit, which may break in the middle.
            self._written = written = await call_batches.write(session, self._changes)
        return written.standings

    async def _is_committed(self, written: Written) -> bool:
        async with self._database.system() as session:
            known = await call_batches.was_committed(session, written)
        if known is None:
            raise DatabaseUnavailable("a transaction whose connection broke has not ended yet")
        return known
