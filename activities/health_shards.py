"""Shards that this process holds: what is loaded of them, and how a run of one ends."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Collection, Mapping
from time import time
from typing import Final

from activities.contracts import WatchEndReason, WatchProgress
from activities.health_probing import ProbeLoop
from activities.health_targets import WatchedTarget
from domain.probe_target import SHARDS
from sip.net.health_prober import ProbeJob
from storage.health_config import LoadedTarget, ShardConfig

__all__ = ["HeldShard"]

NEW_AT_ONCE: Final = 200
"""So many targets that were never looked at are looked at without waiting for their round; of more
the load would be felt by those that are in their rounds."""


class HeldShard:
    """One run of a shard.

    ``revision`` is of the configuration that was loaded; ``targets`` are by id, ``departed`` samples
    of those that were removed. ``ended`` is set with ``reason``, by whoever ends the run first;
    ``gone`` when nothing of it is left.
    """

    def __init__(self, number: int, fence: int, *, flush_every: float) -> None:
        self.number = number
        self.fence = fence
        self.revision: int | None = None
        self.targets: dict[str, WatchedTarget] = {}
        self.departed: list[tuple[str, array[int]]] = []
        self.names = 0
        self.samples = 0
        # Shards are written one after the other, not all at once.
        self.flush_at = time() + flush_every * (number % SHARDS + 1) / SHARDS
        self.flushing = asyncio.Lock()
        self.reason: WatchEndReason | None = None
        self.ended = asyncio.Event()
        self.gone = asyncio.Event()

    def end(self, reason: WatchEndReason) -> None:
        """Let the run end; the first reason counts."""
        if self.reason is None:
            self.reason = reason
            self.ended.set()

    def reconcile(
        self,
        config: ShardConfig,
        jobs: Mapping[str, ProbeJob],
        loop: ProbeLoop,
        *,
        interval: float,
        progress: WatchProgress | None,
        unwritten: Collection[str] = (),
    ) -> None:
        """Let exactly this be what is probed; targets that stay go on as they were.

        ``progress`` is what the run before has done, for the targets that are new here;
        ``unwritten`` are those of which something waited to be written when ``config`` was read.
        """
        now = time()
        wanted = {each.target_id: each for each in config.targets if each.target_id in jobs}
        gone = [self.targets.pop(key) for key in self.targets.keys() - wanted.keys()]
        for target in gone:
            loop.remove(target)
            if target.samples:
                self.departed.append((target.target_id, target.samples))
        loop.forget(target.target_id for target in gone)
        unseen = [key for key, each in wanted.items() if _is_unseen(each)]
        at_once = frozenset(unseen if len(unseen) <= NEW_AT_ONCE else ())
        repeated = frozenset(progress.in_flight if progress is not None else ())
        probed_until = now if progress is None else progress.probed_until
        for key, loaded in wanted.items():
            present = self.targets.get(key)
            if present is not None:
                written = key not in unwritten
                if present.take_over(jobs[key], loaded.rules, now, all_written=written):
                    loop.add(present)
                continue
            target = WatchedTarget(key, self.number, jobs[key], loaded.rules, interval)
            target.start(
                now,
                probed_until=probed_until,
                again=key in repeated or key in at_once,
                wanted_at=min((each.next_at for each in loaded.rules if each.next_at), default=now),
            )
            self.targets[key] = target
            loop.add(target)
        self.names = len(config.names)
        self.revision = config.revisions[self.number]
        if not config.targets and not config.names:
            self.end(WatchEndReason.EMPTY)


def _is_unseen(target: LoadedTarget) -> bool:
    return all(rule.health.last_at is None for rule in target.rules)
