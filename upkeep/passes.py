"""Which passes a process runs, and how often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from storage import idempotency, presence, sip_messages
from storage.engine import Database
from storage.presence import ProcessFacts
from upkeep.loops import Pass
from upkeep.reaper import reap_discoveries

__all__ = ["PRESENCE_INTERVAL", "SILENT_AFTER", "passes_of"]

PRESENCE_INTERVAL = timedelta(seconds=3)
SILENT_AFTER = timedelta(seconds=15)
"""A process that missed five beats counts as gone; ``/readyz`` looks at the same limit."""

REAP_INTERVAL = timedelta(seconds=5)
PARTITION_INTERVAL = timedelta(hours=1)
FORGET_AFTER = timedelta(hours=1)

ClientSource = Callable[[], Awaitable[Client | None]]


def passes_of(process: ProcessFacts, database: Database, client: ClientSource) -> tuple[Pass, ...]:
    """The upkeep of one API or worker process; ``client`` gives Temporal, or ``None`` for now."""

    async def beat() -> None:
        async with database.system() as session:
            await presence.beat(session, process, now=datetime.now(UTC))

    async def reap() -> None:
        await reap_discoveries(database, await client())

    async def tidy() -> None:
        now = datetime.now(UTC)
        async with database.system() as session:
            await sip_messages.maintain_partitions(session, today=now.date())
            await presence.purge(session, silent_since=now - FORGET_AFTER)
            await idempotency.expire(session, now=now)

    return (
        Pass("presence", PRESENCE_INTERVAL, beat),
        Pass("reaper", REAP_INTERVAL, reap),
        Pass("tidy", PARTITION_INTERVAL, tidy),
    )
