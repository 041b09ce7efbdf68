"""What customers ask of an order's workflow: sent as updates, answered when it was done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import CancelAnswer, PortAnswer
from api.errors import Conflict, Unavailable
from api.services import port_orders as orders
from api.state import ApiState
from domain.porting.events import (
    ActivateAsked,
    CancelAsked,
    DropAsked,
    Order,
    RescheduleAsked,
    ResubmitAsked,
)
from domain.porting.lifecycle_orders import refusal_of
from domain.porting.order_refusals import OrderRefusal, message_of
from domain.porting.standing import state_in
from domain.porting.words import TERMINAL
from storage.port_wholes import parts_of_each
from storage.tables import PortOrder
from workflows.names import ErrorType, port_workflow_id
from workflows.port_order import PortOrderWorkflow

__all__ = ["CANCEL_WAIT", "PortIsSplit", "ask", "check", "refused", "single"]

UPDATE_DEADLINE: Final = timedelta(seconds=4)
"""Shorter than the gateway's, whose cancellation the SDK would turn into an error of its own."""

CANCEL_WAIT: Final = 2.5
"""Seconds that a cancellation waits for the carrier to confirm it, before it is only asked for."""

_UPDATES: Final[Mapping[type, Any]] = {
    CancelAsked: PortOrderWorkflow.cancel,
    RescheduleAsked: PortOrderWorkflow.reschedule,
    ResubmitAsked: PortOrderWorkflow.resubmit,
    ActivateAsked: PortOrderWorkflow.activate,
    DropAsked: PortOrderWorkflow.drop_number,
}


class PortIsSplit(Conflict):
    """The order has parts, and each of them is dealt with for itself."""

    code = "PORT_IS_SPLIT"
    default_message = "the order was split; ask this of one of its parts, which its children name"


def refused(refusal: OrderRefusal) -> Conflict:
    """How something that does not fit the order is refused."""
    return Conflict(message_of(refusal), code=f"PORT_{refusal.value.upper()}")


async def single(session: AsyncSession, order_id: str, *, for_update: bool = False) -> PortOrder:
    """The row of an order that has no parts. Raises ``NotFound`` and ``PortIsSplit``."""
    order = await orders.get(session, order_id, for_update=for_update)
    if await parts_of_each(session, [order_id]):
        raise PortIsSplit
    return order


def check(order: PortOrder, asked: Order) -> None:
    """Refuse what the row already shows not to fit. Raises ``Conflict``.

    The workflow has the last word; this one is said before anything is written for it.
    """
    if order.sub_status in TERMINAL:
        raise refused(OrderRefusal.ALREADY_ENDED)
    known = state_in(order.standing)
    if known is not None:
        refusal = refusal_of(known, asked, datetime.now(UTC))
        if refusal is not None:
            raise refused(refusal)


async def ask(
    state: ApiState, order_id: str, asked: Order, *, wish_id: str
) -> CancelAnswer | PortAnswer:
    """Have the order's workflow do it.

    Raises ``Conflict`` with the reason of the refusal, and ``Unavailable`` when nobody answers in
    time: then it may be done later, and the same wish may be sent again.
    """

    async def tell(client: Client) -> CancelAnswer | PortAnswer:
        handle = client.get_workflow_handle(port_workflow_id(order_id))
        answer: CancelAnswer | PortAnswer = await handle.execute_update(
            _UPDATES[type(asked)], asked, id=wish_id, rpc_timeout=UPDATE_DEADLINE
        )
        return answer

    try:
        return await state.temporal.call(tell)
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise Unavailable("no worker answered in time; send it again") from error
    except WorkflowUpdateFailedError as error:
        raise _refusal(error) from error
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        # It begins when the relay has told it of the order.
        raise Unavailable(
            "the order's workflow has not begun yet", retry_after=timedelta(seconds=2)
        ) from error


def _refusal(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == ErrorType.PORT_ORDER_REFUSED:
        return refused(OrderRefusal(str(cause.details[0])))
    return error
