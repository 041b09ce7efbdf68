"""Keeping services alive, in order."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.process import ManagedProcess, StartFailed
from local.supervisor import Backoff, Supervisor
from tests.local.tiny_system import CHILDREN, started, tiny_spec

FAST = Backoff(first=timedelta(milliseconds=10), longest=timedelta(milliseconds=40))


class Watched:
    """A supervisor and what it reported."""

    def __init__(self, backoff: Backoff) -> None:
        self.lines: list[str] = []
        self._reported = asyncio.Event()
        self.changes = 0
        self.supervisor = Supervisor(self._report, self._change, backoff)

    async def until(self, text: str) -> str:
        """The first line that holds the text."""
        while True:
            for line in self.lines:
                if text in line:
                    return line
            self._reported.clear()
            await self._reported.wait()

    def _report(self, line: str) -> None:
        self.lines.append(line)
        self._reported.set()

    def _change(self) -> None:
        self.changes += 1


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    made = Watched(FAST)
    yield made
    await made.supervisor.stop()


async def test_services_start_in_order_and_stop_in_reverse(
    watched: Watched, tmp_path: Path
) -> None:
    for name in CHILDREN:
        await watched.supervisor.start(ManagedProcess(tiny_spec(tmp_path, name)))
    await watched.supervisor.stop()
    events = [line.split()[:2] for line in (tmp_path / "events").read_text().splitlines()]
    assert events == [
        *([name, "started"] for name in CHILDREN),
        *([name, "stopped"] for name in reversed(CHILDREN)),
    ]


async def test_a_killed_service_is_started_again_and_reported(
    watched: Watched, tmp_path: Path
) -> None:
    service = ManagedProcess(tiny_spec(tmp_path, "child"))
    await watched.supervisor.start(service)
    [first] = started(tmp_path, "child")
    os.kill(first, signal.SIGKILL)
    await watched.until("child is back")
    assert watched.lines[0] == "child ended (killed by SIGKILL), restart 1 in 0.01 s"
    assert watched.supervisor.pids == {"child": started(tmp_path, "child")[1]}


async def test_process_ids_are_told_at_each_start_and_each_end(
    watched: Watched, tmp_path: Path
) -> None:
    await watched.supervisor.start(ManagedProcess(tiny_spec(tmp_path, "child")))
    assert watched.changes == 1
    os.kill(watched.supervisor.pids["child"], signal.SIGKILL)
    await watched.until("child is back")
    assert watched.changes == 3


async def test_a_service_that_cannot_start_again_is_tried_with_growing_pauses(
    watched: Watched, tmp_path: Path
) -> None:
    service = Flaky(broken_starts=4)
    await watched.supervisor.start(service)
    service.end()
    await watched.until("flaky is back")
    pauses = [line.partition(" in ")[2] for line in watched.lines if "restart" in line]
    assert pauses == ["0.01 s", "0.02 s", "0.04 s", "0.04 s", "0.04 s"]
    assert "(flaky: not today)" in watched.lines[1]


async def test_a_service_that_ran_well_for_long_starts_again_with_the_first_pause() -> None:
    watched = Watched(Backoff(first=timedelta(milliseconds=10), steady=timedelta(0)))
    service = Flaky(broken_starts=0)
    await watched.supervisor.start(service)
    for _ in range(3):
        service.end()
        await watched.until("flaky is back")
        assert watched.lines[0] == "flaky ended (done), restart 1 in 0.01 s"
        watched.lines.clear()
    await watched.supervisor.stop()


async def test_a_failed_first_start_is_the_callers(watched: Watched, tmp_path: Path) -> None:
    with pytest.raises(StartFailed):
        await watched.supervisor.start(ManagedProcess(tiny_spec(tmp_path, "child", "broken")))
    assert watched.lines == []


async def test_stopping_during_a_restart_pause_starts_nothing(tmp_path: Path) -> None:
    watched = Watched(Backoff(first=timedelta(hours=1), longest=timedelta(hours=1)))
    await watched.supervisor.start(ManagedProcess(tiny_spec(tmp_path, "child")))
    os.kill(watched.supervisor.pids["child"], signal.SIGKILL)
    await watched.until("restart 1 in 3600 s")
    await watched.supervisor.stop()
    assert len(started(tmp_path, "child")) == 1


async def test_an_error_of_the_supervisor_itself_comes_out_of_watch(watched: Watched) -> None:
    service = Flaky(broken_starts=0, error=RuntimeError("a defect"))
    await watched.supervisor.start(service)
    service.end()
    with pytest.raises(RuntimeError, match="a defect"):
        await watched.supervisor.watch()


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, 0.5), (2, 1), (3, 2), (7, 30), (8, 30), (100_000, 30)]
)
def test_pauses_double_up_to_half_a_minute(failures: int, pause: float) -> None:
    assert Backoff().pause(failures) == timedelta(seconds=pause)


class Flaky:
    """Not a process: ends on demand, and then fails to start a number of times."""

    name = "flaky"
    pid = None

    def __init__(self, broken_starts: int, error: Exception | None = None) -> None:
        self._broken_starts = broken_starts
        self._error = error
        self._ended = asyncio.Event()
        self._ended.set()
        self._starts = 0

    def end(self) -> None:
        self._ended.set()

    async def start(self) -> None:
        self._starts += 1
        if 1 < self._starts <= 1 + self._broken_starts:
            raise StartFailed(self.name, "not today")
        self._ended.clear()

    async def ended(self) -> str:
        await self._ended.wait()
        if self._error is not None:
            raise self._error
        return "done"

    async def stop(self) -> None:
        self.end()

    def kill(self) -> None:
        self.end()
