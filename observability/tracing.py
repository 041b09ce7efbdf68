"""OpenTelemetry traces over OTLP/HTTP, on when a collector is set and absent otherwise.

No global provider is installed: whoever wants spans is given the provider. Two applications in one process
(tests do that) therefore never mix their spans.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from temporalio.contrib.opentelemetry import TracingInterceptor

__all__ = ["Tracing", "start_tracing"]

# A collector that is away must not hold up a stopping process.
FLUSH_DEADLINE = timedelta(seconds=3)


class _WithoutQuery(SpanProcessor):
    """Empties the query of request spans: it carries phone numbers, and those stay in PostgreSQL."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        attributes = span.attributes or {}
        if "url.query" in attributes:
            span.set_attribute("url.query", "")

    def on_end(self, span: ReadableSpan) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Tracing:
    """The spans of one process."""

    provider: TracerProvider

    def interceptor(self) -> TracingInterceptor:
        """Client interceptor that carries the trace into workflows and activities.

        A worker takes it over from its client; it must not be given twice.
        """
        return TracingInterceptor(self.provider.get_tracer("trunkline.temporal"))

    def stop(self) -> None:
        """Send what is buffered, for at most three seconds, and stop. Blocks: call it in a thread."""
        self.provider.force_flush(int(FLUSH_DEADLINE.total_seconds() * 1000))
        self.provider.shutdown()


def start_tracing(endpoint: str | None, *, service: str, version: str) -> Tracing | None:
    """Spans to the OTLP/HTTP collector at ``endpoint`` (its base address), or ``None`` without one."""
    if endpoint is None:
        return None
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": version}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(_WithoutQuery())
    exporter = OTLPSpanExporter(
        endpoint=endpoint.rstrip("/") + "/v1/traces", timeout=FLUSH_DEADLINE.total_seconds()
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)
