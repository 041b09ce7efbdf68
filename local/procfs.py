"""Which process is meant: a pid alone is reused, a pid with its start time is not (proc(5), stat)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProcessId", "identify", "is_alive"]

_STATE = 0
_START_TIME = 19  # field 22 of stat, counted from the field that follows the command name


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process for as long as the machine runs; ``started`` is in clock ticks since boot."""

    pid: int
    started: int


def identify(pid: int) -> ProcessId | None:
    """The process that has this pid now; ``None`` when there is none or it is a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name is the only field that may hold blanks and brackets.
    fields = stat.rpartition(")")[2].split()
    if fields[_STATE] in {"Z", "X"}:
        return None
    return ProcessId(pid=pid, started=int(fields[_START_TIME]))


def is_alive(process: ProcessId) -> bool:
    """Whether this very process still runs."""
    return identify(process.pid) == process
