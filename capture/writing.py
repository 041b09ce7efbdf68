"""Calls and messages on their way into the database, each once, however often it goes away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.exc import DataError, IntegrityError

from capture.patience import patiently
from observability.logs import get_logger
from storage import live_calls, transactions
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.live_calls import NewLiveCall
from storage.sip_messages import NewMessage
from storage.tables import LiveCallRow

__all__ = ["LiveWriter"]

_log = get_logger("trunkline.hep")


class LiveWriter:
    """For one task, which waits for each write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.unwritable = 0
        """Rows that the database refused for what they hold."""

    async def stored(
        self, sip_call_ids: Collection[str], *, since: datetime
    ) -> Sequence[LiveCallRow]:
        """Calls in progress with these Call-IDs; waits for the database."""

        async def find() -> Sequence[LiveCallRow]:
            async with self._database.system() as session:
                return await live_calls.find_open(session, sip_call_ids, since=since)

        return await patiently(find)

    async def write(self, calls: Sequence[NewLiveCall], messages: Sequence[NewMessage]) -> None:
        """Return when all is committed; waits for the database.

        A row that it refuses for what it holds is logged, counted and left out: nothing a peer sends
        keeps the rest from being written. Any other error is raised and ends the process visibly.
        """
        if not calls and not messages:
            return
        batch = _Batch(self._database, calls, messages)
        try:
            await patiently(batch.commit)
        except (DataError, IntegrityError, ValueError) as error:
            if len(calls) + len(messages) > 1:
                await self._write_parts(calls, messages)
                return
            self.unwritable += 1
            _log.error("a row of real traffic cannot be written", reason=str(error)[:500])

    async def _write_parts(
        self, calls: Sequence[NewLiveCall], messages: Sequence[NewMessage]
    ) -> None:
        middle, half = len(calls) // 2, len(messages) // 2
        # A call's row goes before its messages.
        await self.write(calls[:middle], ())
        await self.write(calls[middle:], ())
        await self.write((), messages[:half])
        await self.write((), messages[half:])


class _Batch:
    """One transaction, until it is known to be committed."""

    def __init__(
        self, database: Database, calls: Sequence[NewLiveCall], messages: Sequence[NewMessage]
    ) -> None:
        self._database, self._calls, self._messages = database, calls, messages
        self._number = 0

    async def commit(self) -> None:
        """Commit unless a former attempt did. Raises what storage and SQLAlchemy raise."""
        if self._number:
            async with self._database.system() as session:
                committed = await transactions.was_committed(session, self._number)
            if committed:
                return
            if committed is None:
                raise DatabaseUnavailable("a transaction whose connection broke has not ended yet")
        self._number = 0
        async with self._database.system() as session:
            # Known before the commit, which may break in the middle.
            self._number = await transactions.number_of(session)
            await live_calls.write(session, self._calls, self._messages)
