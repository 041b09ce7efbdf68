"""Endpoints of several targets, of none, and routes that were lost."""

from __future__ import annotations

from datetime import timedelta

from domain.failover import decide
from domain.failover_commands import Commands
from domain.failover_picture import TrunkPicture
from domain.failover_route import RouteWord
from domain.failover_state import Cause, FailoverState
from domain.trunk_config import Failback
from tests.domain.failovers import (
    BEGIN,
    DOWN,
    HEALTHY,
    RULES,
    endpoint,
    failed_over,
    target,
)

MANUAL = RULES.model_copy(update={"failback": Failback.MANUAL})


def test_an_endpoint_is_as_good_as_its_best_target() -> None:
    both = (target("192.0.2.1", DOWN), target("192.0.2.2"))
    picture = TrunkPicture(
        revision=1, failover=RULES, endpoints=(endpoint(0, *both), endpoint(1, target("192.0.2.9")))
    )
    route = decide(picture, Commands(), FailoverState(), BEGIN).route
    assert route.active is not None
    assert route.active.position == 0
    assert [each.address for each in route.active.targets] == ["192.0.2.2", "192.0.2.1"]


def test_one_steady_target_is_enough_for_the_hold_down() -> None:
    def route_at(minutes: int, state: FailoverState) -> tuple[int, FailoverState]:
        now = BEGIN + timedelta(minutes=minutes)
        flapping = target("192.0.2.2", since=now)
        places = (endpoint(0, target("192.0.2.1"), flapping), endpoint(1, target("192.0.2.9")))
        picture = TrunkPicture(revision=1, failover=RULES, endpoints=places)
        decision = decide(picture, Commands(), state, now)
        assert decision.route.active is not None
        return decision.route.active.position, decision.state

    away = FailoverState(active="nam_1", since=BEGIN, cause=Cause.TIMEOUT)
    position, state = route_at(4, away)
    assert position == 1
    assert route_at(5, state)[0] == 0


def test_targets_of_one_name_follow_priority_and_weight() -> None:
    targets = (
        target("192.0.2.1", priority=20),
        target("192.0.2.2", priority=10, weight=1),
        target("192.0.2.3", priority=10, weight=3),
        target("192.0.2.4", DOWN, priority=5),
    )
    picture = TrunkPicture(revision=1, failover=RULES, endpoints=(endpoint(0, *targets),))
    active = decide(picture, Commands(), FailoverState(), BEGIN).route.active
    assert active is not None
    assert [(each.address, each.share) for each in active.targets] == [
        ("192.0.2.3", 75),
        ("192.0.2.2", 25),
        ("192.0.2.1", 0),
        ("192.0.2.4", 0),
    ]


def test_a_name_without_an_address_is_a_failed_candidate() -> None:
    picture = TrunkPicture(
        revision=1,
        failover=RULES,
        endpoints=(endpoint(0, error="NXDOMAIN"), endpoint(1, target("192.0.2.9"))),
    )
    route = decide(picture, Commands(), FailoverState(), BEGIN).route
    assert route.active is not None
    assert (route.active.position, route.cause) == (1, Cause.UNREACHABLE)
    assert "NXDOMAIN" in route.why[0]


def test_a_name_that_was_not_looked_up_yet_is_not_down() -> None:
    picture = TrunkPicture(
        revision=1, failover=RULES, endpoints=(endpoint(0), endpoint(1, target("192.0.2.9")))
    )
    route = decide(picture, Commands(), FailoverState(), BEGIN).route
    assert route.active is not None
    assert (route.active.position, route.active.standing) == (0, RouteWord.UNCHECKED)


def test_a_trunk_without_an_endpoint_says_so() -> None:
    decision = decide(TrunkPicture(revision=1), Commands(), FailoverState(), BEGIN)
    assert (decision.route.active, decision.route.cause) == (None, Cause.NO_ENDPOINT)
    assert decision.changed


def test_an_endpoint_that_was_taken_out_hands_over_to_the_primary() -> None:
    desk = failed_over(endpoints=3)
    desk.becomes(0, HEALTHY)
    desk.endpoints, desk.revision = 1, 2
    desk.decide()
    assert (desk.position, desk.route.cause) == (0, Cause.ENDPOINT_GONE)


def test_a_route_that_says_the_same_is_not_published_again() -> None:
    desk = failed_over()
    generation = desk.route.generation
    for _ in range(5):
        assert not desk.after(seconds=30).changed
    assert desk.route.generation == generation


def test_a_route_that_was_lost_is_published_again() -> None:
    desk = failed_over()
    desk.published = 0
    again = decide(desk.picture, desk.commands, desk.state, desk.now)
    assert again.changed
    assert again.route.generation == desk.state.generation


def test_a_workflow_that_lost_its_state_goes_on_behind_the_published_generation() -> None:
    desk = failed_over()
    desk.published = 41
    fresh = decide(desk.picture, Commands(), FailoverState(), desk.now)
    assert (fresh.changed, fresh.route.generation) == (True, 42)


def test_a_workflow_that_was_set_back_publishes_its_route_anew() -> None:
    desk = failed_over()
    desk.published += 5
    again = decide(desk.picture, desk.commands, desk.state, desk.now)
    assert (again.changed, again.route.generation) == (True, desk.published + 1)
