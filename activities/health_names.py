"""Names of held shards, looked up again when what the DNS said of them ends (RFC 3263, RFC 2308)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time
from typing import Final

from domain.probe_target import NameIdentity, TargetIdentity
from observability.logs import get_logger
from sip.net.resolver import Resolution, Resolver
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.health_config import LoadedName, ResolvedTarget, write_resolution
from storage.health_writes import FenceLost

__all__ = ["NameKeeper"]

_log = get_logger("trunkline.health")

SHORTEST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(hours=1)
"""Within these the TTL decides. After a failure the shortest does."""

AT_A_TIME: Final = 16
"""Look-ups at a time: a name server is shared with everybody else."""

LOOK_EVERY: Final = 0.5
"""Seconds between two looks for names whose time has come."""


@dataclass(slots=True)
class _Name:
    shard: int
    identity: NameIdentity
    due_at: float
    running: bool = False
    found: tuple[ResolvedTarget, ...] = ()


class NameKeeper:
    """Resolves names from ``keep`` to ``release``. Use as an async context manager.

    ``on_changed`` is told of a shard whose targets are others now, ``on_lost`` of shards that
    another process has taken.
    """

    def __init__(
        self,
        database: Database,
        resolver: Resolver,
        fences: Callable[[], Mapping[int, int]],
        *,
        on_changed: Callable[[], None],
        on_lost: Callable[[Collection[int]], None],
    ) -> None:
        self._database = database
        self._resolver = resolver
        self._fences = fences
        self._on_changed = on_changed
        self._on_lost = on_lost
        self._names: dict[str, _Name] = {}
        self._places = asyncio.Semaphore(AT_A_TIME)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> NameKeeper:
        self._task = asyncio.create_task(self._run(), name="health-names")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def task(self) -> asyncio.Task[None]:
        """Ends only by a bug, which whoever relies on the keeper must hear of."""
        assert self._task is not None
        return self._task

    def keep(self, shard: int, names: Iterable[LoadedName]) -> None:
        """Let exactly these be the names of a shard."""
        present = {key: each for key, each in self._names.items() if each.shard == shard}
        for key in present:
            del self._names[key]
        for name in names:
            due_at = 0.0 if name.expires_at is None else name.expires_at.timestamp()
            known = present.get(name.name_id)
            if known is not None:
                known.due_at = max(known.due_at, due_at)
                self._names[name.name_id] = known
            else:
                self._names[name.name_id] = _Name(shard, name.identity, due_at)

    def release(self, shard: int) -> None:
        """No longer look after the names of a shard."""
        self.keep(shard, ())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as lookups:
            while True:
                now = time()
                for name_id, name in self._names.items():
                    if name.due_at <= now and not name.running:
                        name.running = True
                        lookups.create_task(self._renew(name_id, name), name="health-name")
                await asyncio.sleep(LOOK_EVERY)

    async def _renew(self, name_id: str, name: _Name) -> None:
        """Look a name up and write what was found; a failure is tried again."""
        try:
            async with self._places:
                if self._names.get(name_id) is name:
                    ttl = await self._look_up(name_id, name)
                    name.due_at = time() + ttl.total_seconds()
        except DatabaseUnavailable as error:
            _log.warning("a name's targets wait", name_id=name_id, reason=str(error))
            name.due_at = time() + SHORTEST.total_seconds() / 10
        except FenceLost as lost:
            self._on_lost(lost.shards)
        finally:
            name.running = False

    async def _look_up(self, name_id: str, name: _Name) -> timedelta:
        """How long what was written holds. Raises ``DatabaseUnavailable`` and ``FenceLost``."""
        identity = name.identity
        resolution = await self._resolver.resolve(
            identity.host,
            port=identity.port,
            transport=None if identity.transport is None else identity.transport.value,
        )
        found = _targets(resolution, identity)
        unanswered = {each.rdtype for each in resolution.trail if not each.outcome.definite}
        found += [each for each in name.found if each not in found and _may_be(each, unanswered)]
        ttl = SHORTEST if unanswered or not resolution.targets else _ttl(resolution)
        name.found = tuple(found)
        fence = self._fences().get(name.shard)
        if fence is None:
            return ttl
        async with self._database.system() as session:
            changed = await write_resolution(
                session,
                name.shard,
                fence,
                name_id,
                found if resolution.targets else resolution.failure or "there is no address",
                now=datetime.now(UTC),
                ttl=ttl,
            )
        if changed:
            self._on_changed()
        return ttl


def _targets(resolution: Resolution, name: NameIdentity) -> list[ResolvedTarget]:
    return [
        ResolvedTarget(
            TargetIdentity(each.address, each.port, each.transport, name.profile),
            priority=each.priority or 0,
            weight=each.weight or 0,
        )
        for each in resolution.targets
        if each.port is not None and each.transport is not None
    ]


def _may_be(target: ResolvedTarget, unanswered: set[str]) -> bool:
    """Whether a target may be there still: the DNS did not answer what would tell."""
    if unanswered & {"NAPTR", "SRV"}:
        return True
    return ("AAAA" if ":" in target.identity.address else "A") in unanswered


def _ttl(resolution: Resolution) -> timedelta:
    """The shortest of all targets, within limits; the longest when no record has one."""
    ttls = [each.ttl for each in resolution.targets if each.ttl is not None]
    return min(max(timedelta(seconds=min(ttls)), SHORTEST), LONGEST) if ttls else LONGEST
