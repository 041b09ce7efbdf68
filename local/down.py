"""Stops the system of a data folder from outside, whoever started it and how."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from local.instance import AlreadyRunning, Instance, running_supervisor, survivors
from local.procfs import ProcessId, is_alive
from local.upfile import up_path

__all__ = ["Stopped", "stop_system"]

_POLL = 0.05
# A supervisor that has just taken the folder says a moment later who it is.
_INTRODUCTION = timedelta(seconds=5)
_AFTER_KILL = timedelta(seconds=15)


class Stopped(StrEnum):
    """How a stop went."""

    CLEANLY = "stopped"
    KILLED = "killed"
    NOTHING_RAN = "not running"


def stop_system(var: Path, patience: timedelta) -> Stopped:
    """Ask the supervisor to stop, wait until it is gone, kill it after ``patience``.

    Killed, it takes its children along: the kernel ends them. Raises ``PermissionError`` when the
    system belongs to another user.
    """
    supervisor = _find(var)
    if supervisor is None:
        up_path(var).unlink(missing_ok=True)
        return Stopped.NOTHING_RAN
    _send(supervisor, signal.SIGTERM)
    if _gone(lambda: is_alive(supervisor), patience):
        return Stopped.CLEANLY
    _send(supervisor, signal.SIGKILL)
    _gone(lambda: bool(survivors(var)), _AFTER_KILL)
    up_path(var).unlink(missing_ok=True)
    return Stopped.KILLED


def _find(var: Path) -> ProcessId | None:
    """The supervisor that holds the folder; ``None`` when nobody does."""
    if not var.is_dir():
        return None
    deadline = time.monotonic() + _INTRODUCTION.total_seconds()
    while True:
        try:
            with Instance.hold(var):
                return None
        except AlreadyRunning:
            supervisor = running_supervisor(var)
        if supervisor is not None or time.monotonic() > deadline:
            return supervisor
        time.sleep(_POLL)


def _send(process: ProcessId, number: signal.Signals) -> None:
    if is_alive(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _gone(lives: Callable[[], bool], patience: timedelta) -> bool:
    deadline = time.monotonic() + patience.total_seconds()
    while lives():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
