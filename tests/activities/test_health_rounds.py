"""How many shards a worker keeps, and what it publishes of itself."""

from __future__ import annotations

import pytest

from activities.contracts import WatchEndReason
from activities.health_metrics import HealthMetrics, lateness_at
from activities.health_probing import LATENESS_BOUNDS, ProbeStats
from activities.health_rounds import give_up
from activities.health_shards import HeldShard
from domain.probe_target import SHARDS
from observability.metrics import start_temporal_runtime


def held(count: int) -> list[HeldShard]:
    return [HeldShard(number, 1, flush_every=300) for number in range(count)]


@pytest.mark.parametrize(
    ("count", "workers", "given_up"),
    [
        (64, 1, 0),
        (64, 0, 0),
        (64, 2, 8),
        (33, 2, 1),
        (32, 2, 0),
        (22, 3, 0),
        (23, 3, 1),
        (2, 100, 1),
        (1, 100, 0),
    ],
)
def test_a_worker_gives_up_a_part_of_what_it_holds_too_much(
    count: int, workers: int, given_up: int
) -> None:
    shards = held(count)
    give_up(shards, workers)
    assert sum(shard.reason is WatchEndReason.SHARE for shard in shards) == given_up


@pytest.mark.parametrize("workers", range(1, 10))
def test_shares_are_enough_for_all_shards(workers: int) -> None:
    counts = [SHARDS] + [0] * (workers - 1)
    for _ in range(100):
        for number, count in enumerate(counts):
            shards = held(count)
            give_up(shards, workers)
            moved = sum(shard.ended.is_set() for shard in shards)
            # They go to whoever has the least, as a queue with several pollers does on average.
            counts[number] -= moved
            for _ in range(moved):
                counts[counts.index(min(counts))] += 1
    assert sum(counts) == SHARDS
    assert max(counts) <= -(-SHARDS // workers)


def test_lateness_is_read_from_its_counts() -> None:
    counts = [0] * (len(LATENESS_BOUNDS) + 1)
    assert lateness_at(counts, 0.99) == 0.0
    counts[0] = 99
    counts[4] = 1
    assert lateness_at(counts, 0.99) == 0.05
    assert lateness_at(counts, 1.0) == 1.0
    counts[-1] = 100
    assert lateness_at(counts, 0.99) == 2 * LATENESS_BOUNDS[-1]


async def test_the_engines_numbers_are_among_the_metrics_of_its_process() -> None:
    runtime = start_temporal_runtime()
    metrics = HealthMetrics(runtime.runtime.metric_meter)
    stats = ProbeStats(probes=5, missed=1)
    stats.lateness[2] = 5
    metrics.publish(stats, targets=4, shards=3, waiting=2, dropped=1)
    stats.probes += 7
    stats.lateness[3] = 7
    metrics.publish(stats, targets=4, shards=3, waiting=0, dropped=1)
    text = await runtime.scrape()
    found = {
        line.partition("{")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("trunkline_health_")
    }
    assert found == {
        "trunkline_health_targets": 4,
        "trunkline_health_shards": 3,
        "trunkline_health_probes_total": 12,
        "trunkline_health_missed_rounds_total": 1,
        "trunkline_health_lateness_p99_seconds": 0.5,
        "trunkline_health_changes_waiting": 0,
        "trunkline_health_changes_dropped_total": 1,
    }
