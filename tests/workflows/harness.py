"""Verbs of the workflow tests: one environment, workers with fakes under real names, histories."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.heartbeats import HEARTBEAT_THROTTLE
from temporal_client import register_search_attributes
from workflows.names import ALERTS_QUEUE, CALLS_QUEUE, DISCOVERY_QUEUE, HEALTH_QUEUE, WORKFLOW_QUEUE
from workflows.registry import WORKFLOWS

__all__ = ["QUEUES", "dev_server", "history_of", "new_worker", "time_skipping", "unique"]

QUEUES = (WORKFLOW_QUEUE, DISCOVERY_QUEUE, CALLS_QUEUE, HEALTH_QUEUE, ALERTS_QUEUE)

STOPS_WITHIN = timedelta(seconds=40)
"""Of activities that hear of their cancellation at their next heartbeat, on a busy machine."""


def binary(name: str) -> str:
    """Path of an executable of this virtual environment."""
    return str(Path(sys.executable).parent / name)


def unique(prefix: str) -> str:
    """A fresh id: no two tests share a workflow."""
    return f"{prefix}_{uuid.uuid4().hex}"


async def dev_server(*, dynamic: Sequence[str] = (), **options: Any) -> WorkflowEnvironment:
    """A real server; ``dynamic`` are dynamic-config values, ``options`` the SDK's own."""
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_extra_args=[
            word for each in dynamic for word in ("--dynamic-config-value", each)
        ],
        **options,
    )


@asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock jumps; one a test, because its clock is global."""
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binary("temporal-test-server"),
        data_converter=pydantic_data_converter,
    )
    async with environment:
        await register_search_attributes(environment.client)
        yield environment


@asynccontextmanager
async def new_worker(
    client: Client,
    activities: Sequence[Callable[..., Any]],
    *,
    queues: Sequence[str] = QUEUES,
    workflows: Sequence[type] = WORKFLOWS,
    **options: Any,
) -> AsyncIterator[None]:
    """Workers on these task queues, with the given workflows (all of ours) and activities; ``options``
    are the SDK's own."""
    async with AsyncExitStack() as stack:
        for queue in queues:
            worker = Worker(
                client,
                task_queue=queue,
                workflows=workflows if queue == WORKFLOW_QUEUE else (),
                activities=activities,
                max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
                **options,
            )
            await stack.enter_async_context(_running(worker))
        yield


@asynccontextmanager
async def _running(worker: Worker) -> AsyncIterator[None]:
    """Poll until the block ends; a worker that does not stop fails its test, not the whole run."""
    polling = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        stopping = asyncio.create_task(worker.shutdown())
        _, left = await asyncio.wait({polling, stopping}, timeout=STOPS_WITHIN.total_seconds())
        for task in left:
            task.cancel()
        assert not left, f"the worker of {worker.task_queue} did not stop"
    await polling


async def history_of(handle: WorkflowHandle[Any, Any]) -> WorkflowHistory:
    """Everything a workflow did so far."""
    return await handle.fetch_history()
