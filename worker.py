"""The Temporal worker process: settings, dependencies, workers, and a signal to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import httpx
import uvloop
from temporalio.client import Client
from temporalio.worker import Worker

from activities.dependencies import Dependencies, open_dependencies
from activities.health import BEAT_EVERY
from activities.heartbeats import HEARTBEAT_THROTTLE
from activities.registry import activities_by_queue
from domain.probe_target import SHARDS
from observability.logs import configure_logging, get_logger
from observability.metrics import start_temporal_runtime
from observability.propagation import LogIds
from observability.tracing import start_tracing
from settings import Settings, get_settings
from storage.tables import ProcessKind
from temporal_client import connect, register_search_attributes
from upkeep.loops import run_passes
from upkeep.passes import leave, passes_of, this_process
from upkeep.porting import open_postman
from workflows.names import (
    ALERTS_QUEUE,
    CALLS_QUEUE,
    DISCOVERY_QUEUE,
    HEALTH_QUEUE,
    WORKFLOW_QUEUE,
)
from workflows.registry import WORKFLOWS

__all__ = ["main", "serve"]

QUEUES = (WORKFLOW_QUEUE, DISCOVERY_QUEUE, CALLS_QUEUE, HEALTH_QUEUE, ALERTS_QUEUE)

STICKY_PATIENCE = timedelta(seconds=1)
"""How long a workflow waits for the worker that knows it before any other may replay it: what a dead
worker left up is ended that much later. The SDK's own ten seconds suit long histories."""

MAX_WATCHES = 2 * SHARDS
"""Every shard, and the run before it, which may not have heard yet that it was given up."""

_log = get_logger("trunkline.worker")


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Poll the task queues until ``stop`` is set, then let running activities finish.

    Raises ``RuntimeError`` when Temporal cannot be reached and ``StorageError`` when the database
    refuses us: a supervisor starts the process again.
    """
    async with AsyncExitStack() as stack:
        tracing = start_tracing(settings.otlp_endpoint, service="trunkline-worker", version="0.1.0")
        if tracing is not None:
            stack.callback(tracing.stop)
        metrics = start_temporal_runtime(port=settings.worker_metrics_port)
        dependencies = await stack.enter_async_context(open_dependencies(settings))
        interceptors = [LogIds(), *([tracing.interceptor()] if tracing is not None else [])]
        client = await connect(settings, runtime=metrics.runtime, interceptors=interceptors)
        await register_search_attributes(client)
        process = this_process(ProcessKind.WORKER, QUEUES)
        stack.push_async_callback(leave, process, dependencies.database)

        async def connected() -> Client:
            return client

        dependencies.health.measure(metrics.runtime.metric_meter)
        broken = asyncio.create_task(dependencies.health.broken(), name="health")
        workers = workers_of(client, settings, dependencies)
        running = [asyncio.create_task(worker.run(), name="worker") for worker in workers]
        http = await stack.enter_async_context(httpx.AsyncClient())
        upkeep = asyncio.create_task(
            run_passes(
                passes_of(
                    process,
                    dependencies.database,
                    connected,
                    history_kept=settings.health_history_kept,
                    traffic_days_kept=settings.traffic_days_kept,
                    news=dependencies.health.news,
                    postman=open_postman(settings, dependencies.database, http),
                )
            ),
            name="upkeep",
        )
        stopping = asyncio.create_task(stop.wait(), name="stop")
        _log.info("worker is polling", metrics=metrics.metrics_url, queues=process.task_queues)
        ends = {*running, upkeep, stopping, broken}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        _log.info("worker is draining", grace_seconds=settings.worker_grace.total_seconds())
        stopping.cancel()
        # Together, so that the whole process ends within one grace period.
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        upkeep.cancel()
        broken.cancel()
        for task in (*running, upkeep, broken):
            # What ended by itself ended by a bug, which must end the process visibly.
            with suppress(asyncio.CancelledError):
                await task


def workers_of(client: Client, settings: Settings, dependencies: Dependencies) -> list[Worker]:
    """One worker per task queue: probing is bound by sockets, rows by the database, calls and
    watching by time."""
    activities = activities_by_queue(dependencies)
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=WORKFLOWS if queue == WORKFLOW_QUEUE else (),
            activities=activities[queue],
            max_concurrent_activities=(
                MAX_WATCHES if queue == HEALTH_QUEUE else settings.worker_max_activities
            ),
            graceful_shutdown_timeout=settings.worker_grace,
            max_heartbeat_throttle_interval=(
                BEAT_EVERY if queue == HEALTH_QUEUE else HEARTBEAT_THROTTLE
            ),
            sticky_queue_schedule_to_start_timeout=STICKY_PATIENCE,
        )
        for queue in QUEUES
    ]


async def _until_signalled(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)


def main() -> None:
    """Entry point of the process; SIGINT and SIGTERM drain it."""
    settings = get_settings()
    configure_logging(level=settings.log_level, log_format=settings.log_format)
    uvloop.run(_until_signalled(settings))


if __name__ == "__main__":
    main()
