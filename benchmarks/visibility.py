"""From the reply on the wire to the row that another connection sees (goal: 50 ms).

The whole product runs: API, worker, Temporal, PostgreSQL, and a Kamailio to discover. The beginning
is the time on the wire record that the worker takes at its socket; the end is when this process,
woken by the notification, has read the attempt's row over a connection of its own. Both clocks are this machine's.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import psycopg
import uvloop

from benchmarks.report import milliseconds, p95, print_machine, print_table, spread
from storage import sip_messages
from storage.tables import MessageDirection
from tests.support.kamailio import Kamailio, run_kamailio
from tests.support.loopback import claim_loopback_block
from tests.support.postgres import run_postgres
from tests.support.product import Customer, Product, open_product
from tests.support.temporal import run_temporal

DISCOVERIES = 60
GOAL_MS = 50

Place = tuple[str, str, int]
"""Discovery, transport and port of an attempt."""


class Watch:
    """When each answered attempt was first seen, by a process that is told of changes."""

    def __init__(self) -> None:
        self.seen: dict[Place, float] = {}

    async def run(self, url: str) -> None:
        """Read new rows at each notification, until cancelled."""
        # A connection that listens is taken: rows are read over another.
        listening = await psycopg.AsyncConnection.connect(url, autocommit=True)
        reading = await psycopg.AsyncConnection.connect(url, autocommit=True)
        async with listening, reading:
            await listening.execute("LISTEN trunkline")
            last = 0
            async for _ in listening.notifies():
                rows = await reading.execute(
                    "SELECT seq, discovery_id, transport, port FROM discovery_attempts "
                    "WHERE seq > %s AND outcome = 'answered' ORDER BY seq",
                    [last],
                )
                for seq, discovery_id, transport, port in await rows.fetchall():
                    last = max(last, seq)
                    self.seen[discovery_id, transport, port] = time.time()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Product, Kamailio, Customer]]:
    """The product with one worker, and whom it discovers for whom."""
    for name in ("postgres", "temporal", "product", "kamailio"):
        (folder / name).mkdir()
    async with AsyncExitStack() as stack:
        block = stack.enter_context(claim_loopback_block())
        server = stack.enter_context(run_postgres(folder / "postgres"))
        urls = stack.enter_context(server.database())
        temporal = await stack.enter_async_context(run_temporal(folder / "temporal"))
        kamailio = await stack.enter_async_context(
            run_kamailio(block.address(), folder / "kamailio")
        )
        product = await stack.enter_async_context(
            open_product(
                folder / "product",
                urls,
                temporal,
                TRUNKLINE_ALLOWED_NETWORKS="127.0.0.0/8",
                TRUNKLINE_DISCOVERY_RUNS_PER_TARGET="10000",
            )
        )
        api = await product.start_api()
        await product.start_worker()
        yield product, kamailio, await product.customer(api)


async def answered_at(
    product: Product, customer: Customer, discovery_id: str
) -> dict[Place, float]:
    """When the reply of each transport came off the wire."""
    async with product.database.tenant(customer.org_id) as session:
        messages = await sip_messages.of_owner(session, "discovery", discovery_id)
    return {
        (discovery_id, each.transport, each.remote_port): each.at.timestamp()
        for each in messages
        if each.direction is MessageDirection.IN
    }


async def run() -> None:
    """Measure and print."""
    watch = Watch()
    on_wire: dict[Place, float] = {}
    posted: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as (product, kamailio, customer):
            watching = asyncio.create_task(watch.run(product.database_urls.admin_url))
            for number in range(DISCOVERIES):
                # One port and transport: the discovery is over when its answer is there.
                transport = ("udp", "tcp", "tls")[number % 3]
                begun = time.time()
                answer = await customer.discover(
                    kamailio.address, port=kamailio.port(transport), transport=transport
                )
                discovery_id = answer.json()["data"]["discovery_id"]
                await customer.ended(discovery_id, seconds=20)
                arrived = await answered_at(product, customer, discovery_id)
                on_wire.update(arrived)
                posted += [moment - begun for moment in arrived.values()]
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
    delays = [watch.seen[place] - moment for place, moment in on_wire.items()]
    rows = [
        ["reply on the wire to row visible", *_cells(delays)],
        ["POST to reply on the wire", *_cells(posted)],
    ]
    print_table(
        f"Visibility of an attempt, {len(delays)} attempts (goal: {GOAL_MS} ms)",
        ["from, to", "best", "median", "p95", "worst"],
        rows,
    )


def _cells(values: list[float]) -> list[str]:
    middle, best = spread(values)
    return [milliseconds(value) for value in (best, middle, p95(values), max(values))]


def main() -> None:
    """Entry of the measurement."""
    uvloop.run(run())


if __name__ == "__main__":
    print_machine()
    main()
