"""Rounds of chaos: a process dies while a customer works, and at the end everything is as he was told.

``kill -9`` at random moments, of the worker, the API, PostgreSQL and Temporal; the supervisor starts
them again. What is compared at the end: each number's endpoint, that every call and every discovery
has ended, that no outbox entry waits, and that each trunk's workflow goes by the trunk's revision.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import psycopg

from local.upfile import UpFile
from tests.chaos.customer import Customer

__all__ = ["VICTIMS", "Chaos", "chaos"]

VICTIMS: Final = ("api", "worker", "postgres", "temporal")
WISHES: Final = 4
"""Requests on their way while a process dies."""

LONGEST_DELAY: Final = 1.5
"""Seconds from the first request of a round to the kill."""

READY_WITHIN: Final = 120.0
SETTLED_WITHIN: Final = 180.0
"""Seconds: a call may last two minutes, and its clean-up a retry more."""

PEERS: Final = ("asterisk", "kamailio", "cisco")

UNSETTLED: Final = {
    "outbox entries wait": "SELECT count(*) FROM outbox WHERE delivered_at IS NULL",
    "discoveries run": "SELECT count(*) FROM discoveries WHERE status = 'running'",
    "calls have not ended": "SELECT count(*) FROM calls WHERE ended_at IS NULL",
    "trunks' workflows are behind": (
        "SELECT count(*) FROM trunks WHERE adopted_revision IS DISTINCT FROM revision"
    ),
}
"""What must come to nothing, by the query that counts it (as the owner, who sees all)."""


@dataclass(slots=True)
class Chaos:
    """A running system of ``make up`` and who works with it."""

    var: Path
    customer: Customer
    choices: random.Random
    report: Callable[[str], None]
    kills: Counter[str] = field(default_factory=Counter)

    async def round(self) -> None:
        """Kill one process while requests are on their way, and wait until all is there again."""
        wishes = [asyncio.create_task(self.customer.wish())]
        victim = self.choices.choice(VICTIMS)
        await asyncio.sleep(self.choices.uniform(0, LONGEST_DELAY))
        self._kill(victim)
        began = time.monotonic()
        for _ in range(WISHES - 1):
            await wishes[-1]
            wishes.append(asyncio.create_task(self.customer.wish()))
        await asyncio.gather(*wishes)
        await self._ready()
        self.kills[victim] += 1
        self.report(f"killed {victim}; all well after {time.monotonic() - began:.1f} s")

    async def differences(self) -> list[str]:
        """How the system at rest differs from what the customer was told; empty when it does not."""
        found = await self._unsettled()
        configured = await self.customer.configured()
        if configured != self.customer.expected:
            found.append(f"numbers are {configured}, told was {self.customer.expected}")
        return found

    def _kill(self, victim: str) -> None:
        up = UpFile.read(self.var)
        pid = up.pids.get(victim) if up is not None else None
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    async def _ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            up = UpFile.read(self.var)
            if (
                up is not None
                and set(VICTIMS) <= set(up.pids)
                and await self.customer.sees_it_ready()
            ):
                return
            await asyncio.sleep(0.2)
        raise TimeoutError("the system did not come back")

    async def _unsettled(self) -> list[str]:
        deadline = time.monotonic() + SETTLED_WITHIN
        while True:
            up = UpFile.read(self.var)
            assert up is not None
            found = []
            async with await psycopg.AsyncConnection.connect(up.database_url) as connection:
                for what, query in UNSETTLED.items():
                    row = await (await connection.execute(query)).fetchone()
                    if row is None or row[0]:
                        found.append(f"{row and row[0]} {what}")
            if not found or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.5)


@asynccontextmanager
async def chaos(
    var: Path, up: UpFile, *, seed: int, report: Callable[[str], None]
) -> AsyncIterator[Chaos]:
    """Work with the system whose data are in ``var``; the same seed makes the same wishes."""
    choices = random.Random(seed)
    peers = [up.lab[name] for name in PEERS]
    async with httpx.AsyncClient(
        base_url=up.api_url, headers={"Authorization": f"Bearer {up.api_key}"}, timeout=30
    ) as client:
        yield Chaos(var, Customer(client, peers, choices), choices, report)
