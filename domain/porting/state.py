"""What is remembered of an order while it lives: statuses, counters, dates, and what is due when.

All of it survives as JSON, in the history of the order's workflow and in its row. So there are ids,
positions, codes and dates in it, and neither secrets nor anything that names a person: numbers are
known by their position in the order.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.words import NUMBER_TERMINAL, TERMINAL, NumberStatus, PortKind, SubStatus

__all__ = [
    "MAX_FACTS",
    "Command",
    "CommandKind",
    "Deadline",
    "DeadlineKind",
    "NumberState",
    "PortState",
    "Warned",
    "next_deadline",
]

MAX_FACTS: Final = 200
"""Facts that are remembered, so that one that is told twice counts once. They come through an ordered
outbox that repeats only what it told last."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DeadlineKind(StrEnum):
    """What is due at a time though nobody says anything."""

    PAPER_REMINDER = "paper_reminder"
    """The signature or a document is still missing."""
    PAPER_EXPIRY = "paper_expiry"
    ACTION_REMINDER = "action_reminder"
    ACTION_EXPIRY = "action_expiry"
    NUDGE = "nudge"
    """The losing carrier has said nothing for a while: the desk asks."""
    ESCALATE = "escalate"
    FOC_REMINDER = "foc_reminder"
    FOC_TIME = "foc_time"
    FOC_WATCH = "foc_watch"
    FOC_OVERDUE = "foc_overdue"
    VERIFY_WINDOW = "verify_window"
    POLL = "poll"
    RETRY = "retry"
    """The winning carrier could not be reached."""
    CANCEL_WATCH = "cancel_watch"
    """A cancellation is still unconfirmed."""


class Deadline(_Value):
    """Something that is due; ``count`` is how often it was due before."""

    kind: DeadlineKind
    at: AwareDatetime
    count: int = 0


class CommandKind(StrEnum):
    """What the winning carrier is told."""

    SUBMIT = "submit"
    SUPPLEMENT = "supplement"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    ACTIVATE = "activate"


class Command(_Value):
    """Something that the winning carrier was told, or is about to be, and did not answer yet.

    It is told as ``{order}:{attempt}`` as often as needed, and taken once. ``tries`` counts those
    that brought no answer.
    """

    kind: CommandKind
    attempt: int
    tries: int = 0


class Warned(StrEnum):
    """What stays to be known of an order, also after its end."""

    CANCEL_MISSED = "cancel_missed"
    """The numbers were ported although a cancellation had been asked for."""
    FOC_MOVED = "foc_moved"
    """The losing carrier moved its date."""
    FOC_LATE_CHANGE = "foc_late_change"
    """The date was changed late: the losing carrier may disconnect on the old one."""
    NOT_ATTACHED = "not_attached"
    """A number came and could not be attached to the trunk."""
    UNVERIFIED = "unverified"
    """A number counts as live because its carriers say so; no call was seen."""
    MANY_RESUBMITS = "many_resubmits"
    STRANGE_NUMBERS = "strange_numbers"
    """The carrier named numbers that are not of this order."""


class NumberState(_Value):
    """One number. ``inbound`` says that a call to it was seen, ``attached`` that the trunk has it."""

    position: int
    status: NumberStatus = NumberStatus.REQUESTED
    rejection: RejectionCode | None = None
    inbound: bool = False
    attached: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it in this order."""
        return self.status in NUMBER_TERMINAL

    @property
    def is_here(self) -> bool:
        """Whether it was ported."""
        return self.status in (NumberStatus.PORTED, NumberStatus.VERIFIED)


class PortState(_Value):
    """An order as its process knows it.

    Of the whole: ``carrier`` is the winning carrier's adapter, ``profile`` names the rules of the
    losing one, ``scale`` makes waiting shorter (1 is real time), ``on_demand`` says that the customer
    activates. ``generation`` grows with every change that is shown.

    Of the paper: ``details`` is the revision of what the customer stated, ``letter`` of the letter of
    authorization that is to be signed, ``signed`` of the last one that was. ``links`` counts the
    links that were mailed.

    Of the carrier: ``attempt`` is the number of the newest command, ``answered`` of the newest
    submission or supplement that it took; ``at_carrier`` says that it has the order,
    which it calls ``carrier_order_id``; ``commands`` are
    under way, in this order, the first one told. ``sequence`` and ``carrier_status`` are those of the
    newest picture that it gave, ``unseen`` counts how often it gave none since. ``rescheduling``
    says that it was asked for another date and has not committed itself to one since.

    ``foc_changes`` counts committed dates, ``foc_supplements`` changes that were asked for since the
    first. ``closing`` is how the order will end once the carrier confirms the cancellation that
    was asked for at ``cancel_requested_at``. After ``cancel_cutoff_at`` one may come too late, from
    ``cancel_refused_from`` on none is taken; a change of the date may from ``change_late_from`` on, and
    there are ``changes_left``.
    """

    order_id: str
    org_id: str
    carrier: str = ""
    profile: str = ""
    kind: PortKind = PortKind.LOCAL
    on_demand: bool = False
    scale: float = 1.0
    generation: int = 0
    sub_status: SubStatus = SubStatus.VALIDATING
    since: AwareDatetime | None = None
    numbers: tuple[NumberState, ...] = ()
    details: int = 0
    letter: int = 0
    signed: int = 0
    links: int = 0
    attempt: int = 0
    answered: int = 0
    at_carrier: bool = False
    carrier_order_id: str | None = None
    commands: tuple[Command, ...] = ()
    sequence: int = -1
    carrier_status: CarrierStatus | None = None
    unseen: int = 0
    rescheduling: bool = False
    rejections: tuple[SeenRejection, ...] = ()
    foc_at: AwareDatetime | None = None
    foc_changes: int = 0
    foc_supplements: int = 0
    resubmits: int = 0
    cancel_requested_at: AwareDatetime | None = None
    cancel_cutoff_at: AwareDatetime | None = None
    cancel_refused_from: AwareDatetime | None = None
    change_late_from: AwareDatetime | None = None
    changes_left: int = 3
    closing: SubStatus | None = None
    completed_at: AwareDatetime | None = None
    warnings: tuple[Warned, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    facts: tuple[int, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the order has ended."""
        return self.sub_status in TERMINAL

    @property
    def open_numbers(self) -> tuple[NumberState, ...]:
        """Numbers that something may still happen to."""
        return tuple(each for each in self.numbers if not each.is_over)

    @property
    def codes(self) -> tuple[RejectionCode, ...]:
        """Why it was rejected, each reason once."""
        return tuple(dict.fromkeys(each.code for each in self.rejections))

    def with_status(
        self,
        positions: Collection[int],
        status: NumberStatus,
        rejection: RejectionCode | None = None,
    ) -> PortState:
        """The order once these numbers have this status."""
        changes = {"status": status, "rejection": rejection}
        return self.model_copy(
            update={
                "numbers": tuple(
                    each.model_copy(update=changes) if each.position in positions else each
                    for each in self.numbers
                )
            }
        )

    def due(self, kind: DeadlineKind) -> Deadline | None:
        """The deadline of this kind."""
        return next((each for each in self.deadlines if each.kind is kind), None)


def next_deadline(state: PortState) -> Deadline | None:
    """What is due first; of several at one time any, always the same."""
    return min(state.deadlines, key=lambda each: (each.at, each.kind), default=None)
