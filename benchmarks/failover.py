"""From the first sign that a carrier is gone to the route that leads elsewhere, on defaults.

The product as processes; peers of this process. A third of the primaries falls silent: the clock
starts with the first OPTIONS that such a peer leaves unanswered. A third closes its UDP port: it
starts when the schedule has the next OPTIONS due. A third closes its TCP connection and listens no
more: it starts there. It ends with the route's row, which calls go by.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import psycopg

from benchmarks.report import print_table
from domain.health_schedule import next_due
from local.postgres import EmbeddedPostgres
from sip.build import response_to
from sip.errors import RemoteProtocolError
from sip.message import Request, parse_message
from tests.support.customer import Customer
from tests.support.postgres import PostgresForTests, TestDatabase
from tests.support.product import open_product
from tests.support.temporal import run_temporal

TRUNKS: Final = 10
"""Of each kind."""

PORT: Final = 5060
SETTLED_WITHIN: Final = 60.0
SWITCHED_WITHIN: Final = 150.0
GOALS: Final = {"silent": "35 s", "refused": "3 s", "closed": "3 s"}


class Primary(asyncio.DatagramProtocol):
    """A peer that answers OPTIONS over UDP and TCP until it is gone; ``signed_at`` is Unix time."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.silent = False
        self.signed_at: float | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._streams: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.address, PORT)
        )
        self._tcp = await asyncio.start_server(self._serve, self.address, PORT)

    def close(self) -> None:
        """Close every socket at once."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for stream in self._streams:
            stream.transport.abort()

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is not None and self._udp is not None:
            self._udp.sendto(answer, source)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.append(writer)
        try:
            while True:
                answer = self._answer(await reader.readuntil(b"\r\n\r\n"))
                if answer is not None:
                    writer.write(answer)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    def _answer(self, data: bytes) -> bytes | None:
        try:
            request = parse_message(data)
        except RemoteProtocolError:
            return None
        if not isinstance(request, Request) or request.method != "OPTIONS":
            return None
        if self.silent:
            self.signed_at = self.signed_at or time.time()
            return None
        return response_to(request, 200, to_tag="t").serialize()


@dataclass(frozen=True, slots=True)
class Case:
    """A primary that will be gone, and the trunk that calls by it."""

    kind: str
    peer: Primary
    trunk_id: str

    def end(self, target_id: str) -> None:
        """Let the primary be gone."""
        if self.kind == "silent":
            self.peer.silent = True
            return
        self.peer.close()
        now = time.time()
        self.peer.signed_at = now if self.kind == "closed" else next_due(target_id, now)[1]


@asynccontextmanager
async def system(folder: Path) -> AsyncIterator[tuple[Customer, TestDatabase]]:
    """The product with its standard settings, and one customer."""
    for name in ("postgres", "temporal", "product"):
        (folder / name).mkdir()
    async with AsyncExitStack() as stack:
        server = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        urls = stack.enter_context(PostgresForTests(server).database())
        temporal = await stack.enter_async_context(run_temporal(folder / "temporal"))
        product = await stack.enter_async_context(
            open_product(
                folder / "product", urls, temporal, TRUNKLINE_ALLOWED_NETWORKS="127.0.0.0/8"
            )
        )
        api, _ = await asyncio.gather(product.start_api(), product.start_worker())
        yield await product.customer(api), urls


async def configure(customer: Customer, number: int, kind: str) -> Case:
    """A trunk with a primary of its own; the secondary is everybody's."""
    peer = Primary(f"127.77.1.{number + 1}")
    await peer.start()
    transport = "tcp" if kind == "closed" else "udp"
    phone = f"+14155552{number:03}"
    asked = {"source": "options"}
    await customer.attach(phone, f"sip:{peer.address};transport={transport}", health_check=asked)
    failover = {"endpoints": [{"host": "127.77.0.1", "transport": transport}]}
    changed = await customer.told(
        "PATCH",
        "/v1/sip/config",
        phone_number=phone,
        direction="outbound",
        failover_config=failover,
    )
    return Case(kind, peer, changed["outbound"]["trunk_id"])


def rows(urls: TestDatabase, query: str) -> list[tuple[str, float]]:
    """What a query finds: a key and a number."""
    with psycopg.connect(urls.admin_url) as connection:
        return [(str(key), float(value)) for key, value in connection.execute(query).fetchall()]


SETTLED: Final = """
    SELECT trunk_id, count(*) FROM trunk_endpoints e
      JOIN health_name_targets USING (name_id)
      JOIN health_states s USING (target_id) WHERE s.state = 'healthy' GROUP BY trunk_id
"""
SWITCHED: Final = """
    SELECT trunk_id, extract(epoch FROM changed_at) FROM trunk_routes
     WHERE route -> 'active' ->> 'position' = '1'
"""
TARGETS: Final = "SELECT id || ' ' || address, 0 FROM health_targets"


async def until(urls: TestDatabase, query: str, count: int, seconds: float) -> dict[str, float]:
    """What the query finds once it finds so many rows. Raises ``TimeoutError``."""
    give_up = time.monotonic() + seconds
    while len(found := rows(urls, query)) < count:
        if time.monotonic() > give_up:
            raise TimeoutError(f"{len(found)} of {count} after {seconds:g} s")
        await asyncio.sleep(0.5)
    return dict(found)


async def measure(folder: Path) -> dict[str, list[float]]:
    """Seconds from the sign to the switched route, by kind."""
    async with system(folder) as (customer, urls):
        secondary = Primary("127.77.0.1")
        await secondary.start()
        kinds = [kind for kind in GOALS for _ in range(TRUNKS)]
        cases = [await configure(customer, each, kind) for each, kind in enumerate(kinds)]
        await until(urls, SETTLED, len(cases), SETTLED_WITHIN)
        await asyncio.sleep(5)
        targets = [key.partition(" ") for key, _ in rows(urls, TARGETS)]
        target_ids = {address: target_id for target_id, _, address in targets}
        for case in cases:
            case.end(target_ids[case.peer.address])
        switched = await until(urls, SWITCHED, len(cases), SWITCHED_WITHIN)
        secondary.close()
    taken: dict[str, list[float]] = {kind: [] for kind in GOALS}
    for case in cases:
        assert case.peer.signed_at is not None
        taken[case.kind].append(switched[case.trunk_id] - case.peer.signed_at)
    return taken


def main(arguments: Sequence[str] = ()) -> None:
    """Entry of the measurement."""
    with tempfile.TemporaryDirectory() as name:
        taken = asyncio.run(measure(Path(name)))
    print_table(
        f"Failover, {TRUNKS} trunks of each kind, standard settings",
        ["the primary", "p50", "worst", "goal"],
        [
            [kind, f"{median(each):.2f} s", f"{max(each):.2f} s", GOALS[kind]]
            for kind, each in taken.items()
        ],
    )


if __name__ == "__main__":
    main()
