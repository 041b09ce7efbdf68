from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observability.tracing import start_tracing


class Collector:
    """An OTLP/HTTP collector on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append((self.path, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> dict[str, Span]:
        found: dict[str, Span] = {}
        for path, body in self.requests:
            assert path == "/v1/traces"
            message = ExportTraceServiceRequest.FromString(_inflated(body))
            for resource in message.resource_spans:
                for scope in resource.scope_spans:
                    found |= {span.name: span for span in scope.spans}
        return found

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _inflated(body: bytes) -> bytes:
    import gzip

    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.stop()


def test_without_a_collector_there_is_no_tracing() -> None:
    assert start_tracing(None, service="trunkline-api", version="1") is None


async def test_spans_arrive_at_the_collector_when_tracing_stops(collector: Collector) -> None:
    tracing = start_tracing(collector.endpoint + "/", service="trunkline-api", version="1")
    assert tracing is not None
    tracer = tracing.provider.get_tracer("test")
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
        pass
    await asyncio.to_thread(tracing.stop)

    spans = collector.spans()
    assert spans["inner"].parent_span_id == spans["outer"].span_id


async def test_the_query_of_a_request_is_not_exported(collector: Collector) -> None:
    tracing = start_tracing(collector.endpoint, service="trunkline-api", version="1")
    assert tracing is not None
    attributes = {"url.query": "phone_number=%2B14155550100", "url.path": "/v1/sip"}
    tracing.provider.get_tracer("test").start_span("GET", attributes=attributes).end()
    await asyncio.to_thread(tracing.stop)

    exported = {each.key: each.value.string_value for each in collector.spans()["GET"].attributes}
    assert exported["url.path"] == "/v1/sip"
    assert exported["url.query"] == ""


async def test_an_absent_collector_does_not_hold_up_the_stop() -> None:
    tracing = start_tracing("http://127.0.0.1:1", service="trunkline-api", version="1")
    assert tracing is not None
    tracing.provider.get_tracer("test").start_span("lost").end()
    async with asyncio.timeout(10):
        await asyncio.to_thread(tracing.stop)
