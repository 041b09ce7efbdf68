"""How far a call is, how it ended, and why a test call ended without a verdict, in words."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["CallFailure", "CallResult", "CallStatus", "call_failure_message", "statuses_before"]


class CallStatus(StrEnum):
    """Contract section 2, test call status; in the order in which a call goes through them."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"


class CallResult(StrEnum):
    """Contract section 2, test call result."""

    PENDING = "pending"
    CONNECTED = "connected"
    FAILED = "failed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"


class CallFailure(StrEnum):
    """Why a call failed for a reason of its own making; ``failure_reason`` of a test call."""

    INTERRUPTED = "interrupted"
    """The process that placed it died or was stopped."""
    NOT_STARTED = "not_started"
    """It was admitted and could not be handed to a worker."""
    CANCELLED = "cancelled"
    """Somebody hung up before it was answered."""


_MESSAGES: Final = {
    CallFailure.INTERRUPTED: "The test call was interrupted on our side before it ended; it says "
    "nothing about the trunk. Run it again.",
    CallFailure.NOT_STARTED: "The test call could not be started on our side; it says nothing "
    "about the trunk. Run it again.",
    CallFailure.CANCELLED: "The test call was ended on request before it was answered.",
}

_PROGRESS: Final = (
    CallStatus.QUEUED,
    CallStatus.INITIATED,
    CallStatus.RINGING,
    CallStatus.IN_PROGRESS,
)


def call_failure_message(reason: CallFailure) -> str:
    """What happened and what to do, for the owner of the trunk."""
    return _MESSAGES[reason]


def statuses_before(status: CallStatus) -> tuple[CallStatus, ...]:
    """Those of an unfinished call that come before ``status``; all of them before a final one."""
    if status in _PROGRESS:
        return _PROGRESS[: _PROGRESS.index(status)]
    return _PROGRESS
