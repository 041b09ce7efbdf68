"""Keeps services alive: starts them in order, restarts one that ends, stops them in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from local.process import Service, StartFailed

__all__ = ["Backoff", "Supervisor"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pause before a restart: doubled each time, forgotten after ``steady`` of good running."""

    first: timedelta = timedelta(seconds=0.5)
    longest: timedelta = timedelta(seconds=30)
    steady: timedelta = timedelta(seconds=60)

    def pause(self, failures: int) -> timedelta:
        """Pause before the next start after this many ends in a row (1 or more)."""
        # The exponent is bounded because a service may fail for days.
        doublings = min(failures - 1, 16)
        return min(self.first * (1 << doublings), self.longest)


class Supervisor:
    """Owns the services of one system.

    ``report`` gets lines for the operator; ``changed`` is called after each start and each end,
    when process ids are different.
    """

    def __init__(
        self,
        report: Callable[[str], None],
        changed: Callable[[], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._report = report
        self._changed = changed
        self._backoff = backoff or Backoff()
        self._services: list[Service] = []
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int]:
        """Process id by service name, of those that run."""
        return {service.name: service.pid for service in self._services if service.pid is not None}

    async def start(self, service: Service) -> None:
        """Start it, wait until it is ready and keep it from now on. Raises ``StartFailed``."""
        # Known before it runs: a stop during the start must find it.
        self._services.append(service)
        await service.start()
        self._changed()
        self._keepers.append(asyncio.create_task(self._keep(service), name=service.name))

    async def watch(self) -> None:
        """Run until cancelled; an error of the supervisor itself comes out here."""
        await asyncio.gather(*self._keepers)

    async def stop(self) -> None:
        """Stop everything, last started first; nothing is restarted any more."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for service in reversed(self._services):
            await service.stop()

    def kill(self) -> None:
        """End everything at once: the operator does not want to wait for a clean end."""
        for service in reversed(self._services):
            service.kill()

    async def _keep(self, service: Service) -> None:
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            since = clock()
            reason = await service.ended()
            if clock() - since >= self._backoff.steady.total_seconds():
                failures = 0
            while True:
                self._changed()
                failures += 1
                pause = self._backoff.pause(failures).total_seconds()
                self._report(f"{service.name} ended ({reason}), restart {failures} in {pause:g} s")
                await asyncio.sleep(pause)
                try:
                    await service.start()
                except StartFailed as error:
                    reason = str(error)
                else:
                    break
            self._changed()
            self._report(f"{service.name} is back (pid {service.pid})")
