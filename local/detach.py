"""The system in the background: a supervisor in a session of its own, and what it tells its parent.

The child writes one JSON object a line to a pipe: ``report``, ``ready``, ``failed`` or ``already``.
Then the pipe closes and the child goes on alone, its own words in ``log/supervisor.log``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TextIO

from local.files import private_folder
from local.run import Audience
from local.upfile import UpFile

__all__ = ["LogAudience", "PipeAudience", "start_detached"]


class Verdict(Enum):
    """How a start in the background ended."""

    RUNS = "runs"
    FAILED = "failed"
    ALREADY = "already"


class LogAudience:
    """Lines with a time, for a log."""

    def __init__(self, log: TextIO) -> None:
        self._log = log

    def report(self, line: str) -> None:
        self._write(line)

    def ready(self, up: UpFile) -> None:
        self._write(f"ready: {up.api_url}")

    def failed(self, line: str, detail: str) -> None:
        self._write("\n".join(part for part in (line, detail) if part))

    def already(self, pid: int | None) -> None:
        self._write(f"already running (pid {pid})")

    def _write(self, line: str) -> None:
        # A disk that is full must not take the system down.
        with suppress(OSError):
            self._log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
            self._log.flush()


class PipeAudience(LogAudience):
    """The same, and until the system is ready also to the parent at the other end of a pipe."""

    def __init__(self, log: TextIO, pipe: TextIO) -> None:
        super().__init__(log)
        self._pipe: TextIO | None = pipe

    def report(self, line: str) -> None:
        super().report(line)
        self._tell(report=line)

    def ready(self, up: UpFile) -> None:
        super().ready(up)
        self._tell(ready=asdict(up))
        self._hang_up()

    def failed(self, line: str, detail: str) -> None:
        super().failed(line, detail)
        self._tell(failed=[line, detail])
        self._hang_up()

    def already(self, pid: int | None) -> None:
        super().already(pid)
        self._tell(already=pid)
        self._hang_up()

    def _tell(self, **message: object) -> None:
        if self._pipe is not None:
            try:
                self._pipe.write(json.dumps(message) + "\n")
                self._pipe.flush()
            except OSError:
                self._hang_up()

    def _hang_up(self) -> None:
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            with suppress(OSError):
                pipe.close()


def start_detached(var: Path, audience: Audience, command: list[str] | None = None) -> int:
    """Start a supervisor in the background and return once it is ready, or has failed.

    Passes on what it says. Returns 0 when the system runs. An interrupted start is taken back.
    ``command`` is the supervisor's command line without its last argument, the pipe's number.
    """
    private_folder(var)
    log = private_folder(var / "log") / "supervisor.log"
    ours, theirs = os.pipe()
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
        child = subprocess.Popen(
            [*(command or [sys.executable, "-m", "local"]), str(theirs)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(theirs,),
            start_new_session=True,
        )
    os.close(theirs)
    try:
        with os.fdopen(ours, encoding="utf-8") as told:
            for line in told:
                verdict = _pass_on(json.loads(line), audience)
                if verdict is Verdict.RUNS:
                    # It goes on alone: Popen would warn that nobody waited for it.
                    child.returncode = 0
                    return 0
                if verdict is not None:
                    # Returning means that nothing of this start is left.
                    child.wait()
                    return 0 if verdict is Verdict.ALREADY else 1
        audience.failed(f"the supervisor ended with exit code {child.wait()}", f"see {log}")
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        child.wait()
        raise
    return 1


def _pass_on(message: dict[str, object], audience: Audience) -> Verdict | None:
    match message:
        case {"report": str(line)}:
            audience.report(line)
        case {"ready": dict(up)}:
            audience.ready(UpFile(**up))
            return Verdict.RUNS
        case {"failed": [str(line), str(detail)]}:
            audience.failed(line, detail)
            return Verdict.FAILED
        case {"already": pid}:
            audience.already(pid if isinstance(pid, int) else None)
            return Verdict.ALREADY
    return None
