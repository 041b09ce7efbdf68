"""Changes of state on their way to the database.

A change that moves calls is committed within milliseconds, together with whatever else waits: when
a carrier goes down, hundreds of targets do. While the database is away everything is kept and tried
again; only of very many changes the oldest ones are given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from activities.health_targets import RuleStanding, WatchedTarget
from domain.health import HealthState, Observation, Step
from observability.logs import get_logger
from sip.net.health_prober import HealthReply
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.health_writes import (
    FenceLost,
    StateRow,
    TransitionRow,
    write_states,
    write_transitions,
)

__all__ = ["FactWriter"]

_log = get_logger("trunkline.health")

AT_ONCE: Final = 0.005
"""Seconds that a change waits for others."""

IN_TIME: Final = 0.5
"""The same for what moves no call: counters, and what was never looked at before."""

BATCH: Final = 1000
"""Rows of one transaction: tens of milliseconds, for which nobody else gets the locks."""

MAX_WAITING: Final = 50_000
"""Changes kept while the database is away: some kilobytes of evidence each."""

FIRST_RETRY: Final = 0.2
LONGEST_RETRY: Final = 5.0

Key = tuple[str, str]


class FactWriter:
    """Writes what ``ProbeLoop`` finds out. Use as an async context manager.

    ``fences`` gives the fences of the shards that this process holds; what is of another shard is
    dropped. ``on_lost`` is told of shards that another process has taken. ``news`` is set after each
    commit of changes: the outbox has entries about them.
    """

    def __init__(
        self,
        database: Database,
        fences: Callable[[], Mapping[int, int]],
        on_lost: Callable[[Collection[int]], None],
    ) -> None:
        self._database = database
        self._fences = fences
        self._on_lost = on_lost
        self._transitions: list[tuple[int, TransitionRow]] = []
        self._states: dict[Key, tuple[int, StateRow]] = {}
        self._writing: tuple[tuple[int, str], ...] = ()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._written = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        self.news = asyncio.Event()

    async def __aenter__(self) -> FactWriter:
        self._task = asyncio.create_task(self._run(), name="health-facts")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def __len__(self) -> int:
        """Changes of state that are not committed."""
        return len(self._transitions)

    @property
    def task(self) -> asyncio.Task[None]:
        """Ends only by a bug, which whoever relies on the writer must hear of."""
        assert self._task is not None
        return self._task

    def changed(
        self,
        target: WatchedTarget,
        standing: RuleStanding,
        step: Step,
        observation: Observation | None,
        reply: HealthReply | None,
    ) -> None:
        """Take note of a change; never blocks."""
        row = StateRow(target.target_id, standing.key, step.health, target.extra_at)
        self._wake.set()
        if step.transition is None:
            self._states[row.target_id, row.rule_key] = target.shard, row
            return
        # The transition's row says it all, and must not be followed by an older one.
        self._states.pop((row.target_id, row.rule_key), None)
        if step.transition.before is not HealthState.UNCHECKED:
            self._hurry.set()
        self._transitions.append(
            (
                target.shard,
                TransitionRow(
                    row,
                    step.transition,
                    _evidence(standing, observation, reply),
                    reply.request if reply is not None else None,
                    reply.reply if reply is not None else None,
                ),
            )
        )
        if len(self._transitions) > MAX_WAITING:
            del self._transitions[0]
            self.dropped += 1

    def unwritten(self, shard: int) -> frozenset[str]:
        """The targets of a shard of which something is not committed."""
        waiting = [(number, row.state.target_id) for number, row in self._transitions]
        waiting += [(number, row.target_id) for number, row in self._states.values()]
        waiting += self._writing
        return frozenset(target_id for number, target_id in waiting if number == shard)

    async def flush(self, shard: int) -> None:
        """Wait until everything of a shard is committed, or dropped."""
        self._wake.set()
        self._hurry.set()
        async with self._written:
            await self._written.wait_for(lambda: not self.unwritten(shard))

    def drop(self, shard: int) -> None:
        """Forget what is of a shard that is no longer held."""
        self._transitions = [each for each in self._transitions if each[0] != shard]
        self._states = {key: each for key, each in self._states.items() if each[0] != shard}

    async def _run(self) -> None:
        retry = FIRST_RETRY
        while True:
            await self._wake.wait()
            if not self._hurry.is_set():
                await self._wait_for_hurry()
            await asyncio.sleep(AT_ONCE)
            try:
                await self._write_some()
            except DatabaseUnavailable as error:
                _log.warning(
                    "changes of state wait",
                    reason=str(error),
                    waiting=len(self._transitions),
                    dropped=self.dropped,
                )
                await asyncio.sleep(retry)
                retry = min(retry * 2, LONGEST_RETRY)
            else:
                retry = FIRST_RETRY
            if not self._transitions and not self._states:
                self._wake.clear()
                self._hurry.clear()
            async with self._written:
                self._written.notify_all()

    async def _wait_for_hurry(self) -> None:
        try:
            async with asyncio.timeout(IN_TIME):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _write_some(self) -> None:
        """Write a batch; what could not be written waits again. Raises ``DatabaseUnavailable``."""
        transitions, self._transitions = self._transitions[:BATCH], self._transitions[BATCH:]
        # A state that is written before the change that led to it hides the change.
        ready = [] if self._transitions else list(self._states)[:BATCH]
        states = {key: self._states.pop(key) for key in ready}
        self._writing = (
            *((shard, row.state.target_id) for shard, row in transitions),
            *((shard, row.target_id) for shard, row in states.values()),
        )
        held = self._fences()
        fences = {shard: held[shard] for shard, _ in self._writing if shard in held}
        try:
            await self._write(
                fences,
                [row for shard, row in transitions if shard in fences],
                [row for shard, row in states.values() if shard in fences],
            )
        except (DatabaseUnavailable, FenceLost) as error:
            self._transitions[:0] = transitions
            # What came meanwhile is newer.
            self._states = states | self._states
            if isinstance(error, DatabaseUnavailable):
                raise
            self._on_lost(error.shards)
            for shard in error.shards:
                self.drop(shard)
        finally:
            self._writing = ()

    async def _write(
        self,
        fences: Mapping[int, int],
        transitions: list[TransitionRow],
        states: list[StateRow],
    ) -> None:
        """Raises ``DatabaseUnavailable`` and ``FenceLost``."""
        if transitions:
            async with self._database.system() as session:
                await write_transitions(session, fences, transitions)
            self.news.set()
        if states:
            async with self._database.system() as session:
                await write_states(session, fences, states)


def _evidence(
    standing: RuleStanding, observation: Observation | None, reply: HealthReply | None
) -> dict[str, object]:
    """What decided: the rule, and what was seen by whom. Milliseconds, and times since 1970."""
    evidence: dict[str, object] = {
        "rule": standing.rule.model_dump(mode="json", exclude_defaults=True),
        "rule_key": standing.key,
    }
    if observation is None:
        return {**evidence, "seen_by": "clock"}
    evidence["seen_by"] = "call" if reply is None else "probe"
    seen: dict[str, object] = {
        "kind": observation.kind.value,
        "status": observation.status,
        "ms": observation.ms,
        "retry_after_seconds": observation.retry_after,
        "detail": observation.detail,
    }
    if reply is not None:
        seen["sent_at"] = reply.sent_at
        seen["source"] = None if reply.source is None else list(reply.source)
    evidence.update({name: value for name, value in seen.items() if value is not None})
    return evidence
