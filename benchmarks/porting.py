"""Port orders by the thousand: how soon an order takes in what was written down for it.

The product as processes with its standard settings: one API, one worker, PostgreSQL, the embedded Temporal, a mail
server, and the workflows of all orders open (``benchmarks.porting_ground``). What is measured begins when the
transaction with the outbox entry has committed (a letter was signed) and ends when another connection sees the order's
next sub-status in its row: the relay, the signal, the decision and the projection. Behind it come the simulated
carrier, its answer, and the mails.

- *paced*: letters are signed a few a second, all the other orders wait.
- *at once*: as many are signed in one go, so the last one waits for all others.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from benchmarks.porting_ground import BEGUN_WITHIN, SEEN_WITHIN, SENT, TAKEN, Ground, ground
from benchmarks.report import milliseconds, print_machine, print_table
from benchmarks.traffic import cpu_seconds

__all__ = ["measure"]

ORDERS: Final = 1_000
SIGNED: Final = 100
"""Letters in each of the two."""
A_SECOND: Final = 2


async def measure(orders: int, signed: int) -> None:
    """Measure with so many orders and print."""
    with tempfile.TemporaryDirectory() as name:
        async with ground(Path(name)) as made:
            await _measured(made, orders, signed)


async def _measured(made: Ground, orders: int, signed: int) -> None:
    pid = made.worker.pid
    assert pid is not None
    begun, spent = time.monotonic(), cpu_seconds([pid])
    await made.place(orders)
    await made.until(TAKEN, "port:%", orders, BEGUN_WITHIN)
    await made.nothing_waits()
    opened = time.monotonic() - begun, cpu_seconds([pid]) - spent
    watching = asyncio.create_task(made.watch())
    first, rest = made.order_ids[:signed], made.order_ids[signed : 2 * signed]
    for order_id in first:
        due = asyncio.create_task(asyncio.sleep(1 / A_SECOND))
        await made.sign(order_id)
        await due
    await made.until(SENT, "lsr_sent", len(first), SEEN_WITHIN)
    begun, spent = time.monotonic(), cpu_seconds([pid])
    await asyncio.gather(*map(made.sign, rest))
    await made.until(SENT, "lsr_sent", len(first) + len(rest), SEEN_WITHIN)
    through = time.monotonic() - begun, cpu_seconds([pid]) - spent
    watching.cancel()
    _print(made, first, rest, opened, through, pid)


def _print(
    made: Ground,
    first: Sequence[str],
    rest: Sequence[str],
    opened: tuple[float, float],
    through: tuple[float, float],
    pid: int,
) -> None:
    orders = len(made.order_ids)
    print_table(
        f"Porting, {orders:,} open orders, one worker",
        ["from the outbox entry to the order's row", "p50", "p99", "worst"],
        [
            [f"{len(first):,} letters signed, {A_SECOND}/s", *_spread(made.latencies(first))],
            [f"{len(rest):,} letters signed at once", *_spread(made.latencies(rest))],
        ],
    )
    print_table(
        "What it takes",
        ["", "figure"],
        [
            [f"{orders:,} orders written until all workflows run", f"{opened[0]:.0f} s"],
            ["CPU of the worker for each of them", milliseconds(opened[1] / orders)],
            [f"{len(rest):,} signed at once until the last was sent", f"{through[0]:.0f} s"],
            ["CPU of the worker for each of them", milliseconds(through[1] / len(rest))],
            ["memory of the worker", f"{_resident(pid):,.0f} MB"],
            ["mails that the server took", f"{len(made.mails.taken):,}"],
        ],
    )


def _spread(values: Sequence[float]) -> list[str]:
    highest = quantiles(values, n=100)[-1]
    return [milliseconds(each) for each in (median(values), min(highest, max(values)), max(values))]


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Entry of the measurement."""
    asyncio.run(measure(ORDERS, SIGNED))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.porting")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--signed", type=int, default=SIGNED)
    chosen = parser.parse_args()
    print_machine()
    asyncio.run(measure(chosen.orders, chosen.signed))
