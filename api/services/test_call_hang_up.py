"""Ending a test call on request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from api.authentication import Principal
from api.errors import Conflict, NotFound, Unavailable
from api.services.actor import Actor
from api.services.audit import record
from api.state import ApiState
from storage import calls
from workflows.names import test_call_workflow_id
from workflows.test_call import TestCallWorkflow

__all__ = ["AlreadyEnded", "hung_up"]

UPDATE_DEADLINE = timedelta(seconds=4)
"""Shorter than the gateway's, whose cancellation the SDK would turn into an error of its own."""


class AlreadyEnded(Conflict):
    """Nothing is left to hang up."""

    code = "TEST_CALL_ENDED"
    default_message = "The call has ended already."


async def hung_up(state: ApiState, principal: Principal, actor: Actor, call_id: str) -> None:
    """Have the call ended: CANCEL before an answer, BYE behind it. The row says when it is over.

    Raises ``NotFound``, ``AlreadyEnded``, or ``Unavailable`` when no worker could be told.
    """
    async with state.database.tenant(principal.org_id) as session:
        if await calls.get_test(session, call_id) is None:
            raise NotFound("no such test call")
        if not await calls.request_hang_up(session, call_id, now=datetime.now(UTC)):
            raise AlreadyEnded
        await record(
            session,
            actor,
            org_id=principal.org_id,
            action="test_call.hang_up",
            subject=("test_call", call_id),
        )
    await _tell(state, call_id)


async def _tell(state: ApiState, call_id: str) -> None:
    async def update(client: Client) -> None:
        handle = client.get_workflow_handle(test_call_workflow_id(call_id))
        await handle.execute_update(TestCallWorkflow.hang_up, rpc_timeout=UPDATE_DEADLINE)

    try:
        await state.temporal.call(update)
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise Unavailable("No worker took the request to hang up; send it again.") from error
    except WorkflowUpdateFailedError as error:
        raise AlreadyEnded from error
    except RPCError as error:
        # Its workflow ended a moment ago, or never started: the reaper ends the row.
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
