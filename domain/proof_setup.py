"""The rungs of the proof ladder from the INVITE to its answer."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from domain.address_findings import findings_of
from domain.call_reading import (
    called_target,
    duration_words,
    is_answered,
    only_trying,
    place_words,
    principal_obstacle,
    progress_of,
    ran_out_of_time,
    stopped_at,
)
from domain.proof_connection import obstacle_words
from domain.proof_steps import ProofStep, Rung, failed, passed, skipped
from domain.replies import shown
from domain.transport_failures import failure_words
from sip.call_facts import (
    AddressPlace,
    CallFacts,
    ChallengeFacts,
    FinalFacts,
    InviteFacts,
    StopCause,
    TargetOutcome,
)
from sip.dialog_state import FailureCause

__all__ = ["setup_steps"]

MISSED_ACKS: Final = 2
"""Repetitions of a 2xx from which on the ACK is missed: one alone can be a lost packet, or a path
slower than T1 (RFC 3261 13.3.1.4)."""

_INVITED: Final = frozenset({TargetOutcome.CALLED, TargetOutcome.UNAVAILABLE})
_DIALOG_PLACES: Final = (AddressPlace.CONTACT, AddressPlace.RECORD_ROUTE, AddressPlace.VIA)
# Systems say 403 to wrong credentials too, and 487 only confirms a CANCEL.
_SILENT_ON_IT: Final = frozenset({403, 487})
_NOT_SENT = "No INVITE was sent."


def setup_steps(facts: CallFacts) -> tuple[ProofStep, ProofStep, ProofStep, ProofStep]:
    """The rungs authentication, invite, ringing and answer."""
    return _authentication(facts), _invite(facts), _ringing(facts), _answer(facts)


def _ack_is_missed(invite: InviteFacts) -> bool:
    """Whether the peer repeats its 2xx, so that our ACK does not seem to get there."""
    return invite.peer_retransmissions >= MISSED_ACKS


def _authentication(facts: CallFacts) -> ProofStep:
    invite = facts.invite
    if invite is None:
        return skipped(Rung.AUTHENTICATION, _NOT_SENT)
    asked = [each for each in invite.challenges if each.method == "INVITE"]
    last = asked[-1] if asked else None
    if stopped_at(facts) is Rung.AUTHENTICATION:
        return failed(
            Rung.AUTHENTICATION,
            _why_refused(last, invite.final),
            last.ms if last else None,
            details=_challenge(last),
        )
    if last is None:
        return skipped(Rung.AUTHENTICATION, "No credentials were asked for.")
    words = (
        f"{last.status} of realm {_quoted(last.realm)} was answered with "
        f"{shown(last.answered or 'credentials')}"
    )
    final = invite.final
    if progress_of(invite) or (final is not None and final.status not in _SILENT_ON_IT):
        return passed(
            Rung.AUTHENTICATION, f"{words} and accepted.", last.ms, details=_challenge(last)
        )
    return skipped(
        Rung.AUTHENTICATION,
        f"{words}; whether the peer accepted that cannot be seen.",
        details=_challenge(last),
    )


def _why_refused(challenge: ChallengeFacts | None, final: FinalFacts | None) -> str:
    if challenge is None:
        status = f"{final.status} {shown(final.reason)}".strip() if final else "a refusal"
        return f"The peer answered {status}, with no challenge that could be met."
    asked = f"The peer asked for credentials ({challenge.status}, realm {_quoted(challenge.realm)})"
    match challenge.why_not:
        case "no credentials":
            return f"{asked}, and the trunk has none."
        case "realm":
            return f"{asked}, which is not the realm that the trunk's credentials are for."
        case "algorithm":
            offered = ", ".join(shown(each) for each in challenge.algorithms) or "none"
            return f"{asked} with algorithms that are not used here: {offered}."
        case _:
            return f"{asked} and refused those that it was given."


def _challenge(challenge: ChallengeFacts | None) -> dict[str, JsonValue]:
    if challenge is None:
        return {}
    return {
        "status": challenge.status,
        "realm": shown(challenge.realm),
        "algorithms": [shown(each) for each in challenge.algorithms],
        "answered_with": challenge.answered,
        "stale": challenge.stale,
    }


def _quoted(text: str) -> str:
    return f'"{shown(text)}"'


def _invite(facts: CallFacts) -> ProofStep:
    invite, stop = facts.invite, stopped_at(facts)
    if invite is None:
        if stop is not Rung.INVITE:
            return skipped(Rung.INVITE, _NOT_SENT)
        obstacle = principal_obstacle(facts)
        return failed(
            Rung.INVITE,
            f"{_NOT_SENT} {obstacle_words(obstacle) if obstacle else _stopped_words(facts)}",
        )
    details: dict[str, JsonValue] = {
        "request_uri": shown(invite.request_uri),
        "from": shown(invite.from_uri),
        "bytes": invite.offer.size,
        "attempts": invite.attempts,
        "retransmissions": invite.retransmissions,
        "min_se": invite.min_se,
    }
    first = _first_reply(invite)
    target = called_target(facts)
    where = f" at {place_words(target)}" if target else ""
    if stop is Rung.INVITE:
        return failed(Rung.INVITE, _why_not_taken(facts, invite, where), first, details=details)
    if stop is Rung.AUTHENTICATION:
        return skipped(Rung.INVITE, "The peer did not get beyond its challenge.", details=details)
    if first is None:
        return skipped(
            Rung.INVITE, "It was sent; no reply had come when the call ended.", details=details
        )
    repeated = f" It was sent {invite.retransmissions + 1} times." if invite.retransmissions else ""
    return passed(
        Rung.INVITE,
        f"The INVITE was taken{where}; the first reply came after {duration_words(first)}."
        f"{repeated}",
        first,
        details=details,
    )


def _first_reply(invite: InviteFacts) -> float | None:
    times = [each.ms for each in invite.challenges]
    times += [each.ms for each in invite.provisionals]
    if invite.final is not None:
        times.append(invite.final.ms)
    return min(times, default=invite.answered_ms)


def _why_not_taken(facts: CallFacts, invite: InviteFacts, where: str) -> str:
    final = invite.final
    if final is not None:
        status = f"{final.status} {shown(final.reason)}".strip()
        return f"The INVITE was answered {status}{where}."
    if invite.failure is FailureCause.TRANSPORT:
        target = called_target(facts)
        if target is not None and target.outcome not in _INVITED:
            return obstacle_words(target)
        reason = f": {failure_words(invite.failure_reason)}" if invite.failure_reason else ""
        return f"The connection failed after the INVITE was sent{where}{reason}."
    times = invite.retransmissions + 1
    sent = f", although it was sent {times} times" if times > 1 else ""
    return f"No reply to the INVITE came{where.replace(' at ', ' from ', 1)}{sent}."


def _stopped_words(facts: CallFacts) -> str:
    match facts.stopped:
        case StopCause.HANG_UP:
            return "The call was hung up before."
        case StopCause.INTERRUPTED:
            return "The process that placed the call was stopped before."
        case StopCause.LIMIT:
            return "The time for the call was over before."
        case _:
            return "No target could be called."


def _ringing(facts: CallFacts) -> ProofStep:
    invite, stop = facts.invite, stopped_at(facts)
    if invite is None:
        return skipped(Rung.RINGING, _NOT_SENT)
    if stop is Rung.RINGING:
        last = invite.provisionals[-1]
        waited = f" within {duration_words(facts.ring_limit_ms)}" if facts.ring_limit_ms else ""
        return failed(
            Rung.RINGING,
            f"{last.status} {shown(last.reason)} came after {duration_words(last.ms)}, and nothing "
            f"behind it{waited}.",
        )
    rings = [each for each in invite.provisionals if each.status > 100]
    first = next((each for each in rings if each.status == 180), rings[0] if rings else None)
    if first is None:
        words = "was answered without ringing" if is_answered(facts) else "did not ring"
        return skipped(Rung.RINGING, f"The call {words}.")
    notes = [" Early media came with it."] if first.early_media else []
    if first.reliable:
        notes.append(" It was acknowledged by PRACK.")
    return passed(
        Rung.RINGING,
        f"{first.status} {shown(first.reason)} after {duration_words(first.ms)}.{''.join(notes)}",
        first.ms,
        {
            "status": first.status,
            "reliable": first.reliable,
            "early_media": any(each.early_media for each in rings),
        },
    )


def _answer(facts: CallFacts) -> ProofStep:
    invite, stop = facts.invite, stopped_at(facts)
    if invite is None:
        return skipped(Rung.ANSWER, _NOT_SENT)
    if stop is Rung.ANSWER:
        return failed(Rung.ANSWER, _why_not_answered(facts, invite), invite.failed_ms)
    if stop is not None:
        return skipped(Rung.ANSWER, "The call did not get that far.")
    final = invite.final
    status = f"{final.status} {shown(final.reason)}".strip() if final else "A 2xx"
    took = duration_words(invite.answered_ms or 0)
    details: dict[str, JsonValue] = {
        "acked_ms": invite.acked_ms,
        "repetitions": invite.peer_retransmissions,
        "forks_ended": invite.forks_ended or None,
    }
    if _ack_is_missed(invite):
        return failed(
            Rung.ANSWER,
            f"{status} after {took}, but the peer repeated it {invite.peer_retransmissions} times: "
            "our ACK does not reach it.",
            invite.answered_ms,
            details=details,
        )
    if invite.acked_ms is None:
        return failed(
            Rung.ANSWER,
            f"{status} after {took}, but no ACK could be sent to it.",
            invite.answered_ms,
            details=details,
        )
    further = invite.forks_ended
    forks = f" Other telephones answered too ({further}), and were hung up." if further else ""
    found = "".join(f" {each}" for each in findings_of(facts, _DIALOG_PLACES))
    return passed(
        Rung.ANSWER,
        f"{status} after {took}, and acknowledged.{forks}{found}",
        invite.answered_ms,
        details=details,
    )


def _why_not_answered(facts: CallFacts, invite: InviteFacts) -> str:
    final = invite.final
    if facts.stopped is StopCause.INTERRUPTED:
        return "The process that placed the call was stopped before the answer."
    if facts.stopped is StopCause.HANG_UP:
        return "The call was hung up before it was answered."
    if ran_out_of_time(facts):
        waited = f" within {duration_words(facts.ring_limit_ms)}" if facts.ring_limit_ms else ""
        return f"Nobody answered{waited}; the call was cancelled."
    if invite.failure is FailureCause.PEER_ENDED:
        return "The peer ended the call before it was answered."
    if invite.failure is FailureCause.OFFER_REFUSED:
        return "The peer's SDP could not be used, so the call was cancelled."
    if invite.failure is FailureCause.TRANSPORT:
        return "The connection failed while it was ringing."
    if final is not None and final.status >= 300:
        return f"The call was answered {final.status} {shown(final.reason)}".rstrip() + "."
    if only_trying(invite) or final is None:
        return "No final answer came."
    return "The answer came when it was not wanted any more, and was ended at once."
