"""What can happen to an order. Events are payloads: ids, codes and dates only."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.porting.snapshot import SeenRejection, Sighting
from domain.porting.state import CommandKind

__all__ = [
    "ActivateAsked",
    "Answered",
    "Attached",
    "CancelAsked",
    "CarrierAway",
    "CommandRefused",
    "DropAsked",
    "Fact",
    "FactKind",
    "Order",
    "PortEvent",
    "RescheduleAsked",
    "ResubmitAsked",
    "Seen",
    "Started",
    "TimePassed",
    "Validated",
]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FactKind(StrEnum):
    """Something that was written down elsewhere, and that the order is told of."""

    SUBMITTED = "submitted"
    """The order was placed, or its draft submitted: its process begins."""
    DOCUMENT_ATTACHED = "document_attached"
    LOA_SIGNED = "loa_signed"
    LOA_DECLINED = "loa_declined"
    LINK_RESENT = "link_resent"
    """Somebody asked for the link to the signing page."""
    PIN_SUPPLIED = "pin_supplied"
    CARRIER_EVENT = "carrier_event"
    """The carrier has news: only a hint to ask it."""
    FIRST_INBOUND = "first_inbound"
    """A call to one of the numbers came in, or a test call did."""
    OPERATOR_NOTE = "operator_note"


class Started(_Event):
    """The process began."""

    type: Literal["started"] = "started"


class Fact(_Event):
    """Something was written down. ``seq`` tells a repetition from news. ``positions`` are the numbers
    that it is about, ``letter`` is the revision of the letter that was signed or declined."""

    type: Literal["fact"] = "fact"
    seq: int
    kind: FactKind
    positions: tuple[int, ...] = ()
    letter: int = 0


class Validated(_Event):
    """What the look at a new or changed order found.

    ``letter`` is the revision of the letter that was made of it; there is none when documents are
    missing or nothing can be ported. ``unportable`` are the numbers that cannot be, with the reason.
    """

    type: Literal["validated"] = "validated"
    letter: int = 0
    documents_missing: bool = False
    unportable: tuple[SeenRejection, ...] = ()


class Answered(_Event):
    """The carrier took a command. A cancellation that is taken is not confirmed yet.

    ``carrier_order_id`` is what it calls an order that it was given.
    """

    type: Literal["answered"] = "answered"
    command: CommandKind
    attempt: int
    carrier_order_id: str | None = None


class CommandRefused(_Event):
    """The carrier refused a command for good."""

    type: Literal["command_refused"] = "command_refused"
    command: CommandKind
    attempt: int
    rejections: tuple[SeenRejection, ...] = ()


class CarrierAway(_Event):
    """The carrier could not be reached; whether it took the command is not known."""

    type: Literal["carrier_away"] = "carrier_away"
    command: CommandKind | None = None
    attempt: int = 0


class Seen(_Event):
    """The carrier said how the order stands."""

    type: Literal["seen"] = "seen"
    sighting: Sighting


class Attached(_Event):
    """Numbers were attached to the trunk, or could not be."""

    type: Literal["attached"] = "attached"
    positions: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()


class TimePassed(_Event):
    """Something is due."""

    type: Literal["time_passed"] = "time_passed"


class CancelAsked(_Event):
    """The customer wants the order ended, and waits so long (in seconds) for the carrier to confirm."""

    type: Literal["cancel_asked"] = "cancel_asked"
    wait_seconds: float = 0


class RescheduleAsked(_Event):
    """The customer wants another date, which is in the order's details at this ``revision``."""

    type: Literal["reschedule_asked"] = "reschedule_asked"
    revision: int
    requested: date


class ResubmitAsked(_Event):
    """The customer corrected the order: its details have this ``revision``, these fields changed."""

    type: Literal["resubmit_asked"] = "resubmit_asked"
    revision: int
    changed: tuple[str, ...] = ()


class ActivateAsked(_Event):
    """The customer wants the numbers now."""

    type: Literal["activate_asked"] = "activate_asked"


class DropAsked(_Event):
    """The customer goes on without a number."""

    type: Literal["drop_asked"] = "drop_asked"
    position: int


Order = CancelAsked | RescheduleAsked | ResubmitAsked | ActivateAsked | DropAsked
"""What the customer may ask for."""

PortEvent = Annotated[
    Started
    | Fact
    | Validated
    | Answered
    | CommandRefused
    | CarrierAway
    | Seen
    | Attached
    | TimePassed
    | Order,
    Field(discriminator="type"),
]
"""Everything that can happen."""
