"""Runs of workflows that the recorder saves and the replay test repeats.

Recorder and tests use the same scenario with the same fakes, so the histories cannot drift from
what the fakes do. ``python -m tests.workflows.record EPOCH`` writes ``histories/NAME.EPOCH.json``;
a file that exists is never recorded again, because it stands for the workflows that the code of
that day left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle

from activities.contracts import ConnectionTestOutcome, SweepOutcome, WatchEndReason
from domain.discovery_state import FailureReason
from domain.failover_commands import AbortDrill, FailBack, Pin, StartDrill, Unpin
from domain.health_observation import HealthState
from tests.workflows.fake_alert import FakeAlert, Message, fails_for, signalled
from tests.workflows.fake_connection_test import FakeConnectionTest, start_connection_test
from tests.workflows.fake_discovery import FakeDiscovery, start_discovery
from tests.workflows.fake_health import FakeHealth, want
from tests.workflows.fake_test_call import (
    FakeTestCall,
    Workflow,
    hang_up_with_start,
    start_test_call,
)
from tests.workflows.fake_trunk import FakeTrunk, changed, tell
from tests.workflows.harness import QUEUES, new_worker, unique
from workflows.names import CALLS_QUEUE
from workflows.trunk import TrunkWorkflow

__all__ = ["SCENARIOS", "Scenario"]

Handle = WorkflowHandle[Any, Any]
Start = Callable[[Client], Awaitable[Handle]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run: its name, what it protects, and how to drive it to its end."""

    name: str
    covers: str
    run: Start
    commands: tuple[str, ...]
    """Types of the activities that the run must schedule, in order."""


def discovery(swept: SweepOutcome | None) -> Start:
    """A discovery whose sweep has this outcome."""

    async def run(client: Client) -> Handle:
        async with new_worker(client, FakeDiscovery(swept).all()):
            handle = await start_discovery(client)
            await handle.result()
            return handle

    return run


def placed(fake: FakeTestCall, start: Start, *, queues: Sequence[str] = QUEUES) -> Start:
    """A test call with these activities, begun in this way."""

    async def run(client: Client) -> Handle:
        async with new_worker(client, fake.all(), queues=queues):
            handle = await start(client)
            await handle.result()
            return handle

    return run


def hung_up(fake: FakeTestCall) -> Start:
    """A test call that somebody ends while it is placed."""

    async def start(client: Client) -> Handle:
        handle = await start_test_call(client)
        await fake.placing.wait()
        await handle.execute_update(Workflow.hang_up)
        return handle

    return placed(fake, start)


def connection_test(outcome: ConnectionTestOutcome | None) -> Start:
    """A connection test whose check has this outcome."""

    async def run(client: Client) -> Handle:
        async with new_worker(client, FakeConnectionTest(outcome).all()):
            handle = await start_connection_test(client)
            await handle.result()
            return handle

    return run


async def trunk(client: Client) -> Handle:
    """A trunk that is made, changed and removed, told of twice each time."""
    trunk_id = unique("trk")
    async with new_worker(client, FakeTrunk().all()):
        handle = await tell(client, trunk_id, 1)
        for revision in (1, 2, 2):
            await tell(client, trunk_id, revision)
            while (await handle.query(TrunkWorkflow.standing)).adopted != revision:
                pass
        await tell(client, trunk_id, 3, removed=True)
        await handle.result()
        return handle


async def deciding_trunk(client: Client) -> Handle:
    """A trunk that fails over, is pinned and drilled, fails back, and is removed."""
    fake, trunk_id = FakeTrunk(), unique("trk")

    async def published(count: int) -> None:
        for _ in iter(int, 1):
            if len(fake.routes) >= count:
                return
            await asyncio.sleep(0.02)

    async with new_worker(client, fake.all()):
        await tell(client, trunk_id, 1)
        await published(1)
        for seq, state in enumerate((HealthState.DOWN, HealthState.HEALTHY), start=1):
            fake.states[0] = state
            handle = await changed(client, trunk_id, seq)
            await published(seq + 1)
        await handle.execute_update(TrunkWorkflow.pin, Pin(to=1))
        await handle.execute_update(TrunkWorkflow.unpin, Unpin())
        await handle.execute_update(TrunkWorkflow.fail_back, FailBack())
        drill = StartDrill(drill_id="drl_1", binding_id="cfg_1", seconds=60)
        await handle.execute_update(TrunkWorkflow.start_drill, drill)
        await handle.execute_update(TrunkWorkflow.abort_drill, AbortDrill())
        await tell(client, trunk_id, 2, removed=True)
        await handle.result()
        return handle


async def health_monitor(client: Client) -> Handle:
    """A shard that is watched, lost to another run, emptied, and wanted again while it was."""
    ends = (WatchEndReason.TIME, WatchEndReason.FENCED, WatchEndReason.EMPTY)
    fake = FakeHealth(*ends, during={3: lambda: want(client, 9)})
    async with new_worker(client, fake.all()):
        handle = await want(client, 9)
        await handle.result()
        return handle


async def alert_delivery(client: Client) -> Handle:
    """An alert that is told at the second attempt, and whose end is told."""
    fake, alert_id = FakeAlert(opened=Message(fails_for(timedelta(seconds=3)))), unique("alt")
    async with new_worker(client, fake.all()):
        await signalled(client, alert_id)
        for _ in iter(int, 1):
            if len(fake.looks) == 4:
                break
            await asyncio.sleep(0.02)
        fake.messages["resolved"], fake.over = Message(), True
        handle = await signalled(client, alert_id)
        await handle.result()
        return handle


SCENARIOS = (
    Scenario(
        name="discovery-completed",
        covers="sweep, then conclude",
        run=discovery(SweepOutcome(addresses=1, attempts=9, answered=2)),
        commands=("discovery.sweep", "discovery.conclude"),
    ),
    Scenario(
        name="discovery-unresolved",
        covers="a sweep that found no address ends in fail",
        run=discovery(
            SweepOutcome(addresses=0, attempts=0, answered=0, failure=FailureReason.DNS_FAILURE)
        ),
        commands=("discovery.sweep", "discovery.fail"),
    ),
    Scenario(
        name="discovery-interrupted",
        covers="a sweep that cannot finish ends in fail",
        run=discovery(None),
        commands=("discovery.sweep", "discovery.fail"),
    ),
    Scenario(
        name="test-call-completed",
        covers="a call that ends by itself needs nothing else",
        run=placed(FakeTestCall(), start_test_call),
        commands=("test_call.place",),
    ),
    Scenario(
        name="test-call-interrupted",
        covers="a call whose activity broke is cleaned up, then failed",
        run=placed(FakeTestCall(breaks=True), start_test_call),
        commands=("test_call.place", "test_call.clean_up", "test_call.fail"),
    ),
    Scenario(
        name="test-call-unconfirmed",
        covers="a call whose end the peer did not confirm is cleaned up, and its row stays",
        run=placed(FakeTestCall(unconfirmed=True), start_test_call),
        commands=("test_call.place", "test_call.clean_up"),
    ),
    Scenario(
        name="test-call-left-up",
        covers="a clean-up that cannot work does not keep the row open",
        run=placed(FakeTestCall(breaks=True, stays_up=True), start_test_call),
        commands=("test_call.place", "test_call.clean_up", "test_call.fail"),
    ),
    Scenario(
        name="test-call-hung-up",
        covers="hang_up cancels the activity, and what it may have left is cleaned up",
        run=hung_up(FakeTestCall(lasts=True)),
        commands=("test_call.place", "test_call.clean_up", "test_call.fail"),
    ),
    Scenario(
        name="test-call-hung-up-at-once",
        covers="a hang_up in the first task places nothing",
        run=placed(FakeTestCall(), hang_up_with_start),
        commands=("test_call.fail",),
    ),
    Scenario(
        name="test-call-without-worker",
        covers="a call that no worker takes is failed without a clean-up",
        run=placed(
            FakeTestCall(),
            start_test_call,
            queues=tuple(queue for queue in QUEUES if queue != CALLS_QUEUE),
        ),
        commands=("test_call.place", "test_call.fail"),
    ),
    Scenario(
        name="test-call-lost",
        covers="a call that no worker got, although one was said to have, is placed still",
        run=placed(FakeTestCall(lost=1), start_test_call),
        commands=("test_call.place", "test_call.clean_up", "test_call.place"),
    ),
    Scenario(
        name="connection-test-answered",
        covers="a check that ends is the outcome",
        run=connection_test(ConnectionTestOutcome(sip_code=200, response_time_ms=42)),
        commands=("connection_test.check",),
    ),
    Scenario(
        name="connection-test-interrupted",
        covers="a check that breaks is an outcome too",
        run=connection_test(None),
        commands=("connection_test.check",),
    ),
    Scenario(
        name="trunk-revised",
        covers="a run of before trunks decided: it only adopts revisions, and ends with the trunk",
        run=trunk,
        commands=("trunk.adopt", "trunk.adopt"),
    ),
    Scenario(
        name="trunk-decides",
        covers="what is seen, ordered and due is looked at, and what follows is published",
        run=deciding_trunk,
        commands=(
            "trunk.adopt",
            *("trunk.look", "trunk.publish_route") * 7,
            "trunk.note_drill",
            *("trunk.look", "trunk.publish_route"),
            "trunk.note_drill",
            "trunk.leave",
        ),
    ),
    Scenario(
        name="health-monitor",
        covers="runs follow each other, and a shard that was wanted meanwhile is looked at again",
        run=health_monitor,
        commands=("health.watch",) * 4,
    ),
    Scenario(
        name="alert-delivery",
        covers="a message is repeated when its time has come, and an alert that is over is the end",
        run=alert_delivery,
        commands=(
            *("alert.prepare", "alert.deliver", "alert.prepare"),
            *("alert.prepare", "alert.deliver", "alert.prepare") * 2,
        ),
    ),
)
