"""An order in a test: its life so far, told and asked step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.porting.business_time import BusinessCalendar
from domain.porting.effects import Effect, EntryKind, Notice, NoticeKind, TellCarrier, TimelineEntry
from domain.porting.events import (
    Answered,
    Attached,
    Fact,
    FactKind,
    PortEvent,
    Seen,
    Started,
    TimePassed,
    Validated,
)
from domain.porting.lifecycle import advance
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, NumberSighting, SeenRejection, Sighting
from domain.porting.state import CommandKind, NumberState, PortState, next_deadline
from domain.porting.timing import Timing
from domain.porting.words import NumberStatus, SubStatus

__all__ = [
    "MONDAY",
    "Life",
    "committed_life",
    "letter_life",
    "seen",
    "sent_life",
    "signed_life",
    "timing",
]

MONDAY = datetime(2026, 11, 2, 15, tzinfo=UTC)
"""10:00 in New York."""


def timing(**changes: Any) -> Timing:
    """A carrier without holidays in Eastern time."""
    return Timing(days=BusinessCalendar(zone="America/New_York"), **changes)


@dataclass
class Life:
    """An order of ``count`` numbers; what was asked for, noted and told since ``forget``."""

    count: int = 2
    now: datetime = MONDAY
    timing: Timing = field(default_factory=timing)
    options: dict[str, Any] = field(default_factory=dict)
    state: PortState = field(init=False)
    effects: list[Effect] = field(default_factory=list)
    entries: list[TimelineEntry] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    sequence: int = 0
    seq: int = 0

    def __post_init__(self) -> None:
        numbers = tuple(NumberState(position=position) for position in range(self.count))
        self.state = PortState(order_id="port_1", org_id="org_1", numbers=numbers, **self.options)

    def status(self) -> SubStatus:
        """Where it stands now."""
        return self.state.sub_status

    @property
    def commands(self) -> list[CommandKind]:
        """What the carrier was told."""
        return [each.command.kind for each in self.effects if isinstance(each, TellCarrier)]

    @property
    def kinds(self) -> list[EntryKind]:
        return [each.kind for each in self.entries]

    @property
    def told(self) -> list[NoticeKind]:
        return [each.kind for each in self.notices]

    def statuses(self, *positions: int) -> list[NumberStatus]:
        """Those of the numbers, of all by default."""
        wanted = positions or range(self.count)
        return [self.state.numbers[position].status for position in wanted]

    def forget(self) -> None:
        """Look only at what comes."""
        self.effects, self.entries, self.notices = [], [], []

    def on(self, event: PortEvent) -> None:
        """Something happens."""
        step = advance(self.state, event, self.now, self.timing)
        self.state = step.state
        self.effects += step.effects
        self.entries += step.entries
        self.notices += step.notices

    def fact(self, kind: FactKind, *positions: int, letter: int = 0) -> None:
        """Something was written down."""
        self.seq += 1
        self.on(Fact(seq=self.seq, kind=kind, positions=positions, letter=letter))

    def sign(self) -> None:
        """The letter is signed."""
        self.fact(FactKind.LOA_SIGNED, letter=self.state.letter)

    def take(self) -> None:
        """The carrier takes the command that it was told."""
        head = self.state.commands[0]
        self.on(Answered(command=head.kind, attempt=head.attempt))

    def sees(self, status: CarrierStatus, *numbers: NumberStatus | None, **facts: Any) -> None:
        """The carrier has news; each number with its status."""
        self.sequence += 1
        self.on(seen(status, *numbers, sequence=self.sequence, at=self.now, **facts))

    def confirm(self, at: datetime) -> None:
        """The losing carrier commits itself."""
        accepted = [NumberStatus.ACCEPTED] * self.count
        self.sees(CarrierStatus.FOC_CONFIRMED, *accepted, foc_at=at)

    def reject(self, code: RejectionCode, *positions: int) -> None:
        """It rejects the order, or these numbers."""
        rejection = SeenRejection(code=code, positions=positions)
        self.sees(CarrierStatus.ACTION_REQUIRED, rejections=(rejection,))

    def attach(self) -> None:
        """All numbers that came are attached."""
        here = [each.position for each in self.state.numbers if each.is_here]
        self.on(Attached(positions=tuple(here)))

    def wait(self, span: timedelta) -> None:
        """Let time pass, waking for each deadline."""
        until = self.now + span
        while (due := next_deadline(self.state)) is not None and due.at <= until:
            self.now = max(due.at, self.now)
            self.on(TimePassed())
        self.now = until


def seen(
    status: CarrierStatus, *numbers: NumberStatus | None, sequence: int, at: datetime, **facts: Any
) -> Seen:
    """A picture of an order; positions count from 0."""
    return Seen(
        sighting=Sighting(
            status=status,
            numbers=tuple(
                NumberSighting(position=position, status=each)
                for position, each in enumerate(numbers)
            ),
            sequence=sequence,
            at=at,
            **facts,
        )
    )


def signed_life(count: int = 2, **changes: Any) -> Life:
    """An order whose letter was just signed: the carrier is being told."""
    life = Life(count, **changes)
    life.on(Started())
    life.on(Validated(letter=1))
    life.sign()
    return life


def sent_life(count: int = 2, **changes: Any) -> Life:
    """An order that the losing carrier has."""
    life = signed_life(count, **changes)
    life.take()
    life.forget()
    return life


def committed_life(days: int = 8, count: int = 2, **changes: Any) -> Life:
    """An order with a committed date so many days ahead."""
    life = sent_life(count, **changes)
    life.confirm(life.now + timedelta(days=days))
    life.forget()
    return life


def letter_life() -> Life:
    """An order whose letter waits for its signature."""
    life = Life()
    life.on(Started())
    life.on(Validated(letter=1))
    life.forget()
    return life
