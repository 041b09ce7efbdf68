"""Connection tests: one OPTIONS by a trunk's own settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta

from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts.base import ActivityLimits, Payload
from domain.connection_test import ConnectionProblem

__all__ = [
    "CHECK_LIMITS",
    "ConnectionTestContract",
    "ConnectionTestOrder",
    "ConnectionTestOutcome",
]


class ConnectionTestOrder(Payload):
    """Which trunk to test; its row holds the endpoint."""

    trunk_id: str
    org_id: str


class ConnectionTestOutcome(Payload):
    """What became of the OPTIONS: the final response, or the problem why there is none.

    ``response_time_ms`` from the request to the response, without connecting.
    """

    sip_code: int | None = None
    response_time_ms: int | None = None
    problem: ConnectionProblem | None = None


CHECK_LIMITS = ActivityLimits(
    # Whoever asked waits for ten seconds at most.
    schedule_to_close=timedelta(seconds=9),
    # Seven seconds on the wire, and the row before.
    start_to_close=timedelta(seconds=8),
    retry=RetryPolicy(maximum_attempts=1),
)


class ConnectionTestContract(ABC):
    """Side effects of a connection test."""

    @activity.defn(name="connection_test.check")
    @abstractmethod
    async def check(self, order: ConnectionTestOrder) -> ConnectionTestOutcome:
        """Send one OPTIONS to the trunk's endpoint and report what came back."""
