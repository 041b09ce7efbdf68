"""What operators tell a trunk."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.failover_commands import (
    AbortDrill,
    CloseMaintenance,
    FailBack,
    FailOver,
    OpenMaintenance,
    Order,
    Pin,
    Refusal,
    Unpin,
)
from domain.health_observation import HealthState
from tests.workflows.harness import history_of
from tests.workflows.trunks import refusal_of, running_trunk
from workflows.names import ErrorType


async def test_an_order_is_answered_when_calls_go_by_it() -> None:
    async with running_trunk() as trunk:
        answer = await trunk.order(FailOver(to=1))
        assert (answer.position, answer.generation) == (1, trunk.fake.routes[-1].generation)
        assert trunk.fake.position == 1
        assert (await trunk.order(FailBack())).position == 0


async def test_pins_and_windows_come_and_go() -> None:
    async with running_trunk() as trunk:
        now = await trunk.environment.get_current_time()
        assert (await trunk.order(Pin(to=1))).position == 1
        await trunk.order(Unpin())
        assert not trunk.fake.routes[-1].pinned
        ends = now.replace(year=now.year + 1)
        await trunk.order(OpenMaintenance(window_id="mwn_1", position=1, ends_at=ends))
        assert trunk.fake.position == 0
        await trunk.order(CloseMaintenance())
        assert trunk.fake.routes[-1].maintenance == ()


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        (FailOver(to=9), Refusal.NO_SUCH_ENDPOINT),
        (FailBack(), Refusal.ALREADY_THERE),
        (Unpin(), Refusal.NOT_PINNED),
        (Pin(to=9), Refusal.NO_SUCH_ENDPOINT),
        (CloseMaintenance(), Refusal.NO_SUCH_WINDOW),
        (AbortDrill(), Refusal.NO_DRILL),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, str) else each,
)
async def test_an_order_that_does_not_fit_is_refused_without_a_trace(
    order: Order, refusal: Refusal
) -> None:
    async with running_trunk() as trunk:
        handle = trunk.client.get_workflow_handle(f"trunk:{trunk.trunk_id}")
        before = len((await history_of(handle)).events)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await trunk.order(order)
        assert refusal_of(refused.value) == (ErrorType.TRUNK_ORDER_REFUSED, (refusal,))
        # The task that refused it may be written down; an accepted update never is.
        events = (await history_of(handle)).events[before:]
        assert not any(
            each.HasField("workflow_execution_update_accepted_event_attributes") for each in events
        )


async def test_the_same_request_is_carried_out_once() -> None:
    async with running_trunk() as trunk:
        first = await trunk.order(FailOver(), request_id="key-1")
        await trunk.order(FailBack())
        assert await trunk.order(FailOver(), request_id="key-1") == first
        assert trunk.fake.position == 0


async def test_an_order_waits_for_the_first_decision() -> None:
    async with running_trunk() as trunk:
        # The route of the next trunk is held up, so that the order comes before it.
        trunk.trunk_id += "b"
        trunk.fake.routes.clear()
        trunk.fake.publishing.clear()
        await trunk.told(1)
        waiting = asyncio.create_task(trunk.order(FailOver(to=1)))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        trunk.fake.publishing.set()
        assert (await waiting).position == 1


async def test_an_order_to_a_trunk_that_goes_meanwhile_is_refused() -> None:
    async with running_trunk() as trunk:
        trunk.fake.publishing.clear()
        ordering = asyncio.create_task(trunk.order(FailOver()))
        await trunk.until(lambda: trunk.fake.looks >= 2)
        handle = await trunk.told(2, removed=True)
        trunk.fake.publishing.set()
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await ordering
        assert refusal_of(refused.value)[0] == ErrorType.TRUNK_GONE
        assert (await handle.result()).removed


async def test_an_order_that_comes_during_a_look_is_not_forgotten() -> None:
    async with running_trunk() as trunk:
        trunk.fake.looking.clear()
        first = asyncio.create_task(trunk.order(Pin(to=1)))
        await trunk.until(lambda: trunk.fake.looks == 2)
        now = await trunk.environment.get_current_time()
        ends = now.replace(year=now.year + 1)
        order = OpenMaintenance(window_id="mwn_1", position=1, ends_at=ends)
        second = asyncio.create_task(trunk.order(order))
        await trunk.until_ordered(2)
        trunk.fake.looking.set()
        assert (await first).position == (await second).position == 1
        route = trunk.fake.routes[-1]
        assert (route.pinned, [each.window_id for each in route.maintenance]) == (True, ["mwn_1"])


async def test_orders_that_come_together_are_all_answered() -> None:
    async with running_trunk() as trunk:
        trunk.fake.states[0] = HealthState.DOWN
        answers = await asyncio.gather(
            *(trunk.order(Pin(to=position)) for position in (0, 1, 0, 1, 1))
        )
        assert len(answers) == 5
        assert (await trunk.order(Unpin())).position == 1
