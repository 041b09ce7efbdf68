"""What a test call came to, in the contract's words (contract section 2 and 4.5)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from domain.call_reading import answering_status, is_answered, progress_of, ran_out_of_time
from domain.call_state import CallFailure, CallResult, CallStatus
from domain.call_timeline import TimelineText, TimelineWord, timeline_text
from domain.causes import clues_of
from domain.replies import shown
from sip.call_facts import CallFacts, InviteFacts, StopCause
from sip.dialog_state import FailureCause

__all__ = [
    "CallResult",
    "CallStatus",
    "CallVerdict",
    "TimelineText",
    "TimelineWord",
    "timeline_text",
    "verdict_of",
]

_BUSY = frozenset({486, 600})
_UNANSWERED = frozenset({408, 480, 487})
_NOBODY_THERE = frozenset({18, 19, 20})  # Q.850: no user responding, no answer, absent


class CallVerdict(BaseModel):
    """The end of a test call. ``duration_ms`` runs from the first INVITE to the end.

    An answered call is connected even when its media failed: the proof ladder says that.
    ``failure_reason`` is there when the call itself was ended from here before it could succeed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: CallStatus
    result: CallResult
    sip_code: int | None = Field(default=None, description="The final response to the INVITE.")
    sip_reason: str | None = None
    duration_ms: int | None = Field(default=None, description="None when no INVITE was sent.")
    failure_reason: CallFailure | None = None


def verdict_of(facts: CallFacts) -> CallVerdict:
    """Status and result of a call that is over."""
    invite = facts.invite
    final = invite.final if invite is not None else None
    status, result, reason = _outcome(facts)
    code = answering_status(facts)
    return CallVerdict(
        status=status,
        result=result,
        sip_code=code,
        sip_reason=shown(final.reason) or None if final is not None and code is not None else None,
        duration_ms=_duration(facts),
        failure_reason=reason,
    )


def _outcome(facts: CallFacts) -> tuple[CallStatus, CallResult, CallFailure | None]:
    if facts.stopped is StopCause.INTERRUPTED:
        return CallStatus.FAILED, CallResult.FAILED, CallFailure.INTERRUPTED
    if is_answered(facts):
        return CallStatus.COMPLETED, CallResult.CONNECTED, None
    invite = facts.invite
    if invite is not None and invite.final is not None and invite.final.status in _BUSY:
        return CallStatus.BUSY, CallResult.BUSY, None
    if facts.stopped is StopCause.HANG_UP:
        return CallStatus.FAILED, CallResult.FAILED, CallFailure.CANCELLED
    if invite is not None and _nobody_answered(facts, invite):
        return CallStatus.NO_ANSWER, CallResult.NO_ANSWER, None
    return CallStatus.FAILED, CallResult.FAILED, None


def _nobody_answered(facts: CallFacts, invite: InviteFacts) -> bool:
    """Whether it rang, or the peer says that it did, and nobody took the call."""
    if invite.failure is FailureCause.OFFER_REFUSED:
        return False
    if ran_out_of_time(facts):
        return progress_of(invite)
    if invite.final is None:
        return False
    if invite.final.status in _UNANSWERED and progress_of(invite):
        return True
    return invite.final.status == 480 and clues_of(invite.final.said).q850 in _NOBODY_THERE


def _duration(facts: CallFacts) -> int | None:
    invite = facts.invite
    if invite is None:
        return None
    times = (invite.ended_ms, invite.failed_ms, invite.answered_ms)
    end = next((each for each in times if each is not None), None)
    return round(end) if end is not None else None
