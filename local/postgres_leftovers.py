"""Servers that outlived the process that started them.

The caller holds the lock of the folder, so a PostgreSQL that works in it belongs to nobody: its
supervisor was killed. It is asked to end. What PostgreSQL itself checks at start (a process with
the old pid exists) takes any process with a reused pid for a server, as happens after every
restart of a container; here a process counts only when it works in the folder.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

__all__ = ["end_leftovers"]


def end_leftovers(cluster: Path, *, within: timedelta) -> bool:
    """End every PostgreSQL process of ``cluster`` and forget its pid file.

    Asks for a fast shutdown, and after two thirds of ``within`` for an immediate one; false when
    some still run after ``within``.
    """
    started = time.monotonic()
    urgent = started + within.total_seconds() * 2 / 3
    asked: set[signal.Signals] = set()
    while processes := _processes_of(cluster):
        now = time.monotonic()
        if now > started + within.total_seconds():
            return False
        how = signal.SIGQUIT if now > urgent else signal.SIGINT
        postmaster = _postmaster(cluster)
        if how not in asked and postmaster in processes:
            asked.add(how)
            with suppress(ProcessLookupError):
                os.kill(postmaster, how)
        time.sleep(0.05)
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    return True


def _postmaster(cluster: Path) -> int:
    """The pid in the pid file; 0 when there is none."""
    try:
        first = (cluster / "postmaster.pid").read_text(encoding="ascii").partition("\n")[0]
    except FileNotFoundError:
        return 0
    return int(first) if first.isdecimal() else 0


def _processes_of(cluster: Path) -> set[int]:
    """Pids of the PostgreSQL processes whose working directory is ``cluster``."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        # Processes end while one looks, and those of other users do not show their folder.
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            command = (entry / "comm").read_text(encoding="utf-8", errors="replace").strip()
            if command == "postgres" and (entry / "cwd").samefile(cluster):
                found.add(int(entry.name))
    return found
