"""Health monitoring: watch the targets of one shard for a while."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from enum import StrEnum

from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts.base import Payload

__all__ = [
    "WATCH_GRACE",
    "WATCH_HEARTBEAT",
    "WATCH_RETRY",
    "WATCH_RUN",
    "HealthContract",
    "MonitorStanding",
    "MonitorState",
    "WatchEnd",
    "WatchEndReason",
    "WatchProgress",
    "WatchedShard",
]

WATCH_RUN = timedelta(minutes=10)
"""Length of one run: six events of history each, and a load that spreads anew by itself."""

WATCH_GRACE = timedelta(seconds=60)
"""What a run may need beyond that, while the database is slow to take its last rows."""

WATCH_HEARTBEAT = timedelta(seconds=10)
"""A worker that died is noticed this late; the shard must be watched again within 15 s."""

WATCH_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    # While the database is away: a shard waits for it as long as it takes.
    maximum_interval=timedelta(seconds=5),
)


class WatchEndReason(StrEnum):
    """Why a run ended. None is a failure."""

    TIME = "time"
    EMPTY = "empty"
    """Nothing is left to probe in the shard."""
    SHARE = "share"
    """The worker held more shards than its share."""
    FENCED = "fenced"
    """Another run took the shard."""
    DRAIN = "drain"
    """The worker stops."""


class WatchProgress(Payload):
    """How far a run has come: what is said with each heartbeat and at its end.

    Every round that was due until ``probed_until`` (seconds since 1970) was begun. Of ``in_flight``,
    ids of targets, nothing was heard yet. Whoever goes on repeats these and nothing else.
    """

    probed_until: float
    in_flight: tuple[str, ...] = ()


class WatchedShard(Payload):
    """Which shard to watch, for how long, and how far the run before came."""

    shard: int
    run_for: timedelta = WATCH_RUN
    progress: WatchProgress | None = None


class WatchEnd(Payload):
    """How a run ended, and how far it came; counts for the operator who reads the history."""

    reason: WatchEndReason
    progress: WatchProgress | None = None
    targets: int = 0
    probes: int = 0


class MonitorState(Payload):
    """Everything that the workflow knows; it survives each continue-as-new whole.

    ``wanted`` counts how often it was told that there is something to probe, ``runs`` the runs.
    """

    shard: int
    run_for: timedelta = WATCH_RUN
    wanted: int = 0
    runs: int = 0
    last_end: WatchEnd | None = None


class MonitorStanding(Payload):
    """Where the workflow stands, for the operator who asks it."""

    shard: int
    wanted: int
    runs: int
    last_end: WatchEnd | None


class HealthContract(ABC):
    """Side effects of the health monitor."""

    @activity.defn(name="health.watch")
    @abstractmethod
    async def watch(self, watched: WatchedShard) -> WatchEnd:
        """Take the shard, probe its targets as they are due, and keep what was seen.

        Changes of state are committed at once, samples every few minutes and at the end. Safe to
        run again: taking the shard shuts out whoever had it, and what was probed is not probed
        again. Raises ``DatabaseUnavailable`` when the shard cannot be taken.
        """
