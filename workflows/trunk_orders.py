"""What operators may tell a trunk, as updates: checked before they are accepted, answered by what
they led to, and carried out once however often they are sent."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.names import ErrorType

with workflow.unsafe.imports_passed_through():
    from activities.contracts import MAX_ANSWERS, AnsweredOrder, OrderAnswer, TrunkState
    from domain.failover_commands import (
        AbortDrill,
        CloseMaintenance,
        CommandRefused,
        Commands,
        FailBack,
        FailOver,
        OpenMaintenance,
        Order,
        Pin,
        StartDrill,
        Unpin,
    )
    from domain.failover_orders import ordered

__all__ = ["TrunkOrders"]


class TrunkOrders:
    """The part of the Trunk workflow that takes orders.

    Each update is refused with ``TrunkOrderRefused`` when it does not fit the trunk as the last
    decision knew it, and returns when a decision took it into account and its route is published.
    """

    def __init__(self, state: TrunkState) -> None:
        self._state = state
        self._decides = True
        self._hands_over = False
        self._ordered = 0
        self._obeyed = 0

    @workflow.update
    async def fail_over(self, order: FailOver) -> OrderAnswer:
        """Send calls to another endpoint."""
        return await self._obey(order)

    @fail_over.validator
    def _check_fail_over(self, order: FailOver) -> None:
        self._check(order)

    @workflow.update
    async def fail_back(self, order: FailBack) -> OrderAnswer:
        """Send calls back without waiting."""
        return await self._obey(order)

    @fail_back.validator
    def _check_fail_back(self, order: FailBack) -> None:
        self._check(order)

    @workflow.update
    async def pin(self, order: Pin) -> OrderAnswer:
        """Send calls to one endpoint whatever becomes of it."""
        return await self._obey(order)

    @pin.validator
    def _check_pin(self, order: Pin) -> None:
        self._check(order)

    @workflow.update
    async def unpin(self, order: Unpin) -> OrderAnswer:
        """Take the pin away."""
        return await self._obey(order)

    @unpin.validator
    def _check_unpin(self, order: Unpin) -> None:
        self._check(order)

    @workflow.update
    async def open_maintenance(self, order: OpenMaintenance) -> OrderAnswer:
        """Plan a maintenance window, or open one now."""
        return await self._obey(order)

    @open_maintenance.validator
    def _check_open_maintenance(self, order: OpenMaintenance) -> None:
        self._check(order)

    @workflow.update
    async def close_maintenance(self, order: CloseMaintenance) -> OrderAnswer:
        """End maintenance windows."""
        return await self._obey(order)

    @close_maintenance.validator
    def _check_close_maintenance(self, order: CloseMaintenance) -> None:
        self._check(order)

    @workflow.update
    async def start_drill(self, order: StartDrill) -> OrderAnswer:
        """Rehearse a failover for one number."""
        return await self._obey(order)

    @start_drill.validator
    def _check_start_drill(self, order: StartDrill) -> None:
        self._check(order)

    @workflow.update
    async def abort_drill(self, order: AbortDrill) -> OrderAnswer:
        """End the drill."""
        return await self._obey(order)

    @abort_drill.validator
    def _check_abort_drill(self, order: AbortDrill) -> None:
        self._check(order)

    def _check(self, order: Order) -> None:
        if self._state.removed:
            raise _gone()
        # Before the first decision nothing is known to check against; the handler waits for it.
        if self._decides and self._state.failover.generation and self._answer() is None:
            self._commands_with(order)

    async def _obey(self, order: Order) -> OrderAnswer:
        answered = self._answer()
        if answered is not None:
            return answered
        if not self._decides:
            self._hands_over = True
            raise ApplicationError("send it again", type=ErrorType.TRUNK_HANDS_OVER)
        await workflow.wait_condition(
            lambda: self._state.removed or self._state.failover.generation > 0
        )
        if self._state.removed:
            raise _gone()
        self._state = self._state.model_copy(update={"commands": self._commands_with(order)})
        self._ordered += 1
        number = self._ordered
        await workflow.wait_condition(lambda: self._state.removed or self._obeyed >= number)
        if self._obeyed < number:
            raise _gone()
        return self._answered()

    def _commands_with(self, order: Order) -> Commands:
        try:
            return ordered(order, self._state.commands, self._state.failover, workflow.now())
        except CommandRefused as refused:
            raise ApplicationError(
                refused.message, refused.refusal.value, type=ErrorType.TRUNK_ORDER_REFUSED
            ) from refused

    def _answer(self) -> OrderAnswer | None:
        """What this request was answered before, perhaps by an earlier run."""
        request_id = _request_id()
        found = (each for each in self._state.answers if each.request_id == request_id)
        known = next(found, None)
        return None if known is None else known.answer

    def _answered(self) -> OrderAnswer:
        failover = self._state.failover
        answer = OrderAnswer(generation=failover.generation, position=failover.position)
        kept = (*self._state.answers, AnsweredOrder(request_id=_request_id(), answer=answer))
        self._state = self._state.model_copy(update={"answers": kept[-MAX_ANSWERS:]})
        return answer


def _request_id() -> str:
    update = workflow.current_update_info()
    assert update is not None
    return update.id


def _gone() -> ApplicationError:
    return ApplicationError("the trunk was removed", type=ErrorType.TRUNK_GONE)
