"""Discovery: sweep the candidates, conclude from the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta

from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts.base import ActivityLimits, Payload
from domain.discovery_state import DiscoveryStatus, FailureReason

__all__ = [
    "SWEEP_LIMITS",
    "DiscoveryContract",
    "DiscoveryOrder",
    "DiscoveryOutcome",
    "FailureReport",
    "SweepOutcome",
]


class DiscoveryOrder(Payload):
    """Which discovery to work on; its row holds host, port and transport."""

    discovery_id: str
    org_id: str


class SweepOutcome(Payload):
    """What the sweep did: counts for the operator who reads the history."""

    addresses: int
    attempts: int
    answered: int
    failure: FailureReason | None = None


class FailureReport(Payload):
    """A discovery that ends without a result, and why."""

    discovery_id: str
    org_id: str
    reason: FailureReason


class DiscoveryOutcome(Payload):
    """Final state of a discovery."""

    discovery_id: str
    status: DiscoveryStatus
    answered: int = 0
    failure: FailureReason | None = None


SWEEP_LIMITS = ActivityLimits(
    # DNS has 5 s and a probe 4 s, all in parallel; twice that leaves room for a busy machine.
    start_to_close=timedelta(seconds=20),
    # A killed worker is noticed after the heartbeat timeout; two more tries fit into 45 s.
    schedule_to_close=timedelta(seconds=45),
    heartbeat=timedelta(seconds=4),
    retry=RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        backoff_coefficient=1.0,
        maximum_attempts=3,
    ),
)


class DiscoveryContract(ABC):
    """Side effects of a discovery."""

    @activity.defn(name="discovery.sweep")
    @abstractmethod
    async def sweep(self, order: DiscoveryOrder) -> SweepOutcome:
        """Resolve the host, probe every candidate in parallel, write each attempt as it ends.

        Safe to run again: addresses stay those of the first look-up, and a candidate that has a
        row already is not probed twice. Raises ``ApplicationError`` of type ``DiscoveryGone``.
        """

    @activity.defn(name="discovery.conclude")
    @abstractmethod
    async def conclude(self, order: DiscoveryOrder) -> DiscoveryOutcome:
        """Derive fingerprint and recommendation from the rows and close the discovery."""

    @activity.defn(name="discovery.fail")
    @abstractmethod
    async def fail(self, report: FailureReport) -> DiscoveryOutcome:
        """Close the discovery as failed; no change when it is closed already."""
