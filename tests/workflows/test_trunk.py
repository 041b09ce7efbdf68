"""What a trunk's workflow makes of the revisions that it is told of."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.workflows.fake_trunk import FakeTrunk, tell
from tests.workflows.harness import dev_server, history_of, new_worker, time_skipping, unique
from workflows.trunk import TrunkWorkflow

# Low enough that a few signals fill a history.
SUGGEST_AT = "limit.historyCount.suggestContinueAsNew=40"


async def eventually(handle: WorkflowHandle[Any, Any], revision: int) -> None:
    """Wait until the workflow goes by a revision; the test's own time limit ends it."""
    while (await handle.query(TrunkWorkflow.standing)).adopted != revision:
        pass


async def test_each_revision_is_adopted_in_order_and_once() -> None:
    fake, trunk_id = FakeTrunk(), unique("trk")
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        for revision in (1, 2, 3):
            handle = await tell(environment.client, trunk_id, revision)
            await eventually(handle, revision)
    assert fake.adopted == [1, 2, 3]


async def test_a_revision_that_is_told_again_or_late_changes_nothing() -> None:
    fake, trunk_id = FakeTrunk(), unique("trk")
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await tell(environment.client, trunk_id, 2)
        await eventually(handle, 2)
        for revision in (2, 1, 2):
            await tell(environment.client, trunk_id, revision)
        await tell(environment.client, trunk_id, 3)
        await eventually(handle, 3)
    assert fake.adopted == [2, 3]


async def test_the_trunks_workflow_ends_with_the_trunk() -> None:
    fake, trunk_id = FakeTrunk(), unique("trk")
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await tell(environment.client, trunk_id, 1)
        await eventually(handle, 1)
        await tell(environment.client, trunk_id, 2, removed=True)
        standing = await handle.result()
    assert (standing.known, standing.removed) == (2, True)
    assert fake.adopted == [1]


async def test_a_removal_that_is_told_again_after_the_end_ends_at_once() -> None:
    fake, trunk_id = FakeTrunk(), unique("trk")
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        await (await tell(environment.client, trunk_id, 2, removed=True)).result()
        again = await tell(environment.client, trunk_id, 2, removed=True)
        assert (await again.result()).removed
    assert fake.adopted == []


async def test_revisions_survive_continue_as_new_and_are_not_adopted_again() -> None:
    fake, trunk_id = FakeTrunk(), unique("trk")
    environment = await dev_server(
        data_converter=pydantic_data_converter,
        dynamic=[SUGGEST_AT],
    )
    async with environment, new_worker(environment.client, fake.all()):
        for revision in range(1, 16):
            handle = await tell(environment.client, trunk_id, revision)
            await eventually(handle, revision)
        latest = environment.client.get_workflow_handle(handle.id)
        begun = (await history_of(latest)).events[0]
        standing = await latest.query(TrunkWorkflow.standing)
        await tell(environment.client, trunk_id, 15)
        await tell(environment.client, trunk_id, 16, removed=True)
        await latest.result()
    assert begun.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    assert begun.workflow_execution_started_event_attributes.continued_execution_run_id
    assert (standing.known, standing.adopted) == (15, 15)
    assert fake.adopted == list(range(1, 16))
