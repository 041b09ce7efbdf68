from __future__ import annotations

import socket

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from observability.metrics import TemporalRuntime, exposition, start_temporal_runtime


@pytest.fixture(scope="module")
def temporal_runtime() -> TemporalRuntime:
    return start_temporal_runtime()


async def test_metrics_of_the_sdk_stand_behind_our_own(temporal_runtime: TemporalRuntime) -> None:
    temporal_runtime.runtime.metric_meter.create_counter("probe_rounds", "Rounds.").add(3)
    registry = CollectorRegistry()
    Counter("trunkline_things", "Things.", registry=registry).inc(2)

    text = exposition(registry, await temporal_runtime.scrape())

    samples = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["trunkline_things_total"] == 2
    assert samples["probe_rounds_total"] == 3


async def test_a_silent_exporter_leaves_our_own_metrics(temporal_runtime: TemporalRuntime) -> None:
    gone = TemporalRuntime(temporal_runtime.runtime, "http://127.0.0.1:1/metrics")

    text = exposition(CollectorRegistry(), await gone.scrape())

    assert text.startswith("# Temporal SDK metrics are missing: ConnectError")


def test_a_port_in_use_is_refused() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ValueError, match="in use"),
    ):
        start_temporal_runtime(port=taken.getsockname()[1])


async def test_the_runtime_is_usable_by_a_client(temporal_runtime: TemporalRuntime) -> None:
    client = await Client.connect("127.0.0.1:1", lazy=True, runtime=temporal_runtime.runtime)

    with pytest.raises(RuntimeError, match="connect"):
        await client.service_client.check_health()
