"""The deadlines of probes, with the clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from sip.net.health_probe import ProbeJob, RunningProbe
from sip.net.health_timeline import ACTIONS_PER_TURN, STALL, TICK, Timeline
from sip.transports import Transport

JOB = ProbeJob("target", "192.0.2.1", 5060, Transport.UDP, "pbx.example.com")


class Timer:
    """One armed callback."""

    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at, self.callback = at, callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """What a timeline needs of an event loop; time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self._timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, callback: Callable[[], None]) -> Timer:
        self._timers.append(Timer(at, callback))
        return self._timers[-1]

    @property
    def armed(self) -> int:
        self._timers = [timer for timer in self._timers if not timer.cancelled]
        return len(self._timers)

    def fire(self, *, late: float = 0.0) -> None:
        """Run the next timer, so many seconds behind its moment."""
        assert self.armed
        timer = min(self._timers, key=lambda each: each.at)
        self._timers.remove(timer)
        self.now = max(self.now, timer.at) + late
        timer.callback()

    def advance(self, seconds: float) -> None:
        """Let time pass and run every timer at its moment."""
        until = self.now + seconds
        while self.armed and min(timer.at for timer in self._timers) <= until:
            self.fire()
        self.now = until


class Log:
    """Actions, with when they came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.entries: list[tuple[str, float]] = []

    def __call__(self, name: str) -> Callable[[RunningProbe], None]:
        return lambda probe: self.entries.append((name, round(self._clock.now - 100, 2)))


def timeline_of(
    clock: Clock, *steps: tuple[float, Callable[[RunningProbe], None]]
) -> Timeline[RunningProbe]:
    return Timeline(steps, loop=cast(asyncio.AbstractEventLoop, clock))


def test_each_wait_counts_from_the_end_of_the_one_before() -> None:
    clock = Clock()
    log = Log(clock)
    timeline = timeline_of(clock, (0.5, log("a")), (1.0, log("b")), (2.0, log("c")))
    timeline.begin(RunningProbe(JOB))
    clock.advance(10)
    assert [name for name, _ in log.entries] == ["a", "b", "c"]
    for (_, at), due in zip(log.entries, (0.5, 1.5, 3.5), strict=True):
        assert due <= at <= due + TICK + 0.001


def test_a_probe_that_ended_is_left_alone() -> None:
    clock = Clock()
    log = Log(clock)
    timeline = timeline_of(clock, (0.5, log("a")), (1.0, log("b")))
    early, later = RunningProbe(JOB), RunningProbe(JOB)
    timeline.begin(early)
    timeline.begin(later)
    early.ended = True
    clock.advance(0.6)
    later.ended = True
    clock.advance(10)
    assert [name for name, _ in log.entries] == ["a"]


def test_no_timer_runs_while_nothing_waits() -> None:
    clock = Clock()
    timeline = timeline_of(clock, (0.5, Log(clock)("a")))
    assert clock.armed == 0
    timeline.begin(RunningProbe(JOB))
    timeline.begin(RunningProbe(JOB))
    assert clock.armed == 1
    clock.advance(1)
    assert clock.armed == 0


def test_time_in_which_the_process_slept_is_not_held_against_the_peer() -> None:
    clock = Clock()
    log = Log(clock)
    timeline = timeline_of(clock, (4.0, log("over")))
    timeline.begin(RunningProbe(JOB))
    clock.advance(1)
    clock.fire(late=60)
    assert log.entries == []
    clock.advance(2.8)
    assert log.entries == []
    clock.advance(0.3)
    assert [name for name, _ in log.entries] == ["over"]
    # Who begins after that waits as long as anybody.
    timeline.begin(RunningProbe(JOB))
    clock.advance(3.9)
    assert len(log.entries) == 1
    clock.advance(0.2)
    assert len(log.entries) == 2


def test_a_look_that_is_a_little_late_changes_nothing() -> None:
    clock = Clock()
    log = Log(clock)
    timeline = timeline_of(clock, (1.0, log("over")))
    timeline.begin(RunningProbe(JOB))
    clock.advance(0.9)
    clock.fire(late=STALL)
    assert [name for name, _ in log.entries] == ["over"]


def test_many_at_once_are_taken_in_turns() -> None:
    clock = Clock()
    log = Log(clock)
    timeline = timeline_of(clock, (0.97, log("over")))
    many = ACTIONS_PER_TURN * 2 + 1
    for _ in range(many):
        timeline.begin(RunningProbe(JOB))
    clock.advance(0.96)
    for turn in range(1, 4):
        clock.fire()
        assert len(log.entries) == min(turn * ACTIONS_PER_TURN, many)
    assert clock.armed == 0


def test_a_closed_timeline_does_nothing_more() -> None:
    clock = Clock()
    log = Log(clock)
    timeline = timeline_of(clock, (0.5, log("a")))
    timeline.begin(RunningProbe(JOB))
    timeline.close()
    clock.advance(10)
    assert (log.entries, clock.armed) == ([], 0)
