"""Very many things, each due at a time, without a timer for each.

A wheel of slots, one for each tick: putting something in and taking it out cost the same however
many there are. What is due later than a whole turn stays in its slot until its turn comes.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

__all__ = ["TICK", "Wheel"]

TICK: Final = 0.05
"""Seconds between two slots: how late something can come out of an idle wheel."""

SLOTS: Final = 2048
"""A turn of 102 s: longer than the usual interval, so that nearly everything waits less than one."""

Thing = TypeVar("Thing")


class Wheel(Generic[Thing]):
    """Things by the time at which they are due, in seconds on any one clock.

    Nothing can be taken out before: whoever does not want a thing any more drops it when it comes.
    """

    def __init__(self, now: float) -> None:
        self._slots: list[list[tuple[float, Thing]]] = [[] for _ in range(SLOTS)]
        self._next = int(now / TICK)
        self._overdue: deque[tuple[float, Thing]] = deque()

    def put(self, at: float, thing: Thing) -> None:
        """Hand out ``thing`` at ``at``, or with the next slot if that is over."""
        self._slots[max(int(at / TICK), self._next) % SLOTS].append((at, thing))

    def due(self, now: float, limit: int) -> list[tuple[float, Thing]]:
        """Take out what is due, at most ``limit`` of it and the oldest first, with its time."""
        current = int(now / TICK)
        if current < self._next - SLOTS // 2:
            # The clock was set back: what lies behind it comes round again.
            self._next = current
        # After a long sleep a whole turn holds everything.
        for number in range(max(self._next, current - SLOTS), current):
            self._empty(number % SLOTS, now)
        self._next = max(self._next, current)
        overdue = self._overdue
        return [overdue.popleft() for _ in range(min(limit, len(overdue)))]

    @property
    def oldest(self) -> float | None:
        """When the first of what was due and is still here was due; ``None`` when nothing is."""
        return self._overdue[0][0] if self._overdue else None

    def _empty(self, slot: int, now: float) -> None:
        entries = self._slots[slot]
        if not entries:
            return
        later = [entry for entry in entries if entry[0] > now]
        self._slots[slot] = later
        if later:
            self._overdue.extend(entry for entry in entries if entry[0] <= now)
        else:
            self._overdue.extend(entries)
