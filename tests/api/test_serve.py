"""The API as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from settings import Settings
from storage.tables import Role
from tests.api.tenants import Tenant
from tests.api.waiting import eventually

ROOT = Path(__file__).parents[2]


def environment(settings: Settings, **changes: str) -> dict[str, str]:
    assert settings.secret_keys is not None
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    return kept | {
        "TRUNKLINE_DATABASE_URL": settings.database_url.get_secret_value(),
        "TRUNKLINE_SECRET_KEYS": settings.secret_keys.get_secret_value(),
        "TRUNKLINE_TEMPORAL_ADDRESS": settings.temporal_address,
        "TRUNKLINE_API_PORT": "0",
        **changes,
    }


@asynccontextmanager
async def process(
    env: dict[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.serve",
        *arguments,
        cwd=ROOT,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


async def ready(path: Path) -> dict[str, Any]:
    await eventually(lambda: asyncio.to_thread(path.exists), seconds=60)
    facts: dict[str, Any] = json.loads(await asyncio.to_thread(path.read_text))
    return facts


@pytest.mark.system
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_listens_and_stops_cleanly(
    settings: Settings, tenant: Tenant, tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "ready.json"
    async with process(environment(settings), "--ready-file", str(file)) as api:
        facts = await ready(file)
        async with httpx.AsyncClient(base_url=facts["url"], trust_env=False) as client:
            me = await client.get("/v1/me", headers=tenant.viewer)
            metrics = await client.get("/metrics")
        api.send_signal(number)
        _, errors = await api.communicate()

    assert facts["pid"] == api.pid
    assert me.json()["data"]["role"] == "viewer"
    assert "trunkline_http_requests_total" in metrics.text
    assert api.returncode == 0
    lines = [json.loads(line) for line in errors.decode().splitlines()]
    assert [each["route"] for each in lines if each["message"] == "request"] == ["/v1/me"]
    assert not any(key in errors.decode() for key in tenant.keys.values())
    assert "server" not in {name.lower() for name in me.headers}


@pytest.mark.system
async def test_a_request_in_flight_is_answered_before_it_stops(
    settings: Settings, tenant: Tenant, tmp_path: Path
) -> None:
    file = tmp_path / "ready.json"
    body = b'{"input": "sip.example.com"}'
    head = (
        "POST /v1/sip/parse-destination HTTP/1.1\r\nHost: api.test\r\n"
        f"Authorization: {tenant.keys[Role.VIEWER]}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    async with process(environment(settings), "--ready-file", str(file)) as api:
        port = httpx.URL((await ready(file))["url"]).port or 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + body[:5])
        await writer.drain()
        # The server has begun the request once it answers another one.
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"http://127.0.0.1:{port}/healthz")
        api.send_signal(signal.SIGTERM)
        await eventually(lambda: asyncio.to_thread(refuses, port))
        writer.write(body[5:])
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        await api.communicate()

    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"valid":true' in answer
    assert api.returncode == 0


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


@pytest.mark.system
async def test_a_port_in_use_names_the_setting(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with process(environment(settings, TRUNKLINE_API_PORT=port)) as api:
            _, errors = await api.communicate()

    assert api.returncode == 1
    assert "TRUNKLINE_API_PORT" in errors.decode()
    assert port in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.system
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"TRUNKLINE_SECRET_KEYS": "nonsense"}, "id:base64"),
        ({"TRUNKLINE_LOG_LEVEL": "loud"}, "TRUNKLINE_LOG_LEVEL"),
        ({"TRUNKLINE_DATABASE_URL": "mysql://x"}, "postgresql://"),
    ],
)
async def test_a_wrong_setting_is_named_in_one_line(
    settings: Settings, changes: dict[str, str], words: str
) -> None:
    async with process(environment(settings, **changes)) as api:
        _, errors = await api.communicate()

    assert api.returncode == 1
    assert words in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.system
async def test_without_a_key_ring_it_says_which_setting_is_missing(settings: Settings) -> None:
    env = environment(settings)
    del env["TRUNKLINE_SECRET_KEYS"]
    async with process(env) as api:
        _, errors = await api.communicate()

    assert api.returncode == 1
    assert "TRUNKLINE_SECRET_KEYS is not set" in errors.decode()


@pytest.mark.system
async def test_it_starts_while_database_and_temporal_are_away(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "ready.json"
    env = environment(settings, TRUNKLINE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    async with process(env, "--ready-file", str(file)) as api:
        facts = await ready(file)
        async with httpx.AsyncClient(base_url=facts["url"], trust_env=False) as client:
            alive = await client.get("/healthz")
            readyz = await client.get("/readyz")
            me = await client.get("/v1/me", headers={"Authorization": "sk_" + "A" * 43})
        api.send_signal(signal.SIGTERM)
        await api.communicate()

    assert alive.status_code == 200
    assert readyz.status_code == 503
    assert me.status_code == 503
    assert api.returncode == 0
