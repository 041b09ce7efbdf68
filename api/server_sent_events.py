"""Server-sent events (HTML Living Standard, section 9.2): bytes on the wire, and where to go on."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.types import Send

__all__ = [
    "HEARTBEAT",
    "HEARTBEAT_INTERVAL",
    "Cursor",
    "EventStream",
    "event_bytes",
    "opening",
]

HEARTBEAT: Final = b": still here\n\n"
HEARTBEAT_INTERVAL: Final = timedelta(seconds=10)
"""Shorter than the idle limits of proxies; a client that went away is noticed by it."""

_RECONNECT_AFTER: Final = timedelta(seconds=1)
# A number that PostgreSQL's bigint holds.
_CURSOR: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})(-end)?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a client has seen: SIP messages and timeline events up to these numbers, and the end."""

    messages: int = 0
    events: int = 0
    over: bool = False

    @classmethod
    def of(cls, text: str | None) -> Self:
        """What ``Last-Event-ID`` says; without one, or with one that is not ours, the beginning."""
        found = _CURSOR.fullmatch(text) if text is not None else None
        if found is None:
            return cls()
        return cls(int(found[1]), int(found[2]), found[3] is not None)

    def __str__(self) -> str:
        return f"{self.messages}-{self.events}{'-end' if self.over else ''}"


def opening() -> bytes:
    """First bytes of a stream: they tell the client that it is open, and when to come again."""
    return format_sse_event(retry=int(_RECONNECT_AFTER / timedelta(milliseconds=1)))


def event_bytes(name: str, data: BaseModel, cursor: Cursor | None = None) -> bytes:
    """One event with its data as JSON on one line; without a cursor a client that comes again is told
    everything again."""
    text = data.model_dump_json(by_alias=True)
    return format_sse_event(event=name, data_str=text, id=None if cursor is None else str(cursor))


class EventStream(StreamingResponse):
    """A streamed answer; ``source`` is closed with it, also when the client goes away first."""

    media_type = "text/event-stream"

    def __init__(self, source: AsyncGenerator[bytes]) -> None:
        # Proxies that collect an answer before they pass it on would hold the news back.
        super().__init__(source, headers={"X-Accel-Buffering": "no"})
        self._source = source

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._source):
            await super().stream_response(send)
