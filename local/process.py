"""One child process: start it, know when it is ready, know when it ended, stop it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO, Protocol

__all__ = ["ManagedProcess", "ProcessSpec", "Service", "StartFailed", "log_tail", "tied"]

_LAUNCHER = Path(__file__).with_name("launch.py")
_POLL = 0.05
_TAIL_LINES = 12
_TAIL_BYTES = 16_384


class StartFailed(Exception):
    """A part did not become ready; ``detail`` holds the last lines it wrote."""

    def __init__(self, name: str, reason: str, detail: str = "") -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.detail = detail


class Service(Protocol):
    """What the supervisor keeps alive."""

    @property
    def name(self) -> str:
        """A plain word for people, file names and ``var/up.json``."""

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""

    async def start(self) -> None:
        """Return when it is ready; raises ``StartFailed`` and leaves nothing behind."""

    async def ended(self) -> str:
        """Wait for its end and say how it came."""

    async def stop(self) -> None:
        """Ask it to end, insist after its grace; returns when it is gone."""

    def kill(self) -> None:
        """End it at once, without waiting."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How to run one program and to tell that it is ready.

    ``before`` runs ahead of each start, to remove what an earlier life left. ``ready`` is asked
    again and again and must not block. ``death_signal`` is what the kernel sends the program when
    the supervisor is gone.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path
    log: Path
    ready: Callable[[], Awaitable[bool]]
    before: Callable[[], None] = lambda: None
    ready_within: timedelta = timedelta(seconds=30)
    grace: timedelta = timedelta(seconds=10)
    death_signal: signal.Signals = signal.SIGKILL


class ManagedProcess:
    """A program in its own session: a terminal's Ctrl-C reaches the supervisor only."""

    def __init__(self, spec: ProcessSpec) -> None:
        self._spec = spec
        self._process: Process | None = None

    @property
    def name(self) -> str:
        return self._spec.name

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        self._spec.before()
        process = await self._spawn()
        try:
            async with asyncio.timeout(self._spec.ready_within.total_seconds()):
                while process.returncode is None:
                    if await self._spec.ready():
                        return
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            await self.stop()
            seconds = self._spec.ready_within.total_seconds()
            raise StartFailed(
                self.name, f"not ready within {seconds:.0f} s", log_tail(self._spec.log)
            ) from None
        reason = await self.ended()
        raise StartFailed(self.name, f"ended at once ({reason})", log_tail(self._spec.log))

    async def ended(self) -> str:
        if self._process is None:
            return "not started"
        code = await self._process.wait()
        self._kill_group(self._process.pid)
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    async def stop(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(self._spec.grace.total_seconds()):
                await process.wait()
        except ProcessLookupError:
            await process.wait()
        except TimeoutError:
            self._kill_group(process.pid)
            await process.wait()
        self._kill_group(process.pid)

    def kill(self) -> None:
        if self.pid is not None:
            self._kill_group(self.pid)

    async def _spawn(self) -> Process:
        spec = self._spec
        with _open_log(spec.log) as log:
            self._process = await asyncio.create_subprocess_exec(
                *tied(spec.command, spec.death_signal),
                cwd=spec.cwd,
                env=dict(spec.env),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self._process

    @staticmethod
    def _kill_group(group: int) -> None:
        """End what the program left behind in its session."""
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return


def tied(command: Sequence[str], death_signal: signal.Signals = signal.SIGKILL) -> tuple[str, ...]:
    """The command line that runs ``command`` as long as this process lives, with the same pid."""
    launcher = (sys.executable, "-I", "-S", str(_LAUNCHER))
    return (*launcher, str(int(death_signal)), str(os.getpid()), *command)


def _open_log(path: Path) -> IO[bytes]:
    # The child writes to the file itself, so that nothing is lost when the supervisor dies.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb")


def log_tail(path: Path) -> str:
    """The last lines of a log, for a person who asks why."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
