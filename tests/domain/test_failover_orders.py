"""What operators may ask for, and what comes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.failover_commands import (
    MAX_WINDOWS,
    CloseMaintenance,
    CommandRefused,
    FailBack,
    FailOver,
    OpenMaintenance,
    Order,
    Pin,
    Refusal,
    Unpin,
)
from domain.failover_route import RouteWord
from domain.failover_state import Cause
from domain.health_observation import HealthState
from domain.trunk_config import Failback
from tests.domain.failovers import DOWN, HEALTHY, RULES, Desk

MANUAL = RULES.model_copy(update={"failback": Failback.MANUAL})
CANARY = RULES.model_copy(update={"canary": True})


def settled(endpoints: int = 2, *, manual: bool = False, canary: bool = False) -> Desk:
    """A trunk whose calls go to the primary."""
    desk = Desk(endpoints=endpoints, rules=MANUAL if manual else CANARY if canary else RULES)
    desk.decide()
    return desk


def refusal_of(desk: Desk, order: Order) -> Refusal:
    """Why an order is refused."""
    with pytest.raises(CommandRefused) as refused:
        desk.order(order)
    return refused.value.refusal


class TestFailOver:
    """A failover that somebody wants."""

    def test_it_goes_to_the_best_other_endpoint(self) -> None:
        desk = settled(3)
        desk.becomes(1, DOWN)
        desk.order(FailOver())
        assert (desk.position, desk.route.cause, desk.route.forced) == (2, Cause.FORCED, True)

    def test_it_stays_although_the_primary_works(self) -> None:
        desk = settled()
        desk.order(FailOver(to=1))
        desk.after(days=3)
        assert desk.position == 1
        assert not desk.route.ready_to_fail_back

    def test_it_ends_when_the_endpoint_fails(self) -> None:
        desk = settled(3)
        desk.order(FailOver(to=2))
        desk.becomes(2, DOWN)
        assert (desk.position, desk.route.forced) == (0, False)

    def test_it_goes_to_one_that_is_down_only_when_that_is_said(self) -> None:
        desk = settled()
        desk.becomes(1, DOWN)
        assert refusal_of(desk, FailOver(to=1)) is Refusal.ENDPOINT_DOWN
        desk.order(FailOver(to=1, even_if_down=True))
        assert desk.position == 1
        desk.after(hours=1)
        assert desk.position == 1
        desk.becomes(1, HEALTHY)
        desk.becomes(1, DOWN)
        assert desk.position == 0

    @pytest.mark.parametrize(
        ("order", "refusal"),
        [
            (FailOver(to=2), Refusal.NO_SUCH_ENDPOINT),
            (FailOver(to=-1), Refusal.NO_SUCH_ENDPOINT),
            (FailOver(to=0), Refusal.ALREADY_THERE),
        ],
    )
    def test_it_needs_another_endpoint(self, order: Order, refusal: Refusal) -> None:
        assert refusal_of(settled(), order) is refusal

    def test_without_another_endpoint_there_is_nowhere_to_go(self) -> None:
        assert refusal_of(settled(1), FailOver()) is Refusal.NOTHING_TO_FAIL_OVER_TO

    def test_a_pin_has_to_be_taken_away_first(self) -> None:
        desk = settled()
        desk.order(Pin(to=0))
        assert refusal_of(desk, FailOver()) is Refusal.PINNED
        assert refusal_of(desk, FailBack()) is Refusal.PINNED


class TestFailBack:
    """A failback that somebody wants."""

    def test_it_does_not_wait_out_the_hold_down(self) -> None:
        desk = settled(manual=True)
        desk.becomes(0, DOWN)
        desk.becomes(0, HEALTHY)
        desk.order(FailBack())
        assert (desk.position, desk.route.cause) == (0, Cause.FAILED_BACK)

    def test_it_ends_a_forced_failover(self) -> None:
        desk = settled()
        desk.order(FailOver())
        desk.order(FailBack())
        assert (desk.position, desk.route.forced) == (0, False)

    def test_it_goes_to_the_first_that_works(self) -> None:
        desk = settled(3)
        desk.order(FailOver(to=2))
        desk.becomes(0, DOWN)
        desk.order(FailBack())
        assert desk.position == 1

    def test_it_needs_something_to_go_back_to(self) -> None:
        desk = settled()
        assert refusal_of(desk, FailBack()) is Refusal.ALREADY_THERE
        desk.becomes(0, DOWN)
        assert refusal_of(desk, FailBack()) is Refusal.NOTHING_TO_FAIL_BACK_TO


class TestPin:
    """An endpoint that somebody insists on."""

    def test_pinned_stays_pinned_whatever_becomes_of_it(self) -> None:
        desk = settled()
        desk.order(Pin(to=1))
        desk.becomes(1, DOWN)
        desk.after(days=1)
        assert (desk.position, desk.route.cause) == (1, Cause.PINNED)
        assert "is down" in " ".join(desk.route.why)

    def test_it_ends_by_its_time(self) -> None:
        desk = settled()
        until = desk.now + timedelta(minutes=10)
        decision = desk.order(Pin(to=1, until=until))
        assert decision.wake_at == until
        assert desk.route.pinned_until == until
        desk.after(minutes=10)
        assert (desk.position, desk.route.pinned) == (0, False)

    def test_without_it_calls_return_as_they_would_have(self) -> None:
        desk = settled()
        desk.order(Pin(to=1))
        desk.after(minutes=1)
        desk.order(Unpin())
        assert desk.position == 1
        desk.after(minutes=4)
        assert desk.position == 0

    def test_it_takes_the_place_of_a_forced_failover(self) -> None:
        desk = settled()
        desk.order(FailOver(to=1))
        desk.order(Pin(to=0))
        desk.order(Unpin())
        assert (desk.position, desk.route.forced) == (0, False)

    def test_it_ends_with_its_endpoint(self) -> None:
        desk = settled()
        desk.order(Pin(to=1))
        desk.endpoints = 1
        desk.decide()
        assert (desk.position, desk.route.pinned) == (0, False)

    def test_a_pin_is_refused_where_it_makes_no_sense(self) -> None:
        desk = settled()
        assert refusal_of(desk, Unpin()) is Refusal.NOT_PINNED
        assert refusal_of(desk, Pin(to=7)) is Refusal.NO_SUCH_ENDPOINT
        assert refusal_of(desk, Pin(to=1, until=desk.now)) is Refusal.IN_THE_PAST


class TestMaintenance:
    """Endpoints that are worked on."""

    def window(self, desk: Desk, position: int | None = 0, **options: float) -> OpenMaintenance:
        """A window of an hour, ``starts_in`` minutes from now."""
        starts = desk.now + timedelta(minutes=options.get("starts_in", 0))
        return OpenMaintenance(
            window_id="mwn_1",
            position=position,
            starts_at=starts,
            ends_at=starts + timedelta(hours=1),
        )

    def test_calls_leave_for_the_window_and_come_back(self) -> None:
        desk = settled()
        desk.after(minutes=10)
        desk.order(self.window(desk))
        assert (desk.position, desk.route.cause) == (1, Cause.MAINTENANCE)
        assert desk.route.next[0].standing is RouteWord.MAINTENANCE
        assert desk.state.left == ()
        assert desk.last is not None
        assert desk.last.wake_at == desk.now + timedelta(hours=1)
        desk.after(hours=1)
        assert (desk.position, desk.route.maintenance) == (0, ())

    def test_a_window_that_is_to_come_waits_for_its_time(self) -> None:
        desk = settled()
        decision = desk.order(self.window(desk, starts_in=30))
        assert desk.position == 0
        assert decision.wake_at == desk.now + timedelta(minutes=30)
        desk.after(minutes=30)
        assert desk.position == 1

    def test_what_is_worked_on_is_better_than_what_is_down(self) -> None:
        desk = settled()
        desk.order(self.window(desk))
        desk.becomes(1, DOWN)
        assert desk.position == 0
        assert desk.route.alerts == ()

    def test_where_all_is_worked_on_calls_go_as_always_and_nobody_is_told(self) -> None:
        desk = settled()
        desk.order(self.window(desk, None))
        assert desk.position == 0
        desk.becomes(0, DOWN)
        assert desk.position == 1
        assert desk.becomes(1, DOWN).raised == ()
        assert desk.route.alerts == ()

    def test_where_each_is_worked_on_none_is_worse_off_for_it(self) -> None:
        desk = settled()
        desk.after(minutes=10)
        desk.order(self.window(desk, 0))
        assert desk.position == 1
        desk.order(self.window(desk, 1))
        assert desk.position == 0
        desk.becomes(0, HealthState.DEGRADED)
        assert desk.position == 1

    def test_windows_are_closed_one_by_one_or_all_together(self) -> None:
        desk = settled()
        desk.after(minutes=10)
        desk.order(self.window(desk))
        assert refusal_of(desk, CloseMaintenance(window_id="mwn_2")) is Refusal.NO_SUCH_WINDOW
        desk.order(CloseMaintenance(window_id="mwn_1"))
        assert desk.position == 0
        desk.order(self.window(desk))
        desk.order(CloseMaintenance())
        assert desk.route.maintenance == ()
        assert refusal_of(desk, CloseMaintenance()) is Refusal.NO_SUCH_WINDOW

    def test_windows_are_refused_that_make_no_sense(self) -> None:
        desk = settled()
        past = OpenMaintenance(window_id="mwn_1", ends_at=desk.now)
        assert refusal_of(desk, past) is Refusal.IN_THE_PAST
        assert refusal_of(desk, self.window(desk, 5)) is Refusal.NO_SUCH_ENDPOINT
        for _ in range(MAX_WINDOWS):
            desk.order(self.window(desk))
        assert refusal_of(desk, self.window(desk)) is Refusal.TOO_MANY_WINDOWS
