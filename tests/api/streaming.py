"""A client that reads an answer while it is being written, on the application itself."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI

__all__ = ["ServerSentEvent", "Stream", "opened_stream", "served"]

PATIENCE = 10.0
"""Seconds that a test waits for what must come."""


@dataclass(frozen=True)
class ServerSentEvent:
    """One dispatched event, as the HTML standard's parser would dispatch it."""

    name: str
    data: Any
    id: str


@dataclass
class Stream:
    """What came so far of one streamed answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    ended: bool = False
    _unread: bytes = b""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self) -> ServerSentEvent | None:
        """The next event; ``None`` when the stream has ended. Comments are passed over."""
        while True:
            found = self._parsed()
            if found is not None or (self.ended and b"\n\n" not in self._unread):
                return found
            await self.more()

    async def event(self) -> ServerSentEvent:
        """The next event, which must come before the stream ends."""
        found = await self.next()
        assert found is not None
        return found

    async def rest(self) -> list[ServerSentEvent]:
        """Every event until the stream ends."""
        found = []
        while (event := await self.next()) is not None:
            found.append(event)
        return found

    async def more(self) -> None:
        """Return when something came, or the answer has ended."""
        async with asyncio.timeout(PATIENCE):
            await self._news.wait()
        self._news.clear()

    def _parsed(self) -> ServerSentEvent | None:
        while b"\n\n" in self._unread:
            block, _, self._unread = self._unread.partition(b"\n\n")
            lines = [line.partition(": ") for line in block.decode().split("\n")]
            values = {name: value for name, _, value in lines}
            if "data" in values:
                return ServerSentEvent(
                    values.get("event", "message"),
                    json.loads(values["data"]),
                    values.get("id", ""),
                )
        return None

    def receive(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.raw += message.get("body", b"")
            self._unread += message.get("body", b"")
            self.ended = not message.get("more_body", False)
        self._news.set()


@asynccontextmanager
async def opened_stream(
    app: FastAPI, path: str, headers: Mapping[str, str]
) -> AsyncIterator[Stream]:
    """Send a GET and read its answer; leaving the block is a client that goes away."""
    path, _, query = path.partition("?")
    stream, gone, asked = Stream(), asyncio.Event(), False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        stream.receive(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("api.test", 80),
    }
    answering = asyncio.create_task(app(scope, receive, send))
    try:
        while not stream.status:
            await stream.more()
        yield stream
    finally:
        gone.set()
        async with asyncio.timeout(PATIENCE):
            await answering


@asynccontextmanager
async def served(app: FastAPI, host: str) -> AsyncIterator[str]:
    """The application behind a socket; its lifespan is the caller's."""
    listening = socket.create_server((host, 0))
    config = uvicorn.Config(
        app, http="httptools", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listening.close()
