"""The call log as it grows, and a call of it as it happens, as server-sent events."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Final

from api.authentication import Principal
from api.call_query import CallListRequest
from api.errors import NotFound
from api.schemas.call_log import LoggedCallView
from api.schemas.trace_entries import TraceEntryView
from api.server_sent_events import (
    HEARTBEAT,
    HEARTBEAT_INTERVAL,
    Cursor,
    event_bytes,
    opening,
)
from api.services.captured_messages import captured
from api.services.logged_calls import found_call, listed
from api.services.recordings import MOST_MESSAGES, MOST_OCTETS
from api.state import ApiState
from domain.trace import TraceReader
from observability.logs import get_logger
from storage import calls, live_calls
from storage.call_pages import LoggedCall
from storage.errors import DatabaseUnavailable
from storage.notify import topic
from storage.tables import SipMessage
from storage.tables.live_call import NOBODYS

__all__ = ["tail_of_call", "tail_of_log"]

_log = get_logger("trunkline.api")

MISSED_NEWS: Final = timedelta(seconds=1)
"""Rows are read again at least this often, for a notification lost with its connection."""

AT_LEAST_APART: Final = timedelta(milliseconds=200)
"""Between two reads of a log that changes all the time."""

LONGEST: Final = timedelta(minutes=5)
"""Then a stream ends and its client comes again, for a key that was revoked meanwhile."""

PAGE: Final = 100


async def tail_of_log(
    state: ApiState, principal: Principal, request: CallListRequest
) -> AsyncGenerator[bytes]:
    """The newest calls, oldest of them first, then each again whenever it changes, and new ones.

    Ends after a while and when the database goes away; the client comes again and is told the newest
    calls anew.
    """
    owner = NOBODYS if request.unassigned else principal.org_id
    told: dict[str, LoggedCall] = {}
    yield opening()
    spoke = monotonic()
    over = spoke + LONGEST.total_seconds()
    async with state.listener.subscribe(topic(live_calls.CHANNEL, owner)) as waiter:
        while monotonic() < over:
            began = monotonic()
            try:
                page = await listed(
                    state,
                    principal,
                    request.wanted,
                    limit=request.limit,
                    before=None,
                    unassigned=request.unassigned,
                )
            except DatabaseUnavailable as error:
                _log.warning("a live view ends early", reason=str(error))
                return
            for call in reversed(page):
                if told.get(call.id) != call:
                    yield event_bytes("call", LoggedCallView.of(call))
                    spoke = monotonic()
            told = {call.id: call for call in page}
            if timedelta(seconds=monotonic() - spoke) >= HEARTBEAT_INTERVAL:
                yield HEARTBEAT
                spoke = monotonic()
            await waiter.wait(MISSED_NEWS)
            left = AT_LEAST_APART - timedelta(seconds=monotonic() - began)
            if left > timedelta(0):
                await waiter.wait(left)


async def tail_of_call(
    state: ApiState, principal: Principal, key: str, cursor: Cursor
) -> AsyncGenerator[bytes] | None:
    """Every message of the call, from the first one that the client has not seen, then the call itself.

    ``None`` for a client that has seen the end. Raises ``NotFound``.
    """
    async with found_call(state, principal, key) as (_, call):
        pass
    if cursor.over:
        return None
    return _CallTail(state, principal, call, cursor).stream()


class _CallTail:
    """One client that watches one call."""

    def __init__(
        self, state: ApiState, principal: Principal, call: LoggedCall, cursor: Cursor
    ) -> None:
        self._state, self._principal, self._call, self._cursor = state, principal, call, cursor
        # Read from the first one on, whatever the client has seen: messages are counted, timed and
        # compared with those before them.
        self._read_up_to = 0
        self._reader = TraceReader()
        self._count = 0
        self._octets = 0

    async def stream(self) -> AsyncGenerator[bytes]:
        yield opening()
        spoke = monotonic()
        over = spoke + LONGEST.total_seconds()
        channel = live_calls.CHANNEL if self._call.live else calls.CHANNEL
        async with self._state.listener.subscribe(topic(channel, self._call.id)) as waiter:
            while not self._cursor.over and monotonic() < over:
                try:
                    rows = await self._news()
                except (DatabaseUnavailable, NotFound) as error:
                    _log.warning("a live view ends early", reason=str(error))
                    return
                for chunk in await to_thread(self._chunks, rows):
                    yield chunk
                    spoke = monotonic()
                if len(rows) < PAGE and not self._cursor.over:
                    await waiter.wait(MISSED_NEWS)
                if timedelta(seconds=monotonic() - spoke) >= HEARTBEAT_INTERVAL:
                    yield HEARTBEAT
                    spoke = monotonic()

    async def _news(self) -> list[SipMessage]:
        async with found_call(self._state, self._principal, self._call.id) as (session, call):
            # Behind the row: what was written before the call ended is found in any case.
            self._call = call
            if self._count >= MOST_MESSAGES or self._octets >= MOST_OCTETS:
                return []
            if call.live:
                return await live_calls.messages(
                    session, call, after_seq=self._read_up_to, limit=PAGE
                )
            test = await calls.get(session, call.id)
            if test is None:
                return []
            return await calls.messages(session, test, after_seq=self._read_up_to, limit=PAGE)

    def _chunks(self, rows: list[SipMessage]) -> list[bytes]:
        chunks = list(self._messages(rows))
        if self._call.ended and len(rows) < PAGE:
            self._cursor = replace(self._cursor, over=True)
            chunks.append(event_bytes("call", LoggedCallView.of(self._call), self._cursor))
        return chunks

    def _messages(self, rows: Iterable[SipMessage]) -> Iterable[bytes]:
        for row in rows:
            self._read_up_to = row.seq
            self._count += 1
            self._octets += len(row.data)
            entry = self._reader.read(captured(row))
            if row.seq > self._cursor.messages:
                self._cursor = replace(self._cursor, messages=row.seq)
                yield event_bytes("message", TraceEntryView.of(entry), self._cursor)
