"""Why a test call did not work, who said so, and what to change.

The first rung of the proof ladder that failed decides what the diagnosis is about; a call without
one works. Each line of causes stands in a table beside its layer: `diagnosis_rows` for responses,
`diagnosis_connection` and `diagnosis_answered` for what has no response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.address_findings import findings_of
from domain.call_reading import (
    answering_status,
    called_target,
    is_answered,
    place_words,
    principal_obstacle,
    progress_of,
)
from domain.causes import Clues, clues_of
from domain.diagnosis_answered import (
    ack_row,
    bye_row,
    dtmf_row,
    rtp_in_row,
    rtp_out_row,
    sdp_row,
    srtp_row,
)
from domain.diagnosis_connection import (
    dns_row,
    no_reply_row,
    only_trying_row,
    target_row,
    unsent_row,
)
from domain.diagnosis_model import (
    Blame,
    Circumstances,
    Diagnosis,
    DiagnosisCode,
    FailOver,
    Refusal,
    Row,
)
from domain.diagnosis_refusals import refined
from domain.diagnosis_rows import row_of
from domain.diagnosis_unanswered import INTERRUPTED, broken_row, unanswered_row
from domain.proof import first_failure, proof_of
from domain.proof_steps import Rung
from domain.q850 import Q850
from domain.replies import shown
from sip.call_facts import CallFacts, FinalFacts, StopCause, TargetOutcome
from sip.dialog_state import FailureCause, Said

__all__ = [
    "Blame",
    "Circumstances",
    "Diagnosis",
    "DiagnosisCode",
    "FailOver",
    "diagnose",
    "diagnose_response",
]


def diagnose(facts: CallFacts) -> Diagnosis | None:
    """What is wrong with a call, None when nothing is. Never raises for what a call can bring."""
    findings = findings_of(facts)
    if facts.stopped is StopCause.INTERRUPTED:
        return _diagnosis(INTERRUPTED, _OURSELVES, findings=findings)
    rung = first_failure(proof_of(facts))
    if rung is None:
        return None
    final = _refusal_of(facts)
    if final is not None:
        found = diagnose_response(
            final.status, final.said, "INVITE", around=_circumstances(facts, final)
        )
        return found.model_copy(update={"findings": findings})
    invite = facts.invite
    said = Said()
    if invite is not None and rung is Rung.BYE:
        said = invite.ended_said or said
    elif invite is not None and invite.final is not None:
        said = invite.final.said
    row = _after_ringing(_ROWS[rung](facts), rang=invite is not None and progress_of(invite))
    return _diagnosis(
        row,
        _who(facts, rung, row, said),
        clues=clues_of(said),
        sip_code=answering_status(facts),
        findings=findings,
    )


def diagnose_response(
    status: int, said: Said, method: str = "INVITE", *, around: Circumstances | None = None
) -> Diagnosis:
    """What a response that refuses a request means, by itself or in the call it is of.

    ``status`` is a final status from 300 on; any other number counts as an unknown refusal. A
    refusal of OPTIONS is a sign of life. Never raises.
    """
    around = around or Circumstances()
    clues = clues_of(said, around.reason_phrase)
    row = refined(row_of(status), Refusal(status, said, clues, method, around))
    row = _after_ringing(row, rang=around.rang)
    words = f"{status} {shown(around.reason_phrase)}".strip()
    what = row.what.replace("{method}", shown(method)).replace("{status}", words)
    change = list(row.change)
    cause = Q850.get(clues.q850) if clues.q850 is not None else None
    if cause is not None and cause.hint is not None:
        what += f" It gives the cause: {cause.text} (Q.850 {clues.q850})."
        if row.code in _TOLD_BY_Q850:
            change.insert(0, cause.hint)
    if clues.retry_after:
        what += f" It asks to be left alone for {clues.retry_after} seconds (Retry-After)."
        change.insert(0, f"Try again after {clues.retry_after} seconds.")
    return _diagnosis(
        row._replace(what=what, change=tuple(change)),
        _speaker(around.place, said, clues),
        clues=clues,
        sip_code=status,
    )


# Refusals that leave open what is wrong, so that the cause of Q.850 tells more.
_TOLD_BY_Q850: Final = frozenset(
    {
        DiagnosisCode.FORBIDDEN,
        DiagnosisCode.REQUEST_TIMEOUT,
        DiagnosisCode.UNAVAILABLE,
        DiagnosisCode.BUSY,
        DiagnosisCode.MEDIA_NOT_ACCEPTABLE,
        DiagnosisCode.REFUSED,
        DiagnosisCode.PEER_ERROR,
        DiagnosisCode.UPSTREAM_TROUBLE,
        DiagnosisCode.SERVICE_UNAVAILABLE,
    }
)
_OURSELVES: Final = "Trunkline itself."
_UNSAID: Final = frozenset(
    {
        DiagnosisCode.NO_REPLY,
        DiagnosisCode.BYE_UNANSWERED,
        DiagnosisCode.CONNECT_TIMEOUT,
        DiagnosisCode.UNREACHABLE,
        DiagnosisCode.TLS_SILENT,
    }
)
_BELOW_SIP: Final = frozenset({TargetOutcome.REFUSED, TargetOutcome.RESET, TargetOutcome.CLOSED})
_NOBODY: Final = "Nobody: nothing came back."


def _diagnosis(
    row: Row,
    who: str,
    *,
    clues: Clues | None = None,
    sip_code: int | None = None,
    findings: tuple[str, ...] = (),
) -> Diagnosis:
    clues = clues or Clues()
    return Diagnosis(
        code=row.code,
        what=row.what,
        who=who,
        change=row.change,
        checklist=row.checklist,
        fail_over=row.fail_over,
        blame=row.blame,
        sip_code=sip_code,
        q850=clues.q850,
        q850_text=clues.q850_text,
        warnings=clues.warnings,
        reasons=(*clues.reasons, *clues.vendor),
        retry_after=clues.retry_after,
        findings=findings,
    )


def _after_ringing(row: Row, *, rang: bool) -> Row:
    """Once it may have rung, another route would make it ring twice."""
    elsewhere = (FailOver.YES, FailOver.OPT_IN, FailOver.PROVIDER, FailOver.RETRY_TCP)
    return row._replace(fail_over=FailOver.NO) if rang and row.fail_over in elsewhere else row


def _refusal_of(facts: CallFacts) -> FinalFacts | None:
    """The final response that refused the call, unless it only confirms our own CANCEL."""
    invite = facts.invite
    final = invite.final if invite is not None else None
    if invite is None or final is None or final.status < 300:
        return None
    ended_here = invite.failure in (
        FailureCause.CANCELLED,
        FailureCause.NO_ANSWER,
        FailureCause.OFFER_REFUSED,
    )
    return None if ended_here else final


def _circumstances(facts: CallFacts, final: FinalFacts) -> Circumstances:
    invite, target = facts.invite, called_target(facts)
    if invite is None:
        return Circumstances(reason_phrase=final.reason)
    return Circumstances(
        reason_phrase=final.reason,
        place=place_words(target) if target else None,
        transport=target.transport if target else None,
        request_uri=invite.request_uri,
        from_uri=invite.from_uri,
        codecs=invite.offer.codecs,
        secure=invite.offer.secure,
        invite_size=invite.offer.size,
        challenges=tuple(each for each in invite.challenges if each.method == "INVITE"),
        rang=progress_of(invite),
    )


def _obstacle_row(facts: CallFacts) -> Row:
    target = principal_obstacle(facts)
    return target_row(facts, target) if target is not None else unsent_row(facts)


def _challenged_row(facts: CallFacts) -> Row:
    """Credentials were asked for, and the response that did is not among the facts."""
    challenges = facts.invite.challenges if facts.invite is not None else ()
    status = challenges[-1].status if challenges else 401
    around = Circumstances(challenges=challenges)
    refusal = Refusal(status, Said(), Clues(), "INVITE", around)
    row = refined(row_of(status), refusal)
    return row._replace(what=row.what.replace("{status}", str(status)))


def _invite_row(facts: CallFacts) -> Row:
    invite = facts.invite
    if invite is None:
        return unsent_row(facts)
    if invite.failure is FailureCause.TRANSPORT:
        return broken_row(facts)
    return no_reply_row(facts, called_target(facts))


def _answer_row(facts: CallFacts) -> Row:
    return ack_row(facts) if is_answered(facts) else unanswered_row(facts)


_ROWS: Final[dict[Rung, Callable[[CallFacts], Row]]] = {
    Rung.DNS: dns_row,
    Rung.TCP: _obstacle_row,
    Rung.TLS: _obstacle_row,
    Rung.AUTHENTICATION: _challenged_row,
    Rung.INVITE: _invite_row,
    Rung.RINGING: only_trying_row,
    Rung.ANSWER: _answer_row,
    Rung.SDP: sdp_row,
    Rung.SRTP: srtp_row,
    Rung.RTP_OUT: rtp_out_row,
    Rung.RTP_IN: rtp_in_row,
    Rung.DTMF: dtmf_row,
    Rung.BYE: bye_row,
}


def _who(facts: CallFacts, rung: Rung, row: Row, said: Said) -> str:
    if rung is Rung.DNS:
        return "The DNS, asked from here."
    if row.blame is Blame.SERVER_ERROR:
        return _OURSELVES
    if row.code is DiagnosisCode.CANCELED:
        return "Whoever hung up."
    if row.code in _UNSAID:
        return _NOBODY
    target = called_target(facts) or principal_obstacle(facts)
    if target is not None and target.outcome in _BELOW_SIP:
        return f"The host at {place_words(target)}."
    return _speaker(place_words(target) if target else None, said, clues_of(said))


def _speaker(place: str | None, said: Said, clues: Clues) -> str:
    """Who sent a message: where from, what it calls itself, and who wrote its Warning."""
    words = f"The peer at {place}" if place else "The peer"
    if said.server:
        words += f', which calls itself "{shown(said.server)}"'
    if clues.agent:
        words += f'; its Warning was written by "{clues.agent}"'
    return f"{words}."
