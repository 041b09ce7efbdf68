"""When targets are probed: regular, spread, and the same on every machine."""

from __future__ import annotations

from collections import Counter
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.health_schedule import JITTER, due, next_due

IDS = st.from_regex(r"\Atgt_[0-9A-Za-z]{22}\Z")
INTERVALS = st.sampled_from([1.0, 10.0, 60.0, 300.0])
MOMENTS = st.floats(1_700_000_000, 2_000_000_000)


def test_times_are_the_same_everywhere() -> None:
    # Written out: two machines of different releases must not probe a target twice.
    assert due("tgt_2sKOAbQyx7YGqLyWfXsPlU", 29_551_083) == pytest.approx(1773065000.9965, abs=1e-3)


@given(IDS, st.integers(0, 30_000_000), INTERVALS)
def test_rounds_are_an_interval_apart_within_a_tenth(
    target_id: str, round_number: int, interval: float
) -> None:
    gap = due(target_id, round_number + 1, interval) - due(target_id, round_number, interval)
    assert 0.9 * interval - 1e-3 <= gap <= 1.1 * interval + 1e-3


@given(IDS, MOMENTS, INTERVALS)
def test_the_next_round_is_the_first_behind_a_moment(
    target_id: str, after: float, interval: float
) -> None:
    round_number, at = next_due(target_id, after, interval)
    assert at == due(target_id, round_number, interval)
    assert due(target_id, round_number - 1, interval) <= after < at
    assert at <= after + interval * (1 + 2 * JITTER) + 1e-3


@given(IDS, MOMENTS)
def test_following_the_schedule_leaves_no_round_out(target_id: str, start: float) -> None:
    number, at = next_due(target_id, start)
    for expected in range(number + 1, number + 20):
        number, at = next_due(target_id, at)
        assert number == expected


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 30_000_000))
def test_targets_are_spread_evenly_over_the_interval(first: int, round_number: int) -> None:
    targets = [f"tgt_{number:022}" for number in range(first, first + 6000)]
    seconds = Counter(floor(due(target, round_number)) % 60 for target in targets)
    assert len(seconds) == 60
    # 100 a second on average, and a standard deviation of 10.
    assert max(seconds.values()) < 170
    assert min(seconds.values()) > 30
