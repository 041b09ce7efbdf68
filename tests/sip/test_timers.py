"""Timer values, and the queue that says which transaction acts next."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.timer_queue import Timed, TimerQueue
from sip.timers import Timers
from tests.sip.transactions import (
    flow_between,
    reversed_flow,
)

UDP = flow_between("UDP")
FROM_CLIENT = reversed_flow(UDP)
EPSILON = 1e-6


class TestTimers:
    def test_every_timer_follows_from_t1_t2_and_t4(self) -> None:
        timers = Timers()
        assert (timers.a, timers.e, timers.g) == (0.5, 0.5, 0.5)
        assert (timers.b, timers.f, timers.h, timers.j) == (32.0, 32.0, 32.0, 32.0)
        assert (timers.d, timers.l, timers.m) == (32.0, 32.0, 32.0)
        assert (timers.i, timers.k) == (5.0, 5.0)
        assert Timers(t1=1.0).d == 64.0

    @pytest.mark.parametrize(
        ("t1", "t2", "t4"), [(0.0, 4.0, 5.0), (-1.0, 4.0, 5.0), (5.0, 4.0, 5.0), (0.5, 4.0, 0.0)]
    )
    def test_senseless_settings_are_refused(self, t1: float, t2: float, t4: float) -> None:
        with pytest.raises(ValueError, match="timers need"):
            Timers(t1, t2, t4)


class TestTimerQueue:
    def test_ended_items_do_not_pile_up(self) -> None:
        queue: TimerQueue[Timed] = TimerQueue()
        for number in range(10_000):
            item = Timed()
            item.expire_at = 1000.0 + number
            queue.arm(item)
            queue.disarm(item)
        assert len(queue) <= 130
        assert queue.next_due() is None
        assert len(queue) == 0

    def test_a_disarmed_item_may_be_disarmed_again(self) -> None:
        queue: TimerQueue[Timed] = TimerQueue()
        item = Timed()
        queue.disarm(item)
        queue.arm(item)
        assert queue.next_due() is None

    def test_an_item_without_deadlines_left_is_never_due(self) -> None:
        queue: TimerQueue[Timed] = TimerQueue()
        item = Timed()
        item.expire_at = 1.0
        queue.arm(item)
        item.expire_at = float("inf")
        queue.arm(item)
        assert queue.pop_due(100.0) is None

    @settings(deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 4), st.sampled_from(["arm", "end", "wait"]), st.integers(1, 50)
            ),
            max_size=60,
        )
    )
    def test_it_names_the_earliest_deadline_like_a_plain_search_would(
        self, steps: list[tuple[int, str, int]]
    ) -> None:
        queue: TimerQueue[Timed] = TimerQueue()
        items = [Timed() for _ in range(5)]
        now = 0
        for index, step, amount in steps:
            item = items[index]
            if step == "arm":
                item.retransmit_at = now + amount
                item.expire_at = now + 30
                queue.arm(item)
            elif step == "end":
                item.retransmit_at = item.expire_at = float("inf")
                queue.disarm(item)
            else:
                now += amount
                while (due := queue.pop_due(now)) is not None:
                    assert min(due.retransmit_at, due.expire_at) <= now
                    due.retransmit_at = due.expire_at = float("inf")
            expected = min(min(item.retransmit_at, item.expire_at) for item in items)
            assert queue.next_due() == (None if expected == float("inf") else expected)
