"""Prometheus metrics of the Temporal SDK, and their place beside our own.

The SDK's core exports metrics by its own small HTTP server. It is bound to loopback, and the process's
/metrics answers with both texts, so an operator scrapes one address per process.
"""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass

import httpx
from prometheus_client import CollectorRegistry, generate_latest
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

__all__ = ["CONTENT_TYPE", "TemporalRuntime", "exposition", "start_temporal_runtime"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# The exporter is on loopback in the same process; a slower answer means it hangs.
_SCRAPE_SECONDS = 2.0
# Another process may take a free port between our look and the SDK's bind.
_BIND_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class TemporalRuntime:
    """The SDK's runtime of this process and the address of its metrics."""

    runtime: Runtime
    metrics_url: str

    async def scrape(self) -> str:
        """The SDK's metrics as Prometheus text; a comment when its exporter does not answer."""
        try:
            async with httpx.AsyncClient(timeout=_SCRAPE_SECONDS, trust_env=False) as client:
                answer = await client.get(self.metrics_url)
                answer.raise_for_status()
        except httpx.HTTPError as error:
            return f"# Temporal SDK metrics are missing: {type(error).__name__}\n"
        return answer.text


def start_temporal_runtime(*, host: str = "127.0.0.1", port: int = 0) -> TemporalRuntime:
    """Start the SDK's runtime with metrics on ``host:port``; port 0 picks a free one.

    Its logs go to the logger ``temporalio.core``. Raises ``ValueError`` when the address is in use.
    """
    if port:
        return _start(host, port)
    for _ in range(_BIND_ATTEMPTS - 1):
        try:
            return _start(host, _free_port(host))
        except ValueError:
            continue
    return _start(host, _free_port(host))


def _start(host: str, port: int) -> TemporalRuntime:
    return TemporalRuntime(_runtime(host, port), f"http://{_netloc(host, port)}/metrics")


def _runtime(host: str, port: int) -> Runtime:
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
                forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")),
            ),
            metrics=PrometheusConfig(
                bind_address=_netloc(host, port),
                counters_total_suffix=True,
                unit_suffix=True,
                durations_as_seconds=True,
            ),
        )
    )


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def exposition(registry: CollectorRegistry, *others: str) -> str:
    """Our metrics followed by ``others``, as one Prometheus text."""
    own = generate_latest(registry).decode()
    return "".join(
        text if text.endswith("\n") or not text else text + "\n" for text in (own, *others)
    )
