"""What a port order is told and asked: facts as signals, the customer's wishes as updates."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.names import ErrorType

with workflow.unsafe.imports_passed_through():
    from activities.contracts import CancelAnswer, PortAnswer, PortRun
    from domain.porting.events import (
        ActivateAsked,
        CancelAsked,
        DropAsked,
        Fact,
        Order,
        PortEvent,
        RescheduleAsked,
        ResubmitAsked,
    )
    from domain.porting.lifecycle_orders import refusal_of
    from domain.porting.order_refusals import OrderRefusal, message_of
    from domain.porting.state import PortState
    from domain.porting.words import SubStatus

__all__ = ["Heard", "PortOrderMessages"]


@dataclass(slots=True)
class Heard:
    """Something that came, and what became of it."""

    event: PortEvent
    done: bool = False
    refusal: OrderRefusal | None = None


class PortOrderMessages:
    """The part of the PortOrder workflow that listens.

    Each update is refused with ``PortOrderRefused`` when it does not fit the order, and returns when
    what follows from it was recorded and done.
    """

    def __init__(self, run: PortRun) -> None:
        self._state: PortState | None = run.state
        self._heard: deque[Heard] = deque()
        self._is_nothing = False

    @workflow.signal
    def fact(self, fact: Fact) -> None:
        """Something was written down. What is told again changes nothing."""
        self._heard.append(Heard(fact))

    @workflow.update
    async def cancel(self, order: CancelAsked) -> CancelAnswer:
        """End the order: at once, or as soon as the carrier confirms it."""
        await self._ask(order)
        if self._is_asked_to_end() and order.wait_seconds > 0:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not self._is_asked_to_end(),
                    timeout=timedelta(seconds=order.wait_seconds),
                )
        state = self._known()
        return CancelAnswer(
            sub_status=state.sub_status,
            generation=state.generation,
            canceled=state.sub_status in (SubStatus.CANCELED, SubStatus.EXPIRED),
            cancel_requested=self._is_asked_to_end(),
        )

    @cancel.validator
    def _check_cancel(self, order: CancelAsked) -> None:
        self._check(order)

    @workflow.update
    async def reschedule(self, order: RescheduleAsked) -> PortAnswer:
        """Ask the carrier for another date."""
        return await self._ask(order)

    @reschedule.validator
    def _check_reschedule(self, order: RescheduleAsked) -> None:
        self._check(order)

    @workflow.update
    async def resubmit(self, order: ResubmitAsked) -> PortAnswer:
        """Send the corrected order, or have its letter signed anew first."""
        return await self._ask(order)

    @resubmit.validator
    def _check_resubmit(self, order: ResubmitAsked) -> None:
        self._check(order)

    @workflow.update
    async def activate(self, order: ActivateAsked) -> PortAnswer:
        """Switch the numbers now."""
        return await self._ask(order)

    @activate.validator
    def _check_activate(self, order: ActivateAsked) -> None:
        self._check(order)

    @workflow.update
    async def drop_number(self, order: DropAsked) -> PortAnswer:
        """Go on without a number."""
        return await self._ask(order)

    @drop_number.validator
    def _check_drop_number(self, order: DropAsked) -> None:
        self._check(order)

    def _check(self, order: Order) -> None:
        # Before the order was read nothing is known to check against; the handler waits for it.
        if self._state is not None:
            _refuse(refusal_of(self._state, order, workflow.now()))

    async def _ask(self, order: Order) -> PortAnswer:
        heard = Heard(order)
        self._heard.append(heard)
        await workflow.wait_condition(lambda: heard.done or self._is_nothing)
        _refuse(OrderRefusal.ALREADY_ENDED if self._is_nothing else heard.refusal)
        state = self._known()
        return PortAnswer(sub_status=state.sub_status, generation=state.generation)

    def _known(self) -> PortState:
        assert self._state is not None
        return self._state

    def _is_asked_to_end(self) -> bool:
        state = self._known()
        return state.cancel_requested_at is not None and not state.is_over


def _refuse(refusal: OrderRefusal | None) -> None:
    if refusal is not None:
        raise ApplicationError(
            message_of(refusal), refusal.value, type=ErrorType.PORT_ORDER_REFUSED
        )
