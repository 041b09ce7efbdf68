"""A whole order without a process: the life cycle on one side, the simulated carrier on the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from carriers.base import Attachment, CarrierRefused
from carriers.simulator_script import snapshot
from carriers.simulator_state import Scenario, SimulatedOrder
from carriers.simulator_time import calendar_around
from carriers.simulator_webhooks import due_webhooks, next_webhook_at
from domain.porting.effects import AttachNumbers, Effect, Look, TellCarrier, Validate
from domain.porting.events import (
    Answered,
    Attached,
    CommandRefused,
    Fact,
    FactKind,
    PortEvent,
    ResubmitAsked,
    Seen,
    Started,
    TimePassed,
    Validated,
)
from domain.porting.lifecycle import advance
from domain.porting.snapshot import SeenRejection, sighting_of
from domain.porting.state import Command, CommandKind, NumberState, PortState, next_deadline
from domain.porting.timing import Timing
from domain.porting.words import NumberStatus, SubStatus
from tests.carriers.orders import MONDAY, NUMBERS, a_submission, letter, requested, told

__all__ = ["Simulated"]

MOST_STEPS = 5000


@dataclass
class Simulated:
    """An order at the simulated carrier. ``heals`` has a call to each number that came."""

    scenario: Scenario
    numbers: tuple[str, ...] = NUMBERS
    now: datetime = MONDAY
    scale: float = 1.0
    wanted: date | None = date(2026, 12, 8)
    heals: bool = True
    options: dict[str, Any] = field(default_factory=dict)
    paper: Attachment = field(default_factory=letter)
    path: list[SubStatus] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seq: int = 0

    def __post_init__(self) -> None:
        self.timing = Timing(days=calendar_around(self.now.year), scale=self.scale)
        self.at_carrier = SimulatedOrder(
            carrier_order_id="sim_1",
            order_id="port_1",
            scenario=self.scenario,
            scale=self.scale,
            on_demand=bool(self.options.get("on_demand")),
        )
        numbers = tuple(NumberState(position=each) for each in range(len(self.numbers)))
        self.state = PortState(
            order_id="port_1", org_id="org_1", numbers=numbers, scale=self.scale, **self.options
        )
        self.on(Started())
        self.fact(FactKind.LOA_SIGNED, letter=self.state.letter)

    @property
    def number_statuses(self) -> list[NumberStatus]:
        return [each.status for each in self.state.numbers]

    def fact(self, kind: FactKind, **facts: Any) -> None:
        """Something was written down elsewhere."""
        self.seq += 1
        self.on(Fact(seq=self.seq, kind=kind, **facts))

    def on(self, event: PortEvent) -> None:
        """Something happens, with all that follows at once."""
        step = advance(self.state, event, self.now, self.timing)
        self.state = step.state
        if not self.path or self.path[-1] is not self.state.sub_status:
            self.path.append(self.state.sub_status)
        if step.refusal is not None:
            self.refused.append(step.refusal)
        for effect in step.effects:
            follows = self._carry_out(effect)
            if follows is not None:
                self.on(follows)

    def resubmit(self, paper: str | None = None) -> None:
        """The customer corrects the order, and signs again if that is asked for."""
        changed = ("pin",) if paper is None else ("customer_name",)
        self.paper = self.paper if paper is None else letter(paper)
        self.on(ResubmitAsked(revision=self.state.details + 1, changed=changed))
        if self.state.sub_status is SubStatus.AWAITING_SIGNATURE:
            self.fact(FactKind.LOA_SIGNED, letter=self.state.letter)

    def until(self, *statuses: SubStatus, days: float = 120) -> None:
        """Let time pass until the order stands so, or has ended. Raises ``AssertionError``."""
        end = self.now + timedelta(days=days) / self.scale
        for _ in range(MOST_STEPS):
            if self.state.is_over or self.state.sub_status in statuses:
                return
            self._next(end)
            if self.now >= end:
                break
        raise AssertionError(f"it stands at {self.state.sub_status}: {self.path}")

    def pass_time(self, span: timedelta) -> None:
        """Let so much time pass."""
        end = self.now + span
        while self.now < end and not self.state.is_over:
            self._next(end)

    def _next(self, end: datetime) -> None:
        deadline = next_deadline(self.state)
        due = None if deadline is None else deadline.at
        moments = [end, next_webhook_at(self.at_carrier), due]
        self.now = max(self.now, min(each for each in moments if each is not None))
        for webhook in due_webhooks(self.at_carrier, self.now):
            self.at_carrier = self.at_carrier.model_copy(update={"told": self.at_carrier.told + 1})
            if webhook.genuine:
                self.fact(FactKind.CARRIER_EVENT)
        if deadline is not None and deadline.at <= self.now:
            self.on(TimePassed())
        here = [each for each in self.state.numbers if each.is_here and not each.inbound]
        if here and self.heals:
            self.fact(FactKind.FIRST_INBOUND, positions=tuple(each.position for each in here))

    def _carry_out(self, effect: Effect) -> PortEvent | None:
        match effect:
            case Validate():
                return Validated(letter=self.state.letter + 1)
            case AttachNumbers():
                return Attached(positions=effect.positions)
            case TellCarrier():
                return self._tell(effect.command)
            case Look():
                return self._look()
            case _:
                return None

    def _tell(self, command: Command) -> PortEvent:
        try:
            self.at_carrier = self._told(command)
        except CarrierRefused as refused:
            rejections = tuple(SeenRejection(code=each.code) for each in refused.rejections)
            return CommandRefused(
                command=command.kind, attempt=command.attempt, rejections=rejections
            )
        return Answered(command=command.kind, attempt=command.attempt, carrier_order_id="sim_1")

    def _told(self, command: Command) -> SimulatedOrder:
        if command.kind not in (CommandKind.SUBMIT, CommandKind.SUPPLEMENT):
            return told(self.at_carrier, command.kind, self.now, wanted=self.wanted)
        submission = a_submission(
            *(self.numbers[each.position] for each in self.state.open_numbers),
            attempt=command.attempt,
            requested_date=self.wanted,
            letter=self.paper,
        )
        return requested(self.at_carrier, self.now, submission, command.kind)

    def _look(self) -> PortEvent | None:
        found = snapshot(self.at_carrier, self.now)
        positions = {number: position for position, number in enumerate(self.numbers)}
        return None if found is None else Seen(sighting=sighting_of(found, positions))
