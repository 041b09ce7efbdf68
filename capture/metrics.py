"""What the collector counted, for Prometheus: nothing is dropped without a count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as MetricsSource

from capture.collector import Collector
from capture.writing import LiveWriter
from sip.net.hep_receiver import HepReceiver

__all__ = ["CollectorMetrics"]

_PACKETS: Final = ("queued", "malformed", "wrong_key", "not_sip", "dropped_full", "kernel_drops")
_MESSAGES: Final = (
    "not_sip",
    "not_calls",
    "duplicates",
    "retransmissions",
    "unknown",
    "table_full",
)


class CollectorMetrics(MetricsSource):
    """Reads the counts of this moment; they are written in another thread, each at once."""

    def __init__(self, receiver: HepReceiver, collector: Collector, writer: LiveWriter) -> None:
        self._receiver, self._collector, self._writer = receiver, collector, writer

    def collect(self) -> Iterator[Metric]:
        """Every count as a metric."""
        intake, calls = self._receiver.counters, self._collector.assembler.counts
        packets = CounterMetricFamily(
            "trunkline_hep_packets", "HEP packets by what became of them.", labels=["fate"]
        )
        for name in _PACKETS:
            packets.add_metric([name], getattr(intake, name))
        yield packets
        messages = CounterMetricFamily(
            "trunkline_hep_messages", "Captured messages by what they were.", labels=["kind"]
        )
        for name in _MESSAGES:
            messages.add_metric([name], getattr(calls, name))
        messages.add_metric(["held_full"], self._collector.held.dropped)
        messages.add_metric(["call_unknown"], self._collector.held.given_up)
        messages.add_metric(["unwritable"], self._writer.unwritable)
        yield messages
        connections = GaugeMetricFamily(
            "trunkline_hep_connections", "Connections of exporters that are open."
        )
        connections.add_metric([], intake.connections_open)
        yield connections
        waiting = GaugeMetricFamily("trunkline_hep_waiting", "Packets that wait to be assembled.")
        waiting.add_metric([], self._receiver.waiting)
        yield waiting
        in_memory = GaugeMetricFamily("trunkline_hep_calls", "Calls in memory.")
        in_memory.add_metric([], self._collector.assembler.calls)
        yield in_memory
