"""The configuration API with 100,000 numbers in one organization.

- *attach*: 100 new numbers in one request, both directions, from request to answer.
- *read*: ``GET /v1/sip`` and a page of ``GET /v1/sip/numbers``, beside a bare FastAPI and psycopg
  route with the same look-ups and the same answers (``benchmarks.bare_api``). Each server is one
  process, so it has one core; requests come over a few kept connections. The comparison is made
  with a server's own processor time for a request, which depends least on who else uses the
  machine: its inverse is the requests a second that one core answers.
- *depth*: a page at the beginning, in the middle and at the end of the list.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import quote

import psycopg

from benchmarks.http_servers import Reading, Server, ask, bare_server, must_answer_alike, read
from benchmarks.report import milliseconds, print_machine, print_table
from tests.support.customer import Customer
from tests.support.postgres import run_postgres
from tests.support.product import Product, open_product
from tests.support.temporal import run_temporal

NUMBERS = 100_000
PAGE = 100
ATTACHES = 60
REQUESTS = 1_000
TURNS = 5
DEPTH_REQUESTS = 100

ATTACH_GOAL_MS = 80
SHARE_GOAL = 0.6

FIRST = 14_150_000_000
"""The numbers follow each other from here on, without the plus sign."""
FILL = """
    INSERT INTO number_bindings (id, org_id, phone_number, direction, trunk_id, priority)
    SELECT 'cfg_' || lpad(n::text, 22, '0'), org_id, '+' || n, direction, trunk_id, priority
      FROM number_bindings, generate_series(%s::bigint, %s::bigint) n WHERE org_id = %s
"""


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


def number_at(position: int) -> str:
    return f"+{FIRST + position}"


def configuration_targets() -> list[str]:
    """Every so many of the numbers, so that none is asked for twice."""
    step = NUMBERS // REQUESTS
    return [f"/v1/sip?phone_number={quote(number_at(index * step))}" for index in range(REQUESTS)]


def page_target(position: int) -> str:
    """The page behind this place of the list."""
    cursor = urlsafe_b64encode(number_at(position).encode()).decode()
    return f"/v1/sip/numbers?limit={PAGE}&cursor={cursor}"


def page_targets() -> list[str]:
    step = (NUMBERS - PAGE) // REQUESTS
    return [page_target(index * step) for index in range(REQUESTS)]


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
            used = ours.processor_seconds()
            taken = await attach(customer)
            print_attach(taken, (ours.processor_seconds() - used) / len(taken))


async def print_reads(ours: Server, bare: Server) -> None:
    """Both servers by turns, so that what else runs here meets both."""
    rows = []
    for what, targets in (
        ("`GET /v1/sip`", configuration_targets()),
        (f"a page of {PAGE}", page_targets()),
    ):
        await must_answer_alike((ours, bare), targets)
        readings: dict[str, list[Reading]] = {ours.name: [], bare.name: []}
        for _ in range(TURNS):
            for server in (bare, ours):
                readings[server.name].append(await read(server, targets))
        best = {name: min(each.processor for each in them) for name, them in readings.items()}
        for name, them in readings.items():
            share = f"{best[bare.name] / best[name]:.0%}" if name == ours.name else ""
            rate = f"{max(each.rate for each in them):,.0f}"
            rows.append([f"{what}, {name}", rate, milliseconds(best[name]), share])
    print_table(
        f"Reading, {NUMBERS:,} numbers, one process, best of {TURNS} turns",
        ["", "requests a second", "processor time", f"of bare (goal {SHARE_GOAL:.0%})"],
        rows,
    )


async def print_depth(ours: Server, bare: Server) -> None:
    rows = []
    for place, position in (("first", 0), ("middle", NUMBERS // 2), ("last", NUMBERS - PAGE - 2)):
        medians = [
            median(await ask(server, [page_target(position)] * DEPTH_REQUESTS))
            for server in (ours, bare)
        ]
        rows.append([place, *map(milliseconds, medians)])
    print_table(f"A page of {PAGE} by its place in the list, median", ["", ours.name, "bare"], rows)


def print_attach(taken: Sequence[float], processor: float) -> None:
    p50, p99 = median(taken), quantiles(taken, n=100)[98]
    print_table(
        f"Attach 100 numbers in both directions, {len(taken)} requests",
        ["p50", f"goal {ATTACH_GOAL_MS} ms", "p99", "processor time of the API"],
        [
            [
                milliseconds(p50),
                str(p50 * 1000 < ATTACH_GOAL_MS),
                milliseconds(p99),
                milliseconds(processor),
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
