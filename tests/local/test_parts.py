"""The real programs of the one-machine system, each alone, and what the system tells them."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.parts import LOOPBACK, Programs
from local.ports import Wanted, claim_ports
from local.process import ManagedProcess
from local.readiness import accepts, http_get, http_host
from local.summary import first_commands, summary_of
from local.system import environment_of
from local.upfile import UpFile
from settings import Settings


@dataclass(frozen=True)
class Temporal:
    """The embedded server and its ports."""

    process: ManagedProcess
    ports: dict[str, int]

    async def namespace(self) -> tuple[int, str] | None:
        return await http_get(LOOPBACK, self.ports["http"], "/api/v1/namespaces/trunks")


@pytest.fixture
async def temporal(tmp_path: Path) -> AsyncIterator[Temporal]:
    (tmp_path / "log").mkdir()
    ports = claim_ports([Wanted(name, LOOPBACK, 0) for name in ("port", "ui", "http", "metrics")])
    spec = Programs(tmp_path, {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}).temporal(
        namespace="trunks",
        port=ports["port"],
        ui_port=ports["ui"],
        http_port=ports["http"],
        metrics_port=ports["metrics"],
    )
    process = ManagedProcess(spec)
    await process.start()
    yield Temporal(process, ports)
    await process.stop()


@pytest.mark.temporal
async def test_temporal_is_ready_with_its_namespace_its_ui_and_its_frontend(
    temporal: Temporal,
) -> None:
    answer = await temporal.namespace()
    assert answer is not None
    assert answer[0] == 200
    page = await http_get(LOOPBACK, temporal.ports["ui"], "/")
    assert page is not None
    assert page[0] == 200
    assert await accepts(LOOPBACK, temporal.ports["port"])


@pytest.mark.temporal
async def test_temporal_keeps_its_state_when_it_is_killed(temporal: Temporal) -> None:
    before = await temporal.namespace()
    assert temporal.process.pid is not None
    os.kill(temporal.process.pid, signal.SIGKILL)
    assert await temporal.process.ended() == "killed by SIGKILL"
    await temporal.process.start()
    # The answer holds the namespace's id, which a new database would make anew.
    assert await temporal.namespace() == before


@pytest.mark.temporal
async def test_temporal_ends_when_asked_and_frees_its_ports(temporal: Temporal) -> None:
    await temporal.process.stop()
    assert await temporal.process.ended() == "exit code 0"
    assert not await accepts(LOOPBACK, temporal.ports["port"])


PORTS = {
    "TRUNKLINE_API_PORT": 1,
    "TRUNKLINE_TEMPORAL_PORT": 2,
    "TRUNKLINE_TEMPORAL_UI_PORT": 3,
    "the Temporal metrics": 4,
    "TRUNKLINE_MAIL_PORT": 5,
}


def _environment(settings: Settings) -> dict[str, str]:
    return environment_of(settings, Path("/data"), "postgresql://app", "ring", PORTS)


def test_the_parts_are_told_where_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    _clear(monkeypatch)
    env = _environment(Settings())
    assert env["TRUNKLINE_DATABASE_URL"] == "postgresql://app"
    assert env["TRUNKLINE_SECRET_KEYS"] == "ring"
    assert env["TRUNKLINE_API_PORT"] == "1"
    assert env["TRUNKLINE_TEMPORAL_ADDRESS"] == "127.0.0.1:2"
    assert env["TRUNKLINE_TEMPORAL_UI_URL"] == "http://127.0.0.1:3"
    assert (env["TRUNKLINE_SMTP_HOST"], env["TRUNKLINE_SMTP_PORT"]) == ("127.0.0.1", "5")
    assert env["TRUNKLINE_SMTP_SECURITY"] == "none"
    assert env["TRUNKLINE_ALLOWED_NETWORKS"] == "127.0.0.0/8,::1/128"
    monkeypatch.setenv("TRUNKLINE_ALLOWED_NETWORKS", env["TRUNKLINE_ALLOWED_NETWORKS"])
    assert len(Settings().allowed_networks) == 2


def test_what_the_operator_sets_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    _clear(monkeypatch)
    given = {
        "TRUNKLINE_SECRET_KEYS": "theirs",
        "TRUNKLINE_ALLOWED_NETWORKS": "10.0.0.0/8",
        "TRUNKLINE_TEMPORAL_ADDRESS": "temporal.example:7233",
        "TRUNKLINE_LOG_LEVEL": "debug",
        "TRUNKLINE_SMTP_HOST": "mail.example.com",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    env = _environment(Settings())
    assert given.items() <= env.items()
    assert "TRUNKLINE_SMTP_SECURITY" not in env


def test_the_parts_never_learn_the_owner_of_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    _clear(monkeypatch)
    monkeypatch.setenv("TRUNKLINE_DATABASE_URL", "postgresql://app")
    monkeypatch.setenv("trunkline_database_owner_url", "postgresql://owner")
    assert "postgresql://owner" not in _environment(Settings()).values()


def _clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("TRUNKLINE_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("listening", "reached"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("localhost", "localhost"),
    ],
)
def test_a_server_is_reached_where_it_listens(listening: str, reached: str) -> None:
    assert http_host(listening) == reached


def test_the_summary_has_every_address_and_commands_for_the_first_peer() -> None:
    up = UpFile(
        api_url="http://127.0.0.1:8080",
        dashboard_url="http://127.0.0.1:8080/",
        temporal_ui_url="http://127.0.0.1:8233",
        temporal_address="127.0.0.1:7233",
        mail_url="http://127.0.0.1:8025",
        smtp_url="smtp://127.0.0.1:1025",
        database_url="postgresql://secret",
        api_key="sk_key",
        lab={"3cx": "sip:127.0.60.9:5060", "asterisk": "sip:127.0.60.1:5060;transport=tcp"},
        pids={},
    )
    text = summary_of(up)
    for shown in (up.api_url, "http://127.0.0.1:8233", up.mail_url, "127.0.0.1:1025", "sk_key"):
        assert shown in text
    assert "postgresql" not in text
    discover, attach, call = first_commands(up)
    assert '{"host": "127.0.60.1"}' in discover
    assert '"sip_endpoint": "sip:127.0.60.1:5060;transport=tcp"' in attach
    assert "/v1/sip/test-call" in call
    assert '{"phone_number": "+14155550100"}' in call
