"""The health monitor as a whole: 100,000 targets, one worker process, PostgreSQL and Temporal.

``python -m benchmarks.health [--targets N] [--minutes M] [--transport udp|tls]``; without options
100,000 targets over UDP for four minutes and 5,000 over TLS for three.

Peers on distinct loopback addresses answer in processes of their own and record when each request
came, so that lateness and missed rounds are what the peers saw, not what the worker says of itself:
a round is due when ``domain.health_schedule`` says, and done when its request is there. CPU is that
of the worker and of every PostgreSQL process, from proc(5), for all they do meanwhile. One monitor
of the 64 is given short runs, so that a run's events can be counted in its history. Kamailio's
dispatcher probes the same peers behind that.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
import uvloop
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.contracts import WATCH_RUN, MonitorState
from benchmarks.health_ground import (
    cpu_seconds,
    cpu_seconds_below,
    memory,
    run_kamailio,
    run_peers,
)
from benchmarks.health_load import TRUNKS, load
from benchmarks.health_rounds import Rounds, judge_rounds
from benchmarks.report import milliseconds, print_machine, print_table
from domain.probe_target import SHARDS
from lab.behaviour import CertificateKind
from lab.certificates import Authority, lab_domain
from local.parts import LOOPBACK
from local.postgres import EmbeddedPostgres
from sip.transports import Transport
from tests.api.tenants import make_tenant
from tests.support.postgres import PostgresForTests, TestDatabase
from tests.support.product import Product, open_product
from tests.support.temporal import run_temporal
from workflows.health_monitor import HealthMonitorWorkflow
from workflows.names import WORKFLOW_QUEUE, health_monitor_workflow_id

SHORT_RUN: Final = timedelta(seconds=30)
TAKEN_WITHIN: Final = 600.0
SETTLE: Final = 75.0
"""Seconds after the last shard was taken: a target's first probe finds out its route, and its first
reply is a row."""

KAMAILIO_SECONDS: Final = 15.0
NAIVE_EVENTS: Final = 15_840
"""Events a day of a workflow that probes each minute by a timer and an activity: 11 a round."""
DAY: Final = timedelta(days=1)

GOALS: Final = "goals: below 30 % of a core, p99 below 1 s, nothing missed, below 1 % of the events"


@dataclass(frozen=True, slots=True)
class Plan:
    """One run."""

    transport: Transport
    targets: int
    minutes: float


PLANS: Final = (Plan(Transport.UDP, 100_000, 4), Plan(Transport.TLS, 5_000, 3))


@dataclass(frozen=True, slots=True)
class Reading:
    """What processes had used and the database had done at a moment (Unix time)."""

    at: float
    worker: float
    postgres: float
    temporal: float
    memory: int
    rows: int
    commits: int
    transitions: int


@dataclass(slots=True)
class System:
    """What runs beside the peers."""

    product: Product
    urls: TestDatabase
    postgres_pid: int
    temporal_pid: int
    client: Client
    worker_pid: int = 0

    def read(self) -> Reading:
        """Look at everything now."""
        with psycopg.connect(self.urls.admin_url) as connection:
            found = connection.execute(
                "SELECT (SELECT sum(n_tup_ins + n_tup_upd)::bigint FROM pg_stat_user_tables), "
                "xact_commit, (SELECT count(*) FROM health_transitions) "
                "FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone()
        assert found is not None
        return Reading(
            at=time.time(),
            worker=cpu_seconds(self.worker_pid),
            postgres=cpu_seconds_below(self.postgres_pid),
            temporal=cpu_seconds(self.temporal_pid),
            memory=memory(self.worker_pid),
            rows=found[0],
            commits=found[1],
            transitions=found[2],
        )

    def shards_taken(self) -> int:
        """How many shards somebody holds."""
        with psycopg.connect(self.urls.admin_url) as connection:
            found = connection.execute("SELECT count(*) FROM health_shards WHERE fence > 0")
            row = found.fetchone()
        assert row is not None
        return int(row[0])


@asynccontextmanager
async def system(folder: Path, ca_file: Path) -> AsyncIterator[System]:
    """A durable PostgreSQL, a Temporal and the product without a worker."""
    for name in ("postgres", "temporal", "product"):
        (folder / name).mkdir()
    async with AsyncExitStack() as stack:
        server = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        urls = stack.enter_context(PostgresForTests(server).database())
        temporal = await stack.enter_async_context(run_temporal(folder / "temporal"))
        product = await stack.enter_async_context(
            open_product(
                folder / "product",
                urls,
                temporal,
                TRUNKLINE_ALLOWED_NETWORKS="127.0.0.0/8",
                TRUNKLINE_TLS_CA_FILE=str(ca_file),
            )
        )
        client = await Client.connect(
            temporal.address,
            namespace=temporal.namespace,
            data_converter=pydantic_data_converter,
        )
        assert server.pid is not None
        assert temporal.process.pid is not None
        yield System(product, urls, server.pid, temporal.process.pid, client)


async def start_monitors(client: Client) -> None:
    """One for each shard, as the relay starts them; the first one's runs are short."""
    for shard in range(SHARDS):
        state = MonitorState(shard=shard, run_for=WATCH_RUN if shard else SHORT_RUN)
        await client.start_workflow(
            HealthMonitorWorkflow.run,
            state,
            id=health_monitor_workflow_id(shard),
            task_queue=WORKFLOW_QUEUE,
            start_signal="wanted",
        )


async def events_of_a_run(client: Client) -> float:
    """Events in the history of the monitor with short runs, for each of its runs."""
    handle = client.get_workflow_handle(health_monitor_workflow_id(0))
    standing = await handle.query(HealthMonitorWorkflow.standing)
    described = await handle.describe()
    return described.history_length / max(standing.runs, 1)


async def watch(running: System, plan: Plan) -> tuple[Reading, Reading, float]:
    """Let a worker watch for the plan's time; readings at both ends, and events of a run."""
    started = time.monotonic()
    await start_monitors(running.client)
    worker = await running.product.start_worker(grace=timedelta(seconds=10))
    assert worker.pid is not None
    running.worker_pid = worker.pid
    while (taken := running.shards_taken()) < SHARDS:
        if time.monotonic() - started > TAKEN_WITHIN:
            raise TimeoutError(f"{taken} shards were taken:\n{running.product.logs()}")
        await asyncio.sleep(1)
    print(f"all shards taken after {time.monotonic() - started:.0f} s", flush=True)
    await asyncio.sleep(SETTLE)
    before = running.read()
    await asyncio.sleep(plan.minutes * 60)
    after = running.read()
    events = await events_of_a_run(running.client)
    await worker.stop()
    return before, after, events


async def run(plan: Plan) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority.open(folder / "certificates")
        pair = authority.server_pair("responder", LOOPBACK, CertificateKind.VALID)
        tls = plan.transport is Transport.TLS
        with run_peers(plan.transport.value, plan.targets, folder, pair if tls else None) as peers:
            async with system(folder, authority.ca_file) as running:
                tenant = await make_tenant(running.product.database)
                loaded = load(
                    running.urls.admin_url,
                    tenant.org_id,
                    peers.addresses,
                    plan.transport,
                    domain=lab_domain("responder") if tls else None,
                )
                before, after, events = await watch(running, plan)
            kamailio = None
            if not tls:
                kamailio = run_kamailio(peers.addresses, folder, seconds=KAMAILIO_SECONDS)
            arrivals = list(peers.stop())
    rounds = judge_rounds(loaded, arrivals, before.at, after.at)
    rows = table(plan, rounds, before, after, events)
    if kamailio is not None:
        cost = kamailio.microseconds([at for _, at in arrivals])
        rows.append(["CPU of a probe, Kamailio's dispatcher", f"{cost:.0f} us"])
    title = f"Health checks of {plan.targets:,} targets over {plan.transport.upper()}"
    print_table(f"{title}, {plan.minutes:g} minutes ({GOALS})", ["what", "measured"], rows)


def table(
    plan: Plan, rounds: Rounds, before: Reading, after: Reading, events: float
) -> list[list[str]]:
    """Rows of the report."""
    seconds = after.at - before.at
    worker, postgres = after.worker - before.worker, after.postgres - before.postgres
    trunks = min(TRUNKS, plan.targets)
    daily = events * (DAY / WATCH_RUN) * SHARDS / trunks

    def each(used: float) -> str:
        return f"{used / rounds.requests * 1e6:.0f} us"

    return [
        ["requests that peers saw", f"{rounds.requests:,} ({rounds.requests / seconds:,.0f}/s)"],
        ["rounds due", f"{rounds.due:,}"],
        ["rounds missed", f"{rounds.missed:,}"],
        ["false alarms", f"{after.transitions - before.transitions:,}"],
        ["lateness p50", milliseconds(rounds.median)],
        ["lateness p99", milliseconds(rounds.percentile(0.99))],
        ["lateness, worst", milliseconds(rounds.lateness[-1])],
        ["worker and PostgreSQL, of one core", f"{(worker + postgres) / seconds:.1%}"],
        ["CPU of a probe, all in", each(worker + postgres)],
        ["CPU of a probe, worker", each(worker)],
        ["CPU of a probe, PostgreSQL", each(postgres)],
        ["Temporal server, of one core", f"{(after.temporal - before.temporal) / seconds:.1%}"],
        ["worker's memory", f"{after.memory / 2**20:,.0f} MiB"],
        ["rows written", f"{(after.rows - before.rows) / seconds:,.0f}/s"],
        ["transactions", f"{(after.commits - before.commits) / seconds:,.1f}/s"],
        ["events of a monitor's run", f"{events:.1f}"],
        [
            "events a trunk and day",
            f"{daily:,.0f} ({daily / NAIVE_EVENTS:.2%} of {NAIVE_EVENTS:,})",
        ],
    ]


def main(arguments: Sequence[str] = ()) -> None:
    """Entry of the measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health")
    parser.add_argument("--targets", type=int)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--transport", type=Transport, choices=[Transport.UDP, Transport.TLS])
    given = parser.parse_args(arguments)
    if given.minutes is not None and given.minutes < 1:
        parser.error("a round takes a minute")
    for plan in PLANS:
        if given.transport in (None, plan.transport):
            targets, minutes = given.targets or plan.targets, given.minutes or plan.minutes
            uvloop.run(run(Plan(plan.transport, targets, minutes)))


if __name__ == "__main__":
    print_machine()
    main(sys.argv[1:])
