"""Telling other processes at once that rows changed (LISTEN and NOTIFY).

A notification is a hint to read rows again, never the news itself: it is delivered after the commit
of the transaction that sent it, or not at all when the listening connection is away. It carries ids
only, since row-level security does not reach it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Self

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.engine import connection_parameters

__all__ = ["CHANNEL", "Listener", "Waiter", "notify", "topic"]

CHANNEL: Final = "trunkline"
# PostgreSQL delivers payloads of less than 8000 bytes.
MAX_TOPIC_BYTES: Final = 7999
FIRST_BACKOFF: Final = timedelta(milliseconds=100)
LONGEST_BACKOFF: Final = timedelta(seconds=5)
# A connection that a firewall forgot looks quiet, as one without news does: ask now and then.
QUIET_LIMIT: Final = timedelta(seconds=30)

_logger = structlog.get_logger(__name__)


def topic(channel: str, payload: str) -> str:
    """What a listener subscribes to, for instance ``discovery:disc_…``."""
    return f"{channel}:{payload}"


async def notify(session: AsyncSession, channel: str, payload: str) -> None:
    """Wake everybody who waits for ``topic(channel, payload)`` once this transaction commits.

    ``channel`` is a business word, ``payload`` an id. Equal notifications of one transaction are
    delivered once. Raises ``ValueError`` when they are too long.
    """
    name = topic(channel, payload)
    if len(name.encode()) > MAX_TOPIC_BYTES:
        raise ValueError("a notification carries an id, not content")
    await session.execute(
        text("SELECT pg_notify(:channel, :topic)"), {"channel": CHANNEL, "topic": name}
    )


class Waiter:
    """Waits for notifications of one topic since the last wait."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    async def wait(self, at_most: timedelta) -> bool:
        """True when something may have changed since the last call, at once if it has already;
        false after ``at_most``. A reconnected listener wakes everybody, because it may have missed
        something."""
        try:
            async with asyncio.timeout(at_most.total_seconds()):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    def wake(self) -> None:
        self._woken.set()


class Listener:
    """One dedicated connection of this process; connects, and reconnects, by itself.

    Use as ``async with Listener(url) as listener``. It starts also while PostgreSQL is away: then
    waiters time out, and are woken when it is back.
    """

    def __init__(self, url: str) -> None:
        self._parameters = connection_parameters(url, application="trunkline-listener")
        self._waiters: dict[str, set[Waiter]] = {}
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen_for_ever(), name="trunkline-listener")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is not None:
            self._task.cancel()
            # Unlike awaiting the task, this does not confuse its cancellation with ours.
            await asyncio.wait([self._task])
            self._task = None

    @asynccontextmanager
    async def subscribe(self, name: str) -> AsyncIterator[Waiter]:
        """A waiter for this topic (see ``topic``): everything notified from here on wakes it."""
        waiter = Waiter()
        self._waiters.setdefault(name, set()).add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[name].discard(waiter)
            if not self._waiters[name]:
                del self._waiters[name]

    async def listening(self) -> None:
        """Return once connected."""
        await self._listening.wait()

    async def _listen_for_ever(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                if self._listening.is_set():
                    backoff = FIRST_BACKOFF
                self._listening.clear()
                reason = str(error).partition("\n")[0]
                _logger.warning("listener_disconnected", reason=reason)
            # Many processes lose the same server at the same moment.
            await asyncio.sleep(backoff.total_seconds() * random.uniform(0.5, 1))
            backoff = min(backoff * 2, LONGEST_BACKOFF)

    async def _listen(self) -> None:
        """Until the connection breaks, which raises ``psycopg.Error``."""
        connection = await psycopg.AsyncConnection.connect(autocommit=True, **self._parameters)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._listening.set()
            for name in list(self._waiters):
                self._wake(name)
            while True:
                async for news in connection.notifies(timeout=QUIET_LIMIT.total_seconds()):
                    self._wake(news.payload)
                await connection.execute("SELECT 1")

    def _wake(self, name: str) -> None:
        for waiter in self._waiters.get(name, ()):
            waiter.wake()
