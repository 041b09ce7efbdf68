"""One system per data folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from local.files import write_json
from local.instance import AlreadyRunning, Instance, running_supervisor, survivors
from local.procfs import ProcessId, identify, is_alive


def test_a_held_folder_cannot_be_held_again_and_says_by_whom(tmp_path: Path) -> None:
    with Instance.hold(tmp_path) as instance:
        instance.record({})
        with pytest.raises(AlreadyRunning) as refusal, Instance.hold(tmp_path):
            pass
    assert refusal.value.pid == os.getpid()
    with Instance.hold(tmp_path):
        pass


def test_a_record_names_only_processes_that_live(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with Instance.hold(tmp_path) as instance:
        instance.record({"ended": ended.pid, "parent": os.getppid()})
        assert {process.pid for process in survivors(tmp_path)} == {os.getpid(), os.getppid()}


def test_a_reused_pid_is_not_taken_for_the_supervisor(tmp_path: Path) -> None:
    myself = identify(os.getpid())
    assert myself is not None
    write_json(
        tmp_path / "processes.json",
        {"supervisor": {"pid": myself.pid, "started": myself.started - 1}},
    )
    assert running_supervisor(tmp_path) is None
    assert survivors(tmp_path) == ()


def test_a_damaged_record_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "processes.json").write_text('{"supervisor": {"pid": "x"}, "api": 3}')
    assert running_supervisor(tmp_path) is None


def test_a_forgotten_system_runs_no_more(tmp_path: Path) -> None:
    with Instance.hold(tmp_path) as instance:
        instance.record({})
        assert running_supervisor(tmp_path) == identify(os.getpid())
        instance.forget()
        assert running_supervisor(tmp_path) is None


def test_a_zombie_does_not_count_as_alive() -> None:
    child = subprocess.Popen(["sleep", "60"])
    process = identify(child.pid)
    assert process is not None
    assert is_alive(process)
    child.kill()
    # Dead, but not yet waited for: that is a zombie.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(process)
    child.wait()


def test_a_pid_that_nobody_has_identifies_nothing() -> None:
    assert identify(2**22 + 1) is None
    assert not is_alive(ProcessId(pid=2**22 + 1, started=1))
