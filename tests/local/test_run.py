"""A whole system of tiny children, from outside: signals, crashes, the background."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.detach import start_detached
from local.down import Stopped, stop_system
from local.instance import running_supervisor
from local.procfs import ProcessId, identify, is_alive
from local.upfile import UpFile
from tests.local.tiny_system import CHILDREN, started

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.local.tiny_system"]


class System:
    """A supervisor in a process group of its own, as a shell starts a job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*COMMAND, str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def wait_until_ready(self) -> UpFile:
        _until(lambda: UpFile.read(self.folder) is not None)
        up = UpFile.read(self.folder)
        assert up is not None
        return up

    def children(self) -> list[ProcessId]:
        found = [identify(started(self.folder, name)[-1]) for name in CHILDREN]
        assert None not in found
        return [child for child in found if child is not None]

    def finish(self) -> str:
        """Wait for its end; what it said."""
        output, _ = self.process.communicate(timeout=30)
        return output


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = System(tmp_path)
    yield made
    made.process.kill()
    made.process.communicate()


def _until(true: Callable[[], object]) -> None:
    while not true():
        time.sleep(0.01)


def _events(folder: Path) -> list[str]:
    return (folder / "events").read_text(encoding="ascii").splitlines()


def test_up_json_is_private_and_names_every_process(system: System) -> None:
    system.wait_until_ready()
    path = system.folder / "up.json"
    assert path.stat().st_mode & 0o777 == 0o600
    pids = json.loads(path.read_text())["pids"]
    assert pids == {
        "supervisor": system.process.pid,
        **{name: started(system.folder, name)[-1] for name in CHILDREN},
    }


def test_ctrl_c_stops_every_child_in_reverse_order_and_only_the_supervisor_hears_it(
    system: System,
) -> None:
    system.wait_until_ready()
    os.killpg(system.process.pid, signal.SIGINT)
    system.finish()
    assert system.process.returncode == 0
    assert _events(system.folder)[3:] == ["third stopped", "second stopped", "first stopped"]
    assert not (system.folder / "up.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_stops_every_child(system: System, number: signal.Signals) -> None:
    system.wait_until_ready()
    children = system.children()
    system.process.send_signal(number)
    system.finish()
    assert system.process.returncode == 0
    assert not [child for child in children if is_alive(child)]


def test_a_second_signal_does_not_wait_for_a_stubborn_child(tmp_path: Path) -> None:
    (tmp_path / "behaviour").write_text("stubborn")
    system = System(tmp_path)
    system.wait_until_ready()
    children = system.children()
    system.process.send_signal(signal.SIGTERM)
    _until(lambda: "third stopped" in _events(tmp_path))
    system.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    system.finish()
    assert time.monotonic() - began < 5
    assert not [child for child in children if is_alive(child)]


def test_a_signal_during_the_start_takes_the_start_back(tmp_path: Path) -> None:
    (tmp_path / "behaviour").write_text("never-ready")
    system = System(tmp_path)
    _until(lambda: started(tmp_path, "first"))
    system.process.send_signal(signal.SIGTERM)
    assert "stopped before it was ready" in system.finish()
    assert system.process.returncode == 1
    assert _events(tmp_path)[-1] == "first stopped"


def test_a_part_that_cannot_start_ends_the_system_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "behaviour").write_text("broken")
    system = System(tmp_path)
    said = system.finish()
    assert system.process.returncode == 1
    assert "second: ended at once (exit code 3)" in said
    assert "the reason why" in said
    assert _events(tmp_path)[-1] == "first stopped"


def test_kill_9_of_the_supervisor_leaves_no_orphan(system: System) -> None:
    system.wait_until_ready()
    children = system.children()
    system.process.kill()
    _until(lambda: not [child for child in children if is_alive(child)])
    assert len(children) == 3


def test_a_start_after_kill_9_heals_what_was_left(system: System, tmp_path: Path) -> None:
    before = system.wait_until_ready()
    system.process.kill()
    system.process.wait()
    again = System(tmp_path)
    _until(lambda: (UpFile.read(tmp_path) or before) != before)
    assert running_supervisor(tmp_path) == identify(again.process.pid)
    again.process.terminate()
    again.finish()
    assert again.process.returncode == 0


def test_a_killed_child_is_back_and_up_json_has_its_new_pid(system: System) -> None:
    up = system.wait_until_ready()
    os.kill(up.pids["second"], signal.SIGKILL)
    _until(lambda: len(started(system.folder, "second")) == 2)
    new = started(system.folder, "second")[1]
    _until(lambda: (UpFile.read(system.folder) or up).pids.get("second") == new)


def test_a_second_system_in_the_folder_says_who_runs_already(
    system: System, tmp_path: Path
) -> None:
    system.wait_until_ready()
    second = System(tmp_path)
    assert f"already running (pid {system.process.pid})" in second.finish()
    assert second.process.returncode == 0
    assert len(started(tmp_path, "first")) == 1


class Heard:
    """What a detached system tells the process that started it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.up: UpFile | None = None

    def report(self, line: str) -> None:
        self.lines.append(line)

    def ready(self, up: UpFile) -> None:
        self.up = up

    def failed(self, line: str, detail: str) -> None:
        self.lines += [line, detail]

    def already(self, pid: int | None) -> None:
        self.lines.append(f"already {pid}")


@pytest.fixture
def from_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.usefixtures("from_root")
def test_a_detached_system_outlives_its_starter_and_is_stopped_from_outside(tmp_path: Path) -> None:
    heard = Heard()
    assert start_detached(tmp_path, heard, [*COMMAND, str(tmp_path)]) == 0
    assert heard.up is not None
    assert heard.lines == [f"starting {name}" for name in CHILDREN]
    supervisor = heard.up.pids["supervisor"]
    assert os.getsid(supervisor) == supervisor
    again = Heard()
    assert start_detached(tmp_path, again, [*COMMAND, str(tmp_path)]) == 0
    assert again.lines == [f"already {supervisor}"]
    assert stop_system(tmp_path, timedelta(seconds=30)) is Stopped.CLEANLY
    assert _events(tmp_path)[-1] == "first stopped"
    assert stop_system(tmp_path, timedelta(seconds=30)) is Stopped.NOTHING_RAN


@pytest.mark.usefixtures("from_root")
def test_a_detached_system_that_cannot_start_tells_its_starter_why(tmp_path: Path) -> None:
    (tmp_path / "behaviour").write_text("broken")
    heard = Heard()
    assert start_detached(tmp_path, heard, [*COMMAND, str(tmp_path)]) == 1
    assert heard.lines[-2:] == ["second: ended at once (exit code 3)", "the reason why"]


@pytest.mark.usefixtures("from_root")
def test_a_supervisor_that_does_not_stop_in_time_is_killed_with_its_children(
    tmp_path: Path,
) -> None:
    (tmp_path / "behaviour").write_text("stubborn")
    heard = Heard()
    assert start_detached(tmp_path, heard, [*COMMAND, str(tmp_path)]) == 0
    assert heard.up is not None
    stubborn = identify(heard.up.pids["second"])
    assert stubborn is not None
    assert stop_system(tmp_path, timedelta(milliseconds=300)) is Stopped.KILLED
    assert not is_alive(stubborn)


@pytest.mark.usefixtures("from_root")
def test_a_detached_start_that_failed_has_left_nothing_when_it_returns(tmp_path: Path) -> None:
    (tmp_path / "behaviour").write_text("broken")
    assert start_detached(tmp_path, Heard(), [*COMMAND, str(tmp_path)]) == 1
    assert running_supervisor(tmp_path) is None
    assert _events(tmp_path)[-1] == "first stopped"
