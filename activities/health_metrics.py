"""The engine in numbers, among the metrics of its process."""

from __future__ import annotations

from typing import Final

from temporalio.common import MetricMeter

from activities.health_probing import LATENESS_BOUNDS, ProbeStats

__all__ = ["HealthMetrics", "lateness_at"]

SHARE_SHOWN: Final = 0.99


class HealthMetrics:
    """Publishes what changed since the last time."""

    def __init__(self, meter: MetricMeter) -> None:
        self._targets = meter.create_gauge(
            "trunkline_health_targets", "Targets that this process watches."
        )
        self._shards = meter.create_gauge(
            "trunkline_health_shards", "Shards that this process holds."
        )
        self._probes = meter.create_counter(
            "trunkline_health_probes", "Probes sent, those that confirm a doubt among them."
        )
        self._missed = meter.create_counter(
            "trunkline_health_missed_rounds", "Rounds that were due and not begun."
        )
        self._lateness = meter.create_gauge_float(
            "trunkline_health_lateness_p99_seconds",
            "99 of 100 regular probes since the last time were begun this late, or less.",
            "s",
        )
        self._waiting = meter.create_gauge(
            "trunkline_health_changes_waiting", "Changes of state that are not committed."
        )
        self._dropped = meter.create_counter(
            "trunkline_health_changes_dropped",
            "Changes of state given up while the database was away.",
        )
        self._before = ProbeStats()
        self._dropped_before = 0

    def publish(
        self, stats: ProbeStats, *, targets: int, shards: int, waiting: int, dropped: int
    ) -> None:
        """Publish how things stand."""
        before = self._before
        self._targets.set(targets)
        self._shards.set(shards)
        self._probes.add(stats.probes - before.probes)
        self._missed.add(stats.missed - before.missed)
        self._waiting.set(waiting)
        self._dropped.add(dropped - self._dropped_before)
        rounds = [new - old for new, old in zip(stats.lateness, before.lateness, strict=True)]
        self._lateness.set(lateness_at(rounds, SHARE_SHOWN))
        self._dropped_before = dropped
        self._before = ProbeStats(stats.probes, stats.rounds, stats.missed, list(stats.lateness))


def lateness_at(counts: list[int], share: float) -> float:
    """The bound in seconds under which this share of the rounds lies; 0 without any.

    ``counts`` are by ``LATENESS_BOUNDS``, and the last one is beyond them: twice the last bound.
    """
    wanted = share * sum(counts)
    seen = 0
    for count, bound in zip(counts, (*LATENESS_BOUNDS, 2 * LATENESS_BOUNDS[-1]), strict=True):
        seen += count
        if wanted and seen >= wanted:
            return bound
    return 0.0
