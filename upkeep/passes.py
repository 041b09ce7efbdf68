"""Which passes a process runs, and how often."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from carriers.simulator import SimulatedPostman
from observability.logs import get_logger
from storage import alerts, idempotency, live_calls, outbox, presence, sip_messages
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.ids import new_id
from storage.presence import ProcessFacts
from storage.tables import ProcessKind
from upkeep.alerts import ALERTS_KEPT, decide_alerts
from upkeep.health_days import HISTORY_KEPT, tidy_health
from upkeep.loops import Pass
from upkeep.monitors import start_missing_monitors
from upkeep.porting import hear_first_calls, tidy_porting
from upkeep.reaper import reap_discoveries, reap_test_calls
from upkeep.relay import KEPT_FOR, relay_outbox
from upkeep.trunks import wake_undecided_trunks

__all__ = ["PRESENCE_INTERVAL", "SILENT_AFTER", "leave", "passes_of", "this_process"]

_log = get_logger("trunkline.upkeep")

PRESENCE_INTERVAL = timedelta(seconds=3)
SILENT_AFTER = timedelta(seconds=15)
"""A process that missed five beats counts as gone; ``/readyz`` looks at the same limit."""

RELAY_INTERVAL = timedelta(seconds=1)
REAP_INTERVAL = timedelta(seconds=5)
MONITOR_INTERVAL = timedelta(seconds=30)
ALERT_INTERVAL = timedelta(seconds=2)
POST_INTERVAL = timedelta(seconds=1)
FIRST_CALL_INTERVAL = timedelta(seconds=5)
PARTITION_INTERVAL = timedelta(hours=1)
FORGET_AFTER = timedelta(hours=1)
LONGEST_CALL = timedelta(hours=13)
"""A collector ends a call itself of which it has heard nothing for twelve hours."""
TRAFFIC_DAYS_KEPT = 30
"""SIP messages and calls of real traffic, unless the operator says otherwise."""

ClientSource = Callable[[], Awaitable[Client | None]]


def this_process(kind: ProcessKind, task_queues: Sequence[str] = ()) -> ProcessFacts:
    """What the calling process says of itself; a new id with every call."""
    return ProcessFacts(
        id=new_id("wkr"),
        kind=kind,
        host=socket.gethostname(),
        pid=os.getpid(),
        task_queues=task_queues,
        started_at=datetime.now(UTC),
    )


async def leave(process: ProcessFacts, database: Database) -> None:
    """Say that the process ends; while the database is away it is found silent instead."""
    try:
        async with database.system() as session:
            await presence.leave(session, process.id)
    except DatabaseUnavailable as error:
        _log.warning("the presence of this process stays behind", reason=str(error))


def passes_of(
    process: ProcessFacts,
    database: Database,
    client: ClientSource,
    *,
    history_kept: timedelta = HISTORY_KEPT,
    traffic_days_kept: int = TRAFFIC_DAYS_KEPT,
    news: asyncio.Event | None = None,
    postman: SimulatedPostman | None = None,
) -> tuple[Pass, ...]:
    """The upkeep of one API or worker process; ``client`` gives Temporal, or ``None`` for now.

    What was seen of targets is the workers' to write, and to tidy: changes of theirs are kept for
    ``history_kept``. SIP messages and calls of real traffic are kept ``traffic_days_kept`` whole
    days. ``news`` is set when this process wrote something that is to be relayed at once.
    ``postman`` brings the webhooks of the simulated carrier.
    """

    async def beat() -> None:
        async with database.system() as session:
            await presence.beat(session, process, now=datetime.now(UTC))

    async def reap() -> None:
        temporal = await client()
        await reap_discoveries(database, temporal)
        await reap_test_calls(database, temporal)

    async def relay() -> None:
        temporal = await client()
        if temporal is not None:
            await relay_outbox(database, temporal)

    async def monitor() -> None:
        await wake_undecided_trunks(database)
        temporal = await client()
        if temporal is not None:
            await start_missing_monitors(database, temporal)

    async def tidy() -> None:
        now = datetime.now(UTC)
        # By itself: whoever writes a message waits until the new days are committed.
        async with database.system() as session:
            await sip_messages.maintain_partitions(
                session, today=now.date(), days_kept=traffic_days_kept
            )
        async with database.system() as session:
            await live_calls.maintain_days(session, today=now.date(), days_kept=traffic_days_kept)
        async with database.system() as session:
            await live_calls.end_forgotten(session, began_before=now - LONGEST_CALL)
        async with database.system() as session:
            await presence.purge(session, silent_since=now - FORGET_AFTER)
            await idempotency.expire(session, now=now)
            await outbox.purge(session, delivered_before=now - KEPT_FOR)
            await alerts.purge(session, resolved_before=now - ALERTS_KEPT)
        await tidy_porting(database, now=now)

    async def tidy_days_of_health() -> None:
        await tidy_health(database, now=datetime.now(UTC), history_kept=history_kept)

    async def alert() -> None:
        await decide_alerts(database)

    async def first_calls() -> None:
        await hear_first_calls(database)

    async def post() -> None:
        if postman is not None:
            await postman.deliver(now=datetime.now(UTC))

    of_workers = (
        Pass("health-days", PARTITION_INTERVAL, tidy_days_of_health),
        Pass("first-calls", FIRST_CALL_INTERVAL, first_calls),
        Pass("carrier-webhooks", POST_INTERVAL, post),
    )
    return (
        Pass("presence", PRESENCE_INTERVAL, beat),
        Pass("relay", RELAY_INTERVAL, relay, news or asyncio.Event()),
        Pass("reaper", REAP_INTERVAL, reap),
        Pass("monitors", MONITOR_INTERVAL, monitor),
        Pass("alerts", ALERT_INTERVAL, alert),
        Pass("tidy", PARTITION_INTERVAL, tidy),
        *(of_workers if process.kind is ProcessKind.WORKER else ()),
    )
