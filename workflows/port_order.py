"""PortOrder: a business' phone numbers on their way from one carrier to another, for weeks.

Promises: what is decided is written before it is done, and done once, however often a worker dies;
nothing that is due waits for anything else, a carrier that is away as little as a receiver that hangs;
the numbers of an order stay accounted for until its end, and the workflow ends when the order has
ended and everybody was told. The history has ids, positions, codes and times.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow

from workflows import port_order_steps
from workflows.port_order_messages import Heard, PortOrderMessages

with workflow.unsafe.imports_passed_through():
    from activities.contracts import PortRun
    from domain.porting.effects import Effect
    from domain.porting.events import PortEvent, Started, TimePassed
    from domain.porting.state import PortState, next_deadline

__all__ = ["PortOrderWorkflow"]

AT_LEAST = timedelta(milliseconds=100)
"""Between two looks that the clock asks for: clocks of machines are not quite the same."""


@workflow.defn(name="PortOrder")
class PortOrderWorkflow(PortOrderMessages):
    """Signals: ``fact``. Updates: ``cancel``, ``reschedule``, ``resubmit``, ``activate``,
    ``drop_number``. Queries: ``standing``."""

    @workflow.init
    def __init__(self, run: PortRun) -> None:
        super().__init__(run)
        self._run = run
        self._changes = 0
        self._sent = -1
        self._leaving = False

    @workflow.run
    async def run(self, run: PortRun) -> PortState | None:
        """Go on with the order until it has ended."""
        if self._state is None and not await self._begin():
            return None
        messages = asyncio.create_task(self._send_messages())
        while not self._is_finished():
            await self._rest(messages)
            if self._heard or self._is_due():
                await self._turn(self._heard.popleft() if self._heard else Heard(TimePassed()))
            if self._is_long():
                await self._stop(messages)
                if self._is_long():
                    workflow.continue_as_new(self._run.model_copy(update={"state": self._state}))
                messages = asyncio.create_task(self._send_messages())
        await self._stop(messages)
        return self._state

    @workflow.query
    def standing(self) -> PortState | None:
        """All that it knows of the order."""
        return self._state

    async def _begin(self) -> bool:
        """Read the order; false when there is nothing to do for it."""
        self._state = await port_order_steps.open_order(self._run.order_id, self._run.org_id)
        if self._state is None:
            self._is_nothing = True
            await workflow.wait_condition(workflow.all_handlers_finished)
            return False
        await self._turn(Heard(Started()))
        return True

    async def _rest(self, messages: asyncio.Task[None]) -> None:
        """Until something comes or is due."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: bool(self._heard) or self._is_finished() or messages.done(),
                timeout=_left(self._wake_at()),
            )
        if messages.done():
            await messages

    async def _stop(self, messages: asyncio.Task[None]) -> None:
        self._leaving = True
        await messages
        self._leaving = False

    async def _turn(self, heard: Heard) -> None:
        """Let one thing have all its consequences, each written before the next."""
        effects = deque(await self._advance(heard.event, heard))
        while effects:
            event = await port_order_steps.carry_out(effects.popleft(), self._known())
            if event is not None:
                effects.extend(await self._advance(event))
        heard.done = True

    async def _advance(self, event: PortEvent, heard: Heard | None = None) -> tuple[Effect, ...]:
        before = self._known()
        step = await port_order_steps.advance(before, event)
        if heard is not None:
            heard.refusal = step.refusal
        self._state = step.state
        if step.state.generation != before.generation:
            await port_order_steps.record(step)
            self._changes += 1
        return step.effects

    async def _send_messages(self) -> None:
        """Send what was written, in the background."""
        while True:
            heard = self._changes
            work = await port_order_steps.due_notices(self._run.order_id, self._run.org_id)
            if work.due:
                await asyncio.gather(
                    *(port_order_steps.deliver(self._run.org_id, each) for each in work.due)
                )
                continue
            if work.wake_at is None:
                self._sent = heard
            await self._news_since(heard, work.wake_at)
            if self._leaving:
                return

    async def _news_since(self, heard: int, wake_at: datetime | None) -> None:
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._changes != heard or self._leaving, timeout=_left(wake_at)
            )

    def _wake_at(self) -> datetime | None:
        deadline = next_deadline(self._known())
        return None if deadline is None else deadline.at

    def _is_due(self) -> bool:
        wake_at = self._wake_at()
        return wake_at is not None and wake_at <= workflow.now()

    def _is_finished(self) -> bool:
        """Whether the order has ended, and nothing is left to hear or to tell."""
        over = self._known().is_over and not self._heard and workflow.all_handlers_finished()
        return over and self._sent == self._changes

    def _is_long(self) -> bool:
        """Whether the next run should go on; what came and was not heard yet would be lost."""
        if self._heard or not workflow.all_handlers_finished():
            return False
        return workflow.info().is_continue_as_new_suggested()


def _left(wake_at: datetime | None) -> timedelta | None:
    """How long to wait for this time."""
    return None if wake_at is None else max(wake_at - workflow.now(), AT_LEAST)
