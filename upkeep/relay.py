"""Deliver what transactions decided: the outbox's entries become signals to workflows.

Every API and worker process relays. An entry is delivered while its row is locked and marked in the
same transaction, so a relay that dies leaves it to another one, which repeats it: a receiver knows
a revision that it has already. Within a stream nothing overtakes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from activities.contracts import AlertDeliveryState, PortRun, TrunkFacts, TrunkRevision, TrunkState
from domain.porting.events import Fact, FactKind
from observability.logs import get_logger
from storage import alerts, health_facts, outbox, port_orders, trunks
from storage.engine import Database
from storage.tables import OutboxEntry
from upkeep.monitors import want_monitor
from workflows.alert_delivery import AlertDeliveryWorkflow
from workflows.names import (
    ORG_ID,
    WORKFLOW_QUEUE,
    alert_workflow_id,
    port_workflow_id,
    trunk_workflow_id,
)
from workflows.port_order import PortOrderWorkflow
from workflows.trunk import TrunkWorkflow

__all__ = ["KEPT_FOR", "relay_outbox", "retry_after"]

_log = get_logger("trunkline.relay")

BATCH: Final = 20
DELIVERY_DEADLINE = timedelta(seconds=5)
FIRST_RETRY = timedelta(milliseconds=500)
LONGEST_RETRY = timedelta(seconds=5)
"""So short, because an absent Temporal is what fails most, and its return is what all wait for."""
PORT_TASK_TIMEOUT = timedelta(seconds=5)
"""A port order decides within its workflow tasks: what a dead worker held is free again that soon."""
KEPT_FOR = timedelta(days=7)
"""Delivered entries stay this long, for whoever asks what was told when."""


async def relay_outbox(database: Database, client: Client) -> int:
    """Deliver everything that is due; how many entries were. Raises ``DatabaseUnavailable``."""
    delivered = 0
    while True:
        claimed, done = await _relay_some(database, client)
        delivered += done
        if claimed < BATCH and not done:
            return delivered


async def _relay_some(database: Database, client: Client) -> tuple[int, int]:
    """How many entries were taken, and how many of them were delivered."""
    async with database.system() as session:
        entries = await outbox.claim(session, now=datetime.now(UTC), limit=BATCH)
        errors = await asyncio.gather(*(_attempt(client, entry) for entry in entries))
        now = datetime.now(UTC)
        done = [entry.id for entry, error in zip(entries, errors, strict=True) if error is None]
        if done:
            await outbox.mark_delivered(session, done, now=now)
        for entry, error in zip(entries, errors, strict=True):
            if error is not None:
                _log.warning("an outbox entry waits", stream=entry.stream, reason=error)
                retry_at = now + retry_after(entry.attempts)
                await outbox.mark_failed(session, entry.id, error=error, retry_at=retry_at)
    return len(entries), len(done)


def retry_after(attempts: int) -> timedelta:
    """How long an entry waits that has failed once more than ``attempts`` times."""
    return min(FIRST_RETRY * (1 << min(attempts, 10)), LONGEST_RETRY)


async def _attempt(client: Client, entry: OutboxEntry) -> str | None:
    """Deliver an entry; why it could not be."""
    deliver = _DELIVERIES.get(entry.kind)
    if deliver is None:
        # Of a newer release, whose processes relay too.
        return f"nobody here knows {entry.kind!r}"
    try:
        await deliver(client, entry)
    except RPCError as error:
        return f"{error.status.name}: {error.message}"
    except ValueError as error:
        # Of a newer release as well: a word that nobody here knows.
        return f"cannot be read here: {error}"
    return None


async def _trunk_changed(client: Client, entry: OutboxEntry) -> None:
    payload = entry.payload
    revision = TrunkRevision(revision=int(payload["revision"]), removed=bool(payload["removed"]))
    await _tell_trunk(client, entry, "revised", revision)


async def _trunk_facts(client: Client, entry: OutboxEntry) -> None:
    await _tell_trunk(client, entry, "facts_changed", TrunkFacts(seq=entry.id))


async def _tell_trunk(
    client: Client, entry: OutboxEntry, signal: str, argument: TrunkRevision | TrunkFacts
) -> None:
    """Signal the trunk's workflow; it is started when there is none."""
    trunk_id = str(entry.payload["trunk_id"])
    await client.start_workflow(
        TrunkWorkflow.run,
        TrunkState(trunk_id=trunk_id, org_id=entry.org_id),
        id=trunk_workflow_id(trunk_id),
        task_queue=WORKFLOW_QUEUE,
        search_attributes=TypedSearchAttributes([SearchAttributePair(ORG_ID, entry.org_id)]),
        start_signal=signal,
        start_signal_args=[argument],
        rpc_timeout=DELIVERY_DEADLINE,
    )


async def _monitor_wanted(client: Client, entry: OutboxEntry) -> None:
    await want_monitor(client, int(entry.payload["shard"]))


async def _alert_changed(client: Client, entry: OutboxEntry) -> None:
    alert_id, is_trial = str(entry.payload["alert_id"]), bool(entry.payload.get("trial"))
    await client.start_workflow(
        AlertDeliveryWorkflow.run,
        AlertDeliveryState(org_id=entry.org_id, alert_id=None if is_trial else alert_id),
        id=alert_workflow_id(alert_id),
        task_queue=WORKFLOW_QUEUE,
        search_attributes=TypedSearchAttributes([SearchAttributePair(ORG_ID, entry.org_id)]),
        start_signal="changed",
        rpc_timeout=DELIVERY_DEADLINE,
    )


async def _port_changed(client: Client, entry: OutboxEntry) -> None:
    payload = entry.payload
    order_id = str(payload["order_id"])
    fact = Fact(
        seq=entry.id,
        kind=FactKind(payload["fact"]),
        positions=tuple(payload.get("positions", ())),
        letter=int(payload.get("letter", 0)),
    )
    await client.start_workflow(
        PortOrderWorkflow.run,
        PortRun(order_id=order_id, org_id=entry.org_id),
        id=port_workflow_id(order_id),
        task_queue=WORKFLOW_QUEUE,
        search_attributes=TypedSearchAttributes([SearchAttributePair(ORG_ID, entry.org_id)]),
        start_signal="fact",
        start_signal_args=[fact],
        task_timeout=PORT_TASK_TIMEOUT,
        rpc_timeout=DELIVERY_DEADLINE,
    )


_DELIVERIES: Final[Mapping[str, Callable[[Client, OutboxEntry], Awaitable[None]]]] = {
    alerts.ALERT_CHANGED: _alert_changed,
    port_orders.PORT_CHANGED: _port_changed,
    trunks.CHANGED: _trunk_changed,
    health_facts.MONITOR_WANTED: _monitor_wanted,
    health_facts.TRUNK_FACTS: _trunk_facts,
}
