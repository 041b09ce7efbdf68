"""One system per data folder: who runs it, and that nobody else does.

The lock is the kernel's (flock), so it ends with its holder however that one ends. The record
beside it says which process to ask to stop, with start times: a pid alone may be somebody else's.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.files import private_folder, read_json, write_json
from local.procfs import ProcessId, identify, is_alive

__all__ = ["AlreadyRunning", "Instance", "running_supervisor", "survivors"]

_LOCK = "supervisor.lock"
_RECORD = "processes.json"


class AlreadyRunning(Exception):
    """Another supervisor holds this data folder; ``pid`` when it has said who it is."""

    def __init__(self, pid: int | None) -> None:
        who = "by another process" if pid is None else f"(pid {pid})"
        super().__init__(f"already running {who}")
        self.pid = pid


class Instance:
    """The hold on a data folder; ``record`` keeps the processes of the system on file."""

    def __init__(self, var: Path) -> None:
        self._var = var

    @classmethod
    @contextmanager
    def hold(cls, var: Path) -> Iterator[Instance]:
        """Hold the folder until the block ends. Raises ``AlreadyRunning``."""
        private_folder(var)
        lock = os.open(var / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                supervisor = running_supervisor(var)
                raise AlreadyRunning(supervisor.pid if supervisor else None) from None
            yield cls(var)
        finally:
            os.close(lock)

    def record(self, pids: Mapping[str, int]) -> None:
        """Write down this process and its children; one that has just ended is left out."""
        found = {name: identify(pid) for name, pid in {"supervisor": os.getpid(), **pids}.items()}
        write_json(
            self._var / _RECORD,
            {
                name: {"pid": process.pid, "started": process.started}
                for name, process in found.items()
                if process is not None
            },
        )

    def forget(self) -> None:
        """Nothing runs any more."""
        (self._var / _RECORD).unlink(missing_ok=True)


def running_supervisor(var: Path) -> ProcessId | None:
    """The supervisor of this data folder while it lives."""
    supervisor = _recorded(var).get("supervisor")
    return supervisor if supervisor is not None and is_alive(supervisor) else None


def survivors(var: Path) -> tuple[ProcessId, ...]:
    """Processes of the last run that still live, its supervisor among them."""
    return tuple(process for process in _recorded(var).values() if is_alive(process))


def _recorded(var: Path) -> dict[str, ProcessId]:
    record: dict[str, ProcessId] = {}
    for name, entry in (read_json(var / _RECORD) or {}).items():
        match entry:
            case {"pid": int(pid), "started": int(started)}:
                record[name] = ProcessId(pid=pid, started=started)
            case _:
                continue
    return record
