"""The embedded PostgreSQL in the supervisor's hands."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from local.postgres import EmbeddedPostgres
from local.postgres_service import PostgresService
from local.process import StartFailed
from local.supervisor import Backoff, Supervisor

pytestmark = pytest.mark.postgres


@dataclass(frozen=True)
class Running:
    """A started service and the server behind it."""

    service: PostgresService
    server: EmbeddedPostgres

    def pid(self) -> int:
        assert self.service.pid is not None
        return self.service.pid


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    service = PostgresService(server)
    await service.start()
    yield Running(service, server)
    await service.stop()


def _answers(url: str) -> bool:
    with psycopg.connect(url) as link:
        return link.execute("SELECT 1").fetchone() == (1,)


def _wait_until_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.005)


async def test_a_started_server_answers_and_a_stopped_one_is_gone(running: Running) -> None:
    assert await asyncio.to_thread(_answers, running.server.app_url)
    await running.service.stop()
    assert running.service.pid is None


async def test_a_killed_server_says_so_and_is_back_under_the_same_url(running: Running) -> None:
    url = running.server.app_url
    os.kill(running.pid(), signal.SIGKILL)
    assert await running.service.ended() == "killed by SIGKILL"
    await running.service.start()
    assert running.server.app_url == url
    assert await asyncio.to_thread(_answers, url)


async def test_the_supervisor_brings_a_killed_server_back(tmp_path: Path) -> None:
    back = asyncio.Event()

    def report(line: str) -> None:
        if line.startswith("postgres is back"):
            back.set()

    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    supervisor = Supervisor(report, lambda: None, Backoff(first=timedelta(milliseconds=10)))
    try:
        await supervisor.start(PostgresService(server))
        os.kill(supervisor.pids["postgres"], signal.SIGKILL)
        await back.wait()
        assert await asyncio.to_thread(_answers, server.app_url)
    finally:
        await supervisor.stop()
    assert supervisor.pids == {}


async def test_a_start_that_is_cancelled_leaves_no_server(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    service = PostgresService(server)
    starting = asyncio.create_task(service.start())
    await asyncio.to_thread(_wait_until_there, tmp_path / "postgres")
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await service.stop()
    assert not server.running


async def test_a_folder_that_another_server_uses_is_a_failed_start(
    running: Running, tmp_path: Path
) -> None:
    second = PostgresService(EmbeddedPostgres(tmp_path / "postgres", durable=False))
    with pytest.raises(StartFailed, match="postgres: another process already runs PostgreSQL"):
        await second.start()
    await second.stop()
