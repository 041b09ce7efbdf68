"""Test calls through the whole product: our own time, live views, and the pace of media.

API, worker, Temporal and PostgreSQL run as processes, a SIPp answers. Three measurements:

- *overhead*: from the customer's POST to the INVITE on the wire (its record at the worker's socket).
- *live view*: from a message on the wire to its event in the hands of a client that follows the call.
- *media*: 50 calls at once on one worker; time between the RTP packets of a call, by the kernel's
  clock in a capture. They should be 20 ms apart, the digit's like those of audio; no gap is left out.

All clocks are this machine's.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import uvloop

from benchmarks.report import milliseconds, print_machine, print_table
from storage import sip_messages
from storage.tables import MessageDirection
from tests.support.customer import Customer
from tests.support.loopback import LoopbackBlock, claim_loopback_block
from tests.support.postgres import run_postgres
from tests.support.product import Product, open_product
from tests.support.programs import program_path
from tests.support.sipp_calls import MEDIA_PORT, CallScript, SippCallee, run_sipp_callee
from tests.support.temporal import run_temporal
from tests.support.tshark import fields_of

REFUSED_CALLS = 60
FOLLOWED_CALLS = 20
CALLS_AT_ONCE = 50
NUMBER = "+14155550100"

VISIBLE_GOAL_MS = 200
CAPTURE_SETTLES = 1.0
"""Seconds that a capture needs to begin, and to write what it holds."""


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Product, LoopbackBlock]]:
    """The product with one worker, and addresses for its peers."""
    for name in ("postgres", "temporal", "product"):
        (folder / name).mkdir()
    async with AsyncExitStack() as stack:
        block = stack.enter_context(claim_loopback_block())
        server = stack.enter_context(run_postgres(folder / "postgres"))
        urls = stack.enter_context(server.database())
        temporal = await stack.enter_async_context(run_temporal(folder / "temporal"))
        product = await stack.enter_async_context(
            open_product(
                folder / "product",
                urls,
                temporal,
                TRUNKLINE_ALLOWED_NETWORKS="127.0.0.0/8",
                TRUNKLINE_TEST_CALLS_PER_WINDOW="1000",
            )
        )
        yield product, block


async def invite_sent_at(product: Product, customer: Customer, call_id: str) -> float:
    """When the INVITE went out, in seconds of the wall clock."""
    async with product.database.tenant(customer.org_id) as session:
        messages = await sip_messages.of_owner(session, "call", call_id)
    return min(each.at.timestamp() for each in messages if each.direction is MessageDirection.OUT)


async def overhead(product: Product, customer: Customer) -> list[float]:
    """Seconds from POST to INVITE, one call after the other."""
    delays = []
    for _ in range(REFUSED_CALLS):
        begun = time.time()
        call_id = await customer.begin_test_call(NUMBER)
        await customer.test_call_ended(call_id)
        delays.append(await invite_sent_at(product, customer, call_id) - begun)
    return delays


async def live_view(product: Product, customer: Customer) -> list[float]:
    """Seconds from the wire to the client, for messages after the client began to follow."""
    delays: list[float] = []
    for _ in range(FOLLOWED_CALLS):
        call_id = await customer.begin_test_call(NUMBER)
        began = time.time()
        arrived: dict[str, float] = {}
        async for event in customer.test_call_events(call_id):
            if event.name == "message":
                arrived[event.data["at"]] = event.at
        async with product.database.tenant(customer.org_id) as session:
            messages = await sip_messages.of_owner(session, "call", call_id)
        moments = [each.at.timestamp() for each in messages]
        for sent, seen in zip(sorted(moments), sorted(arrived.values()), strict=True):
            if sent > began:
                delays.append(seen - sent)
    return delays


async def media(folder: Path, sipp: SippCallee, customer: Customer) -> tuple[list[float], int]:
    """Seconds between packets of one call, over all calls; and how many calls were connected."""
    tshark = program_path("tshark")
    assert tshark is not None, "tshark is not installed"
    file = folder / "media.pcapng"
    capture = await asyncio.create_subprocess_exec(
        *(tshark, "-i", "lo", "-w", str(file), "-B", "32", "-q"),
        *("-f", f"udp dst port {MEDIA_PORT} and dst host {sipp.address}"),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        await asyncio.sleep(CAPTURE_SETTLES)
        call_ids = await asyncio.gather(
            *(customer.begin_test_call(NUMBER) for _ in range(CALLS_AT_ONCE))
        )
        views = [await customer.test_call_ended(each, seconds=90) for each in call_ids]
        await asyncio.sleep(CAPTURE_SETTLES)
    finally:
        capture.terminate()
        await capture.wait()
    rows = await fields_of(
        tshark,
        file,
        ("frame.time_epoch", "rtp.ssrc"),
        *("-d", f"udp.port=={MEDIA_PORT},rtp", "-Y", "rtp"),
    )
    moments: dict[str, list[float]] = defaultdict(list)
    for at, ssrc in rows:
        moments[ssrc].append(float(at))
    gaps = [
        after - before
        for packets in moments.values()
        for before, after in itertools.pairwise(packets)
    ]
    return gaps, sum(view["result"] == "connected" for view in views)


async def run() -> None:
    """Measure and print."""
    rows: list[list[Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with running(folder) as (product, block):
            api = await product.start_api()
            await product.start_worker()
            busy, answering = block.address(), block.address()
            for each in (busy, answering):
                (folder / each).mkdir()
            async with (
                run_sipp_callee(CallScript.BUSY, "udp", busy, folder / busy, calls=REFUSED_CALLS),
                run_sipp_callee(
                    CallScript.ANSWERS,
                    "udp",
                    answering,
                    folder / answering,
                    calls=FOLLOWED_CALLS + CALLS_AT_ONCE,
                ) as sipp,
            ):
                refused = await product.customer(api)
                await refused.attach(NUMBER, f"sip:{busy}", transport="udp", port=5060)
                rows.append(
                    ["POST to INVITE on the wire", *_cells(await overhead(product, refused))]
                )
                customer = await product.customer(api)
                await customer.attach(NUMBER, f"sip:{answering}", transport="udp", port=5060)
                delays = await live_view(product, customer)
                rows.append(
                    [
                        f"message on the wire to client (goal: {VISIBLE_GOAL_MS} ms)",
                        *_cells(delays),
                    ]
                )
                gaps, connected = await media(folder, sipp, customer)
    print_table(
        f"Test calls: {REFUSED_CALLS} refused, {FOLLOWED_CALLS} followed live",
        ["from, to", "p50", "p99", "worst"],
        rows,
    )
    print_table(
        f"RTP of {CALLS_AT_ONCE} calls at once on one worker, {connected} connected",
        ["between packets (20 ms)", "p1", "p50", "p99", "worst"],
        [
            [
                f"{len(gaps):,} gaps",
                milliseconds(quantiles(gaps, n=100, method="inclusive")[0]),
                *_cells(gaps),
            ]
        ],
    )


def _cells(values: list[float]) -> list[str]:
    return [
        milliseconds(value)
        for value in (median(values), quantiles(values, n=100, method="inclusive")[-1], max(values))
    ]


def main() -> None:
    """Entry of the measurement."""
    uvloop.run(run())


if __name__ == "__main__":
    print_machine()
    main()
