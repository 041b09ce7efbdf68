"""A trunk that anything may happen to, and strategies for what does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st

from domain.failover import Decision, decide
from domain.failover_commands import (
    AbortDrill,
    CloseMaintenance,
    CommandRefused,
    Commands,
    FailBack,
    FailOver,
    OpenMaintenance,
    Order,
    Pin,
    StartDrill,
    Unpin,
)
from domain.failover_orders import ordered
from domain.failover_picture import (
    CallOutcome,
    CallSign,
    FailoverRules,
    TargetPicture,
    TrunkPicture,
)
from domain.failover_route import Route
from domain.failover_state import FailoverState
from domain.health_observation import HealthState
from domain.trunk_config import Failback, FailoverTrigger
from tests.domain.failovers import BEGIN, endpoint, target

ENDPOINTS = 3
TRIGGERS = st.sets(st.sampled_from(list(FailoverTrigger))).map(lambda each: tuple(sorted(each)))
ALL = tuple(FailoverTrigger)
POSITIONS = st.integers(0, ENDPOINTS - 1)

Happening = tuple[str, object]


@dataclass
class World:
    """A trunk that things happen to, and every decision about it."""

    rules: FailoverRules
    now: datetime = BEGIN
    states: tuple[tuple[HealthState, datetime], ...] = ((HealthState.HEALTHY, BEGIN),) * (
        ENDPOINTS * 2
    )
    calls: tuple[CallOutcome, ...] = ()
    commands: Commands = field(default_factory=Commands)
    state: FailoverState = field(default_factory=FailoverState)
    revision: int = 1

    def picture(self) -> TrunkPicture:
        """Three endpoints of two targets each."""

        def target_of(number: int) -> TargetPicture:
            state, since = self.states[number]
            return target(f"192.0.2.{number + 1}", state, since=since)

        return TrunkPicture(
            revision=self.revision,
            failover=self.rules,
            endpoints=tuple(
                endpoint(each, target_of(2 * each), target_of(2 * each + 1))
                for each in range(ENDPOINTS)
            ),
            calls=self.calls,
            generation=self.state.generation,
        )

    def decide(self) -> Decision:
        """Decide; what was remembered goes through JSON on the way, as it does in the workflow."""
        decision = decide(
            self.picture(),
            Commands.model_validate_json(self.commands.model_dump_json()),
            FailoverState.model_validate_json(self.state.model_dump_json()),
            self.now,
        )
        self.state, self.commands = decision.state, decision.commands
        return decision

    def happen(self, kind: str, what: object) -> None:
        """Something happens."""
        match kind, what:
            case "time", float(seconds):
                self.now += timedelta(seconds=seconds)
            case "target", (int(number), HealthState() as state):
                states = list(self.states)
                states[number] = (state, self.now)
                self.states = tuple(states)
            case "call", (int(position), CallSign() as sign):
                host = f"sip{position}.example.com"
                self.calls = (*self.calls, CallOutcome(at=self.now, host=host, sign=sign))[-20:]
            case "order", order if isinstance(order, Order):
                self.ordered(order)
            case _:
                self.revision += 1

    def ordered(self, order: Order) -> None:
        """An order that may be refused."""
        try:
            self.commands = ordered(order, self.commands, self.state, self.now)
        except CommandRefused:
            return


TIMES = st.tuples(
    st.just("time"), st.sampled_from([0.5, 5.0, 60.0, 299.0, 300.0, 601.0, 3600.0, 30_000.0])
)
TARGETS = st.tuples(
    st.just("target"), st.tuples(st.integers(0, 5), st.sampled_from(list(HealthState)))
)
CALLS = st.tuples(st.just("call"), st.tuples(POSITIONS, st.sampled_from(list(CallSign))))
ENDS = st.integers(1, 4000).map(lambda each: BEGIN + timedelta(seconds=60 * each))
ORDERS = st.tuples(
    st.just("order"),
    st.one_of(
        st.builds(FailOver, to=st.none() | POSITIONS, even_if_down=st.booleans()),
        st.builds(FailBack, canary=st.none() | st.booleans()),
        st.builds(Pin, to=POSITIONS, until=st.none() | ENDS),
        st.just(Unpin()),
        st.builds(
            OpenMaintenance,
            window_id=st.sampled_from(["mwn_1", "mwn_2"]),
            position=st.none() | POSITIONS,
            ends_at=ENDS,
        ),
        st.builds(CloseMaintenance, window_id=st.none() | st.just("mwn_1")),
        st.builds(
            StartDrill,
            drill_id=st.just("drl_1"),
            binding_id=st.just("cfg_1"),
            seconds=st.integers(10, 600),
        ),
        st.just(AbortDrill()),
    ),
)
REVISED = st.just(("revised", None))
RULES = st.builds(
    FailoverRules,
    enabled=st.just(True),
    triggers=TRIGGERS,
    failback=st.sampled_from(list(Failback)),
    canary=st.booleans(),
    hold_down_seconds=st.sampled_from([60, 300]),
)
NATURE = st.lists(st.one_of(TIMES, TIMES, TARGETS, TARGETS, CALLS), max_size=40)
ANYTHING = st.lists(st.one_of(TIMES, TIMES, TARGETS, TARGETS, CALLS, ORDERS, REVISED), max_size=40)


def best_of(world: World, position: int) -> HealthState:
    """An endpoint is as good as its best target."""
    order = [
        HealthState.DOWN,
        HealthState.DEGRADED,
        HealthState.UNCHECKED,
        HealthState.REACHABLE,
        HealthState.HEALTHY,
    ]
    both = [world.states[2 * position][0], world.states[2 * position + 1][0]]
    return max(both, key=order.index)


def position_of(route: Route) -> int:
    assert route.active is not None
    return route.active.position
