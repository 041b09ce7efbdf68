"""One trunk, many runs: what survives continue-as-new, and runs that began before trunks decided."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.contracts import (
    ADOPT_RETRY,
    ADOPT_TIMEOUT,
    AdoptedRevision,
    AnsweredOrder,
    OrderAnswer,
    TrunkContract,
    TrunkRevision,
    TrunkStanding,
    TrunkState,
)
from domain.failover_commands import (
    Commands,
    Drill,
    DrillEnd,
    FailBack,
    FailOver,
    Forced,
    OpenMaintenance,
    Pin,
    Pinned,
    Unpin,
    Window,
)
from domain.failover_state import (
    AlertKind,
    CanaryStage,
    CanaryTrial,
    Cause,
    EndpointMemory,
    FailoverState,
    StandingAlert,
)
from domain.health_observation import HealthState
from tests.workflows.fake_trunk import FakeTrunk, changed, tell
from tests.workflows.harness import dev_server, history_of, new_worker, unique
from tests.workflows.trunks import Trunk, refusal_of
from workflows.names import WORKFLOW_QUEUE, ErrorType

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)

DRILL = Drill(
    drill_id="drl_1",
    binding_id="cfg_1",
    name_id="nam_1",
    revision=3,
    started_at=NOW,
    until=NOW + timedelta(minutes=1),
    order=(1, 0),
    why=("Because.",),
    switched_at=NOW,
    took_over=1,
    end=DrillEnd.ABORTED,
    ended_at=NOW,
)

WHOLE = TrunkState(
    trunk_id="trk_1",
    org_id="org_1",
    known=7,
    adopted=6,
    removed=True,
    facts=9,
    undecided=True,
    looked_at=NOW,
    wake_at=NOW + timedelta(minutes=5),
    failover=FailoverState(
        active="nam_1",
        since=NOW,
        cause=Cause.TIMEOUT,
        because="3 of 3 probes unanswered",
        left=(NOW,),
        hold_seconds=600,
        by_hand=True,
        canary=CanaryTrial(name_id="nam_0", stage=CanaryStage.TENTH, since=NOW),
        endpoints=(
            EndpointMemory(
                name_id="nam_0",
                position=1,
                label="sip.example.com",
                usable=False,
                stable_since=NOW,
                calls_from=NOW,
                avoid_until=NOW,
                avoid_because="its calls failed",
            ),
        ),
        alerts=(StandingAlert(kind=AlertKind.FLAPPING, since=NOW),),
        revision=6,
        generation=4,
        digest="d",
    ),
    commands=Commands(
        pinned=Pinned(name_id="nam_1", until=NOW),
        forced=Forced(name_id="nam_1", even_if_down=True),
        fail_back=FailBack(canary=True),
        windows=(Window(window_id="mwn_1", name_id="nam_1", starts_at=NOW, ends_at=NOW),),
        drill=DRILL,
    ),
    noted=DRILL,
    answers=(AnsweredOrder(request_id="r", answer=OrderAnswer(generation=4, position=1)),),
)


def models_in(value: object) -> list[BaseModel]:
    """A model and all models inside of it."""
    if isinstance(value, tuple):
        return [model for each in value for model in models_in(each)]
    if not isinstance(value, BaseModel):
        return []
    inner = [
        model for name in type(value).model_fields for model in models_in(getattr(value, name))
    ]
    return [value, *inner]


@pytest.mark.parametrize("model", models_in(WHOLE), ids=lambda each: type(each).__name__)
def test_every_field_of_the_state_is_set_in_this_test(model: BaseModel) -> None:
    # A field with its default would survive although nobody carried it over.
    for name, field in type(model).model_fields.items():
        if not field.is_required():
            assert getattr(model, name) != field.get_default(call_default_factory=True), name


def test_every_field_of_the_state_survives_as_json() -> None:
    assert TrunkState.model_validate_json(WHOLE.model_dump_json()) == WHOLE


def test_a_state_of_the_first_release_is_read() -> None:
    old = '{"trunk_id": "trk_1", "org_id": "org_1", "known": 2, "adopted": 2, "removed": false}'
    state = TrunkState.model_validate_json(old)
    assert (state.adopted, state.failover, state.commands) == (2, FailoverState(), Commands())


async def run_input(handle: WorkflowHandle[Any, Any]) -> tuple[str, TrunkState]:
    """Which run the latest one continued, and the state that it began with."""
    begun = (await history_of(handle)).events[0].workflow_execution_started_event_attributes
    [state] = await pydantic_data_converter.decode(begun.input.payloads, [TrunkState])
    return begun.continued_execution_run_id, state


async def test_what_operators_ordered_survives_continue_as_new() -> None:
    fake = FakeTrunk()
    environment = await dev_server(
        data_converter=pydantic_data_converter,
        dynamic=["limit.historyCount.suggestContinueAsNew=60"],
    )
    async with environment, new_worker(environment.client, fake.all()):
        trunk = Trunk(environment.client, fake, environment)
        await trunk.told(1)
        first = await trunk.order(FailOver(to=1), request_id="key-1")
        await trunk.order(FailBack())
        await trunk.order(Pin(to=1))
        ends = datetime.now(UTC) + timedelta(days=1)
        await trunk.order(OpenMaintenance(window_id="mwn_1", position=0, ends_at=ends))
        handle = environment.client.get_workflow_handle(f"trunk:{trunk.trunk_id}")
        for revision in range(2, 30):
            await trunk.told(revision)
        await trunk.until(lambda: fake.adopted[-1] == 29)
        continued, state = await run_input(handle)
        assert continued
        assert state.commands.pinned is not None
        assert [each.window_id for each in state.commands.windows] == ["mwn_1"]
        assert "key-1" in [each.request_id for each in state.answers]
        assert await trunk.order(FailOver(to=1), request_id="key-1") == first
        assert (await trunk.order(Unpin())).position == 1
        assert fake.routes[-1].maintenance[0].window_id == "mwn_1"


@workflow.defn(name="Trunk", sandboxed=False)
class OldTrunkWorkflow:
    """Trunk as it was before it decided: what a run of the release before left behind."""

    @workflow.init
    def __init__(self, state: TrunkState) -> None:
        self._state = state

    @workflow.run
    async def run(self, state: TrunkState) -> TrunkStanding:
        while not self._state.removed:
            await workflow.wait_condition(
                lambda: self._state.removed or self._state.adopted < self._state.known
            )
            revision = self._state.known
            await workflow.execute_activity_method(
                TrunkContract.adopt,
                AdoptedRevision(
                    trunk_id=self._state.trunk_id, org_id=self._state.org_id, revision=revision
                ),
                task_queue=WORKFLOW_QUEUE,
                start_to_close_timeout=ADOPT_TIMEOUT,
                retry_policy=ADOPT_RETRY,
            )
            self._state = self._state.model_copy(update={"adopted": revision})
        return TrunkStanding(known=1, adopted=1, removed=True)

    @workflow.signal
    def revised(self, revision: TrunkRevision) -> None:
        self._state = self._state.model_copy(update={"known": revision.revision})


async def begun_by_the_release_before(trunk: Trunk) -> None:
    """A run that adopted one revision, and whose worker was replaced."""
    async with Worker(
        trunk.client,
        task_queue=WORKFLOW_QUEUE,
        workflows=[OldTrunkWorkflow],
        activities=[trunk.fake.adopt],
        max_cached_workflows=0,
    ):
        await tell(trunk.client, trunk.trunk_id, 1)
        await trunk.until(lambda: trunk.fake.adopted == [1])


@pytest.fixture
async def trunk() -> AsyncIterator[Trunk]:
    environment = await dev_server(data_converter=pydantic_data_converter)
    async with environment:
        yield Trunk(environment.client, FakeTrunk(), environment, unique("trk"))


async def test_a_run_of_before_goes_on_adopting(trunk: Trunk) -> None:
    await begun_by_the_release_before(trunk)
    async with new_worker(trunk.client, trunk.fake.all()):
        await trunk.told(2)
        await trunk.until(lambda: trunk.fake.adopted == [1, 2])
        assert (await trunk.standing()).adopted == 2
        assert trunk.fake.routes == []


async def test_a_run_of_before_hands_over_when_something_is_seen(trunk: Trunk) -> None:
    await begun_by_the_release_before(trunk)
    async with new_worker(trunk.client, trunk.fake.all()):
        trunk.fake.states[0] = HealthState.DOWN
        await changed(trunk.client, trunk.trunk_id, 1)
        await trunk.until(lambda: trunk.fake.position == 1)
        assert (await trunk.standing()).adopted == 1


async def test_a_run_of_before_leaves_nothing_watched_when_its_trunk_goes(trunk: Trunk) -> None:
    await begun_by_the_release_before(trunk)
    async with new_worker(trunk.client, trunk.fake.all()):
        handle = await trunk.told(2, removed=True)
        assert (await handle.result()).removed
        assert (trunk.fake.adopted, trunk.fake.left) == ([1], 1)


async def test_a_run_of_before_hands_over_when_it_is_given_an_order(trunk: Trunk) -> None:
    await begun_by_the_release_before(trunk)
    async with new_worker(trunk.client, trunk.fake.all()):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await trunk.order(FailOver(to=1))
        assert refusal_of(refused.value)[0] == ErrorType.TRUNK_HANDS_OVER
        assert (await trunk.order(FailOver(to=1))).position == 1
