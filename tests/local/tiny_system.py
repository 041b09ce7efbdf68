"""A whole system of three tiny children: ``python -m tests.local.tiny_system FOLDER [PIPE]``.

With PIPE it is the detached supervisor. ``FOLDER/behaviour`` may hold a behaviour of ``second``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from local.detach import LogAudience, PipeAudience
from local.files import private_folder
from local.process import ManagedProcess, ProcessSpec
from local.run import run_system
from local.supervisor import Supervisor
from local.upfile import UpFile

__all__ = ["CHILDREN", "started", "tiny_spec"]

CHILDREN = ("first", "second", "third")
_CHILD = Path(__file__).with_name("tiny_child.py")


def started(folder: Path, name: str) -> list[int]:
    """Pids under which the child has said that it started, oldest first."""
    try:
        lines = (folder / "events").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []
    words = [line.split() for line in lines]
    return [int(word[2]) for word in words if word[:2] == [name, "started"]]


def tiny_spec(
    folder: Path,
    name: str,
    behaviour: str = "",
    *,
    ready_within: timedelta = timedelta(seconds=20),
    grace: timedelta = timedelta(seconds=10),
) -> ProcessSpec:
    """A child that is ready once it has said so, since it was last begun."""
    said = 0

    def count() -> None:
        nonlocal said
        said = len(started(folder, name))

    async def ready() -> bool:
        return len(started(folder, name)) > said

    return ProcessSpec(
        name=name,
        command=(sys.executable, "-I", "-S", str(_CHILD), name, str(folder), *behaviour.split()),
        env=dict(os.environ),
        cwd=folder,
        log=folder / f"{name}.log",
        ready=ready,
        before=count,
        ready_within=ready_within,
        grace=grace,
    )


def _up() -> UpFile:
    return UpFile(
        api_url="http://127.0.0.1:1",
        dashboard_url="http://127.0.0.1:1/",
        temporal_ui_url=None,
        temporal_address="127.0.0.1:2",
        mail_url="http://127.0.0.1:3",
        smtp_url="smtp://127.0.0.1:4",
        database_url="postgresql://",
        api_key="key",
        lab={},
        pids={},
    )


def main() -> int:
    folder = Path(sys.argv[1])
    private_folder(folder / "log")
    behaviour = folder / "behaviour"

    async def start(supervisor: Supervisor, report: Callable[[str], None]) -> UpFile:
        for name in CHILDREN:
            report(f"starting {name}")
            odd = name == "second" and behaviour.exists()
            spec = tiny_spec(folder, name, behaviour.read_text() if odd else "")
            await supervisor.start(ManagedProcess(spec))
        return _up()

    if len(sys.argv) > 2:
        pipe = os.fdopen(int(sys.argv[2]), "w", encoding="utf-8")
        return run_system(folder, start, PipeAudience(sys.stdout, pipe))
    return run_system(folder, start, LogAudience(sys.stdout))


if __name__ == "__main__":
    sys.exit(main())
