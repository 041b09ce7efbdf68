"""`trunkline up` and `down` as a person calls them, short of starting the whole product."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.files import write_json
from local.instance import Instance
from tests.support.loopback import LoopbackBlock
from tests.support.one_machine import one_machine_environment

ROOT = Path(__file__).resolve().parents[2]


class CommandLine:
    """The command line over a data folder of its own."""

    def __init__(self, var: Path, lab_network: str) -> None:
        self.var = var
        self._environment = one_machine_environment(var, lab_network)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "trunkline.py", *arguments],
            cwd=ROOT,
            env={**self._environment, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
        )


@pytest.fixture
def command_line(tmp_path: Path, loopback: LoopbackBlock) -> CommandLine:
    return CommandLine(tmp_path / "var", f"{loopback.address()}/32")


@pytest.mark.parametrize("arguments", [["up"], ["up", "--detach"]], ids=["foreground", "detached"])
def test_a_port_in_use_is_one_line_that_names_the_setting_and_nothing_runs(
    command_line: CommandLine, arguments: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        started = command_line.run(*arguments, TRUNKLINE_API_PORT=port)
    assert started.returncode == 1
    assert started.stderr == (
        f"trunkline: port {port} on 127.0.0.1 is in use (TRUNKLINE_API_PORT={port}); "
        "set another port, or 0 to have a free one picked\n"
    )
    assert not (command_line.var / "up.json").exists()
    assert not (command_line.var / "postgres").exists()
    assert command_line.run("down").stdout == "Trunkline is not running.\n"


def test_a_wrong_setting_is_named_without_its_value(command_line: CommandLine) -> None:
    started = command_line.run("up", TRUNKLINE_API_PORT="secret-port")
    assert started.returncode == 1
    assert started.stderr.startswith("trunkline: TRUNKLINE_API_PORT: ")
    assert "secret-port" not in started.stderr


def test_down_without_a_system_is_no_failure(command_line: CommandLine) -> None:
    stopped = command_line.run("down")
    assert (stopped.returncode, stopped.stdout) == (0, "Trunkline is not running.\n")


def test_down_removes_what_a_killed_system_left_in_up_json(command_line: CommandLine) -> None:
    command_line.var.mkdir()
    write_json(command_line.var / "up.json", {"api_url": "http://127.0.0.1:1"})
    assert command_line.run("down").returncode == 0
    assert not (command_line.var / "up.json").exists()


def test_up_while_it_runs_says_so_and_where_it_is(command_line: CommandLine) -> None:
    with Instance.hold(command_line.var) as instance:
        instance.record({})
        write_json(
            command_line.var / "up.json",
            {
                "api_url": "http://127.0.0.1:4711",
                "dashboard_url": "http://127.0.0.1:4711/",
                "temporal_ui_url": None,
                "temporal_address": "127.0.0.1:1",
                "mail_url": "http://127.0.0.1:2",
                "smtp_url": "smtp://127.0.0.1:3",
                "database_url": "postgresql://",
                "api_key": "sk_running",
                "lab": {"asterisk": "sip:127.0.60.1"},
                "pids": {"supervisor": os.getpid()},
            },
        )
        again = command_line.run("up", "--detach")
        assert (command_line.var / "up.json").exists()
    assert again.returncode == 0
    assert again.stdout.startswith(f"Trunkline is already running (pid {os.getpid()}).\n")
    assert "http://127.0.0.1:4711/v1/sip" in again.stdout


def test_a_damaged_secrets_file_stops_the_start(command_line: CommandLine) -> None:
    command_line.var.mkdir()
    (command_line.var / "secrets.json").write_text("{")
    started = command_line.run("up")
    assert started.returncode == 1
    assert "secrets.json is damaged" in started.stderr
    assert "Traceback" not in started.stderr
