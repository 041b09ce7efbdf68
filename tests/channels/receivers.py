"""HTTP servers that note what they are sent and answer as told, properly or not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

__all__ = [
    "Answer",
    "Receiver",
    "Request",
    "answering",
    "dripping",
    "flooding",
    "hanging",
    "receiver",
    "silent_body",
]

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """A server at ``address`` and ``port``; what it answers can be changed while it runs."""

    address: str
    answer: Answer
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def url(self, scheme: str = "http", host: str | None = None, path: str = "/hook") -> str:
        return f"{scheme}://{host or self.address}:{self.port}{path}"


def answering(status: int, *headers: str, body: bytes = b"") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return answer


async def hanging(writer: asyncio.StreamWriter) -> None:
    """Takes the request and says nothing, until the other side goes."""
    await writer.drain()
    await asyncio.Event().wait()


async def silent_body(writer: asyncio.StreamWriter) -> None:
    """A status, and a body that never comes."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    await hanging(writer)


async def dripping(writer: asyncio.StreamWriter) -> None:
    """A header that never ends, a byte at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0)


async def flooding(writer: asyncio.StreamWriter) -> None:
    """A body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


@asynccontextmanager
async def receiver(
    address: str, answer: Answer, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A server that lives as long as the context."""
    made = Receiver(address, answer)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        made.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (each.partition(":") for each in head[1:])
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            made.requests.append(Request(head[0], headers, body))
            await made.answer(writer)
        except (EOFError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, address, 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
