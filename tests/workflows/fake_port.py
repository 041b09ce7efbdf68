"""The activities of a port order over a carrier that a test scripts, and its start as the relay does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.contracts import (
    AdvancedPort,
    AttachedNumbers,
    CarrierAnswer,
    DueNotice,
    LookedAt,
    NoticeWork,
    OpenedPort,
    PortRun,
    RecordedStep,
    ToldCarrier,
    ValidatedPort,
    WaitingNotices,
)
from domain.porting.effects import NoticeKind, Step
from domain.porting.events import (
    Answered,
    Attached,
    CarrierAway,
    CommandRefused,
    Fact,
    FactKind,
    Seen,
    Validated,
)
from domain.porting.lifecycle import advance
from domain.porting.snapshot import CarrierStatus, NumberSighting, SeenRejection, Sighting
from domain.porting.state import CommandKind, NumberState, PortState
from domain.porting.words import NumberStatus, SubStatus
from tests.domain.porting.lives import timing
from workflows.names import WORKFLOW_QUEUE, port_workflow_id
from workflows.port_order import PortOrderWorkflow

__all__ = ["Carrier", "FakePort", "start_port", "told"]


@dataclass
class Carrier:
    """A winning carrier: what it was told, and what it says."""

    count: int
    keys: list[tuple[CommandKind, int]] = field(default_factory=list)
    """Every command that arrived, repetitions included."""
    status: CarrierStatus = CarrierStatus.RECEIVED
    numbers: list[NumberStatus | None] = field(default_factory=list)
    rejections: tuple[SeenRejection, ...] = ()
    refuses: dict[CommandKind, tuple[SeenRejection, ...]] = field(default_factory=dict)
    foc_at: datetime | None = None
    sequence: int = 0
    away: int = 0
    """How many calls from now on it does not answer."""
    loses: int = 0
    """How many commands from now on it takes without saying so."""
    script: list[Callable[[Carrier, datetime], None]] = field(default_factory=list)
    """What becomes of it with each look, the first first."""

    def says(self, status: CarrierStatus, each: NumberStatus | None = None, **facts: Any) -> None:
        """From now on; ``each`` is the status of every number."""
        self.status, self.sequence = status, self.sequence + 1
        self.numbers = [each] * self.count
        self.rejections = facts.get("rejections", ())
        self.foc_at = facts.get("foc_at", self.foc_at)

    def told(self, kind: CommandKind) -> int:
        """How many different commands of this kind it was told."""
        return len({key for key in self.keys if key[0] is kind})


class FakePort:
    """Remembers what was recorded, told and sent."""

    def __init__(self, count: int = 2, **options: Any) -> None:
        self.options = options
        self.carrier = Carrier(count)
        # Fewer looks in a week than a real order's, so that weeks take seconds.
        self.timing = timing(poll_near=timedelta(hours=3), poll_far=timedelta(hours=12))
        self.count = count
        self.steps: list[RecordedStep] = []
        self.outcomes: list[Validated] = []
        """What validations find, the first first; then a letter."""
        self.validated: list[ValidatedPort] = []
        self.looks = 0
        self.attached: list[int] = []
        self.sent: list[str] = []
        self.pending: dict[str, datetime] = {}
        self.fails_until: datetime | None = None
        """Until then no message can be sent."""
        self.stored: PortState | None = None
        self.gone = False

    @property
    def statuses(self) -> list[SubStatus]:
        """The sub-statuses that the timeline tells."""
        entries = [entry for step in self.steps for entry in step.entries]
        return [entry.to_status for entry in entries if entry.to_status is not None]

    @property
    def notices(self) -> list[NoticeKind]:
        return [notice.kind for step in self.steps for notice in step.notices]

    @activity.defn(name="port.open")
    async def open(self, opened: OpenedPort) -> PortState | None:
        if self.gone:
            return None
        numbers = tuple(NumberState(position=position) for position in range(self.count))
        return self.stored or PortState(
            order_id=opened.order_id,
            org_id=opened.org_id,
            carrier="simulator",
            numbers=numbers,
            **self.options,
        )

    @activity.defn(name="port.advance")
    async def advance(self, advanced: AdvancedPort) -> Step:
        return advance(advanced.state, advanced.event, advanced.now, self.timing)

    @activity.defn(name="port.record")
    async def record(self, recorded: RecordedStep) -> None:
        self.steps.append(recorded)
        for notice in recorded.notices:
            self.pending[notice.key] = recorded.now

    @activity.defn(name="port.validate")
    async def validate(self, validated: ValidatedPort) -> Validated:
        self.validated.append(validated)
        found = self.outcomes.pop(0) if self.outcomes else Validated()
        if found.documents_missing:
            return found
        return found.model_copy(update={"letter": validated.letter})

    @activity.defn(name="port.tell_carrier")
    async def tell_carrier(self, told: ToldCarrier) -> CarrierAnswer:
        command = told.command
        answer: dict[str, Any] = {"command": command.kind, "attempt": command.attempt}
        if self.carrier.away:
            self.carrier.away -= 1
            return CarrierAway(**answer)
        self.carrier.keys.append((command.kind, command.attempt))
        if self.carrier.loses:
            self.carrier.loses -= 1
            raise ApplicationError("the answer was lost")
        if command.kind in self.carrier.refuses:
            return CommandRefused(**answer, rejections=self.carrier.refuses.pop(command.kind))
        if command.kind is CommandKind.SUBMIT:
            self.carrier.sequence = 0
        is_new = command.kind is CommandKind.SUBMIT
        return Answered(**answer, carrier_order_id=f"sim_{command.attempt}" if is_new else None)

    @activity.defn(name="port.look")
    async def look(self, looked: LookedAt) -> Seen | CarrierAway:
        self.looks += 1
        carrier = self.carrier
        if carrier.script:
            carrier.script.pop(0)(carrier, looked.now)
        if carrier.away:
            carrier.away -= 1
            return CarrierAway()
        return Seen(
            sighting=Sighting(
                status=carrier.status,
                numbers=tuple(
                    NumberSighting(position=position, status=status)
                    for position, status in enumerate(carrier.numbers)
                ),
                foc_at=carrier.foc_at,
                rejections=carrier.rejections,
                sequence=carrier.sequence,
                at=looked.now,
            )
        )

    @activity.defn(name="port.attach")
    async def attach(self, attached: AttachedNumbers) -> Attached:
        self.attached += attached.positions
        return Attached(positions=attached.positions)

    @activity.defn(name="port.due_notices")
    async def due_notices(self, waiting: WaitingNotices) -> NoticeWork:
        due = tuple(key for key, at in self.pending.items() if at <= waiting.now)
        later = [at for at in self.pending.values() if at > waiting.now]
        return NoticeWork(due=due, wake_at=min(later, default=None))

    @activity.defn(name="port.deliver")
    async def deliver(self, due: DueNotice) -> None:
        if self.fails_until is not None and due.now < self.fails_until:
            self.pending[due.notice_id] = due.now + timedelta(minutes=15)
            return
        del self.pending[due.notice_id]
        self.sent.append(due.notice_id)

    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (
            self.open,
            self.advance,
            self.record,
            self.validate,
            self.tell_carrier,
            self.look,
            self.attach,
            self.due_notices,
            self.deliver,
        )


Handle = WorkflowHandle[Any, PortState | None]


async def told(
    client: Client, order_id: str, seq: int, kind: FactKind, *positions: int, letter: int = 0
) -> Handle:
    """Tell an order's workflow a fact; it begins with the first."""
    return await client.start_workflow(
        PortOrderWorkflow.run,
        PortRun(order_id=order_id, org_id="org_1"),
        id=port_workflow_id(order_id),
        task_queue=WORKFLOW_QUEUE,
        start_signal="fact",
        start_signal_args=[Fact(seq=seq, kind=kind, positions=positions, letter=letter)],
    )


async def start_port(client: Client, order_id: str) -> Handle:
    """An order was placed."""
    return await told(client, order_id, 1, FactKind.SUBMITTED)
