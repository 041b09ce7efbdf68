"""The timers of many transactions in one heap, with lazy deletion.

A transaction has at most one live entry. Moving its deadline back costs nothing: the entry stays
where it is and is moved when it comes up. Moving it forward or ending the transaction leaves a
stale entry, and the heap is rebuilt before stale entries outnumber live ones, so its memory stays
within twice that of the live transactions.
"""

from __future__ import annotations

import heapq
from typing import Final, Generic, TypeVar

NEVER: Final = float("inf")

# Below this many stale entries a rebuild would cost more than it frees.
_MIN_STALE = 64


class Timed:
    """Something with two deadlines in seconds: to send again, and to leave its state."""

    __slots__ = ("armed_at", "expire_at", "retransmit_at")

    def __init__(self) -> None:
        self.retransmit_at = NEVER
        self.expire_at = NEVER
        self.armed_at = NEVER


Item = TypeVar("Item", bound=Timed)


class TimerQueue(Generic[Item]):
    """Which item is due next. The caller calls `arm` after it changed an item's deadlines."""

    __slots__ = ("_heap", "_serial", "_stale")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Item]] = []
        self._serial = 0
        self._stale = 0

    def __len__(self) -> int:
        """Entries in the heap, the stale ones included."""
        return len(self._heap)

    def arm(self, item: Item) -> None:
        """Take an item's deadlines into account."""
        due = item.retransmit_at if item.retransmit_at < item.expire_at else item.expire_at
        if due < item.armed_at:
            if item.armed_at != NEVER:
                self._count_stale()
            self._push(item, due)

    def disarm(self, item: Item) -> None:
        """Forget an item that ended."""
        if item.armed_at != NEVER:
            item.armed_at = NEVER
            self._count_stale()

    def next_due(self) -> float | None:
        """Return the earliest deadline of any item, None when there is none."""
        heap = self._heap
        while heap:
            at, _, item = heap[0]
            due = item.retransmit_at if item.retransmit_at < item.expire_at else item.expire_at
            if at == item.armed_at and due <= at:
                return at
            heapq.heappop(heap)
            if at != item.armed_at:
                self._stale -= 1
                continue
            item.armed_at = NEVER
            if due != NEVER:
                self._push(item, due)
        return None

    def pop_due(self, now: float) -> Item | None:
        """Take out an item whose deadline is at or before `now`; the caller fires and re-arms it."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, _, item = heapq.heappop(self._heap)
        item.armed_at = NEVER
        return item

    def _push(self, item: Item, due: float) -> None:
        self._serial += 1
        item.armed_at = due
        heapq.heappush(self._heap, (due, self._serial, item))

    def _count_stale(self) -> None:
        self._stale += 1
        if self._stale > _MIN_STALE and self._stale * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[0] == entry[2].armed_at]
            heapq.heapify(self._heap)
            self._stale = 0
