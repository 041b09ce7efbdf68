"""A call's timeline: one word and one sentence for each thing that happens (contract 4.5)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.call_reading import place_words
from domain.proof_connection import obstacle_words
from domain.replies import shown
from domain.transport_failures import failure_words
from sip.call_facts import DnsFacts, TargetFacts, TargetOutcome
from sip.dialog_state import (
    Answered,
    Calling,
    Challenged,
    EarlyMedia,
    Ended,
    EndedBy,
    Failed,
    FailureCause,
    IntervalRaised,
    OtherForkEnded,
    PeerRequest,
    Progress,
    Ringing,
    SessionEvent,
    Trying,
)

__all__ = ["TimelineText", "TimelineWord", "timeline_text"]


class TimelineWord(StrEnum):
    """What happened. The contract names the first four; the others are ours."""

    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    RESOLVED = "resolved"
    TARGET_FAILED = "target_failed"
    TRYING = "trying"
    CHALLENGED = "challenged"
    INTERVAL_RAISED = "interval_raised"
    PROGRESS = "progress"
    EARLY_MEDIA = "early_media"
    PEER_REQUEST = "peer_request"
    FORK_ENDED = "fork_ended"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"


class TimelineText(BaseModel):
    """One line of a timeline: ``event`` for programs, ``detail`` for people."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event: TimelineWord
    detail: str


def timeline_text(event: SessionEvent | TargetFacts | DnsFacts) -> TimelineText | None:
    """The line for an event; None for one that another line tells of already."""
    match event:
        case DnsFacts() | TargetFacts():
            return _before_the_call(event)
        case Calling(attempt=1):
            return _line(TimelineWord.INITIATED, "Call initiated")
        case Calling():
            return None  # a challenge or a 422 went before it
        case Challenged(status=status, method=method):
            return _line(
                TimelineWord.CHALLENGED,
                f"Peer asked for credentials ({status}), {method} sent again with them",
            )
        case IntervalRaised(min_se=seconds):
            return _line(
                TimelineWord.INTERVAL_RAISED, f"Peer wants a session interval of {seconds} s (422)"
            )
        case Trying():
            return _line(TimelineWord.TRYING, "Endpoint is working on the call (100 Trying)")
        case Ringing():
            return _line(TimelineWord.RINGING, "Endpoint ringing")
        case Progress(status=status, reason=reason):
            return _line(TimelineWord.PROGRESS, f"Call makes progress ({status} {shown(reason)})")
        case EarlyMedia():
            return _line(TimelineWord.EARLY_MEDIA, "Audio before the answer (early media)")
        case PeerRequest(method="BYE"):
            return None  # the end of the call tells of it
        case PeerRequest(method=method, status=status):
            return _line(
                TimelineWord.PEER_REQUEST, f"Endpoint sent {shown(method)}, answered {status}"
            )
        case OtherForkEnded():
            return _line(TimelineWord.FORK_ENDED, "Another answer to the same call was hung up")
        case Answered():
            return _line(TimelineWord.ANSWERED, "Call answered")
        case Ended(by=by):
            whom = ", hung up by the endpoint" if by is EndedBy.PEER else ""
            return _line(TimelineWord.COMPLETED, f"Call ended{whom}")
        case Failed():
            return _failed(event)


def _line(event: TimelineWord, detail: str) -> TimelineText:
    return TimelineText(event=event, detail=detail)


def _before_the_call(event: DnsFacts | TargetFacts) -> TimelineText | None:
    if isinstance(event, TargetFacts):
        if event.outcome is TargetOutcome.CALLED:
            return None  # the INVITE that follows tells of it
        if event.outcome is TargetOutcome.UNAVAILABLE:
            text = f"{place_words(event)} takes no calls (503)"
        else:
            text = f"{place_words(event)}: {obstacle_words(event)}"
        return _line(TimelineWord.TARGET_FAILED, text)
    if event.literal and event.failure is None:
        return None
    if event.failure is not None:
        return _line(TimelineWord.FAILED, f"{shown(event.name)}: {shown(event.failure)}")
    count = "1 target" if event.targets == 1 else f"{event.targets} targets"
    return _line(TimelineWord.RESOLVED, f"{shown(event.name)} leads to {count}")


def _failed(event: Failed) -> TimelineText:
    status = f"{event.status} {shown(event.reason)}".strip() if event.status else ""
    if event.status in (486, 600):
        return _line(TimelineWord.BUSY, f"Endpoint is busy ({status})")
    match event.cause:
        case FailureCause.NO_ANSWER:
            return _line(TimelineWord.NO_ANSWER, "Nobody answered, call cancelled")
        case FailureCause.CANCELLED:
            return _line(TimelineWord.FAILED, "Call cancelled before it was answered")
        case FailureCause.NO_REPLY:
            return _line(TimelineWord.FAILED, "No reply to the INVITE")
        case FailureCause.TRANSPORT:
            return _line(TimelineWord.FAILED, f"Connection failed: {failure_words(event.reason)}")
        case FailureCause.OFFER_REFUSED:
            return _line(TimelineWord.FAILED, "Endpoint's media offer could not be used")
        case FailureCause.PEER_ENDED:
            return _line(TimelineWord.FAILED, "Endpoint ended the call before it was answered")
        case FailureCause.REDIRECTED:
            return _line(TimelineWord.FAILED, f"Endpoint points elsewhere ({status})")
        case FailureCause.UNAUTHORIZED:
            return _line(TimelineWord.FAILED, f"Credentials are missing or refused ({status})")
        case FailureCause.REFUSED:
            return _line(TimelineWord.FAILED, f"Endpoint refused the call ({status})")
