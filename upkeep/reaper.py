"""Close the rows of processes that are gone.

A discovery is running, and a test call unfinished, until its workflow closes the row. When the API
died before it started the workflow, or the workflow ended without a worker to close the row, nobody
else would: the row is failed here, so that whoever waits for its end gets it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.call_state import CallFailure
from domain.discovery_state import FailureReason, failure_message
from observability.logs import get_logger
from storage import calls, discoveries
from storage.engine import Database
from workflows.names import discovery_workflow_id, test_call_workflow_id

__all__ = ["GRACE", "reap_discoveries", "reap_test_calls"]

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
        in_time = row.deadline_at > now
        if in_time and (client is None or await _is_alive(client, discovery_workflow_id(row.id))):
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


async def reap_test_calls(database: Database, client: Client | None) -> int:
    """Fail every unfinished test call whose workflow ended or never started; how many there were.

    Past a row's own deadline Temporal is not asked. Without a client only those are failed. Raises
    ``RPCError`` while Temporal is away and ``DatabaseUnavailable``.
    """
    now = datetime.now(UTC)
    async with database.system() as session:
        unfinished = await calls.unfinished(session, started_before=now - GRACE)
    reaped = 0
    for row in unfinished:
        in_time = row.deadline_at is not None and row.deadline_at > now
        if in_time and (client is None or await _is_alive(client, test_call_workflow_id(row.id))):
            continue
        async with database.tenant(row.org_id) as session:
            failed = await calls.fail(
                session, row.id, CallFailure.INTERRUPTED, now=datetime.now(UTC)
            )
        if failed:
            # Not so when the call ended between the look and the hand.
            reaped += 1
            _log.warning("test call reaped", call_id=row.id)
    return reaped


async def _is_alive(client: Client, workflow_id: str) -> bool:
    handle = client.get_workflow_handle(workflow_id)
    try:
        described = await handle.describe(rpc_timeout=DESCRIBE_DEADLINE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return described.status is WorkflowExecutionStatus.RUNNING
