"""A share of the calls first, and what a drill needs."""

from __future__ import annotations

import pytest

from domain.failover_commands import (
    AbortDrill,
    FailBack,
    FailOver,
    Refusal,
    StartDrill,
)
from domain.failover_picture import CallSign
from domain.failover_state import CanaryStage, Cause
from domain.health_observation import HealthState
from tests.domain.failovers import DOWN, HEALTHY, Desk
from tests.domain.test_failover_orders import refusal_of, settled


class TestCanary:
    """An endpoint that came back gets few calls first."""

    def on_trial(self) -> Desk:
        desk = settled(canary=True)
        desk.becomes(0, DOWN)
        desk.becomes(0, HEALTHY)
        desk.after(minutes=5)
        return desk

    def stage(self, desk: Desk) -> CanaryStage | None:
        canary = desk.route.canary
        return None if canary is None else canary.stage

    def test_one_call_then_a_tenth_then_all(self) -> None:
        desk = self.on_trial()
        assert (desk.position, self.stage(desk)) == (1, CanaryStage.ONE_CALL)
        desk.after(seconds=20)
        desk.call(0, CallSign.ALIVE)
        assert (desk.position, self.stage(desk)) == (1, CanaryStage.TENTH)
        for _ in range(5):
            desk.after(seconds=10)
            desk.call(0, CallSign.ALIVE)
        assert (desk.position, desk.route.cause) == (0, Cause.FAILED_BACK)
        assert desk.route.canary is None

    def test_silence_does_not_keep_calls_away(self) -> None:
        desk = self.on_trial()
        desk.after(minutes=5)
        assert self.stage(desk) is CanaryStage.TENTH
        desk.after(minutes=5)
        assert desk.position == 0

    @pytest.mark.parametrize("sign", [CallSign.TIMEOUT, CallSign.UNREACHABLE])
    def test_one_call_that_fails_ends_it_and_counts_as_a_flap(self, sign: CallSign) -> None:
        desk = self.on_trial()
        desk.after(seconds=20)
        desk.call(0, sign)
        assert (desk.position, desk.route.canary) == (1, None)
        assert len(desk.state.left) == 2
        desk.after(minutes=9, seconds=59)
        assert desk.route.canary is None
        desk.after(seconds=1)
        assert self.stage(desk) is CanaryStage.ONE_CALL

    def test_going_down_ends_it(self) -> None:
        desk = self.on_trial()
        desk.becomes(0, DOWN)
        assert (desk.position, desk.route.canary) == (1, None)

    def test_it_is_asked_for_or_left_out_with_the_failback(self) -> None:
        desk = settled(manual=True)
        desk.becomes(0, DOWN)
        desk.becomes(0, HEALTHY)
        desk.order(FailBack(canary=True))
        assert (desk.position, self.stage(desk)) == (1, CanaryStage.ONE_CALL)
        desk.order(FailBack(canary=False))
        assert (desk.position, self.stage(desk)) == (0, None)

    def test_the_active_endpoint_failing_meanwhile_ends_it_at_once(self) -> None:
        desk = self.on_trial()
        desk.becomes(1, DOWN)
        assert (desk.position, desk.route.canary) == (0, None)

    def test_forcing_calls_to_where_they_are_stops_it(self) -> None:
        desk = self.on_trial()
        desk.order(FailOver(to=1))
        assert (desk.position, desk.route.canary) == (1, None)


def test_a_drill_needs_a_trunk_that_calls_go_out_by_as_usual() -> None:
    drill = StartDrill(drill_id="drl_1", binding_id="cfg_1", seconds=60)
    assert refusal_of(settled(1), drill) is Refusal.NOTHING_TO_FAIL_OVER_TO
    desk = settled()
    desk.becomes(0, HealthState.DOWN)
    assert refusal_of(desk, drill) is Refusal.NOT_AT_THE_PRIMARY
    desk = settled()
    assert refusal_of(desk, AbortDrill()) is Refusal.NO_DRILL
    desk.order(drill)
    assert refusal_of(desk, drill) is Refusal.DRILL_RUNNING
