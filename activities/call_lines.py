"""What the calling user agent reports, as lines of a call's timeline and changes of its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.call_state import CallFailure, CallStatus, call_failure_message
from domain.call_timeline import TimelineWord, timeline_text
from sip.call_facts import DnsFacts, TargetFacts, TargetOutcome
from sip.dialog_state import Answered, CallSnapshot, Progress, SessionEvent
from sip.uri import SipUri, Uri
from storage.calls import NewEvent

__all__ = ["Line", "failure_event", "identity_of", "line_of"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline, and what of the call's row changes with it (``calls.progress``)."""

    event: NewEvent | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)


def line_of(event: SessionEvent | TargetFacts | DnsFacts, at: datetime) -> Line | None:
    """The line for an event that was seen at ``at``; None when neither timeline nor row change."""
    text, progress = timeline_text(event), _progress(event, at)
    if text is None:
        return Line(progress=progress) if progress else None
    return Line(NewEvent(at=at, event=text.event.value, detail=text.detail), progress)


def identity_of(snapshot: CallSnapshot) -> Mapping[str, Any]:
    """Who calls whom under which Call-ID, as in the INVITE that is about to leave; for
    ``calls.progress``."""
    invite = snapshot.invite_request()
    return {
        "sip_call_id": invite.call_id,
        "from_user": _user(invite.from_.uri),
        "to_user": _user(invite.to.uri),
    }


def failure_event(reason: CallFailure, at: datetime) -> NewEvent:
    """The last line of a call that we could not bring to its end."""
    return NewEvent(at=at, event=TimelineWord.FAILED.value, detail=call_failure_message(reason))


def _progress(event: SessionEvent | TargetFacts | DnsFacts, at: datetime) -> Mapping[str, Any]:
    match event:
        case TargetFacts(outcome=TargetOutcome.CALLED):
            target = {
                "address": event.address,
                "port": event.port,
                "transport": event.transport,
                "host": event.host,
            }
            return {"target": target}
        case Progress():
            return {"status": CallStatus.RINGING}
        case Answered():
            return {"status": CallStatus.IN_PROGRESS, "answered_at": at}
        case _:
            return {}


def _user(uri: Uri) -> str | None:
    return uri.user if isinstance(uri, SipUri) else None
