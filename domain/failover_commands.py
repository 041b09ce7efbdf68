"""What an operator may ask of a trunk's failover, and what of it is in force.

An order is checked against what the trunk knows, and refused with a word; what it leaves is kept in
``Commands`` until it is undone, ends by its time, or is used up by the next decision.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

__all__ = [
    "DRILL_LONGEST",
    "DRILL_SHORTEST",
    "MAX_WINDOWS",
    "AbortDrill",
    "CloseMaintenance",
    "CommandRefused",
    "Commands",
    "Drill",
    "DrillEnd",
    "FailBack",
    "FailOver",
    "Forced",
    "OpenMaintenance",
    "Order",
    "Pin",
    "Pinned",
    "Refusal",
    "StartDrill",
    "Unpin",
    "Window",
]

DRILL_SHORTEST: Final = timedelta(seconds=10)
DRILL_LONGEST: Final = timedelta(minutes=10)

MAX_WINDOWS: Final = 16
"""Maintenance windows of a trunk that are open or to come."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Refusal(StrEnum):
    """Why an order is not carried out. The API shows these words."""

    NO_SUCH_ENDPOINT = "NO_SUCH_ENDPOINT"
    ENDPOINT_DOWN = "ENDPOINT_DOWN"
    ALREADY_THERE = "ALREADY_THERE"
    NOTHING_TO_FAIL_OVER_TO = "NOTHING_TO_FAIL_OVER_TO"
    NOTHING_TO_FAIL_BACK_TO = "NOTHING_TO_FAIL_BACK_TO"
    PINNED = "PINNED"
    NOT_PINNED = "NOT_PINNED"
    IN_THE_PAST = "IN_THE_PAST"
    TOO_MANY_WINDOWS = "TOO_MANY_WINDOWS"
    NO_SUCH_WINDOW = "NO_SUCH_WINDOW"
    DRILL_RUNNING = "DRILL_RUNNING"
    NO_DRILL = "NO_DRILL"
    NOT_AT_THE_PRIMARY = "NOT_AT_THE_PRIMARY"


class CommandRefused(Exception):
    """The order does not fit the trunk as it stands."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.message = message


class FailOver(_Value):
    """Send calls to another endpoint now: to the one at ``to``, else to the best other one.

    It stays so until ``FailBack``, or until that endpoint fails. ``even_if_down`` sends calls to an
    endpoint that is known to be down.
    """

    to: int | None = None
    even_if_down: bool = False


class FailBack(_Value):
    """Send calls back to the most preferred endpoint that works, without waiting out the hold-down.

    ``canary`` decides for this time whether the endpoint gets a few calls first.
    """

    canary: bool | None = None


class Pin(_Value):
    """Send calls to the endpoint at ``to``, whatever becomes of it, until the pin is taken away."""

    to: int
    until: AwareDatetime | None = None


class Unpin(_Value):
    """Decide by health again."""


class OpenMaintenance(_Value):
    """Leave the endpoint at ``position`` out while the window lasts, as far as there is another one;
    without ``position`` the whole trunk is worked on, and nothing raises an alert."""

    window_id: str
    position: int | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime


class CloseMaintenance(_Value):
    """End one window, or without an id all of them."""

    window_id: str | None = None


class StartDrill(_Value):
    """For calls of one number, declare the endpoint dead that calls go to.

    ``binding_id`` is the number's outbound configuration: the number itself is nobody's business here.
    """

    drill_id: str
    binding_id: str
    seconds: Annotated[
        int,
        Field(ge=int(DRILL_SHORTEST.total_seconds()), le=int(DRILL_LONGEST.total_seconds())),
    ]


class AbortDrill(_Value):
    """End the drill now."""


Order = (
    FailOver | FailBack | Pin | Unpin | OpenMaintenance | CloseMaintenance | StartDrill | AbortDrill
)


class Pinned(_Value):
    """A pin in force."""

    name_id: str
    until: AwareDatetime | None = None


class Forced(_Value):
    """An endpoint that somebody chose, until it fails."""

    name_id: str
    even_if_down: bool = False


class Window(_Value):
    """A maintenance window; ``name_id`` is ``None`` for the whole trunk."""

    window_id: str
    name_id: str | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class DrillEnd(StrEnum):
    """Why a drill ended."""

    COMPLETED = "completed"
    ABORTED = "aborted"
    TRUNK_REVISED = "trunk_revised"
    TRUNK_REMOVED = "trunk_removed"
    FAILED_OVER = "failed_over"
    """The endpoint failed in earnest, or somebody moved the calls."""
    INTERRUPTED = "interrupted"
    """The trunk's workflow was ended from outside."""


class Drill(_Value):
    """A drill in force: ``name_id`` counts as dead for one number.

    ``order`` and ``why`` are the number's route meanwhile; ``switched_at`` is when calls began to go
    to the endpoint at ``took_over``.
    ``end`` says why it is over since ``ended_at``.
    """

    drill_id: str
    binding_id: str
    name_id: str
    revision: int
    started_at: AwareDatetime
    until: AwareDatetime
    order: tuple[int, ...] = ()
    why: tuple[str, ...] = ()
    switched_at: AwareDatetime | None = None
    took_over: int | None = None
    end: DrillEnd | None = None
    ended_at: AwareDatetime | None = None


class Commands(_Value):
    """Everything in force. ``fail_back`` is used up by the next decision."""

    pinned: Pinned | None = None
    forced: Forced | None = None
    fail_back: FailBack | None = None
    windows: tuple[Window, ...] = ()
    drill: Drill | None = None
