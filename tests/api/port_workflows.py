"""A Temporal whose port workflows answer as a test says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import CancelAnswer, PortAnswer
from domain.porting.order_refusals import OrderRefusal, message_of
from domain.porting.words import SubStatus
from workflows.names import ErrorType

__all__ = ["PortWorkflows"]


@dataclass
class PortWorkflows:
    """In the place of the gateway. ``told`` is what was asked: workflow id, order, update id."""

    told: list[tuple[str, Any, str]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    """What comes next: an answer, a refusal, or an exception; without one the order is done."""

    def refuses(self, refusal: OrderRefusal) -> None:
        self.answers.append(refusal)

    def is_slow(self) -> None:
        self.answers.append(WorkflowUpdateRPCTimeoutOrCancelledError())

    def has_not_begun(self) -> None:
        self.answers.append(RPCError("not found", RPCStatusCode.NOT_FOUND, b""))

    async def call(self, operation: Callable[[Any], Awaitable[Any]], **_options: Any) -> Any:
        return await operation(self)

    def get_workflow_handle(self, workflow_id: str) -> _Handle:
        return _Handle(self, workflow_id)


@dataclass
class _Handle:
    temporal: PortWorkflows
    workflow_id: str

    async def execute_update(self, _update: Any, order: Any, *, id: str, **_options: Any) -> Any:
        self.temporal.told.append((self.workflow_id, order, id))
        answer = self.temporal.answers.pop(0) if self.temporal.answers else None
        if isinstance(answer, OrderRefusal):
            cause = ApplicationError(
                message_of(answer), answer.value, type=ErrorType.PORT_ORDER_REFUSED
            )
            raise WorkflowUpdateFailedError(cause)
        if isinstance(answer, Exception):
            raise answer
        if order.type == "cancel_asked":
            return answer or CancelAnswer(
                sub_status=SubStatus.CANCELED, generation=2, canceled=True, cancel_requested=False
            )
        return PortAnswer(sub_status=SubStatus.LSR_SENT, generation=2)
