"""Why a call ended unanswered without a refusal: nobody, hung up, broken off, interrupted."""

from __future__ import annotations

from domain.call_reading import (
    called_target,
    duration_words,
    place_words,
    ran_out_of_time,
)
from domain.diagnosis_connection import target_row
from domain.diagnosis_media_refusal import unusable_answer
from domain.diagnosis_model import Blame, DiagnosisCode, FailOver, Row
from domain.transport_failures import failure_words
from sip.call_facts import CallFacts, StopCause, TargetOutcome
from sip.dialog_state import FailureCause

__all__ = ["INTERRUPTED", "broken_row", "unanswered_row"]

_Code = DiagnosisCode
_NA = FailOver.NOT_APPLICABLE

INTERRUPTED = Row(
    _Code.INTERRUPTED,
    "The process that placed the call was stopped before it was through; this says nothing about "
    "the trunk.",
    ("Run the test call again.",),
    _NA,
    Blame.SERVER_ERROR,
)


def unanswered_row(facts: CallFacts) -> Row:
    """It rang or might have rung, and came to nothing without a final refusal."""
    invite = facts.invite
    if facts.stopped is StopCause.HANG_UP:
        return Row(
            _Code.CANCELED,
            "The call was hung up on request before it was answered.",
            (),
            _NA,
            Blame.CLIENT_ERROR,
        )
    if ran_out_of_time(facts):
        waited = f" within {duration_words(facts.ring_limit_ms)}" if facts.ring_limit_ms else ""
        return Row(
            _Code.NO_ANSWER,
            f"It rang, and nobody answered{waited}.",
            (
                "Call a number that answers by itself, such as an announcement or an echo test.",
                "If nothing rang there, check where the peer sends the call.",
            ),
            FailOver.NO,
            Blame.CLIENT_ERROR,
        )
    match invite.failure if invite is not None else None:
        case FailureCause.PEER_ENDED:
            return Row(
                _Code.PEER_ENDED,
                "The peer ended the call before it was answered.",
                ("Look in its log why it hung up.",),
                FailOver.NO,
                Blame.PEER_CONFIG,
            )
        case FailureCause.OFFER_REFUSED:
            agreed = invite.agreed if invite is not None else None
            secure = invite.offer.secure if invite is not None else False
            return unusable_answer(agreed, secure)._replace(fail_over=FailOver.NO)
        case FailureCause.TRANSPORT:
            return broken_row(facts)
        case _:
            return Row(
                _Code.NO_FINAL_RESPONSE,
                "It rang, and the peer never said what came of the call.",
                ("Check the connection between the peer and what is behind it.",),
                FailOver.NO,
                Blame.CLIENT_ERROR,
            )


def broken_row(facts: CallFacts) -> Row:
    """The transport failed when the INVITE had been sent."""
    target = called_target(facts)
    if target is not None and target.outcome not in (
        TargetOutcome.CALLED,
        TargetOutcome.UNAVAILABLE,
    ):
        return target_row(facts, target)
    where = f" to {place_words(target)}" if target else ""
    invite = facts.invite
    reason = (
        f" ({failure_words(invite.failure_reason)})" if invite and invite.failure_reason else ""
    )
    return Row(
        _Code.CONNECTION_BROKEN,
        f"The connection{where} failed after the INVITE was sent{reason}; what became of the call "
        "there is not known.",
        (
            "Look in the peer's log: usually it restarted, or refuses what was sent.",
            "Check that a firewall between does not cut connections.",
        ),
        # Another INVITE could make a second telephone ring.
        FailOver.NO,
        Blame.NETWORK_PATH,
    )
