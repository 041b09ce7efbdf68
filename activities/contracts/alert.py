"""Alerts on their way to people and machines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts.base import Payload

__all__ = [
    "DELIVERY_RETRY",
    "DELIVER_TIMEOUT",
    "PREPARE_TIMEOUT",
    "AlertContract",
    "AlertDeliveryState",
    "AlertLooked",
    "AlertWork",
    "DueDelivery",
]


class AlertDeliveryState(Payload):
    """Of the workflow of one alert, or of a trial, which has no ``alert_id``.

    ``changes`` counts how often it was told to look.
    """

    org_id: str
    alert_id: str | None = None
    changes: int = 0


class AlertLooked(Payload):
    """What to look at, and when by the workflow's clock."""

    org_id: str
    alert_id: str | None
    workflow_id: str
    now: AwareDatetime


class AlertWork(Payload):
    """Ids of the messages to send now, and when to look again. ``over``: nothing will follow."""

    due: tuple[str, ...] = ()
    wake_at: AwareDatetime | None = None
    over: bool = False


class DueDelivery(Payload):
    """One message to send; its row holds the recipient."""

    org_id: str
    delivery_id: str
    now: AwareDatetime


PREPARE_TIMEOUT = timedelta(seconds=10)
"""One transaction."""

DELIVER_TIMEOUT = timedelta(seconds=50)
"""A mail server may take 30 s, and the row twice."""

DELIVERY_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
)
"""For a database that is away, as long as it takes. What a receiver does is in the row, not here."""


class AlertContract(ABC):
    """Side effects of an alert."""

    @activity.defn(name="alert.prepare")
    @abstractmethod
    async def prepare(self, looked: AlertLooked) -> AlertWork:
        """Write down the messages that are due, each once, and say which are to be sent now."""

    @activity.defn(name="alert.deliver")
    @abstractmethod
    async def deliver(self, due: DueDelivery) -> None:
        """Try once to deliver a message and write down what became of it."""
