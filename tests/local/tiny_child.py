"""A child for the supervisor's tests: ``tiny_child.py NAME FOLDER [BEHAVIOUR]``.

Appends ``NAME started PID`` and ``NAME stopped`` to ``FOLDER/events``. Behaviours: ``stubborn``
ignores SIGTERM, ``broken`` says why and exits with 3, ``never-ready`` says nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType


def main() -> None:
    name, folder, *behaviours = sys.argv[1:]
    events = Path(folder, "events")

    def note(text: str) -> None:
        # One write of a short line in append mode arrives whole, whoever else writes.
        with events.open("a", encoding="ascii") as file:
            file.write(f"{name} {text}\n")

    def stop(_number: int, _frame: FrameType | None) -> None:
        note("stopped")
        sys.exit(0)

    if "broken" in behaviours:
        sys.stdout.write("the reason why\n")
        sys.exit(3)
    if "stubborn" in behaviours:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, lambda *_: note("interrupted"))
    if "never-ready" not in behaviours:
        note(f"started {os.getpid()}")
    while True:
        time.sleep(60)


main()
