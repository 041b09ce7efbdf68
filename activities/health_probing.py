"""The loop that probes: a wheel says whose turn it is, a prober sends, what comes back is judged.

No task and no timer belongs to a probe. An answer that says what the last one said costs a look-up
and a sample; everything else goes through the state machine and to whoever keeps the facts.
"""

from __future__ import annotations

import asyncio
import secrets
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import time
from typing import Final, Protocol

from activities.health_samples import packed
from activities.health_targets import RuleStanding, WatchedTarget
from activities.health_wheel import TICK, Wheel
from domain.health import Observation, Observed, Step
from sip.net.guard import AddressGuard
from sip.net.health_prober import HealthProber, HealthReply
from sip.net.probe_report import ProbeIdentity

__all__ = ["LATENESS_BOUNDS", "FactSink", "ProbeLoop", "ProbeStats"]

PROBES_AT_A_TIME: Final = 256
"""Sent before other work gets a turn; at most that every 5 ms after a sleep, which is a third of
what a network card of one gigabit would carry."""

CATCH_UP: Final = 0.005
"""Seconds until the next portion when there is one."""

LATENESS_BOUNDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; rounds later than the last are counted beyond it."""

_KINDS: Final = {kind.value: kind for kind in Observed}


class FactSink(Protocol):
    """Who keeps what the loop finds out."""

    def changed(
        self,
        target: WatchedTarget,
        standing: RuleStanding,
        step: Step,
        observation: Observation | None,
        reply: HealthReply | None,
    ) -> None:
        """Something of a target's standing is not what it was."""


@dataclass(slots=True)
class ProbeStats:
    """Counted since the loop was opened. ``lateness`` counts regular rounds by their bound."""

    probes: int = 0
    rounds: int = 0
    missed: int = 0
    lateness: list[int] = field(default_factory=lambda: [0] * (len(LATENESS_BOUNDS) + 1))
    worst_lateness: float = 0.0


class ProbeLoop:
    """Probes targets from ``add`` to ``remove``. Use as an async context manager."""

    def __init__(self, sink: FactSink, *, guard: AddressGuard, identity: ProbeIdentity) -> None:
        self._sink = sink
        self._guard = guard
        self._identity = identity
        self._targets: dict[str, WatchedTarget] = {}
        self._wheel: Wheel[WatchedTarget] = Wheel(time())
        self._asked: dict[str, WatchedTarget] = {}
        self._begun_until = time()
        self._prober: HealthProber | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.stats = ProbeStats()

    async def __aenter__(self) -> ProbeLoop:
        self._prober = HealthProber(
            guard=self._guard,
            identity=self._identity,
            on_reply=self._replied,
            on_closed=self._closed,
            token=_token,
        )
        await self._prober.__aenter__()
        self._turn()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        prober, self._prober = self._prober, None
        if prober is not None:
            await prober.close()

    def __len__(self) -> int:
        return len(self._targets)

    @property
    def begun_until(self) -> float:
        """Everything that was due until then was begun, in seconds since 1970."""
        return self._begun_until

    def in_flight(self, shard: int, limit: int) -> tuple[str, ...]:
        """Targets of a shard that were asked and have not answered, the longest first."""
        found = [target_id for target_id, each in self._asked.items() if each.shard == shard]
        return tuple(found[:limit])

    def add(self, target: WatchedTarget) -> None:
        """Look after a target, which knows when it is due first."""
        self._targets[target.target_id] = target
        self._wheel.put(target.next_at, target)

    def remove(self, target: WatchedTarget) -> None:
        """Let go of a target; a connection that was kept for it stays (see ``forget``)."""
        # What the wheel holds of it is out of date from now on.
        target.next_at = -1.0
        if self._targets.get(target.target_id) is target:
            del self._targets[target.target_id]
        if self._asked.get(target.target_id) is target:
            del self._asked[target.target_id]

    def forget(self, target_ids: Iterable[str]) -> None:
        """Close what is kept for those of these targets that nobody looks after."""
        for target_id in target_ids:
            if target_id not in self._targets and self._prober is not None:
                self._prober.forget(target_id)

    def heard(self, target_id: str, observation: Observation) -> None:
        """A call met a target."""
        target = self._targets.get(target_id)
        if target is not None:
            self._see(target, observation, None)

    def _turn(self) -> None:
        now = time()
        for at, target in self._wheel.due(now, PROBES_AT_A_TIME):
            # Another time was chosen since: that one counts.
            if target.next_at == at:
                self._look(target, at, now)
        behind = self._wheel.oldest
        self._begun_until = int(now / TICK) * TICK if behind is None else behind
        wait = TICK if behind is None else CATCH_UP
        self._timer = asyncio.get_running_loop().call_later(wait, self._turn)

    def _look(self, target: WatchedTarget, at: float, now: float) -> None:
        asks = target.begin(now)
        if target.timed:
            for standing, step in target.expire(now):
                self._sink.changed(target, standing, step, None, None)
        self._wheel.put(target.next_at, target)
        if not target.asks:
            return
        stats = self.stats
        stats.missed += target.missed
        if not asks:
            return
        stats.probes += 1
        if target.regular:
            late = now - at
            stats.rounds += 1
            stats.lateness[bisect_left(LATENESS_BOUNDS, late)] += 1
            if late > stats.worst_lateness:
                stats.worst_lateness = late
        self._asked[target.target_id] = target
        assert self._prober is not None
        self._prober.probe(target.job)

    def _replied(self, reply: HealthReply) -> None:
        target = self._asked.get(reply.key)
        if target is None or reply.sent_at < target.asked_at:
            # Of a probe that another run of this shard had begun.
            return
        del self._asked[reply.key]
        target.asked_at = 0.0
        now = time()
        if reply.retry_after is None and target.is_steady(reply.kind, reply.status):
            outcome = target.steady_outcome
        else:
            kind = _KINDS.get(reply.kind)
            if kind is None:
                # This host had no room for it, which says nothing about the peer.
                self.stats.missed += target.regular
                return
            observation = Observation(
                now, kind, reply.status, reply.ms, reply.retry_after, reply.detail
            )
            self._see(target, observation, reply)
            outcome = target.outcome_of(observation)
        target.samples.append(packed(now, outcome, reply.ms, regular=target.regular))

    def _closed(self, target_id: str) -> None:
        target = self._targets.get(target_id)
        if target is not None:
            self._see(target, Observation(time(), Observed.IDLE_CLOSED), None)

    def _see(
        self, target: WatchedTarget, observation: Observation, reply: HealthReply | None
    ) -> None:
        planned = target.next_at
        for standing, step in target.see(observation, own=reply is not None):
            self._sink.changed(target, standing, step, observation, reply)
        if target.next_at != planned:
            self._wheel.put(target.next_at, target)


def _token() -> str:
    return secrets.token_hex(16)
