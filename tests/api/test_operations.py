from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.readiness import Readiness
from observability.metrics import TemporalRuntime, start_temporal_runtime
from settings import Settings
from storage import presence
from storage.engine import Database
from storage.errors import UnsafeRole
from storage.ids import new_id
from storage.tables import ProcessKind
from tests.api.waiting import eventually
from tests.support.postgres import TestDatabase
from upkeep.passes import SILENT_AFTER


@pytest.fixture(scope="module")
def temporal_runtime() -> TemporalRuntime:
    return start_temporal_runtime()


async def worker_seen(database: Database, *, ago: timedelta = timedelta(0)) -> None:
    now = datetime.now(UTC) - ago
    worker = presence.ProcessFacts(
        id=new_id("wkr"),
        kind=ProcessKind.WORKER,
        host="worker.test",
        pid=1,
        task_queues=("trunkline",),
        started_at=now,
    )
    async with database.system() as session:
        await presence.beat(session, worker, now=now)


async def ready(client: httpx.AsyncClient) -> tuple[int, Readiness]:
    answer = await client.get("/readyz")
    return answer.status_code, Readiness.model_validate(answer.json())


@pytest.mark.temporal
async def test_ready_when_database_temporal_and_a_worker_are_there(
    settings: Settings, database: Database, temporal_address: str
) -> None:
    await worker_seen(database)
    near = settings.model_copy(update={"temporal_address": temporal_address})
    transport = httpx.ASGITransport(app=create_app(near, database=database))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        status, found = await ready(client)

    assert status == 200
    assert found.ready
    assert {name: each.ok for name, each in found.checks.items()} == {
        "database": True,
        "temporal": True,
        "worker": True,
    }


async def test_not_ready_says_what_to_mend(client: httpx.AsyncClient) -> None:
    status, found = await ready(client)

    assert status == 503
    assert not found.ready
    assert found.checks["database"].ok
    temporal, worker = found.checks["temporal"], found.checks["worker"]
    assert not temporal.ok
    assert "TRUNKLINE_TEMPORAL_ADDRESS" in (temporal.mend or "")
    assert not worker.ok
    assert "trunkline worker" in (worker.mend or "")


@pytest.mark.parametrize(("ago", "ok"), [(timedelta(0), True), (SILENT_AFTER, False)])
async def test_a_worker_counts_while_it_speaks(
    client: httpx.AsyncClient, database: Database, ago: timedelta, ok: bool
) -> None:
    await worker_seen(database, ago=ago)
    _, found = await ready(client)

    assert found.checks["worker"].ok is ok


async def test_another_api_process_is_no_worker(running_client: httpx.AsyncClient) -> None:
    _, found = await ready(running_client)

    assert not found.checks["worker"].ok


async def test_without_the_database_not_ready_and_yet_alive(
    settings: Settings, database_urls: TestDatabase
) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    transport = httpx.ASGITransport(app=create_app(settings, database=away))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        status, found = await ready(client)
        alive = await client.get("/healthz")
    await away.dispose()

    assert status == 503
    assert "TRUNKLINE_DATABASE_URL" in (found.checks["database"].mend or "")
    assert "nobody" not in str(found)
    assert alive.status_code == 200
    assert alive.json() == {"alive": True}


async def test_the_api_does_not_start_on_an_unsafe_role(
    settings: Settings, database_urls: TestDatabase
) -> None:
    unsafe = Database(database_urls.owner_url)
    app = create_app(settings, database=unsafe)
    try:
        with pytest.raises(UnsafeRole, match="owns tables"):
            async with app.router.lifespan_context(app):
                pass
    finally:
        await unsafe.dispose()


async def test_failed_upkeep_asks_for_a_restart(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("storage.presence.beat", broken)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
    ):

        async def unhealthy() -> bool:
            return (await client.get("/healthz")).status_code == 503

        await eventually(unhealthy)
        answer = await client.get("/healthz")

    assert answer.json() == {"alive": False}


async def test_the_presence_of_the_process_ends_with_it(app: FastAPI, database: Database) -> None:
    async def is_seen() -> bool:
        async with database.system() as session:
            since = datetime.now(UTC) - SILENT_AFTER
            return bool(await presence.seen(session, ProcessKind.API, since=since))

    async with app.router.lifespan_context(app):
        await eventually(is_seen)
    assert not await is_seen()


async def test_metrics_are_ours_and_those_of_the_sdk(
    settings: Settings, database: Database, temporal_runtime: TemporalRuntime
) -> None:
    temporal_runtime.runtime.metric_meter.create_counter("sdk_things", "Things.").add(1)
    app = create_app(settings, database=database, temporal_runtime=temporal_runtime)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        await client.get("/v1/nothing")
        answer = await client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = {each.name for each in text_string_to_metric_families(answer.text)}
    assert {
        "trunkline_http_requests",
        "trunkline_http_request_duration_seconds",
        "trunkline_http_requests_in_flight",
        "process_cpu_seconds",
        "sdk_things",
    } <= families
