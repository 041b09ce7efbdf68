"""Servers that are asked over HTTP, and what an answer costs them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from local.parts import LOOPBACK
from local.ports import Wanted, claim_ports

__all__ = ["Reading", "Server", "ask", "bare_server", "must_answer_alike", "read"]

CONNECTIONS = 8
WARM_UP = 400


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers, and what it is asked with."""

    name: str
    port: int
    pid: int
    key: str

    def request(self, target: str) -> bytes:
        return (
            f"GET {target} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.key}\r\n\r\n"
        ).encode()

    def processor_seconds(self) -> float:
        """What the threads of the process have used so far (proc(5), schedstat)."""
        spent = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in spent) / 1e9


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading cost a server: requests a second, and its processor's seconds for one."""

    rate: float
    processor: float


async def ask(server: Server, targets: Sequence[str]) -> list[float]:
    """Seconds of each answer, one after the other over one connection."""
    taken = []
    begun = time.perf_counter()
    async for _ in answers(server, targets):
        taken.append(time.perf_counter() - begun)
        begun = time.perf_counter()
    return taken


async def answers(server: Server, targets: Sequence[str]) -> AsyncIterator[bytes]:
    """The bodies of the answers, asked for one after the other over one connection."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.port)
    try:
        for target in targets:
            writer.write(server.request(target))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            (length,) = (
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            yield await reader.readexactly(length)
    finally:
        writer.close()
        await writer.wait_closed()


async def must_answer_alike(servers: Sequence[Server], targets: Sequence[str]) -> None:
    """Compare what the servers say to some of the targets."""
    some = targets[:: len(targets) // 10]
    said = [[json.loads(body) async for body in answers(each, some)] for each in servers]
    assert said[1:] == said[:-1], said


async def read(server: Server, targets: Sequence[str]) -> Reading:
    """Ask over several connections at once."""
    shares = [targets[index::CONNECTIONS] for index in range(CONNECTIONS)]
    await asyncio.gather(*(ask(server, share[: WARM_UP // CONNECTIONS]) for share in shares))
    used, begun = server.processor_seconds(), time.perf_counter()
    await asyncio.gather(*(ask(server, share) for share in shares))
    elapsed = time.perf_counter() - begun
    return Reading(len(targets) / elapsed, (server.processor_seconds() - used) / len(targets))


@asynccontextmanager
async def bare_server(database_url: str, key: str) -> AsyncIterator[Server]:
    """The route to compare with, as a process."""
    port = claim_ports([Wanted("bare", LOOPBACK, 0)])["bare"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "benchmarks.bare_api:app", "--no-access-log"),
        *("--host", LOOPBACK, "--port", str(port), "--log-level", "warning"),
        # As api.serve runs ours.
        *("--loop", "uvloop", "--http", "httptools", "--ws", "none"),
        *("--no-server-header", "--no-proxy-headers"),
        env={**os.environ, "BARE_DATABASE_URL": database_url},
    )
    try:
        for _ in range(300):
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                break
        yield Server("bare", port, process.pid, key)
    finally:
        process.terminate()
        await process.wait()
