"""A test call as it happens, as server-sent events.

``timeline`` is a line of the timeline, ``message`` a SIP message as the trace shows it, ``result`` the whole
status, sent last. Each has the id of a cursor behind which a client goes on after a broken connection.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from operator import itemgetter
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.errors import NotFound
from api.schemas.test_calls import TestCallView, TimelineEntry
from api.schemas.trace_entries import TraceEntryView
from api.server_sent_events import (
    HEARTBEAT,
    HEARTBEAT_INTERVAL,
    Cursor,
    event_bytes,
    opening,
)
from api.services.captured_messages import captured
from api.services.test_call_views import MISSED_NEWS, view_of
from api.state import ApiState
from domain.trace import TraceReader
from observability.logs import get_logger
from storage import calls
from storage.errors import DatabaseUnavailable
from storage.notify import topic
from storage.tables import Call, CallEvent, SipMessage

__all__ = ["opened"]

_log = get_logger("trunkline.api")

PAGE = 100
"""Rows of one read."""

MOST_MESSAGES = 1_000
MOST_OCTETS = 4 * 1024 * 1024
"""Passed on of one call, as much as its trace shows; a peer that floods us must not fill the memory."""


async def opened(
    state: ApiState, principal: Principal, call_id: str, cursor: Cursor
) -> AsyncGenerator[bytes] | None:
    """The stream from behind ``cursor`` on; ``None`` for a client that has seen the end.

    Raises ``NotFound``.
    """
    async with state.database.tenant(principal.org_id) as session:
        row = await calls.get_test(session, call_id)
    if row is None:
        raise NotFound("no such test call")
    if cursor.over:
        return None
    return _Watch(state, principal.org_id, call_id, cursor).stream()


@dataclass(frozen=True, slots=True)
class _News:
    """What one read found: rows in the order in which they happened, and the end when it is there."""

    rows: Sequence[SipMessage | CallEvent]
    result: TestCallView | None
    more: bool


class _Watch:
    """One client that watches one call."""

    def __init__(self, state: ApiState, org_id: str, call_id: str, cursor: Cursor) -> None:
        self._state = state
        self._org_id = org_id
        self._call_id = call_id
        self._cursor = cursor
        # Messages are read from the first one on, whatever the client has seen: they are counted, timed
        # and compared with those before them.
        self._read_up_to = 0
        self._reader = TraceReader()
        self._count = 0
        self._octets = 0

    async def stream(self) -> AsyncGenerator[bytes]:
        yield opening()
        spoke = monotonic()
        async with self._state.listener.subscribe(topic(calls.CHANNEL, self._call_id)) as waiter:
            while not self._cursor.over:
                try:
                    news = await self._news()
                except DatabaseUnavailable as error:
                    # The client comes again, maybe to another process.
                    _log.warning("a live view ends early", reason=str(error))
                    return
                if news is None:
                    return
                # Outside the event loop: reading what a peer made hard to read takes its time.
                for chunk in await to_thread(self._chunks, news):
                    yield chunk
                    spoke = monotonic()
                if not news.more and not self._cursor.over:
                    await waiter.wait(MISSED_NEWS)
                if timedelta(seconds=monotonic() - spoke) >= HEARTBEAT_INTERVAL:
                    yield HEARTBEAT
                    spoke = monotonic()

    async def _news(self) -> _News | None:
        """What was written since the last read; ``None`` when the call is gone."""
        async with self._state.database.tenant(self._org_id) as session:
            row = await calls.get_test(session, self._call_id)
            if row is None:
                return None
            # Behind the row: what was written before it ended is found in any case.
            messages = await self._messages(session, row)
            events = await calls.events(session, row.id, after_seq=self._cursor.events, limit=PAGE)
            more = PAGE in (len(messages), len(events))
            ended = row.ended_at is not None and not more
            result = await view_of(session, row) if ended else None
        happened: list[tuple[datetime, SipMessage | CallEvent]] = list(
            merge(
                ((row.at, row) for row in messages),
                ((row.at, row) for row in events),
                key=itemgetter(0),
            )
        )
        return _News([row for _, row in happened], result, more)

    async def _messages(self, session: AsyncSession, row: Call) -> list[SipMessage]:
        if self._count >= MOST_MESSAGES or self._octets >= MOST_OCTETS:
            return []
        return await calls.messages(session, row, after_seq=self._read_up_to, limit=PAGE)

    def _chunks(self, news: _News) -> list[bytes]:
        chunks = []
        for row in news.rows:
            if isinstance(row, CallEvent):
                self._cursor = replace(self._cursor, events=row.seq)
                chunks.append(event_bytes("timeline", TimelineEntry.of(row), self._cursor))
            else:
                chunks.extend(self._message(row))
        if news.result is not None:
            self._cursor = replace(self._cursor, over=True)
            chunks.append(event_bytes("result", news.result, self._cursor))
        return chunks

    def _message(self, row: SipMessage) -> Iterator[bytes]:
        self._read_up_to = row.seq
        self._count += 1
        self._octets += len(row.data)
        entry = self._reader.read(captured(row))
        if row.seq > self._cursor.messages:
            self._cursor = replace(self._cursor, messages=row.seq)
            yield event_bytes("message", TraceEntryView.of(entry), self._cursor)
