"""``make up`` and ``make down`` on a terminal: what is run, what is said, the exit status."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from local.detach import start_detached
from local.down import Stopped, stop_system
from local.instance import running_supervisor
from local.run import Audience, run_system
from local.summary import summary_of
from local.supervisor import Supervisor
from local.system import start_system
from local.upfile import UpFile
from settings import Settings

__all__ = ["down", "run_from_settings", "up"]

_STARTING = timedelta(seconds=180)
_STOPPING = timedelta(seconds=60)


def up(*, detach: bool) -> int:
    """Start the system of the current folder's settings; returns the exit status.

    In the foreground it returns when the system has stopped. Where it runs already, it says so and
    where it is: that is what was asked for, so the status is 0.
    """
    settings = _settings()
    if settings is None:
        return 1
    var = Path(settings.var_dir).absolute()
    audience = Terminal(var)
    if detach:
        return start_detached(var, audience)
    return run_from_settings(audience)


def run_from_settings(audience: Audience) -> int:
    """The system of this process's settings, in this process."""
    settings = Settings()
    var = Path(settings.var_dir).absolute()

    async def start(supervisor: Supervisor, report: Callable[[str], None]) -> UpFile:
        return await start_system(settings, var, supervisor, report)

    return run_system(var, start, audience)


def down() -> int:
    """Stop the system of the current folder's settings and wait for its end."""
    settings = _settings()
    if settings is None:
        return 1
    try:
        how = stop_system(Path(settings.var_dir).absolute(), _STOPPING)
    except PermissionError:
        print("trunkline: the running system belongs to another user", file=sys.stderr)
        return 1
    if how is Stopped.KILLED:
        print(f"Trunkline did not stop within {_STOPPING.seconds} s and was killed.")
    else:
        print(f"Trunkline is {how}.")
    return 0


class Terminal:
    """A person who started the system and watches."""

    def __init__(self, var: Path) -> None:
        self._var = var

    def report(self, line: str) -> None:
        _say(line)

    def ready(self, up: UpFile) -> None:
        _say(f"\n{summary_of(up)}\n\nLogs are in {self._var / 'log'}. `make down` stops it.")

    def failed(self, line: str, detail: str) -> None:
        if detail:
            _say(detail, sys.stderr)
        _say(f"trunkline: {line}", sys.stderr)

    def already(self, pid: int | None) -> None:
        _say(f"Trunkline is already running{'' if pid is None else f' (pid {pid})'}.")
        running = self._wait_until_ready()
        if running is not None:
            self.ready(running)

    def _wait_until_ready(self) -> UpFile | None:
        """Where the other one is; it may still be starting."""
        deadline = time.monotonic() + _STARTING.total_seconds()
        while time.monotonic() < deadline and running_supervisor(self._var) is not None:
            found = UpFile.read(self._var)
            if found is not None:
                return found
            time.sleep(0.1)
        return None


def _say(text: str, stream: TextIO | None = None) -> None:
    # A closed terminal must not take the system down.
    with suppress(OSError):
        print(text, file=stream or sys.stdout, flush=True)


def _settings() -> Settings | None:
    """The settings, or ``None`` after saying which are wrong; never their values."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in problem["loc"][:1]).upper()
            print(f"trunkline: TRUNKLINE_{name}: {problem['msg']}", file=sys.stderr)
        return None
