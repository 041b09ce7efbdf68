"""A monitor for each shard that has something to probe.

Placing a trunk leaves an entry in the outbox that starts its shards' monitors. What that cannot
know, a Temporal that lost its workflows or an operator who ended one, is found here.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client

from activities.contracts import MonitorState
from observability.logs import get_logger
from storage.engine import Database
from storage.health_occupancy import occupied_shards
from workflows.health_monitor import HealthMonitorWorkflow
from workflows.names import WORKFLOW_QUEUE, health_monitor_workflow_id

__all__ = ["start_missing_monitors", "want_monitor"]

_log = get_logger("trunkline.upkeep")

DEADLINE = timedelta(seconds=5)

RUNNING = 'WorkflowType = "HealthMonitor" AND ExecutionStatus = "Running"'


async def want_monitor(client: Client, shard: int) -> None:
    """Tell a shard's monitor that there is something to probe; it is started when there is none.

    Raises ``RPCError``.
    """
    await client.start_workflow(
        HealthMonitorWorkflow.run,
        MonitorState(shard=shard),
        id=health_monitor_workflow_id(shard),
        task_queue=WORKFLOW_QUEUE,
        start_signal="wanted",
        rpc_timeout=DEADLINE,
    )


async def start_missing_monitors(database: Database, client: Client) -> int:
    """Start the monitors that should run and do not; how many. What the server lists may be some
    seconds old: a monitor that runs already only hears that it is wanted.

    Raises ``DatabaseUnavailable`` and ``RPCError``.
    """
    async with database.system() as session:
        occupied = await occupied_shards(session)
    if not occupied:
        return 0
    running = {each.id async for each in client.list_workflows(RUNNING, rpc_timeout=DEADLINE)}
    missing = [each for each in occupied if health_monitor_workflow_id(each) not in running]
    for shard in sorted(missing):
        _log.info("a monitor was missing", shard=shard)
        await want_monitor(client, shard)
    return len(missing)
