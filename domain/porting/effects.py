"""What follows from an event: the order as it is then, what to do, to write down, and to tell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.porting.order_refusals import OrderRefusal
from domain.porting.rejections import RejectionCode
from domain.porting.state import Command, PortState
from domain.porting.words import SubStatus

__all__ = [
    "Actor",
    "AttachNumbers",
    "Audience",
    "Effect",
    "EntryKind",
    "Look",
    "Notice",
    "NoticeKind",
    "Step",
    "TellCarrier",
    "TimelineEntry",
    "Validate",
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Validate(_Value):
    """Check documents and portability, and make the letter of authorization; ends in ``Validated``."""

    type: Literal["validate"] = "validate"


class TellCarrier(_Value):
    """Tell the winning carrier; ends in ``Answered``, ``CommandRefused`` or ``CarrierAway``."""

    type: Literal["tell_carrier"] = "tell_carrier"
    command: Command


class Look(_Value):
    """Ask the winning carrier how the order stands; ends in ``Seen`` or ``CarrierAway``."""

    type: Literal["look"] = "look"


class AttachNumbers(_Value):
    """Have the numbers take calls over the order's trunk; ends in ``Attached``."""

    type: Literal["attach_numbers"] = "attach_numbers"
    positions: tuple[int, ...]


Effect = Annotated[Validate | TellCarrier | Look | AttachNumbers, Field(discriminator="type")]
"""Everything that an order may ask for, to be done in the order given."""


class Actor(StrEnum):
    """Whose doing an entry is."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    SYSTEM = "system"
    WINNING_CARRIER = "winning_carrier"
    LOSING_CARRIER = "losing_carrier"


class EntryKind(StrEnum):
    """What an entry of the timeline is about."""

    STATUS = "status"
    LINK_SENT = "link_sent"
    REMINDED = "reminded"
    DOCUMENT_ATTACHED = "document_attached"
    PIN_SUPPLIED = "pin_supplied"
    REJECTED = "rejected"
    FOC_CHANGED = "foc_changed"
    FOC_NEAR = "foc_near"
    ACTIVATION_DUE = "activation_due"
    WATCHED = "watched"
    NUDGED = "nudged"
    ESCALATED = "escalated"
    CANCEL_ASKED = "cancel_asked"
    CANCEL_REFUSED = "cancel_refused"
    CANCEL_WAITS = "cancel_waits"
    RESCHEDULE_ASKED = "reschedule_asked"
    RESCHEDULE_REFUSED = "reschedule_refused"
    RESUBMITTED = "resubmitted"
    NUMBERS_CHANGED = "numbers_changed"
    NUMBER_DROPPED = "number_dropped"
    FIRST_INBOUND = "first_inbound"
    ATTACHED = "attached"
    NOT_ATTACHED = "not_attached"
    CARRIER_AWAY = "carrier_away"
    COMMAND_REFUSED = "command_refused"
    STRANGE = "strange"
    """The carrier said something that does not fit; nothing was changed for it."""


class TimelineEntry(_Value):
    """One line of the timeline; its text is made where it is written.

    ``key`` is unique in the order. ``public`` says whether the customer sees it.
    """

    key: str
    kind: EntryKind
    at: AwareDatetime
    actor: Actor = Actor.SYSTEM
    from_status: SubStatus | None = None
    to_status: SubStatus | None = None
    positions: tuple[int, ...] = ()
    codes: tuple[RejectionCode, ...] = ()
    until: AwareDatetime | None = None
    count: int = 0
    public: bool = True


class Audience(StrEnum):
    """Who is told."""

    CUSTOMER = "customer"
    """Those whom the order names for it, and the organization's webhook."""
    SIGNER = "signer"
    """The authorized representative; the message has the link to the signing page."""
    OPERATOR = "operator"


class NoticeKind(StrEnum):
    """What is told."""

    STATUS = "status"
    SIGNATURE_LINK = "signature_link"
    SIGNATURE_REMINDER = "signature_reminder"
    ACTION_REMINDER = "action_reminder"
    FOC_CHANGED = "foc_changed"
    FOC_NEAR = "foc_near"
    ACTIVATION_DUE = "activation_due"
    CANCEL_ASKED = "cancel_asked"
    CANCEL_REFUSED = "cancel_refused"
    RESCHEDULE_REFUSED = "reschedule_refused"
    NEEDS_OPERATOR = "needs_operator"
    """The porting desk has something to do; ``entry`` says what."""


class Notice(_Value):
    """One thing to tell, once: ``key`` is unique in the order, and a message's id is made of it."""

    key: str
    kind: NoticeKind
    audience: Audience
    status: SubStatus
    entry: EntryKind
    count: int = 0


class Step(_Value):
    """What follows from one event. Entries and notices are written before the effects are done.

    ``refusal`` says why what the customer asked for is not done.
    """

    state: PortState
    refusal: OrderRefusal | None = None
    effects: tuple[Effect, ...] = ()
    entries: tuple[TimelineEntry, ...] = ()
    notices: tuple[Notice, ...] = ()
