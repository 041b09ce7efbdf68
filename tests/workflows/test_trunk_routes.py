"""Where a trunk's calls go: decided by what is seen and by the time, and published."""

from __future__ import annotations

import asyncio

from domain.failover_state import Cause
from domain.health_observation import HealthState
from tests.workflows.fake_trunk import FakeTrunk, changed
from tests.workflows.harness import history_of, new_worker, time_skipping, unique
from tests.workflows.trunks import running_trunk

DOWN, HEALTHY = HealthState.DOWN, HealthState.HEALTHY


async def test_a_new_trunk_has_a_route_at_once() -> None:
    async with running_trunk() as trunk:
        assert (trunk.fake.adopted, trunk.fake.position) == ([1], 0)
        assert (await trunk.standing()).generation == 1


async def test_what_is_seen_moves_calls_and_brings_them_back_after_the_hold_down() -> None:
    async with running_trunk() as trunk:
        await trunk.saw(0, DOWN)
        await trunk.until(lambda: trunk.fake.position == 1)
        await trunk.saw(0, HEALTHY)
        await trunk.until(lambda: trunk.fake.routes[-1].held_until is not None)
        await trunk.after(minutes=4, seconds=50)
        assert trunk.fake.position == 1
        await trunk.after(seconds=15)
        await trunk.until(lambda: trunk.fake.position == 0)
        assert trunk.fake.routes[-1].cause is Cause.FAILED_BACK
        generations = [each.generation for each in trunk.fake.routes]
        assert generations == list(range(1, len(generations) + 1))


async def test_a_nudge_that_is_repeated_costs_nothing() -> None:
    async with running_trunk() as trunk:
        await trunk.saw(0, HEALTHY)
        await trunk.until(lambda: trunk.fake.looks == 2)
        for _ in range(3):
            await changed(trunk.client, trunk.trunk_id, trunk.facts)
        await trunk.after(minutes=1)
        assert (trunk.fake.looks, len(trunk.fake.routes)) == (2, 1)


async def test_nudges_that_come_together_are_looked_at_together() -> None:
    async with running_trunk() as trunk:
        for _ in range(20):
            await trunk.saw(1, DOWN)
        await trunk.after(minutes=1)
        await trunk.until(lambda: len(trunk.fake.routes) == 2)
        assert trunk.fake.looks < 10


async def test_a_nudge_can_begin_a_workflow_that_was_lost() -> None:
    fake, trunk_id = FakeTrunk(DOWN, HEALTHY), unique("trk")
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await changed(environment.client, trunk_id, 7)
        while not fake.routes:
            await handle.describe()
            await asyncio.sleep(0.02)
    assert (fake.adopted, fake.position) == ([], 1)


async def test_a_nudge_for_a_trunk_that_is_gone_begins_nothing_that_lasts() -> None:
    fake, trunk_id = FakeTrunk(), unique("trk")
    fake.gone = True
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await changed(environment.client, trunk_id, 7)
        assert (await handle.result()).removed
    assert (fake.routes, fake.left) == ([], 1)


async def test_an_idle_trunk_costs_no_history() -> None:
    async with running_trunk() as trunk:
        handle = trunk.client.get_workflow_handle(f"trunk:{trunk.trunk_id}")
        await trunk.after(minutes=1)
        before = len((await history_of(handle)).events)
        await trunk.after(days=30)
        assert len((await history_of(handle)).events) == before


async def test_the_removal_of_a_trunk_ends_what_it_had() -> None:
    async with running_trunk() as trunk:
        handle = await trunk.told(2, removed=True)
        assert (await handle.result()).removed
        assert (trunk.fake.left, trunk.fake.adopted) == (1, [1])
