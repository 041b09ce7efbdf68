"""A trunk is placed, its states appear; a peer dies, a worker dies, and somebody notices."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from domain.health_schedule import next_due
from local.process import ManagedProcess
from storage.secret_box import SecretBox, generate_key
from tests.activities.health_stage import (
    Peer,
    a_trunk,
    eventually,
    remove_trunk,
    rows,
)
from tests.health.conftest import INTERVAL
from tests.support.loopback import LoopbackBlock
from tests.support.product import Product
from workflows.names import health_monitor_workflow_id

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.system,
    # A worker that was killed is noticed after ten seconds, and processes start slowly here.
    pytest.mark.timeout(300),
]

BOX = SecretBox.from_key_ring(generate_key("test"))

PEERS = 6
IN_FLIGHT = 0.5
"""Seconds that a request of a killed worker may still take to its peer."""


@asynccontextmanager
async def peers(loopback: LoopbackBlock, count: int) -> AsyncIterator[list[Peer]]:
    """Peers that answer."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Peer(loopback.address())) for _ in range(count)]


async def placed(product: Product, running: list[Peer]) -> list[tuple[str, str]]:
    """A trunk for each peer, watched and found healthy."""
    made = []
    for peer in running:
        endpoint = f"sip:{peer.address}:5060;transport=udp"
        made.append(await a_trunk(product.database, BOX, endpoint=endpoint, told=True))
    await eventually(lambda: _states(product, "healthy", len(made)), within=60)
    return made


async def _states(product: Product, state: str, count: int) -> bool:
    found = await rows(
        product.database, "SELECT FROM health_states WHERE state = :state", state=state
    )
    return len(found) == count


async def holders(product: Product) -> dict[int, int]:
    """Process ids by the shard that they hold."""
    found = await rows(
        product.database,
        "SELECT s.shard, s.holder FROM health_shards s WHERE s.holder IS NOT NULL "
        "AND EXISTS (SELECT FROM health_targets t WHERE t.shard = s.shard)",
    )
    return {row.shard: int(row.holder.rpartition(":")[2]) for row in found}


async def test_a_placed_trunk_is_watched_and_the_death_of_its_peer_is_told(
    product: Product, loopback: LoopbackBlock
) -> None:
    await product.start_worker()
    async with peers(loopback, 2) as (one, two):
        await placed(product, [one, two])
        one.stop()
        await eventually(lambda: _states(product, "down", 1), within=60)
        assert await _states(product, "healthy", 1)
    (change,) = await rows(
        product.database, "SELECT * FROM health_transitions WHERE after = 'down'"
    )
    assert change.reason.startswith("3 of 3 probes refused")
    assert bytes(change.request).startswith(f"OPTIONS sip:{one.address}".encode())
    assert two.asked
    told = await rows(
        product.database,
        "SELECT FROM outbox o JOIN trunk_endpoints e ON e.trunk_id = o.payload ->> 'trunk_id' "
        "WHERE o.kind = 'trunk_facts' AND e.label LIKE :label "
        "AND (o.delivered_at IS NULL OR o.delivered_at > :at)",
        label=f"{one.address}%",
        at=change.at,
    )
    assert told


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda each: each.name)
async def test_another_worker_takes_over_what_one_leaves(
    product: Product, loopback: LoopbackBlock, number: signal.Signals
) -> None:
    grace = timedelta(seconds=10)
    workers = [await product.start_worker(grace=grace) for _ in range(2)]
    async with peers(loopback, PEERS) as running:
        await placed(product, running)
        shards = set(await holders(product))
        victim, survivor = await _by_load(product, workers)
        assert victim.pid is not None
        os.kill(victim.pid, number)
        died = asyncio.get_running_loop().time()

        async def taken_over() -> bool:
            return set((await holders(product)).values()) == {survivor.pid}

        await eventually(taken_over, within=60)
        assert set(await holders(product)) == shards

        async def all_asked_again() -> bool:
            return all(peer.asked[-1] > died + INTERVAL for peer in running)

        await eventually(all_asked_again, within=60)
    since_1970 = time.time() - asyncio.get_running_loop().time()
    targets = await rows(product.database, "SELECT id, address FROM health_targets")
    ids = {row.address: row.id for row in targets}
    for peer in running:
        # Of what was in flight one may have come before it was killed and one after.
        begun = [
            next_due(ids[peer.address], since_1970 + at, INTERVAL)[0]
            for at in peer.asked
            if at > died + IN_FLIGHT
        ]
        assert len(begun) == len(set(begun)), "a round was begun twice"
    changes = await rows(product.database, "SELECT after FROM health_transitions")
    assert {change.after for change in changes} == {"healthy"}


async def _by_load(
    product: Product, workers: list[ManagedProcess]
) -> tuple[ManagedProcess, ManagedProcess]:
    """The worker that holds the most shards, and the other one."""
    held = list((await holders(product)).values())
    one, two = workers
    assert one.pid is not None
    assert two.pid is not None
    return (one, two) if held.count(one.pid) >= held.count(two.pid) else (two, one)


async def has_completed(handle: WorkflowHandle[Any, Any]) -> bool:
    return (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_a_shard_that_runs_empty_has_no_monitor_and_gets_one_again(
    product: Product, loopback: LoopbackBlock
) -> None:
    await product.start_worker()
    client = await Client.connect(product.temporal.address, namespace=product.temporal.namespace)
    async with peers(loopback, 1) as running:
        for _ in range(2):
            (trunk,) = await placed(product, running)
            (shard,) = await holders(product)
            handle = client.get_workflow_handle(health_monitor_workflow_id(shard))
            await remove_trunk(product.database, trunk)

            await eventually(partial(has_completed, handle), within=60)
            assert await rows(product.database, "SELECT FROM health_targets") == []
