"""``python -m lab`` as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab.catalogue import CATALOGUE
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock

SECONDS = 30


@pytest.fixture
def network(loopback: LoopbackBlock) -> IPv4Network:
    return new_lab_network(loopback)


def command(network: object, folder: Path, *more: str) -> list[str]:
    start = [sys.executable, "-W", "error", "-m", "lab"]
    return [*start, "--network", str(network), "--dir", str(folder), *more]


@contextmanager
def running(arguments: list[str], ready: Path) -> Iterator[subprocess.Popen[str]]:
    """The process from its ready file on; killed at the end if it still runs."""
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            deadline = time.monotonic() + SECONDS
            while not ready.exists():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def failing(arguments: list[str]) -> str:
    """What a run that fails says on stderr."""
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_who_is_where_and_stops_cleanly_on_a_signal(
    network: IPv4Network, tmp_path: Path, number: signal.Signals
) -> None:
    ready = tmp_path / "peers.json"
    arguments = command(network, tmp_path / "lab", "--ready-file", str(ready))
    with running(arguments, ready) as process:
        written = json.loads(ready.read_text())
        first = str(network.network_address + 1)
        assert written["peers"]["asterisk"] == f"sip:{first}"
        assert list(written["peers"]) == [peer.name for peer in CATALOGUE]
        assert written["ca_file"] == str(tmp_path / "lab" / "ca.pem")
        with socket.create_connection((first, 5060)):
            process.send_signal(number)
            out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (0, "")
    assert f"asterisk             sip:{first}" in out.splitlines()
    assert not ready.exists()


def test_a_second_run_keeps_the_certificates(network: IPv4Network, tmp_path: Path) -> None:
    ready = tmp_path / "peers.json"
    arguments = command(network, tmp_path / "lab", "--ready-file", str(ready))
    seen = []
    for _ in range(2):
        with running(arguments, ready) as process:
            seen.append({path: path.read_bytes() for path in (tmp_path / "lab").iterdir()})
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=SECONDS)
    assert seen[0] == seen[1]


def test_only_the_peers_that_were_asked_for_run(network: IPv4Network, tmp_path: Path) -> None:
    ready = tmp_path / "peers.json"
    more = ("--ready-file", str(ready), "--only", "cisco, silent")
    with running(command(network, tmp_path / "lab", *more), ready) as process:
        assert list(json.loads(ready.read_text())["peers"]) == ["cisco", "silent"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)


@pytest.mark.parametrize(
    ("kind", "transport"), [(socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")]
)
def test_a_port_in_use_is_one_line_and_the_ready_file_of_others_stays(
    network: IPv4Network, tmp_path: Path, kind: socket.SocketKind, transport: str
) -> None:
    address = str(network.network_address + 1)
    ready = tmp_path / "peers.json"
    ready.write_text("of another lab")
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((address, 5060))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        said = failing(command(network, tmp_path / "lab", "--ready-file", str(ready)))
    assert said == (
        f"lab: asterisk cannot listen on {transport} {address}:5060: Address already in use\n"
    )
    assert ready.read_text() == "of another lab"


@pytest.mark.parametrize(
    ("network_text", "more", "words"),
    [
        ("192.0.2.0/24", (), "lab: 192.0.2.0/24 is not part of 127.0.0.0/8"),
        ("127.0.60.0/29", (), "lab: 127.0.60.0/29 is too small"),
        ("127.0.60.0/24", ("--only", "cisko"), "lab: no such peer: cisko; there are 3cx,"),
        ("127.0.60.0/24", ("--dir", "/proc/lab"), "lab: /proc/lab: "),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    tmp_path: Path, network_text: str, more: tuple[str, ...], words: str
) -> None:
    said = failing(command(network_text, tmp_path / "lab", *more))
    assert said.startswith(words)
    assert said.count("\n") == 1
