from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.responses import StreamingResponse

from api.app import ROUTERS, create_app
from observability.logs import configure_logging
from settings import Settings
from storage.engine import Database
from tests.api.tenants import Tenant

broken = APIRouter()


@broken.get("/broken/{name}")
async def fail(name: str) -> None:
    raise ZeroDivisionError(f"secret detail about {name}")


@broken.get("/broken-later")
async def fail_later() -> StreamingResponse:
    async def content() -> AsyncIterator[bytes]:
        yield b"begun"
        raise ZeroDivisionError

    return StreamingResponse(content())


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    return create_app(settings, database=database, routers=(*ROUTERS, broken))


def records(log: io.StringIO, message: str) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in log.getvalue().splitlines()]
    return [each for each in parsed if each["message"] == message]


def sample(app: FastAPI, name: str, **labels: str) -> float | None:
    registry: CollectorRegistry = app.state.trunkline.metrics.registry
    return registry.get_sample_value(name, labels)


@pytest.mark.parametrize("given", ["0f8fad5b-d9cb-469f-a165-70867728950e", "a.b/c:d=1+2@x_y"])
async def test_a_sane_request_id_of_the_client_is_kept(
    client: httpx.AsyncClient, given: str
) -> None:
    answer = await client.get("/v1/nothing", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\x00", "é", 'a"b', "<script>", "a,b"])
async def test_any_other_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/v1/nothing", headers=[(b"X-Request-Id", given.encode("utf-8"))])

    assert answer.headers["X-Request-Id"].startswith("req_")


async def test_every_answer_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    paths = ["/healthz", "/openapi.json", "/v1/me", "/v1/nothing", "/broken/x", "/v1/x%00"]
    ids = [(await client.get(path)).headers["X-Request-Id"] for path in paths]

    assert len(set(ids)) == len(ids)


async def test_answers_are_not_kept_by_caches(client: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await client.get("/v1/me", headers=tenant.viewer)

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_bug_is_answered_with_the_id_and_no_details(
    client: httpx.AsyncClient, log: io.StringIO
) -> None:
    answer = await client.get("/broken/it")

    assert answer.status_code == 500
    (error,) = answer.json()["errors"]
    assert error["error"] == "INTERNAL_ERROR"
    assert error["request_id"] == answer.headers["X-Request-Id"]
    assert "secret detail" not in answer.text
    (failure,) = records(log, "request failed")
    assert failure["request_id"] == error["request_id"]
    assert "ZeroDivisionError: secret detail" in failure["exception"]


async def test_a_bug_after_the_answer_began_breaks_the_connection(
    client: httpx.AsyncClient,
) -> None:
    with pytest.raises(ZeroDivisionError):
        await client.get("/broken-later")


async def test_a_request_is_one_line_without_its_key(
    client: httpx.AsyncClient, tenant: Tenant, log: io.StringIO
) -> None:
    answer = await client.get(
        f"/v1/organizations/{tenant.org_id}?phone_number=%2B14155550100", headers=tenant.viewer
    )

    (line,) = records(log, "request")
    assert line["method"] == "GET"
    assert line["route"] == "/v1/organizations/{org_id}"
    assert line["status"] == 200
    assert line["ms"] >= 0
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["org_id"] == tenant.org_id
    assert line["key_id"] in tenant.key_ids.values()
    assert not any(key in log.getvalue() for key in tenant.keys.values())
    assert "4155550100" not in log.getvalue()


async def test_ids_of_one_request_do_not_reach_the_next(
    client: httpx.AsyncClient, tenant: Tenant, log: io.StringIO
) -> None:
    await client.get("/v1/me", headers=tenant.viewer)
    await client.get("/v1/me")

    first, second = records(log, "request")
    assert first["org_id"] == tenant.org_id
    assert "org_id" not in second


async def test_probes_are_silent_unless_debugging(
    client: httpx.AsyncClient, log: io.StringIO
) -> None:
    configure_logging(level="info", stream=log)
    await client.get("/healthz")
    await client.get("/v1/nothing")

    assert [each["route"] for each in records(log, "request")] == ["(none)"]


async def test_requests_are_counted_by_route_and_never_by_path(
    client: httpx.AsyncClient, tenant: Tenant, app: FastAPI
) -> None:
    for path in ("/v1/me", "/v1/one", "/v1/two", "/broken/a", "/broken/b"):
        await client.get(path, headers=tenant.viewer)
    await client.request("BREW", "/v1/me")

    count = "trunkline_http_requests_total"
    assert sample(app, count, method="GET", route="/v1/me", status="200") == 1
    assert sample(app, count, method="GET", route="(none)", status="404") == 2
    assert sample(app, count, method="GET", route="/broken/{name}", status="500") == 2
    assert sample(app, count, method="OTHER", route="/v1/me", status="405") == 1
    seconds = "trunkline_http_request_duration_seconds_count"
    assert sample(app, seconds, method="GET", route="/broken/{name}") == 2
    assert sample(app, "trunkline_http_requests_in_flight") == 0
