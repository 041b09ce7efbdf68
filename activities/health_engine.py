"""The health engine: one per worker process, shared by the runs of all shards that it holds."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.common import MetricMeter

from activities.contracts import WatchedShard, WatchEnd, WatchEndReason, WatchProgress
from activities.health_facts import FactWriter
from activities.health_flush import flush_samples
from activities.health_jobs import jobs_of
from activities.health_metrics import HealthMetrics
from activities.health_names import NameKeeper
from activities.health_probing import ProbeLoop
from activities.health_rounds import EngineRounds
from activities.health_shards import HeldShard
from observability.logs import get_logger
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity
from sip.net.resolver import Resolver
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.health_config import load_shards
from storage.health_writes import FenceLost, take_shard
from storage.secret_box import SecretBox

__all__ = ["HealthEngine"]

_log = get_logger("trunkline.health")

IN_FLIGHT: Final = 32
"""Ids that a heartbeat carries: more are silent only when everything is."""

TAKEN_AT_A_TIME: Final = 4
"""Shards that are loaded at a time, so that a worker that starts leaves connections to others."""

LAST_WRITES: Final = 5.0
"""Seconds for what a run has not written when it ends; a draining worker has ten for everything."""

MANY: Final = 200
"""Targets of a shard from which on the garbage collector's looks are felt."""

KEPT_OPEN: Final = 30.0
"""Seconds for which connections outlive a run: the next one mostly comes to the same worker."""


class HealthEngine:
    """Watches shards. Use as an async context manager; idle, it does nothing.

    ``holder`` names this process to whoever looks at a shard's row. ``interval`` lies between two
    rounds of a target, ``flush_every`` between two writes of a shard's samples.
    """

    def __init__(
        self,
        *,
        database: Database,
        guard: AddressGuard,
        identity: ProbeIdentity,
        resolver: Resolver,
        secret_box: SecretBox,
        holder: str,
        interval: timedelta,
        flush_every: timedelta = timedelta(minutes=5),
    ) -> None:
        self._database = database
        self._identity = identity
        self._secret_box = secret_box
        self._holder = holder
        self._interval = interval.total_seconds()
        self._flush_every = flush_every.total_seconds()
        self._shards: dict[int, HeldShard] = {}
        self._facts = FactWriter(database, self.fences, self.lost)
        self.loop = ProbeLoop(self._facts, guard=guard, identity=identity)
        self._rounds = EngineRounds(self, database, flush_every=self._flush_every)
        self._names = NameKeeper(
            database,
            resolver,
            self.fences,
            on_changed=self._rounds.look_now,
            on_lost=self.lost,
        )
        self._taking = asyncio.Semaphore(TAKEN_AT_A_TIME)
        self._stack = AsyncExitStack()
        self._metrics: HealthMetrics | None = None

    async def __aenter__(self) -> HealthEngine:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.loop)
            await stack.enter_async_context(self._facts)
            await stack.enter_async_context(self._names)
            await stack.enter_async_context(self._rounds)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def news(self) -> asyncio.Event:
        """Set when trunks are to be told of what was written."""
        return self._facts.news

    @property
    def shards(self) -> Mapping[int, HeldShard]:
        """The shards that this process holds."""
        return self._shards

    def fences(self) -> dict[int, int]:
        """What this process writes with."""
        return {number: shard.fence for number, shard in self._shards.items()}

    def lost(self, numbers: Collection[int]) -> None:
        """Another process has taken these shards."""
        for number in numbers:
            shard = self._shards.pop(number, None)
            if shard is not None:
                shard.end(WatchEndReason.FENCED)

    def measure(self, meter: MetricMeter) -> None:
        """Publish the engine's numbers from now on."""
        self._metrics = HealthMetrics(meter)

    def publish(self) -> None:
        """Publish them now."""
        if self._metrics is not None:
            self._metrics.publish(
                self.loop.stats,
                targets=len(self.loop),
                shards=len(self._shards),
                waiting=len(self._facts),
                dropped=self._facts.dropped,
            )

    async def broken(self) -> None:
        """Return never; raise what ended a part of the engine by a bug."""
        tasks = (self._facts.task, self._names.task, self._rounds.task)
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    def progress_of(self, number: int) -> WatchProgress | None:
        """How far the run of a shard has come; ``None`` while there is none."""
        shard = self._shards.get(number)
        return None if shard is None or shard.revision is None else self._progress(number)

    async def watch(
        self,
        watched: WatchedShard,
        *,
        progress: WatchProgress | None,
        stopping: asyncio.Future[None],
    ) -> WatchEnd:
        """Take a shard and watch it until the run's time is over, or something else ends it.

        ``progress`` is that of the run before, ``stopping`` is done when the process stops.
        Cancellation ends the run too, as properly as it can be done within seconds. Raises
        ``DatabaseUnavailable`` when the shard cannot be taken.
        """
        shard = await self._take(watched.shard, progress)

        def stop(_: asyncio.Future[None]) -> None:
            shard.end(WatchEndReason.DRAIN)

        stopping.add_done_callback(stop)
        try:
            async with asyncio.timeout(watched.run_for.total_seconds()):
                await shard.ended.wait()
        except TimeoutError:
            shard.end(WatchEndReason.TIME)
        finally:
            stopping.remove_done_callback(stop)
            progress = await self._release(shard)
        assert shard.reason is not None
        return WatchEnd(
            reason=shard.reason,
            progress=progress,
            targets=len(shard.targets),
            probes=shard.samples,
        )

    async def load(self, shard: HeldShard, progress: WatchProgress | None = None) -> None:
        """Let a shard probe what is configured now. Raises ``DatabaseUnavailable``."""
        unwritten = self._facts.unwritten(shard.number)
        async with self._database.system() as session:
            config = await load_shards(session, [shard.number])
        jobs = await jobs_of(
            config.targets, self._database, self._secret_box, ca_file=self._identity.ca_file
        )
        # Meanwhile the shard may have been lost.
        if self._is_held(shard):
            shard.reconcile(
                config,
                jobs,
                self.loop,
                interval=self._interval,
                progress=progress,
                unwritten=unwritten,
            )
            self._names.keep(shard.number, config.names)
            if len(shard.targets) >= MANY:
                _leave_to_stay()

    async def _take(self, number: int, progress: WatchProgress | None) -> HeldShard:
        """Raises ``DatabaseUnavailable``."""
        earlier = self._shards.get(number)
        if earlier is not None:
            # Its run was given up by the server, and has not heard of that yet.
            earlier.end(WatchEndReason.FENCED)
            await earlier.gone.wait()
        async with self._taking:
            async with self._database.system() as session:
                fence = await take_shard(session, number, self._holder, datetime.now(UTC))
            shard = HeldShard(number, fence, flush_every=self._flush_every)
            self._shards[number] = shard
            try:
                await self.load(shard, progress)
            except BaseException:
                self._stop(shard)
                self._let_go(shard)
                raise
        return shard

    def _progress(self, number: int) -> WatchProgress:
        return WatchProgress(
            probed_until=self.loop.begun_until,
            in_flight=self.loop.in_flight(number, IN_FLIGHT),
        )

    async def _release(self, shard: HeldShard) -> WatchProgress:
        """Write what is left, and stop; how far the run came."""
        stopped: WatchProgress | None = None
        try:
            async with asyncio.timeout(LAST_WRITES):
                # Most of it while probing goes on, so that the gap to the next run is short.
                if self._is_held(shard):
                    await flush_samples(shard, self._database)
                stopped = self._stop(shard)
                if self._is_held(shard):
                    await self._facts.flush(shard.number)
                    await flush_samples(shard, self._database)
        except (DatabaseUnavailable, TimeoutError) as error:
            reason = str(error) or "it takes too long"
            _log.warning("a run ends without its last rows", shard=shard.number, reason=reason)
        except FenceLost:
            shard.reason = WatchEndReason.FENCED
        finally:
            stopped = stopped or self._stop(shard)
            self._let_go(shard)
        return stopped

    def _is_held(self, shard: HeldShard) -> bool:
        return self._shards.get(shard.number) is shard

    def _stop(self, shard: HeldShard) -> WatchProgress:
        """Begin nothing more; how far the run came."""
        progress = self._progress(shard.number)
        for target in shard.targets.values():
            self.loop.remove(target)
        if self._shards.get(shard.number, shard) is shard:
            self._names.release(shard.number)
        return progress

    def _let_go(self, shard: HeldShard) -> None:
        if self._is_held(shard):
            del self._shards[shard.number]
        if shard.number not in self._shards:
            self._facts.drop(shard.number)
        asyncio.get_running_loop().call_later(KEPT_OPEN, self.loop.forget, list(shard.targets))
        shard.gone.set()


def _leave_to_stay() -> None:
    """Keep the garbage collector from what was loaded: it stays for minutes, and a look through
    100,000 targets takes a second in which nothing is probed."""
    gc.collect()
    gc.freeze()
