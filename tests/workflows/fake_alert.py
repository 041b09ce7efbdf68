"""The activities of an alert's deliveries over messages that a test adds, and its start as the relay does
it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.contracts import AlertDeliveryState, AlertLooked, AlertWork, DueDelivery
from domain.alert_retry import next_attempt
from workflows.alert_delivery import AlertDeliveryWorkflow
from workflows.names import WORKFLOW_QUEUE, alert_workflow_id

__all__ = ["FakeAlert", "Message", "fails_for", "signalled"]


@dataclass
class Message:
    """One message; ``answers`` says whether an attempt at this time arrives."""

    answers: Callable[[datetime], bool] = lambda _: True
    created_at: datetime | None = None
    next_at: datetime | None = None
    is_over: bool = False
    attempts: list[datetime] = field(default_factory=list)


class FakeAlert:
    """An alert with its messages by id; at ``reminds_at`` ``reminders`` are written beside them."""

    def __init__(self, **messages: Message) -> None:
        self.messages = messages
        self.over = False
        self.reminds_at: datetime | None = None
        self.reminders: dict[str, Message] = {}
        self.looks: list[AlertLooked] = []
        self.delivering = asyncio.Event()
        self.may_deliver = asyncio.Event()
        self.may_deliver.set()
        self.breaks = 0
        self.may_look = asyncio.Event()
        self.may_look.set()

    @activity.defn(name="alert.prepare")
    async def prepare(self, looked: AlertLooked) -> AlertWork:
        self.looks.append(looked)
        await self.may_look.wait()
        if self.reminds_at is not None and looked.now >= self.reminds_at:
            self.messages |= self.reminders
            self.reminds_at = None
        due, later = [], [self.reminds_at] if self.reminds_at is not None else []
        for name, message in self.messages.items():
            message.created_at = message.created_at or looked.now
            message.next_at = message.next_at or looked.now
            if message.is_over:
                continue
            if message.next_at <= looked.now:
                due.append(name)
            else:
                later.append(message.next_at)
        nothing_waits = not due and not later
        return AlertWork(
            due=tuple(due), wake_at=min(later, default=None), over=self.over and nothing_waits
        )

    @activity.defn(name="alert.deliver")
    async def deliver(self, due: DueDelivery) -> None:
        self.delivering.set()
        await self.may_deliver.wait()
        if self.breaks:
            self.breaks -= 1
            raise ApplicationError("the database is away")
        message = self.messages[due.delivery_id]
        message.attempts.append(due.now)
        message.is_over = message.answers(due.now)
        if not message.is_over:
            assert message.created_at is not None
            message.next_at = next_attempt(
                created_at=message.created_at, attempts=len(message.attempts), now=due.now
            )
            message.is_over = message.next_at is None

    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (self.prepare, self.deliver)


async def signalled(
    client: Client, alert_id: str, *, trial: bool = False
) -> WorkflowHandle[Any, AlertDeliveryState]:
    """Tell an alert's workflow to look; it begins with the first time."""
    return await client.start_workflow(
        AlertDeliveryWorkflow.run,
        AlertDeliveryState(org_id="org_1", alert_id=None if trial else alert_id),
        id=alert_workflow_id(alert_id),
        task_queue=WORKFLOW_QUEUE,
        start_signal="changed",
    )


def fails_for(span: timedelta) -> Callable[[datetime], bool]:
    """An answer of a receiver that fails for this long from the first attempt on."""
    first: list[datetime] = []

    def answers(now: datetime) -> bool:
        first.append(now)
        return now - first[0] >= span

    return answers
