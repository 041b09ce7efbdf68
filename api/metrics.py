"""Prometheus metrics of the API process. Labels are bounded: route templates, never paths."""

from __future__ import annotations

from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

__all__ = ["ApiMetrics"]

# From a cached look-up to the longest wait that a route offers (seconds).
_LATENCY_BUCKETS = (
    0.002,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class ApiMetrics:
    """What the API counts about itself, in a registry of its own per application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Counter(
            "trunkline_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "trunkline_http_request_duration_seconds",
            "Time from the request's head to the end of its answer.",
            ("method", "route"),
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
        in_flight = Gauge(
            "trunkline_http_requests_in_flight",
            "HTTP requests being answered.",
            registry=self.registry,
        )
        self._in_flight = 0
        in_flight.set_function(lambda: self._in_flight)
        # To find these by their labels takes longer than to count.
        self._request_of = cache(self._requests.labels)
        self._latency_of = cache(self._latency.labels)

    def begun(self) -> None:
        """Count a request that is being answered."""
        self._in_flight += 1

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request, which is in flight no more."""
        self._in_flight -= 1
        known = method if method in _METHODS else "OTHER"
        self._request_of(known, route, str(status)).inc()
        self._latency_of(known, route).observe(seconds)
