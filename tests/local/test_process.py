"""One child process, from its start to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from local.process import ManagedProcess, ProcessSpec, StartFailed
from local.procfs import identify
from tests.local.tiny_system import started, tiny_spec


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[ManagedProcess]:
    process = ManagedProcess(tiny_spec(tmp_path, "child"))
    await process.start()
    yield process
    await process.stop()


async def test_a_started_process_is_ready_and_keeps_the_pid_it_was_begun_with(
    running: ManagedProcess, tmp_path: Path
) -> None:
    assert running.pid == started(tmp_path, "child")[-1]


async def test_stopping_lets_the_process_end_by_itself(
    running: ManagedProcess, tmp_path: Path
) -> None:
    await running.stop()
    assert (tmp_path / "events").read_text().splitlines()[-1] == "child stopped"
    assert running.pid is None


async def test_a_process_that_ignores_the_request_is_killed_after_its_grace(tmp_path: Path) -> None:
    spec = tiny_spec(tmp_path, "child", "stubborn", grace=timedelta(milliseconds=200))
    process = ManagedProcess(spec)
    await process.start()
    await process.stop()
    assert await process.ended() == "killed by SIGKILL"


async def test_a_process_that_ends_at_once_is_a_failed_start_with_its_last_words(
    tmp_path: Path,
) -> None:
    with pytest.raises(StartFailed, match=r"child: ended at once \(exit code 3\)") as failure:
        await ManagedProcess(tiny_spec(tmp_path, "child", "broken")).start()
    assert "the reason why" in failure.value.detail


async def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    missing = replace(tiny_spec(tmp_path, "child"), command=("/nowhere/program",))
    with pytest.raises(StartFailed, match=r"exit code 127") as failure:
        await ManagedProcess(missing).start()
    assert "/nowhere/program: No such file or directory" in failure.value.detail


async def test_a_process_that_never_gets_ready_is_stopped_again(tmp_path: Path) -> None:
    spec = tiny_spec(
        tmp_path,
        "child",
        "never-ready stubborn",
        ready_within=timedelta(milliseconds=300),
        grace=timedelta(milliseconds=100),
    )
    process = ManagedProcess(spec)
    with pytest.raises(StartFailed, match="not ready within 0 s"):
        await process.start()
    assert process.pid is None


async def test_what_a_process_left_in_its_session_ends_with_it(tmp_path: Path) -> None:
    process = ManagedProcess(_shell(tmp_path, "sleep 600 & echo $! > left; sleep 600"))
    await process.start()
    grandchild = await asyncio.to_thread(_written_pid, tmp_path / "left")
    assert identify(grandchild) is not None
    await process.stop()
    await asyncio.to_thread(_wait_until_gone, grandchild)


async def test_a_killed_process_says_by_which_signal(running: ManagedProcess) -> None:
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    assert await running.ended() == "killed by SIGKILL"


async def test_a_process_can_be_started_again_after_its_end(
    running: ManagedProcess, tmp_path: Path
) -> None:
    running.kill()
    await running.ended()
    await running.start()
    assert running.pid == started(tmp_path, "child")[1]


async def test_the_log_of_a_process_is_for_its_owner_only(
    running: ManagedProcess, tmp_path: Path
) -> None:
    assert (tmp_path / "child.log").stat().st_mode & 0o777 == 0o600


def _shell(folder: Path, script: str) -> ProcessSpec:
    async def ready() -> bool:
        return True

    return ProcessSpec(
        name="child",
        command=("/bin/sh", "-c", script),
        env={"PATH": os.environ["PATH"]},
        cwd=folder,
        log=folder / "child.log",
        ready=ready,
        grace=timedelta(milliseconds=200),
    )


def _written_pid(path: Path) -> int:
    while not (path.exists() and path.read_text().strip()):
        time.sleep(0.01)
    return int(path.read_text())


def _wait_until_gone(pid: int) -> None:
    while identify(pid) is not None:
        time.sleep(0.01)
