"""Test calls whose process is gone are ended, and only those."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle

from domain.call_state import CallResult, CallStatus
from storage import calls
from storage.engine import Database
from storage.tables import Call
from tests.storage.factories import add_organization, queued_call
from tests.workflows.harness import dev_server
from upkeep.reaper import GRACE, reap_test_calls
from workflows import names

pytestmark = pytest.mark.postgres

LIFE = timedelta(minutes=3)


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[Client]:
    started = await dev_server(ui=False)
    async with started:
        yield started.client


@workflow.defn(name="Anything")
class Anything:
    """Stands for a workflow that is there; no worker runs it."""

    @workflow.run
    async def run(self) -> None:
        pass


async def a_call(database: Database, *, age: timedelta, left: timedelta = LIFE) -> Call:
    """A test call that began so long ago and has so long to live."""
    now = datetime.now(UTC)
    org_id = await add_organization(database)
    return await queued_call(database, org_id, at=now - age, deadline_at=now + left)


async def workflow_of(client: Client, call: Call) -> WorkflowHandle[Anything, None]:
    return await client.start_workflow(
        Anything.run, id=names.test_call_workflow_id(call.id), task_queue="nobody"
    )


async def now_of(database: Database, call: Call) -> Call:
    async with database.tenant(call.org_id) as session:
        found = await calls.get(session, call.id)
    assert found is not None
    return found


async def assert_interrupted(database: Database, call: Call) -> None:
    found = await now_of(database, call)
    assert (found.status, found.result) == (CallStatus.FAILED, CallResult.FAILED)
    assert found.details["failure_reason"] == "interrupted"
    assert found.details["settings"] == call.details["settings"]
    assert found.ended_at is not None
    async with database.tenant(call.org_id) as session:
        (line,) = await calls.events(session, call.id)
    assert line.event == "failed"
    assert "interrupted on our side" in line.detail


@pytest.mark.temporal
async def test_a_call_whose_workflow_never_started_is_ended(
    database: Database, temporal: Client
) -> None:
    call = await a_call(database, age=GRACE * 2)

    assert await reap_test_calls(database, temporal) == 1

    await assert_interrupted(database, call)
    assert await reap_test_calls(database, temporal) == 0


@pytest.mark.temporal
async def test_a_call_whose_workflow_ended_without_a_word_is_ended(
    database: Database, temporal: Client
) -> None:
    call = await a_call(database, age=GRACE * 2)
    handle = await workflow_of(temporal, call)

    assert await reap_test_calls(database, temporal) == 0
    assert (await now_of(database, call)).ended_at is None

    await handle.terminate()
    assert await reap_test_calls(database, temporal) == 1
    await assert_interrupted(database, call)


@pytest.mark.temporal
async def test_past_its_deadline_a_call_is_ended_whatever_temporal_says(
    database: Database, temporal: Client
) -> None:
    call = await a_call(database, age=LIFE, left=-timedelta(seconds=1))
    handle = await workflow_of(temporal, call)

    assert await reap_test_calls(database, temporal) == 1

    await assert_interrupted(database, call)
    await handle.terminate()


async def test_without_temporal_only_what_is_overdue_is_ended(database: Database) -> None:
    overdue = await a_call(database, age=LIFE, left=-timedelta(seconds=1))
    in_time = await a_call(database, age=GRACE * 2)

    assert await reap_test_calls(database, None) == 1

    await assert_interrupted(database, overdue)
    assert (await now_of(database, in_time)).ended_at is None


@pytest.mark.temporal
async def test_a_call_that_may_just_be_being_started_is_left_alone(
    database: Database, temporal: Client
) -> None:
    call = await a_call(database, age=GRACE / 2)

    assert await reap_test_calls(database, temporal) == 0

    assert (await now_of(database, call)).ended_at is None


async def test_a_call_that_ended_meanwhile_keeps_its_result(database: Database) -> None:
    call = await a_call(database, age=LIFE, left=-timedelta(seconds=1))
    async with database.tenant(call.org_id) as session:
        await calls.conclude(
            session,
            call.id,
            status=CallStatus.BUSY,
            result=CallResult.BUSY,
            ended_at=datetime.now(UTC),
        )

    assert await reap_test_calls(database, None) == 0

    assert (await now_of(database, call)).status is CallStatus.BUSY
