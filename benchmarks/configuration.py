"""The configuration API with 100,000 numbers in one organization.

- *attach*: 100 new numbers in one request, both directions, from request to answer.
- *read*: ``GET /v1/sip`` and a page of ``GET /v1/sip/numbers``, beside a bare FastAPI and psycopg
  route with the same look-ups (``benchmarks.bare_api``). Each server is one process on one core;
  requests come over a few kept connections. A server's processor time for a request does not
  depend on who else uses the machine, so the comparison is made with it.
- *depth*: a page at the beginning, in the middle and at the end of the list.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import quote

import psycopg

from benchmarks.report import milliseconds, print_machine, print_table
from local.parts import LOOPBACK
from local.ports import Wanted, claim_ports
from tests.support.customer import Customer
from tests.support.postgres import run_postgres
from tests.support.product import Product, open_product
from tests.support.temporal import run_temporal

NUMBERS = 100_000
PAGE = 100
ATTACHES = 60
CONNECTIONS = 8
REQUESTS = 1_000
DEPTH_REQUESTS = 100
WARM_UP = 200

ATTACH_GOAL_MS = 80
SHARE_GOAL = 0.6

FIRST = 14_150_000_000
"""The numbers follow each other from here on, without the plus sign."""
FILL = """
    INSERT INTO number_bindings (id, org_id, phone_number, direction, trunk_id, priority)
    SELECT 'cfg_' || lpad(n::text, 22, '0'), org_id, '+' || n, direction, trunk_id, priority
      FROM number_bindings, generate_series(%s::bigint, %s::bigint) n WHERE org_id = %s
"""


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
        """What the process has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading cost a server: requests a second, and its processor's seconds for one."""

    rate: float
    processor: float


async def attach(customer: Customer) -> list[float]:
    """Seconds that each of the requests took."""
    taken = []
    for index in range(ATTACHES):
        begun = time.perf_counter()
        answer = await customer.http.post(
            f"{customer.url}/v1/sip/attach",
            json=body(FIRST + NUMBERS + index * 100, 100),
            headers={"Authorization": f"Bearer {customer.key}"},
        )
        taken.append(time.perf_counter() - begun)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["data"]["configured"]) == 100
    return taken


def body(first: int, count: int) -> dict[str, object]:
    """A request to attach numbers that follow each other."""
    options = {"port": 5061, "transport": "tls", "secure_media": True}
    return {
        "phone_numbers": [f"+{first + index}" for index in range(count)],
        "service": "sip",
        "directions": [
            {"type": "inbound", "auth_mode": "ip"},
            {"type": "outbound", "sip_endpoint": "sip:trunk.provider.com", "options": options},
        ],
    }


async def ask(server: Server, targets: Sequence[str]) -> list[float]:
    """Seconds of each answer, one after the other over one connection."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.port)
    taken = []
    try:
        for target in targets:
            begun = time.perf_counter()
            writer.write(server.request(target))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            (length,) = (
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            await reader.readexactly(length)
            taken.append(time.perf_counter() - begun)
    finally:
        writer.close()
        await writer.wait_closed()
    return taken


async def read(server: Server, targets: Sequence[str]) -> Reading:
    """Ask over several connections at once."""
    await ask(server, targets[:WARM_UP])
    shares = [targets[index::CONNECTIONS] for index in range(CONNECTIONS)]
    used, begun = server.processor_seconds(), time.perf_counter()
    await asyncio.gather(*(ask(server, share) for share in shares))
    elapsed = time.perf_counter() - begun
    return Reading(len(targets) / elapsed, (server.processor_seconds() - used) / len(targets))


def number_at(position: int) -> str:
    return f"+{FIRST + position}"


def configuration_targets() -> list[str]:
    """Every so many of the numbers, so that none is asked for twice."""
    step = NUMBERS // REQUESTS
    return [f"/v1/sip?phone_number={quote(number_at(index * step))}" for index in range(REQUESTS)]


def page_target(server: Server, position: int) -> str:
    """The page behind this place of the list, in the words of the server."""
    last = number_at(position)
    if server.name == "bare":
        return f"/v1/sip/numbers?limit={PAGE}&after={quote(last)}"
    return f"/v1/sip/numbers?limit={PAGE}&cursor={urlsafe_b64encode(last.encode()).decode()}"


def page_targets(server: Server) -> list[str]:
    positions = range(0, NUMBERS - PAGE, (NUMBERS - PAGE) // (REQUESTS // 4))
    return [page_target(server, position) for position in positions]


@asynccontextmanager
async def bare_server(database_url: str, key: str) -> AsyncIterator[Server]:
    """The route to compare with, as a process."""
    port = claim_ports([Wanted("bare", LOOPBACK, 0)])["bare"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "benchmarks.bare_api:app", "--no-access-log"),
        *("--host", LOOPBACK, "--port", str(port), "--log-level", "warning"),
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


async def filled(product: Product, customer: Customer) -> None:
    """Give the organization its numbers: one by the API, the others like it."""
    answer = await customer.http.post(
        f"{customer.url}/v1/sip/attach",
        json=body(FIRST, 1),
        headers={"Authorization": f"Bearer {customer.key}"},
    )
    assert answer.status_code == 200, answer.text
    with psycopg.connect(product.database_urls.admin_url, autocommit=True) as admin:
        # The ids of the second direction must differ: each statement makes one direction.
        for direction in ("inbound", "outbound"):
            only = FILL + " AND direction = %s"
            prefix = only.replace("'cfg_'", f"'cfg_{direction[0]}'").replace("22", "21")
            admin.execute(prefix, [FIRST + 1, FIRST + NUMBERS - 1, customer.org_id, direction])
        admin.execute("VACUUM ANALYZE")


async def measured(folder: Path) -> None:
    for name in ("postgres", "temporal", "product"):
        (folder / name).mkdir()
    with run_postgres(folder / "postgres") as server, server.database() as urls:
        async with (
            run_temporal(folder / "temporal") as temporal,
            open_product(folder / "product", urls, temporal) as product,
        ):
            api = await product.start_api()
            customer = await product.customer(api)
            await filled(product, customer)
            assert api.process.pid is not None
            port = int(api.url.rpartition(":")[2])
            ours = Server("Trunkline", port, api.process.pid, customer.key)
            async with bare_server(urls.admin_url, customer.key) as bare:
                await print_reads(ours, bare)
                await print_depth(ours, bare)
            print_attach(await attach(customer))


async def print_reads(ours: Server, bare: Server) -> None:
    """Both servers by turns, so that what else runs here meets both."""
    rows = []
    for what, targets in (
        ("`GET /v1/sip`", {each.name: configuration_targets() for each in (ours, bare)}),
        (f"a page of {PAGE}", {each.name: page_targets(each) for each in (ours, bare)}),
    ):
        readings: dict[str, list[Reading]] = {ours.name: [], bare.name: []}
        for _ in range(3):
            for server in (bare, ours):
                readings[server.name].append(await read(server, targets[server.name]))
        best = {name: min(each.processor for each in them) for name, them in readings.items()}
        for name, them in readings.items():
            share = f"{best[bare.name] / best[name]:.0%}" if name == ours.name else ""
            rate = f"{max(each.rate for each in them):,.0f}"
            rows.append([f"{what}, {name}", rate, milliseconds(best[name]), share])
    print_table(
        f"Reading, {NUMBERS:,} numbers, one process",
        ["", "requests a second", "processor time", f"of bare (goal {SHARE_GOAL:.0%})"],
        rows,
    )


async def print_depth(ours: Server, bare: Server) -> None:
    rows = []
    for place, position in (("first", 0), ("middle", NUMBERS // 2), ("last", NUMBERS - PAGE - 1)):
        medians = [
            median(await ask(server, [page_target(server, position)] * DEPTH_REQUESTS))
            for server in (ours, bare)
        ]
        rows.append([place, *map(milliseconds, medians)])
    print_table(f"A page of {PAGE} by its place in the list, median", ["", ours.name, "bare"], rows)


def print_attach(taken: Sequence[float]) -> None:
    p99 = quantiles(taken, n=100)[98]
    print_table(
        f"Attach 100 numbers in both directions, {len(taken)} requests",
        ["p50", f"goal {ATTACH_GOAL_MS} ms", "p99"],
        [
            [
                milliseconds(median(taken)),
                str(median(taken) * 1000 < ATTACH_GOAL_MS),
                milliseconds(p99),
            ]
        ],
    )


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measured(Path(folder)))


if __name__ == "__main__":
    print_machine()
    main()
