"""Deadlines of very many probes without a timer for each.

All probes pass through the same few waits, so each wait is a queue in which who came first is due
first. One coarse timer looks at the heads of the queues; a probe that ended meanwhile is dropped
when its turn comes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from sip.net.health_probe import RunningProbe

__all__ = ["TICK", "Timeline"]

TICK: Final = 0.05
"""Seconds between two looks: how late an action can be."""

STALL: Final = 0.25
"""A look that comes later than this found the process asleep. What peers answered meanwhile still
waits in the sockets, so the lost time is not held against them."""

ACTIONS_PER_TURN: Final = 256
"""Actions taken before other work gets a turn."""

Probe = TypeVar("Probe", bound=RunningProbe)


class Timeline(Generic[Probe]):
    """Leads each probe through waits of given seconds, with an action at the end of each.

    ``loop`` is the running one unless another clock is wanted.
    """

    def __init__(
        self,
        steps: Sequence[tuple[float, Callable[[Probe], None]]],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._steps = tuple(steps)
        self._queues: tuple[deque[tuple[float, Probe]], ...] = tuple(deque() for _ in steps)
        self._loop = loop or asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._tick_at = 0.0
        self._asleep = 0.0

    def begin(self, probe: Probe) -> None:
        """Start a probe's first wait now."""
        now = self._loop.time()
        self._queues[0].append((now - self._asleep + self._steps[0][0], probe))
        if self._timer is None:
            self._arm(now + TICK)

    def close(self) -> None:
        """Forget every probe."""
        for queue in self._queues:
            queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        self._tick_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        late = now - self._tick_at
        if late > STALL:
            self._asleep += late
        self._timer = None
        whole = self._act(now - self._asleep)
        if self._timer is None and any(self._queues):
            self._arm(now + (TICK if whole else 0.0))

    def _act(self, now: float) -> bool:
        """Take what is due; whether that was all."""
        left = ACTIONS_PER_TURN
        for index, (queue, (_, action)) in enumerate(zip(self._queues, self._steps, strict=True)):
            while queue and queue[0][0] <= now:
                due, probe = queue.popleft()
                if probe.ended:
                    continue
                action(probe)
                if index + 1 < len(self._steps) and not probe.ended:
                    self._queues[index + 1].append((due + self._steps[index + 1][0], probe))
                left -= 1
                if not left:
                    return False
        return True
