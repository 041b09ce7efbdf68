"""A failover rehearsed by a trunk's workflow, and cleaned up whatever happens."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import Worker

from domain.failover_commands import AbortDrill, DrillEnd, Refusal, StartDrill
from domain.health_observation import HealthState
from tests.workflows.fake_trunk import FakeTrunk
from tests.workflows.harness import new_worker, time_skipping, unique
from tests.workflows.trunks import Trunk, refusal_of, running_trunk
from workflows.names import WORKFLOW_QUEUE
from workflows.trunk import TrunkWorkflow

START = StartDrill(drill_id="drl_1", binding_id="cfg_1", seconds=60)


def end_of(trunk: Trunk) -> DrillEnd | None:
    """How the drill ended, by what is written of it."""
    return trunk.fake.notes[-1].end if trunk.fake.notes else None


async def test_a_drill_begins_and_ends_by_itself() -> None:
    async with running_trunk() as trunk:
        await trunk.order(START)
        begun, route = trunk.fake.notes[-1], trunk.fake.routes[-1]
        assert route.drill is not None
        assert (route.drill.order, trunk.fake.position) == ((1, 0), 0)
        assert begun.report is not None
        assert (begun.end, begun.report.took_over) == (None, 1)
        assert begun.report.detection_ms is not None
        await trunk.after(seconds=70)
        await trunk.until(lambda: end_of(trunk) is DrillEnd.COMPLETED)
        report = trunk.fake.notes[-1].report
        assert report is not None
        assert report.recovery_ms is not None
        assert trunk.fake.routes[-1].drill is None
        await trunk.order(StartDrill(drill_id="drl_2", binding_id="cfg_1", seconds=10))


async def test_a_drill_is_aborted() -> None:
    async with running_trunk() as trunk:
        await trunk.order(START)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await trunk.order(StartDrill(drill_id="drl_2", binding_id="cfg_1", seconds=10))
        assert refusal_of(refused.value)[1] == (Refusal.DRILL_RUNNING,)
        await trunk.order(AbortDrill())
        assert end_of(trunk) is DrillEnd.ABORTED
        assert trunk.fake.routes[-1].drill is None


async def test_a_change_of_the_trunk_ends_its_drill() -> None:
    async with running_trunk() as trunk:
        await trunk.order(START)
        await trunk.told(2)
        await trunk.until(lambda: end_of(trunk) is DrillEnd.TRUNK_REVISED)
        assert trunk.fake.routes[-1].drill is None


async def test_a_failure_in_earnest_ends_the_drill() -> None:
    async with running_trunk() as trunk:
        await trunk.order(START)
        await trunk.saw(0, HealthState.DOWN)
        await trunk.until(lambda: end_of(trunk) is DrillEnd.FAILED_OVER)
        assert trunk.fake.position == 1


async def test_the_removal_of_the_trunk_ends_the_drill() -> None:
    async with running_trunk() as trunk:
        await trunk.order(START)
        handle = await trunk.told(2, removed=True)
        await handle.result()
        assert trunk.fake.left == 1


async def test_a_drill_that_its_workflow_forgot_is_written_down_as_interrupted() -> None:
    async with running_trunk() as trunk:
        trunk.fake.open_drills = ("drl_9",)
        await trunk.saw(1, HealthState.DOWN)
        await trunk.until(lambda: bool(trunk.fake.notes))
        note = trunk.fake.notes[-1]
        assert (note.drill_id, note.drill, note.end) == ("drl_9", None, DrillEnd.INTERRUPTED)


async def test_a_drill_outlives_its_worker_and_ends_with_the_next_one() -> None:
    fake = FakeTrunk()
    async with time_skipping() as environment:
        trunk = Trunk(environment.client, fake, environment, unique("trk"))
        async with Worker(
            environment.client,
            task_queue=WORKFLOW_QUEUE,
            workflows=[TrunkWorkflow],
            activities=fake.all(),
            max_cached_workflows=0,
        ):
            await trunk.told(1)
            await trunk.until(lambda: bool(fake.routes))
            await trunk.order(START)
        await trunk.after(seconds=70)
        assert end_of(trunk) is None
        async with new_worker(environment.client, fake.all()):
            await trunk.until(lambda: end_of(trunk) is DrillEnd.COMPLETED)
    assert fake.routes[-1].drill is None
