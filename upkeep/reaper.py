"""Free slots whose process is gone.

A discovery's row is ``running`` until its workflow closes it. When the API died before it started
the workflow, or the workflow ended without a worker to close the row, nobody else would: the row
is failed here, so that the organization can start another.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.discovery_state import FailureReason, failure_message
from observability.logs import get_logger
from storage import discoveries
from storage.engine import Database
from storage.tables import Discovery
from workflows.names import discovery_workflow_id

__all__ = ["GRACE", "reap_discoveries"]

_log = get_logger("trunkline.reaper")

GRACE = timedelta(seconds=10)
"""Twice the API's deadline for a call to Temporal: a younger row may just be being started."""

DESCRIBE_DEADLINE = timedelta(seconds=5)


async def reap_discoveries(database: Database, client: Client | None) -> int:
    """Fail every running discovery whose workflow ended or never started; how many there were.

    Past a row's own deadline Temporal is not asked. Without a client only those are failed. Raises
    ``RPCError`` while Temporal is away and ``DatabaseUnavailable``.
    """
    now = datetime.now(UTC)
    async with database.system() as session:
        running = await discoveries.running(session, started_before=now - GRACE)
    reaped = 0
    for row in running:
        if row.deadline_at > now and (client is None or await _is_alive(client, row)):
            continue
        async with database.tenant(row.org_id) as session:
            reaped += await discoveries.fail(
                session,
                row.id,
                error_code=FailureReason.INTERRUPTED,
                error_message=failure_message(FailureReason.INTERRUPTED, row.host),
                now=datetime.now(UTC),
            )
        _log.warning("discovery reaped", discovery_id=row.id)
    return reaped


async def _is_alive(client: Client, row: Discovery) -> bool:
    handle = client.get_workflow_handle(discovery_workflow_id(row.id))
    try:
        described = await handle.describe(rpc_timeout=DESCRIBE_DEADLINE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return described.status is WorkflowExecutionStatus.RUNNING
