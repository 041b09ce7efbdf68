"""Which rounds were due, and when the peers saw them."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.health_load import LoadedPeer
from domain.health_schedule import DEFAULT_INTERVAL, due_of_seed, next_of_seed

__all__ = ["Rounds", "judge_rounds"]

NO_LATER: Final = 30.0
"""Seconds after which a round that nobody saw was missed: the next one is not far."""

EARLY: Final = 0.001
"""Seconds by which a request may come too early: clocks are read in two processes."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Rounds that were due in a time; ``lateness`` in seconds, in order; ``requests`` that came."""

    due: int
    missed: int
    requests: int
    lateness: Sequence[float]

    @property
    def median(self) -> float:
        return median(self.lateness)

    def percentile(self, share: float) -> float:
        """The lateness that this share of the rounds did not exceed."""
        return self.lateness[min(int(len(self.lateness) * share), len(self.lateness) - 1)]


def judge_rounds(
    peers: Sequence[LoadedPeer],
    arrivals: Iterable[tuple[str, float]],
    begun: float,
    ended: float,
) -> Rounds:
    """What became of the rounds that were due between two Unix times.

    ``arrivals`` hold at least what came until ``NO_LATER`` seconds before ``ended``: rounds that were
    due after that are not judged.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    requests = 0
    for address, at in arrivals:
        seen[address].append(at)
        requests += begun <= at < ended
    due = missed = 0
    lateness = []
    for peer in peers:
        times = sorted(seen[peer.address])
        number, at = next_of_seed(peer.seed, begun, DEFAULT_INTERVAL)
        while at < ended - NO_LATER:
            due += 1
            index = bisect_left(times, at - EARLY)
            if index < len(times) and times[index] < at + NO_LATER:
                lateness.append(max(times[index] - at, 0.0))
            else:
                missed += 1
            number += 1
            at = due_of_seed(peer.seed, number, DEFAULT_INTERVAL)
    return Rounds(due, missed, requests, sorted(lateness))
