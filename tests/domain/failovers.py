"""Trunks to decide about: endpoints by their states, calls by their signs, and a clock to move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.failover import Decision, decide
from domain.failover_commands import Commands, Order
from domain.failover_orders import ordered
from domain.failover_picture import (
    CallOutcome,
    CallSign,
    EndpointPicture,
    FailoverRules,
    TargetPicture,
    TrunkPicture,
)
from domain.failover_route import Route
from domain.failover_state import FailoverState
from domain.health_observation import HealthState, Observed
from sip.transports import Transport

__all__ = [
    "BEGIN",
    "DOWN",
    "HEALTHY",
    "RULES",
    "Desk",
    "endpoint",
    "failed_over",
    "settled",
    "target",
]

BEGIN = datetime(2026, 3, 9, 12, tzinfo=UTC)
HEALTHY, DOWN = HealthState.HEALTHY, HealthState.DOWN

RULES = FailoverRules(enabled=True)


def target(
    address: str,
    state: HealthState = HEALTHY,
    *,
    since: datetime | None = BEGIN,
    priority: int = 0,
    weight: int = 0,
    missed_by: Observed | None = None,
) -> TargetPicture:
    """One address over UDP."""
    return TargetPicture(
        target_id=f"tgt_{address}",
        address=address,
        port=5060,
        transport=Transport.UDP,
        priority=priority,
        weight=weight,
        state=state,
        since=since,
        reason=f"it is {state.value}",
        missed_by=missed_by,
    )


def endpoint(position: int, *targets: TargetPicture, error: str | None = None) -> EndpointPicture:
    """``sip0.example.com`` and so on."""
    host = f"sip{position}.example.com"
    return EndpointPicture(
        position=position,
        label=host,
        name_id=f"nam_{position}",
        host=host,
        targets=targets,
        error=error,
    )


@dataclass
class Desk:
    """A trunk with its decisions, the newest in ``last``. Endpoints are healthy at first."""

    endpoints: int = 2
    rules: FailoverRules = RULES
    now: datetime = BEGIN
    states: dict[int, tuple[HealthState, datetime, Observed | None]] = field(default_factory=dict)
    calls: list[CallOutcome] = field(default_factory=list)
    commands: Commands = field(default_factory=Commands)
    state: FailoverState = field(default_factory=FailoverState)
    revision: int = 1
    published: int = 0
    last: Decision | None = None

    @property
    def picture(self) -> TrunkPicture:
        placed = []
        for position in range(self.endpoints):
            state, since, missed_by = self.states.get(position, (HEALTHY, BEGIN, None))
            address = f"192.0.2.{position + 1}"
            placed.append(
                endpoint(position, target(address, state, since=since, missed_by=missed_by))
            )
        return TrunkPicture(
            revision=self.revision,
            failover=self.rules,
            endpoints=tuple(placed),
            calls=tuple(self.calls),
            generation=self.published,
        )

    @property
    def route(self) -> Route:
        assert self.last is not None
        return self.last.route

    @property
    def position(self) -> int:
        """Where calls go."""
        assert self.route.active is not None
        return self.route.active.position

    def decide(self) -> Decision:
        """Look, decide and publish."""
        self.last = decide(self.picture, self.commands, self.state, self.now)
        self.state, self.commands = self.last.state, self.last.commands
        self.published = self.last.route.generation
        return self.last

    def becomes(
        self, position: int, state: HealthState, missed_by: Observed = Observed.TIMEOUT
    ) -> Decision:
        """An endpoint's only target changes its state; ``missed_by`` when it goes down."""
        self.states[position] = (state, self.now, missed_by if state is DOWN else None)
        return self.decide()

    def order(self, order: Order) -> Decision:
        """An operator's order."""
        self.commands = ordered(order, self.commands, self.state, self.now)
        return self.decide()

    def after(self, **span: float) -> Decision:
        """Let time pass and decide: on the way at each moment the decision asked to be woken."""
        end = self.now + timedelta(**span)
        while self.last is not None and self.last.wake_at is not None and self.last.wake_at < end:
            self.now = self.last.wake_at
            self.decide()
        self.now = end
        return self.decide()

    def call(self, position: int, sign: CallSign, *, status: int | None = None) -> Decision:
        """A call to an endpoint ends."""
        self.calls.append(
            CallOutcome(at=self.now, host=f"sip{position}.example.com", sign=sign, status=status)
        )
        return self.decide()


def settled(endpoints: int = 2, rules: FailoverRules = RULES) -> Desk:
    """A trunk whose calls go to the primary."""
    desk = Desk(endpoints=endpoints, rules=rules)
    desk.decide()
    return desk


def failed_over(endpoints: int = 2, rules: FailoverRules = RULES) -> Desk:
    """A trunk whose primary went down an hour after the beginning."""
    desk = settled(endpoints, rules)
    desk.after(hours=1)
    desk.becomes(0, DOWN)
    return desk
