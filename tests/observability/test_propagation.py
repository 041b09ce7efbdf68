from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, Worker

from observability.context import log_ids
from observability.propagation import LogIds
from tests.observability.echo_workflow import EchoIds, Parent, log_ids_here
from tests.workflows.harness import dev_server

QUEUE = "echo"

pytestmark = pytest.mark.temporal


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    started = await dev_server(ui=False, interceptors=[LogIds()])
    async with started:
        worker = Worker(
            started.client,
            task_queue=QUEUE,
            workflows=[EchoIds, Parent],
            activities=[log_ids_here],
        )
        async with worker:
            yield started.client


async def test_an_activity_logs_the_request_that_started_its_workflow(client: Client) -> None:
    workflow_id = f"echo:{uuid.uuid4()}"
    with log_ids(request_id="req_outer"):
        ids = await client.execute_workflow(EchoIds.run, id=workflow_id, task_queue=QUEUE)

    assert ids["request_id"] == "req_outer"
    assert ids["workflow_id"] == workflow_id
    assert ids["activity_type"] == "log_ids_here"
    assert ids["run_id"]


async def test_a_child_passes_it_on(client: Client) -> None:
    workflow_id = f"echo:{uuid.uuid4()}"
    with log_ids(request_id="req_outer"):
        ids = await client.execute_workflow(Parent.run, id=workflow_id, task_queue=QUEUE)

    assert ids["request_id"] == "req_outer"
    assert ids["workflow_id"] == f"{workflow_id}:child"


async def test_without_a_request_there_is_no_id(client: Client) -> None:
    ids = await client.execute_workflow(EchoIds.run, id=f"echo:{uuid.uuid4()}", task_queue=QUEUE)

    assert "request_id" not in ids


async def test_the_interceptor_adds_no_command_to_a_history(client: Client) -> None:
    with log_ids(request_id="req_outer"):
        handle = await client.start_workflow(
            EchoIds.run, id=f"echo:{uuid.uuid4()}", task_queue=QUEUE
        )
        await handle.result()
    history: WorkflowHistory = await handle.fetch_history()

    await Replayer(workflows=[EchoIds]).replay_workflow(history)
    await Replayer(workflows=[EchoIds], interceptors=[LogIds()]).replay_workflow(history)
