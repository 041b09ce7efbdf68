"""The life of one system in one process: hold the data folder, start, keep, stop on a signal."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from local.instance import AlreadyRunning, Instance, survivors
from local.keyring import DamagedSecrets
from local.logfiles import keep_short
from local.ports import PortsUnavailable
from local.process import StartFailed
from local.supervisor import Supervisor
from local.upfile import UpFile, up_path

__all__ = ["Audience", "Starter", "run_system"]

# Children of a killed supervisor end by themselves; a database takes the longest.
_SURVIVORS_GET = timedelta(seconds=15)

Starter = Callable[[Supervisor, Callable[[str], None]], Awaitable[UpFile]]
"""Starts all parts with the supervisor and returns where they are; process ids are filled in here."""


class Audience(Protocol):
    """Who watches a system start and run."""

    def report(self, line: str) -> None:
        """Something happened."""

    def ready(self, up: UpFile) -> None:
        """Everything runs."""

    def failed(self, line: str, detail: str) -> None:
        """It could not start; ``detail`` is several lines or empty."""

    def already(self, pid: int | None) -> None:
        """Another process runs this data folder."""


def run_system(var: Path, start: Starter, audience: Audience) -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; a second signal does not wait for a clean end.

    Returns the exit status: 0 after a clean stop, 1 when the system never became ready.
    """
    # Databases, logs and keys below are for this user only.
    os.umask(0o077)
    try:
        with Instance.hold(var) as instance:
            up_path(var).unlink(missing_ok=True)
            _bury_last_run(var)
            try:
                return asyncio.run(_live(var, start, audience, instance))
            finally:
                up_path(var).unlink(missing_ok=True)
                instance.forget()
    except AlreadyRunning as error:
        audience.already(error.pid)
        return 0


async def _live(var: Path, start: Starter, audience: Audience, instance: Instance) -> int:
    up: UpFile | None = None

    def changed() -> None:
        nonlocal up
        instance.record(supervisor.pids)
        if up is not None:
            up = up.with_pids({"supervisor": os.getpid(), **supervisor.pids})
            up.write(var)

    async def life() -> None:
        nonlocal up
        up = await start(supervisor, audience.report)
        changed()
        audience.ready(up)
        await asyncio.gather(supervisor.watch(), keep_short(var / "log"))

    supervisor = Supervisor(audience.report, changed)
    instance.record({})
    task = asyncio.create_task(life(), name="system")
    stop_signals = _StopSignals(task, supervisor)
    try:
        await asyncio.wait({task})
        up_path(var).unlink(missing_ok=True)
        return _verdict(task, audience, was_ready=up is not None)
    finally:
        up = None
        await supervisor.stop()
        stop_signals.close()


def _verdict(task: asyncio.Task[None], audience: Audience, *, was_ready: bool) -> int:
    if task.cancelled():
        if not was_ready:
            audience.failed("stopped before it was ready", "")
        audience.report("stopping")
        return 0 if was_ready else 1
    error = task.exception()
    if isinstance(error, StartFailed):
        audience.failed(str(error), error.detail)
    elif isinstance(error, PortsUnavailable | DamagedSecrets | OSError):
        audience.failed(str(error), "")
    elif error is not None:
        raise error
    return 1


class _StopSignals:
    """The first stop signal ends the system in order, the next ones at once."""

    def __init__(self, task: asyncio.Task[None], supervisor: Supervisor) -> None:
        self._task = task
        self._supervisor = supervisor
        self._stopping = False
        self._handled: Sequence[signal.Signals] = [
            number
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            # nohup has the hang-up ignored, and means it. The others are always wanted.
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
        ]
        loop = asyncio.get_running_loop()
        for number in self._handled:
            loop.add_signal_handler(number, self._received)

    def close(self) -> None:
        loop = asyncio.get_running_loop()
        for number in self._handled:
            loop.remove_signal_handler(number)

    def _received(self) -> None:
        if self._stopping:
            self._supervisor.kill()
        self._stopping = True
        self._task.cancel()


def _bury_last_run(var: Path) -> None:
    """Wait for what a killed supervisor left, then end it; nothing of it may hold a port."""
    deadline = time.monotonic() + _SURVIVORS_GET.total_seconds()
    while (left := survivors(var)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
