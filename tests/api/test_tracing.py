"""Spans of a request, as a collector gets them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from api.app import create_app
from observability.tracing import Tracing
from settings import Settings
from storage.engine import Database
from tests.api.tenants import Tenant

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def traced_client(
    settings: Settings, database: Database, exporter: InMemorySpanExporter
) -> AsyncIterator[httpx.AsyncClient]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = create_app(settings, database=database, tracing=Tracing(provider))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        yield client
    provider.shutdown()


def only_span(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    return span


async def test_a_request_is_one_span_named_after_its_route(
    traced_client: httpx.AsyncClient, exporter: InMemorySpanExporter, tenant: Tenant
) -> None:
    await traced_client.get(
        f"/v1/organizations/{tenant.org_id}",
        headers=tenant.viewer | {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
    )

    span = only_span(exporter)
    assert span.name == "GET /v1/organizations/{org_id}"
    assert span.context is not None
    assert format(span.context.trace_id, "032x") == TRACE
    assert not any(key in str(dict(span.attributes or {})) for key in tenant.keys.values())


async def test_probes_are_not_traced(
    traced_client: httpx.AsyncClient, exporter: InMemorySpanExporter
) -> None:
    for path in ("/healthz", "/metrics"):
        await traced_client.get(path)

    assert exporter.get_finished_spans() == ()


async def test_a_bug_is_seen_in_the_trace(
    traced_client: httpx.AsyncClient,
    exporter: InMemorySpanExporter,
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("api.services.organizations.get", broken)
    answer = await traced_client.get("/v1/me", headers=tenant.viewer)

    assert answer.status_code == 500
    span = only_span(exporter)
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


async def test_without_a_collector_nothing_is_traced(
    client: httpx.AsyncClient, exporter: InMemorySpanExporter
) -> None:
    answer = await client.get(
        "/v1/nothing", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    )

    assert answer.status_code == 404
    assert exporter.get_finished_spans() == ()
