"""Orders to a trunk's workflow: sent as updates, answered when calls go by them, audited."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.authentication import Principal
from api.errors import Conflict, NotFound, Unavailable
from api.idempotency import KEY_HEADER
from api.schemas.trunk_routes import RouteView
from api.services import trunks
from api.services.actor import Actor
from api.services.audit import record
from api.services.trunk_routes import route_view
from api.state import ApiState
from domain.base62 import base62
from domain.failover_commands import (
    AbortDrill,
    CloseMaintenance,
    FailBack,
    FailOver,
    OpenMaintenance,
    Order,
    Pin,
    StartDrill,
    Unpin,
)
from workflows.names import ErrorType, trunk_workflow_id
from workflows.trunk import TrunkWorkflow

__all__ = ["Wish", "carry_out", "refused"]

UPDATE_DEADLINE: Final = timedelta(seconds=4)
"""Shorter than the gateway's, whose cancellation the SDK would turn into an error of its own."""

_UPDATES: Final[Mapping[type, Any]] = {
    FailOver: TrunkWorkflow.fail_over,
    FailBack: TrunkWorkflow.fail_back,
    Pin: TrunkWorkflow.pin,
    Unpin: TrunkWorkflow.unpin,
    OpenMaintenance: TrunkWorkflow.open_maintenance,
    CloseMaintenance: TrunkWorkflow.close_maintenance,
    StartDrill: TrunkWorkflow.start_drill,
    AbortDrill: TrunkWorkflow.abort_drill,
}


class Wish:
    """One request for an order. Whoever repeats it with its Idempotency-Key means the same one, also
    when the first answer was lost on its way from Temporal."""

    def __init__(self, request: Request, principal: Principal, body: BaseModel | None) -> None:
        key = request.headers.get(KEY_HEADER)
        said = "" if body is None else body.model_dump_json()
        place = (request.method, request.url.path, request.url.query)
        parts = (principal.org_id, key or secrets.token_hex(16), *place, said)
        self._digest = hashlib.sha256("\n".join(parts).encode()).digest()

    @property
    def id(self) -> str:
        """Id of the update."""
        return base62(self._digest[:16])

    def new_id(self, prefix: str) -> str:
        """The id of what the order makes: the same for the same wish."""
        return f"{prefix}_{base62(self._digest[16:32])}"


async def carry_out(
    state: ApiState,
    principal: Principal,
    actor: Actor,
    trunk_id: str,
    order: Order,
    *,
    wish: Wish,
    action: str,
    asked: Mapping[str, Any],
) -> RouteView:
    """Have the trunk obey; the route that new calls go by since.

    Raises ``NotFound``, ``Conflict`` with the word of the refusal, and ``Unavailable`` when nobody
    answers in time: then the order may be carried out later.
    """
    org_id = principal.org_id
    async with state.database.tenant(org_id) as session:
        await trunks.get(session, org_id, trunk_id)
    await _tell(state, trunk_id, order, wish)
    async with state.database.tenant(org_id) as session:
        await record(
            session, actor, org_id=org_id, action=action, subject=("trunk", trunk_id), after=asked
        )
        return await route_view(session, org_id, trunk_id)


def refused(code: str, message: str) -> Conflict:
    """How an order is refused."""
    return Conflict(message, code=code)


async def _tell(state: ApiState, trunk_id: str, order: Order, wish: Wish) -> None:
    async def tell(client: Client) -> None:
        handle = client.get_workflow_handle(trunk_workflow_id(trunk_id))
        update = _UPDATES[type(order)]
        await handle.execute_update(update, order, id=wish.id, rpc_timeout=UPDATE_DEADLINE)

    try:
        await state.temporal.call(tell)
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise Unavailable("no worker took the order in time; send it again") from error
    except WorkflowUpdateFailedError as error:
        _raise_refusal(error)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        # It begins when the relay has told it of the trunk.
        raise Unavailable(
            "the trunk's workflow has not begun yet", retry_after=timedelta(seconds=2)
        ) from error


def _raise_refusal(error: WorkflowUpdateFailedError) -> None:
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        raise error
    match cause.type:
        case ErrorType.TRUNK_ORDER_REFUSED:
            raise refused(str(cause.details[0]), cause.message) from error
        case ErrorType.TRUNK_GONE:
            raise NotFound("no such trunk") from error
        case ErrorType.TRUNK_HANDS_OVER:
            raise Unavailable(
                "the trunk's workflow is being renewed", retry_after=timedelta(seconds=1)
            ) from error
        case _:
            raise error
