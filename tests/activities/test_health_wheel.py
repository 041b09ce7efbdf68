"""The wheel hands everything out once, not early and no later than a tick, whatever the order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from activities.health_wheel import TICK, Wheel

NOW = 1_773_064_980.0
EVERYTHING = 1_000_000


@given(st.lists(st.floats(-5, 400), max_size=50), st.lists(st.floats(0.001, 200), max_size=20))
def test_everything_comes_out_once_when_it_is_due(delays: list[float], steps: list[float]) -> None:
    wheel: Wheel[int] = Wheel(NOW)
    for number, delay in enumerate(delays):
        wheel.put(NOW + delay, number)
    now, out = NOW, {}
    for step in (*steps, 500.0):
        now += step
        for at, number in wheel.due(now, EVERYTHING):
            assert at == NOW + delays[number]
            assert at <= now
            assert number not in out
            out[number] = now
        waiting = [max(delay, 0.0) for number, delay in enumerate(delays) if number not in out]
        assert all(NOW + delay > now - 2 * TICK for delay in waiting)
    assert len(out) == len(delays)


def test_a_crowd_comes_out_in_parts_oldest_first() -> None:
    wheel: Wheel[int] = Wheel(NOW)
    for number in range(100):
        wheel.put(NOW + number * TICK, number)
    first = [thing for _, thing in wheel.due(NOW + 60, 30)]
    assert first == list(range(30))
    assert wheel.oldest == NOW + 30 * TICK
    assert [thing for _, thing in wheel.due(NOW + 60, EVERYTHING)] == list(range(30, 100))
    assert wheel.oldest is None


def test_a_clock_that_is_set_back_keeps_nothing_waiting_for_longer_than_it_says() -> None:
    wheel: Wheel[str] = Wheel(NOW)
    assert wheel.due(NOW + 10, EVERYTHING) == []
    back = NOW - 3600
    wheel.due(back, EVERYTHING)
    wheel.put(back + 5, "soon")
    assert wheel.due(back + 6, EVERYTHING) == [(back + 5, "soon")]


def test_nothing_is_left_behind_by_a_long_sleep() -> None:
    wheel: Wheel[int] = Wheel(NOW)
    for number in range(500):
        wheel.put(NOW + number, number)
    out = wheel.due(NOW + 86_400, EVERYTHING)
    assert sorted(thing for _, thing in out) == list(range(500))
