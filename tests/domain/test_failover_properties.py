"""What holds for every trunk, whatever happens to it."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.failover import decide
from domain.failover_commands import (
    AbortDrill,
    Pin,
    StartDrill,
    Unpin,
)
from domain.failover_picture import (
    FailoverRules,
)
from domain.failover_route import Route
from domain.failover_state import Cause
from domain.health_observation import HealthState
from domain.trunk_config import Failback
from tests.domain.failover_worlds import (
    ALL,
    ANYTHING,
    ENDPOINTS,
    NATURE,
    POSITIONS,
    RULES,
    Happening,
    World,
    best_of,
    position_of,
)


@given(NATURE, st.sampled_from(list(Failback)))
@settings(max_examples=60, deadline=None)
def test_calls_never_go_to_an_endpoint_that_is_down_while_another_one_works(
    happenings: list[Happening], failback: Failback
) -> None:
    world = World(FailoverRules(enabled=True, triggers=ALL, failback=failback))
    for kind, what in happenings:
        if kind == "call":
            continue
        world.happen(kind, what)
        position = position_of(world.decide().route)
        works = [each for each in range(ENDPOINTS) if best_of(world, each) is not HealthState.DOWN]
        assert position in works or (not works and position == 0)


@given(NATURE, RULES)
@settings(max_examples=60, deadline=None)
def test_calls_never_return_faster_than_the_hold_down(
    happenings: list[Happening], rules: FailoverRules
) -> None:
    world = World(rules)
    shortest = timedelta(seconds=rules.hold_down_seconds)
    left: dict[int, datetime] = {}
    before = position_of(world.decide().route)
    for kind, what in happenings:
        world.happen(kind, what)
        works = best_of(world, before) is not HealthState.DOWN
        hold = timedelta(seconds=world.state.hold_seconds)
        decision = world.decide()
        position = position_of(decision.route)
        returned = decision.route.cause is Cause.FAILED_BACK and position < before
        if returned and works:
            assert rules.failback is Failback.AUTO
            assert hold >= shortest
            if position in left:
                assert world.now - left[position] >= shortest
            memory = world.state.memory_of(f"nam_{position}")
            assert memory is not None
            assert memory.stable_since is not None
            assert world.now - memory.stable_since >= hold
        if position != before:
            left[before] = world.now
        before = position


@given(ANYTHING, RULES)
@settings(max_examples=60, deadline=None)
def test_a_decision_always_explains_itself_and_never_wakes_in_the_past(
    happenings: list[Happening], rules: FailoverRules
) -> None:
    world = World(rules)
    for kind, what in happenings:
        world.happen(kind, what)
        decision = world.decide()
        route = decision.route
        assert route.why
        assert all(said.endswith(".") and "  " not in said for said in route.why)
        assert route.active is not None
        assert route.active.label in route.why[0]
        assert sorted([route.active.position, *(each.position for each in route.next)]) == [0, 1, 2]
        assert decision.wake_at is None or decision.wake_at > world.now
        assert Route.model_validate_json(route.model_dump_json()) == route


@given(ANYTHING, RULES)
@settings(max_examples=60, deadline=None)
def test_deciding_again_about_the_same_changes_nothing(
    happenings: list[Happening], rules: FailoverRules
) -> None:
    world = World(rules)
    for kind, what in happenings:
        world.happen(kind, what)
        first = world.decide()
        second = world.decide()
        assert not second.changed
        assert second.route == first.route
        assert (second.raised, second.cleared) == ((), ())
        assert second.state == first.state


@given(ANYTHING, RULES, st.floats(0, 0.999))
@settings(max_examples=60, deadline=None)
def test_nothing_changes_by_itself_before_a_decision_is_to_be_repeated(
    happenings: list[Happening], rules: FailoverRules, part: float
) -> None:
    world = World(rules)
    for kind, what in happenings:
        if kind == "call":
            # Calls grow old, which only ever forgives.
            continue
        world.happen(kind, what)
        decision = world.decide()
        span = (decision.wake_at or world.now + timedelta(days=3)) - world.now
        later = decide(world.picture(), world.commands, world.state, world.now + span * part)
        assert not later.changed
        assert later.wake_at == decision.wake_at


@given(ANYTHING, RULES, POSITIONS)
@settings(max_examples=60, deadline=None)
def test_what_is_pinned_stays_pinned(
    happenings: list[Happening], rules: FailoverRules, position: int
) -> None:
    world = World(rules)
    world.decide()
    world.ordered(Pin(to=position))
    for kind, what in happenings:
        if kind == "order" and isinstance(what, Pin | Unpin):
            continue
        world.happen(kind, what)
        route = world.decide().route
        assert (position_of(route), route.cause) == (position, Cause.PINNED)


@given(ANYTHING, RULES)
@settings(max_examples=60, deadline=None)
def test_a_drill_never_changes_the_route_of_other_numbers(
    happenings: list[Happening], rules: FailoverRules
) -> None:
    with_drill, without = World(rules), World(rules)
    for world in (with_drill, without):
        world.decide()
    with_drill.ordered(StartDrill(drill_id="drl_1", binding_id="cfg_1", seconds=600))
    for kind, what in happenings:
        if kind == "order" and isinstance(what, StartDrill | AbortDrill):
            continue
        routes = []
        for world in (with_drill, without):
            world.happen(kind, what)
            route = world.decide().route
            routes.append(route.model_copy(update={"drill": None, "generation": 0}))
        assert routes[0] == routes[1]


@given(ANYTHING, RULES)
@settings(max_examples=60, deadline=None)
def test_what_is_remembered_stays_small_and_every_drill_ends(
    happenings: list[Happening], rules: FailoverRules
) -> None:
    world = World(rules)
    for kind, what in happenings:
        world.happen(kind, what)
        world.decide()
        drill = world.commands.drill
        if drill is not None and drill.end is not None:
            # As the workflow does, once the end is written down.
            world.commands = world.commands.model_copy(update={"drill": None})
        assert drill is None or drill.end is not None or world.now < drill.until
        assert len(world.state.left) <= 6
        assert len(world.state.endpoints) == ENDPOINTS
        assert len(world.state.model_dump_json()) < 4000
        assert world.commands.fail_back is None
