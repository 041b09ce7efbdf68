"""From what is remembered of a call's messages to the call.

A pure function of a set of sightings: what arrived late, twice or in another order changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.live_call import LiveCall, LiveCallState
from domain.live_call_hangup import Hangup, awaits_retry, hangup_of, was_cancelled
from domain.live_call_media import MediaSeen
from domain.live_call_record import CallRecord
from domain.live_call_scene import Scene
from domain.live_call_sighting import Parties, Sighting, moment_of

__all__ = ["ANSWER_NOT_SEEN", "CANCELLED_UNANSWERED", "Story", "story_of"]

NO_ANSWER_SEEN: Final = "No final answer was seen"
CANCELLED_UNANSWERED: Final = "Cancelled, and no final answer was seen"
ANSWER_NOT_SEEN: Final = "Hung up, and the answer before it was not seen"

_NOBODY: Final = Parties(None, None, None, (), ())


@dataclass(frozen=True, slots=True)
class Story:
    """A call, the CSeq number of its counting INVITE, and what is still to come: another INVITE of
    the caller, the answer to a CANCEL.
    """

    call: LiveCall
    number: int
    awaits_retry: bool
    cancelled: bool


def story_of(record: CallRecord) -> Story | None:
    """The call as its messages tell it; None while no INVITE that opens one was seen."""
    scene = Scene.of(record.sightings.values(), record.reinvites)
    if scene is None:
        return None
    waits, cancelled = awaits_retry(scene), was_cancelled(scene)
    closed = record.closed == scene.number
    answer, refusal = scene.answer, scene.refusal
    if refusal is None and closed:
        refusal = scene.last_refusal
    end = None if waits and not closed else hangup_of(scene, refusal)
    expired = closed and end is None
    final = answer or refusal
    ringing = next((each for each in scene.told if 180 <= each.status < 190), None)
    answered_at = answer.at if answer is not None else None
    ended_at = end.at if end is not None else (record.last_at if expired else None)
    offered, answered = _media(scene)
    parties = scene.first.parties or _NOBODY
    call = LiveCall(
        sip_call_id=record.sip_call_id,
        correlation_id=record.correlation.value if record.correlation is not None else None,
        state=_state(end is not None or expired, answer, ringing),
        expired=expired,
        from_user=parties.from_user,
        to_user=parties.to_user,
        request_user=parties.request_user,
        callers=parties.callers,
        callees=parties.callees,
        transport=scene.first.transport,
        source=scene.first.source,
        destination=_destination(scene),
        sip_code=final.status if final is not None else None,
        sip_reason=final.reason if final is not None else _reason(end, expired, cancelled),
        started_at=moment_of(scene.first.at),
        ringing_at=moment_of(ringing.at) if ringing is not None else None,
        answered_at=moment_of(answered_at) if answered_at is not None else None,
        ended_at=moment_of(ended_at) if ended_at is not None else None,
        pdd_ms=_span(scene.invite.at, ringing or final),
        duration_ms=_span(answered_at, end) if answered_at is not None else None,
        hung_up_by=end.side if end is not None else None,
        hangup_cause=end.cause if end is not None else None,
        q850=end.q850 if end is not None else None,
        messages=record.messages,
        retransmissions=record.retransmissions,
        attempts=scene.attempts,
        branches=_branches(scene),
        reinvites=len(record.reinvites),
        offered_codecs=offered.codecs if offered is not None else (),
        answered_codecs=answered.codecs if answered is not None else (),
        secure_media=answered.secure if answered is not None and answered.codecs else None,
        caller_agent=scene.first.agent,
        callee_agent=_callee_agent(scene),
    )
    return Story(call, scene.number, waits and not closed, cancelled)


def _state(ended: bool, answer: Sighting | None, ringing: Sighting | None) -> LiveCallState:
    if ended:
        return LiveCallState.ENDED
    if answer is not None:
        return LiveCallState.IN_PROGRESS
    return LiveCallState.RINGING if ringing is not None else LiveCallState.TRYING


def _reason(end: Hangup | None, expired: bool, cancelled: bool) -> str | None:
    """Why there is no final response, once there will be none."""
    if end is not None:
        return ANSWER_NOT_SEEN
    if not expired:
        return None
    return CANCELLED_UNANSWERED if cancelled else NO_ANSWER_SEEN


def _span(start: int, end: Sighting | Hangup | None) -> int | None:
    """Whole milliseconds; never less than none, since two hosts' clocks may differ."""
    return max(0, (end.at - start + 500) // 1000) if end is not None else None


def _destination(scene: Scene) -> tuple[str, int]:
    """Who answered, as far as the callee's own response was captured, or else who was asked last."""
    answers = [each for each in scene.responses if 200 <= each.status < 300]
    if answers and answers[0].source not in scene.relays:
        return answers[0].source
    return scene.last.destination


def _media(scene: Scene) -> tuple[MediaSeen | None, MediaSeen | None]:
    """Offer and answer (RFC 3264). Without an offer in the INVITE it is in the 2xx, the answer in ACK."""
    offered = scene.invite.media
    described = [each for each in (*scene.told, *scene.responses) if each.media is not None]
    described.sort(key=lambda each: each.status < 200)
    answered = described[0].media if described else None
    if offered is not None:
        return offered, answered
    acknowledged = (
        each.media
        for each in scene.of_method("ACK")
        if each.cseq == scene.number and each.from_tag == scene.caller_tag
    )
    return answered, next((each for each in acknowledged if each is not None), None)


def _branches(scene: Scene) -> int:
    """Ends that answered, by their tags; a tag that only a server in between uses is no end."""
    tags = {e.to_tag for e in scene.responses if e.status < 300 or e.source not in scene.relays}
    return len(tags - {""})


def _callee_agent(scene: Scene) -> str | None:
    """What the callee calls itself: the first to answer, or else the first to respond at all."""
    named = [each for each in scene.responses if each.agent is not None]
    named.sort(key=lambda each: not 200 <= each.status < 300)
    return named[0].agent if named else None
