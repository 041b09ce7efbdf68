"""Which passes a process runs, and how often."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from observability.logs import get_logger
from storage import idempotency, outbox, presence, sip_messages
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.ids import new_id
from storage.presence import ProcessFacts
from storage.tables import ProcessKind
from upkeep.loops import Pass
from upkeep.reaper import reap_discoveries, reap_test_calls
from upkeep.relay import KEPT_FOR, relay_outbox

__all__ = ["PRESENCE_INTERVAL", "SILENT_AFTER", "leave", "passes_of", "this_process"]

_log = get_logger("trunkline.upkeep")

PRESENCE_INTERVAL = timedelta(seconds=3)
SILENT_AFTER = timedelta(seconds=15)
"""A process that missed five beats counts as gone; ``/readyz`` looks at the same limit."""

RELAY_INTERVAL = timedelta(seconds=1)
REAP_INTERVAL = timedelta(seconds=5)
PARTITION_INTERVAL = timedelta(hours=1)
FORGET_AFTER = timedelta(hours=1)

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


def passes_of(process: ProcessFacts, database: Database, client: ClientSource) -> tuple[Pass, ...]:
    """The upkeep of one API or worker process; ``client`` gives Temporal, or ``None`` for now."""

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

    async def tidy() -> None:
        now = datetime.now(UTC)
        async with database.system() as session:
            await sip_messages.maintain_partitions(session, today=now.date())
            await presence.purge(session, silent_since=now - FORGET_AFTER)
            await idempotency.expire(session, now=now)
            await outbox.purge(session, delivered_before=now - KEPT_FOR)

    return (
        Pass("presence", PRESENCE_INTERVAL, beat),
        Pass("relay", RELAY_INTERVAL, relay),
        Pass("reaper", REAP_INTERVAL, reap),
        Pass("tidy", PARTITION_INTERVAL, tidy),
    )
