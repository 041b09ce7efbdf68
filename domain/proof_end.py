"""The last rung of the proof ladder: how an answered call came to its end."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from domain.call_reading import MIN_TALK_MS, duration_words, is_answered
from domain.proof_steps import ProofStep, Rung, failed, passed, skipped
from domain.replies import shown
from sip.call_facts import CallFacts, InviteFacts, StopCause
from sip.dialog_state import EndedBy

__all__ = ["EndKind", "bye_step", "end_of"]

_LOST_ACK_MS: Final = (30_500.0, 34_500.0)
"""64*T1 is 32 s: how long a UAS repeats its 2xx before it gives up (RFC 3261 13.3.1.4)."""

_SESSION_TIMERS_MS: Final = (900_000.0, 1_800_000.0)
"""Session intervals in use: half an hour is RFC 4028's recommended one, and what half of it is."""

_SESSION_TIMER_MARGIN: Final = 0.04
"""A UAS ends an unrefreshed session up to 32 s early (RFC 4028 section 10)."""


class EndKind(StrEnum):
    """How an answered call ended."""

    CLEAN = "clean"
    PEER_HUNG_UP = "peer_hung_up"
    EARLY_BYE = "early_bye"
    LOST_ACK = "lost_ack"
    SESSION_TIMER = "session_timer"
    INTERRUPTED = "interrupted"
    BYE_UNANSWERED = "bye_unanswered"
    BYE_REFUSED = "bye_refused"
    UNKNOWN = "unknown"


def end_of(facts: CallFacts) -> EndKind | None:
    """How the call ended; None when it was not answered."""
    invite = facts.invite
    if invite is None or not is_answered(facts):
        return None
    if facts.stopped is StopCause.INTERRUPTED:
        return EndKind.INTERRUPTED
    if invite.ended_by is EndedBy.PEER:
        return _end_by_peer(invite.talk_ms)
    status = invite.bye_status
    if status is None:
        return EndKind.BYE_UNANSWERED if invite.ended_by is EndedBy.US else EndKind.UNKNOWN
    return EndKind.CLEAN if 200 <= status < 300 else EndKind.BYE_REFUSED


def _end_by_peer(talk_ms: float | None) -> EndKind:
    if talk_ms is None:
        return EndKind.PEER_HUNG_UP
    if talk_ms < MIN_TALK_MS:
        return EndKind.EARLY_BYE
    if _LOST_ACK_MS[0] <= talk_ms <= _LOST_ACK_MS[1]:
        return EndKind.LOST_ACK
    if any(abs(talk_ms - at) <= at * _SESSION_TIMER_MARGIN for at in _SESSION_TIMERS_MS):
        return EndKind.SESSION_TIMER
    return EndKind.PEER_HUNG_UP


def bye_step(facts: CallFacts) -> ProofStep:
    """The rung bye."""
    invite, end = facts.invite, end_of(facts)
    if invite is None or end is None:
        return skipped(Rung.BYE, "The call was not answered, so there was nothing to hang up.")
    details: dict[str, JsonValue] = {
        "talk_ms": invite.talk_ms,
        "ended_by": invite.ended_by.value if invite.ended_by else None,
        "status": invite.bye_status,
    }
    words = _words(end, invite)
    if end in (EndKind.CLEAN, EndKind.PEER_HUNG_UP):
        return passed(Rung.BYE, words, invite.bye_ms, details=details)
    return failed(Rung.BYE, words, invite.bye_ms, details=details)


def _words(end: EndKind, invite: InviteFacts) -> str:
    talked = duration_words(invite.talk_ms) if invite.talk_ms is not None else "some time"
    match end:
        case EndKind.CLEAN:
            took = f" in {duration_words(invite.bye_ms)}" if invite.bye_ms is not None else ""
            return f"Our BYE after {talked} was answered {invite.bye_status}{took}."
        case EndKind.PEER_HUNG_UP:
            return f"The peer hung up after {talked}, and its BYE was answered."
        case EndKind.EARLY_BYE:
            return f"The peer hung up {talked} after its own answer.{_why(invite)}"
        case EndKind.LOST_ACK:
            return (
                f"The peer hung up after {talked}: as long as it waits for an ACK (32 s)."
                f"{_why(invite)}"
            )
        case EndKind.SESSION_TIMER:
            return (
                f"The peer hung up after {talked}: as long as it waits for the session to be "
                f"refreshed.{_why(invite)}"
            )
        case EndKind.INTERRUPTED:
            return f"The process that placed the call was stopped after {talked}."
        case EndKind.BYE_UNANSWERED:
            return f"Our BYE after {talked} was not answered."
        case EndKind.BYE_REFUSED:
            return f"Our BYE after {talked} was refused with {invite.bye_status}."
        case EndKind.UNKNOWN:
            return "How the call ended was not seen."


def _why(invite: InviteFacts) -> str:
    reasons = invite.ended_said.reasons if invite.ended_said else ()
    return f" It said: {shown(reasons[0])}." if reasons else ""
