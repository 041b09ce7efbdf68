"""What the PortOrder workflow is told and what it asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts.base import Payload
from domain.porting.effects import Notice, Step, TimelineEntry
from domain.porting.events import (
    Answered,
    Attached,
    CarrierAway,
    CommandRefused,
    PortEvent,
    Seen,
    Validated,
)
from domain.porting.state import Command, PortState
from domain.porting.words import SubStatus

__all__ = [
    "ADVANCE_TIMEOUT",
    "CARRIER_RETRY",
    "CARRIER_TIMEOUT",
    "LETTER_TIMEOUT",
    "PORT_RETRY",
    "PORT_TIMEOUT",
    "SEND_TIMEOUT",
    "AdvancedPort",
    "AttachedNumbers",
    "CancelAnswer",
    "CarrierAnswer",
    "DueNotice",
    "LookedAt",
    "NoticeWork",
    "OpenedPort",
    "PortAnswer",
    "PortContract",
    "PortRun",
    "RecordedStep",
    "ToldCarrier",
    "ValidatedPort",
    "WaitingNotices",
]


class PortRun(Payload):
    """An order whose process begins; with ``state``, one that goes on from a run before."""

    order_id: str
    org_id: str
    state: PortState | None = None


class PortAnswer(Payload):
    """Where an order stands after what was asked for."""

    sub_status: SubStatus
    generation: int


class CancelAnswer(PortAnswer):
    """``canceled`` when it is, ``cancel_requested`` when the carrier has yet to confirm it."""

    canceled: bool
    cancel_requested: bool


class OpenedPort(Payload):
    """The order to begin with."""

    order_id: str
    org_id: str


class AdvancedPort(Payload):
    """What happened to an order, and when by the workflow's clock."""

    state: PortState
    event: PortEvent
    now: AwareDatetime


class RecordedStep(Payload):
    """A step to write down. ``now`` is the workflow's time."""

    state: PortState
    entries: tuple[TimelineEntry, ...] = ()
    notices: tuple[Notice, ...] = ()
    now: AwareDatetime


class ValidatedPort(Payload):
    """The order to check; the letter that is made of it gets this revision.

    ``positions`` are the numbers that are still wanted. ``first`` says that no carrier has the order yet:
    only then it is asked whether they can be ported.
    """

    order_id: str
    org_id: str
    letter: int
    positions: tuple[int, ...]
    first: bool = True
    now: AwareDatetime


class ToldCarrier(Payload):
    """Something to tell the carrier, about these of the order's numbers."""

    order_id: str
    org_id: str
    carrier: str
    carrier_order_id: str | None
    command: Command
    positions: tuple[int, ...]
    now: AwareDatetime


class LookedAt(Payload):
    """An order to ask the carrier about."""

    order_id: str
    org_id: str
    carrier: str
    carrier_order_id: str
    now: AwareDatetime


class AttachedNumbers(Payload):
    """Numbers that came and are to take calls."""

    order_id: str
    org_id: str
    positions: tuple[int, ...]
    now: AwareDatetime


class WaitingNotices(Payload):
    """The order whose messages are looked for."""

    order_id: str
    org_id: str
    now: AwareDatetime


class NoticeWork(Payload):
    """Ids of the messages to send now, and when the next one is due."""

    due: tuple[str, ...] = ()
    wake_at: AwareDatetime | None = None


class DueNotice(Payload):
    """One message to send; its row holds the recipient."""

    org_id: str
    notice_id: str
    now: AwareDatetime


CarrierAnswer = Answered | CommandRefused | CarrierAway
"""What comes of telling a carrier something."""


PORT_TIMEOUT = timedelta(seconds=10)
"""A few short transactions, on a machine that is busy."""

LETTER_TIMEOUT = timedelta(seconds=60)
"""A carrier is asked about a hundred numbers, and a letter is set and stored."""

ADVANCE_TIMEOUT = timedelta(seconds=5)
"""It computes; the first time it reads calendars."""

CARRIER_TIMEOUT = timedelta(seconds=45)
"""A carrier's interface may take 30 s for an order, and the rows twice."""

SEND_TIMEOUT = timedelta(seconds=50)
"""A mail server may take 30 s, and the row twice."""

PORT_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    # While the database is away: an order waits for it as long as it takes.
    maximum_interval=timedelta(seconds=30),
)

CARRIER_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    # Then the order goes on, with everything else that is due, and tries again later.
    maximum_attempts=2,
)


class PortContract(ABC):
    """Side effects of a port order. Each is safe to repeat."""

    @activity.defn(name="port.open")
    @abstractmethod
    async def open(self, opened: OpenedPort) -> PortState | None:
        """The order to begin with: as it was recorded last when its process was lost, else as it was
        placed; ``None`` when there is none, or it is a draft or the whole of a split order."""

    @activity.defn(name="port.advance")
    @abstractmethod
    async def advance(self, advanced: AdvancedPort) -> Step:
        """Decide what follows from an event, with dates by the losing carrier's calendar.

        It is computed here, by a pure function, and not in the workflow, so that the history holds
        what was decided: a release that decides otherwise, or knows another holiday, replays the
        weeks of an order all the same. Nothing but the calendar is read.
        """

    @activity.defn(name="port.record")
    @abstractmethod
    async def record(self, recorded: RecordedStep) -> None:
        """Write the order, its numbers, what is added to its timeline and the messages that tell of
        it, in one transaction and once for each generation. Secrets of an order that ended go."""

    @activity.defn(name="port.validate")
    @abstractmethod
    async def validate(self, validated: ValidatedPort) -> Validated:
        """Check documents and portability and make the letter of authorization, once for each
        revision."""

    @activity.defn(name="port.tell_carrier")
    @abstractmethod
    async def tell_carrier(self, told: ToldCarrier) -> CarrierAnswer:
        """Tell the winning carrier, under the key ``{order}:{attempt}``, so that it acts once. That
        it could not be reached is an answer too."""

    @activity.defn(name="port.look")
    @abstractmethod
    async def look(self, looked: LookedAt) -> Seen | CarrierAway:
        """Ask the winning carrier how the order stands. Its words go into the timeline, and only
        codes come back."""

    @activity.defn(name="port.attach")
    @abstractmethod
    async def attach(self, attached: AttachedNumbers) -> Attached:
        """Bind numbers as inbound to the order's trunk; one that cannot be keeps no other from it."""

    @activity.defn(name="port.due_notices")
    @abstractmethod
    async def due_notices(self, waiting: WaitingNotices) -> NoticeWork:
        """Which messages of the order are to be sent now, and when the next one is."""

    @activity.defn(name="port.deliver")
    @abstractmethod
    async def deliver(self, due: DueNotice) -> None:
        """Claim a message, try once to send it, and write down what became of it."""
