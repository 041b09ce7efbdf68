"""Real traffic: messages a second that one collector takes, assembles and writes (goal: 5,000).

The collector and PostgreSQL run as they do for users; another process sends calls of 14 messages over
UDP. Whatever is lost is counted by the collector or missing in the tables. The delay is from the newest
capture time in the table to now, asked five times a second.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import httpx
import psycopg

from benchmarks.report import milliseconds, p95, print_machine, print_table
from benchmarks.traffic_load import MESSAGES_PER_CALL
from tests.support.loopback import claim_loopback_block
from tests.support.postgres import run_postgres
from tests.support.product import CollectorProcess, open_product
from tests.support.temporal import run_temporal

RATE = 5_000
SECONDS = 30
ASK_EVERY = 0.2
SETTLE = 8.0
"""Seconds behind the last message: calls last four."""

LOST = ("dropped_full", "kernel_drops", "table_full", "held_full", "call_unknown")
"""Counts of the collector that mean a message is not in the table."""

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of these processes so far."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def backends_of(url: str) -> list[int]:
    """The PostgreSQL processes that serve the collector."""
    with psycopg.connect(url, autocommit=True) as admin:
        rows = admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'trunkline-hep'"
        ).fetchall()
    return [pid for (pid,) in rows]


async def delays(url: str, done: asyncio.Event) -> list[float]:
    """How far the table is behind, in seconds, while messages come."""
    found = []
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as reader:
        while not done.is_set():
            row = await (
                await reader.execute(
                    "SELECT extract(epoch FROM now() - max(at)) FROM sip_messages WHERE at > now() - interval '1 min'"
                )
            ).fetchone()
            if row is not None and row[0] is not None:
                found.append(float(row[0]))
            await asyncio.sleep(ASK_EVERY)
    return found


async def counters(metrics: str) -> dict[str, float]:
    """The collector's own counts, by their labels."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(metrics)).text
    found = {}
    for line in text.splitlines():
        if line.startswith("trunkline_hep_") and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


async def run() -> None:
    """Measure and print."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("postgres", "temporal", "product"):
            (folder / name).mkdir()
        block = stack.enter_context(claim_loopback_block())
        server = stack.enter_context(run_postgres(folder / "postgres"))
        urls = stack.enter_context(server.database())
        temporal = await stack.enter_async_context(run_temporal(folder / "temporal"))
        product = await stack.enter_async_context(open_product(folder / "product", urls, temporal))
        await _measured(urls.admin_url, await product.start_collector(block.address()))


async def _measured(url: str, collector: CollectorProcess) -> None:
    pid = collector.process.pid
    assert pid is not None
    done = asyncio.Event()
    watching = asyncio.create_task(delays(url, done))
    backends = backends_of(url)
    before = cpu_seconds([pid]), cpu_seconds(backends)
    sender = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.traffic_load"),
        *(collector.address[0], str(collector.address[1]), str(RATE), str(SECONDS)),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await sender.communicate()
    done.set()
    behind = await watching
    used = cpu_seconds([pid]) - before[0], cpu_seconds(backends) - before[1]
    await asyncio.sleep(SETTLE)
    sent, took = int(said.split()[0]), float(said.split()[1])
    counted = await counters(f"http://127.0.0.1:{collector.metrics_port}/metrics")
    with psycopg.connect(url, autocommit=True) as admin:
        [(messages,)] = admin.execute("SELECT count(*) FROM sip_messages").fetchall()
        [(calls,)] = admin.execute("SELECT count(*) FROM live_calls WHERE ended").fetchall()
    dropped = sum(value for name, value in counted.items() if any(word in name for word in LOST))
    print_table(
        f"Real traffic, {sent:,} messages at {RATE:,}/s (goal: none lost)",
        ["", "figure"],
        [
            ["messages sent a second", f"{sent / took:,.0f}"],
            ["messages in the table", f"{messages:,}"],
            ["calls that ended in the log", f"{calls:,} of {sent // MESSAGES_PER_CALL:,}"],
            ["dropped by the collector's counts", f"{dropped:,.0f}"],
            ["CPU of the collector", f"{100 * used[0] / took:.0f} % of a core"],
            ["CPU of its PostgreSQL connections", f"{100 * used[1] / took:.0f} % of a core"],
            ["behind, median", milliseconds(median(behind))],
            ["behind, p95", milliseconds(p95(behind))],
        ],
    )


def main() -> None:
    """Entry of the measurement."""
    asyncio.run(run())


if __name__ == "__main__":
    print_machine()
    main()
