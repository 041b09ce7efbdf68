"""A release with a change of PortOrder takes over orders that the one before began weeks ago.

``NextPortOrder`` is what such a release may be: it does something more in two places, each behind
``workflow.patched``. ``RashPortOrder`` does so without.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from activities.contracts import PortRun
from domain.porting.effects import Effect
from domain.porting.events import FactKind, PortEvent
from domain.porting.state import CommandKind, PortState
from domain.porting.words import SubStatus
from tests.workflows.fake_port import FakePort
from tests.workflows.harness import dev_server, new_worker, time_skipping
from tests.workflows.ports import DAY, Porting
from tests.workflows.recorded import history_in, path_of
from workflows.names import WORKFLOW_QUEUE
from workflows.port_order import PortOrderWorkflow
from workflows.port_order_messages import Heard

pytestmark = pytest.mark.temporal

EVERYWHERE = "port-notes-each-event"
"""Reached when an order begins: a run of before has passed it, and stays without."""

AT_THE_END = "port-notes-numbers-that-came"
"""Reached when the numbers are here: a run of before, which is not there yet, gets it."""


async def note(place: str) -> None:
    """What the next release does in addition."""
    await workflow.execute_activity(
        "next.note",
        place,
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=timedelta(seconds=10),
    )


@workflow.defn(name="PortOrder", sandboxed=False)
class NextPortOrder(PortOrderWorkflow):
    """PortOrder of the next release."""

    @workflow.init
    def __init__(self, run: PortRun) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: PortRun) -> PortState | None:
        return await super().run(run)

    async def _advance(self, event: PortEvent, heard: Heard | None = None) -> tuple[Effect, ...]:
        if workflow.patched(EVERYWHERE):
            await note(EVERYWHERE)
        before = self._known().sub_status
        effects = await super()._advance(event, heard)
        after = self._known().sub_status
        if after is not before and after is SubStatus.VERIFYING and workflow.patched(AT_THE_END):
            await note(AT_THE_END)
        return effects


@workflow.defn(name="PortOrder", sandboxed=False)
class RashPortOrder(PortOrderWorkflow):
    """The same of somebody who forgot the orders that are under way."""

    @workflow.init
    def __init__(self, run: PortRun) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: PortRun) -> PortState | None:
        return await super().run(run)

    async def _advance(self, event: PortEvent, heard: Heard | None = None) -> tuple[Effect, ...]:
        await note(EVERYWHERE)
        return await super()._advance(event, heard)


class NextActivities:
    """What the next release's worker has besides."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    @activity.defn(name="next.note")
    async def note(self, place: str) -> None:
        self.noted.append(place)


async def brought_to_its_end(order: Porting) -> PortState | None:
    """Committed, switched and called."""
    await order.committed(3 * DAY)
    await order.ported()
    await order.becomes(SubStatus.VERIFYING)
    await order.told(FactKind.FIRST_INBOUND, 0, 1)
    return await order.handle.result()


async def test_an_order_goes_on_under_the_next_release_as_it_began() -> None:
    fake, more = FakePort(), NextActivities()
    async with await dev_server(data_converter=pydantic_data_converter) as environment:
        order = Porting(environment.client, fake)
        # Without a cache the server keeps nothing for the worker that is gone.
        async with new_worker(environment.client, fake.all(), max_cached_workflows=0):
            await order.sent()
        everything = [*fake.all(), more.note]
        async with new_worker(environment.client, everything, workflows=[NextPortOrder]):
            state = await brought_to_its_end(order)
    assert state is not None
    assert state.sub_status is SubStatus.COMPLETED
    assert fake.carrier.keys == [(CommandKind.SUBMIT, 1)]
    generations = [step.state.generation for step in fake.steps]
    assert generations == list(range(1, len(generations) + 1))
    assert more.noted == [AT_THE_END]


async def test_an_order_that_begins_under_the_next_release_has_the_whole_change() -> None:
    fake, more = FakePort(), NextActivities()
    everything = [*fake.all(), more.note]
    async with (
        time_skipping() as environment,
        new_worker(environment.client, everything, workflows=[NextPortOrder]),
    ):
        order = Porting(environment.client, fake, environment)
        await order.sent()
        assert set(more.noted) == {EVERYWHERE}
        await brought_to_its_end(order)
    assert more.noted.count(AT_THE_END) == 1


@pytest.mark.parametrize("name", ["port-completed", "port-signed-anew", "port-canceled-late"])
async def test_recorded_orders_replay_under_the_next_release_but_not_under_a_rash_one(
    name: str,
) -> None:
    recorded = history_in(path_of(name, "v0.1"))
    following = Replayer(workflows=[NextPortOrder], data_converter=pydantic_data_converter)
    failing = Replayer(workflows=[RashPortOrder], data_converter=pydantic_data_converter)
    with pytest.raises(NondeterminismError):
        await failing.replay_workflow(recorded)
    # Recorded to its end, the order passed the second place too, before it was patched.
    await following.replay_workflow(recorded)
