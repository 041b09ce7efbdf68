"""AlertDelivery: what is to be told of one alert reaches everybody who is to be told.

Promises: a message is written down before it is sent and sent until it is delivered or given up, a day
later; a receiver that hangs keeps no other waiting for more than a minute; the workflow ends when the
alert is over and nothing is left to send, and never while a ``changed`` is unheard. Recipients and
texts are rows; nothing of them enters the history.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

from workflows.names import ALERTS_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        DELIVER_TIMEOUT,
        DELIVERY_RETRY,
        PREPARE_TIMEOUT,
        AlertContract,
        AlertDeliveryState,
        AlertLooked,
        AlertWork,
        DueDelivery,
    )

__all__ = ["AlertDeliveryWorkflow"]

AT_LEAST = timedelta(seconds=1)
"""Between two looks that the clock asks for: clocks of machines are not quite the same."""


@workflow.defn(name="AlertDelivery")
class AlertDeliveryWorkflow:
    """Signals: ``changed``. Queries: ``standing``."""

    @workflow.init
    def __init__(self, state: AlertDeliveryState) -> None:
        self._state = state

    @workflow.run
    async def run(self, state: AlertDeliveryState) -> AlertDeliveryState:
        """Look, send, and wait, until nothing will follow."""
        while True:
            heard = self._state.changes
            work = await self._look()
            if work.due:
                await asyncio.gather(*(self._deliver(each) for each in work.due))
            elif work.over and self._state.changes == heard:
                return self.standing()
            else:
                await self._wait(heard, work)
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._state)

    @workflow.signal
    def changed(self) -> None:
        """The alert changed, or somebody acknowledged it."""
        self._state = self._state.model_copy(update={"changes": self._state.changes + 1})

    @workflow.query
    def standing(self) -> AlertDeliveryState:
        """Which alert, and how often it was told to look."""
        return self._state

    async def _look(self) -> AlertWork:
        return await workflow.execute_activity_method(
            AlertContract.prepare,
            AlertLooked(
                org_id=self._state.org_id,
                alert_id=self._state.alert_id,
                workflow_id=workflow.info().workflow_id,
                now=workflow.now(),
            ),
            start_to_close_timeout=PREPARE_TIMEOUT,
            retry_policy=DELIVERY_RETRY,
        )

    async def _deliver(self, delivery_id: str) -> None:
        await workflow.execute_activity_method(
            AlertContract.deliver,
            DueDelivery(org_id=self._state.org_id, delivery_id=delivery_id, now=workflow.now()),
            task_queue=ALERTS_QUEUE,
            start_to_close_timeout=DELIVER_TIMEOUT,
            retry_policy=DELIVERY_RETRY,
        )

    async def _wait(self, heard: int, work: AlertWork) -> None:
        left = None if work.wake_at is None else max(work.wake_at - workflow.now(), AT_LEAST)
        try:
            await workflow.wait_condition(lambda: self._state.changes != heard, timeout=left)
        except TimeoutError:
            return
