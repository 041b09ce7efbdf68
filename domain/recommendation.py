"""Which of the settings that answered to use, and why.

The recommendation is the best attempt under a total order of what was observed, so it does not
depend on the order in which attempts end, and another attempt can only improve it: it may be shown
while a discovery still runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from domain.attempts import AttemptOutcome, TlsFacts
from domain.codecs import CodecEvidence
from domain.fingerprint import Fingerprint, identify, observation_of
from domain.recommendation_words import reason_for, warnings_for
from domain.replies import ReplyGrade
from sip.transports import Transport

__all__ = ["Rank", "Recommendation", "rank_of", "recommend"]

Rank = tuple[int, int, int, int, int, float, float, str]
"""Order of answered attempts; the smaller is the better."""

# Calls can be expected; something else must be mended first; calls are refused now.
_EXPECTATION = {
    ReplyGrade.ACCEPTED: 0,
    ReplyGrade.CHALLENGED: 0,
    ReplyGrade.REACHABLE: 1,
    ReplyGrade.DEGRADED: 2,
    ReplyGrade.UNAVAILABLE: 3,
}
_GRADES = tuple(ReplyGrade)


class Recommendation(BaseModel):
    """Settings to use, with what they rest on. ``warnings`` and ``reason`` are full sentences."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = Field(description="The destination as entered; configure this name.")
    address: str
    port: int = Field(ge=1, le=65535)
    transport: Transport
    announced: bool = Field(description="The domain's SRV records name it.")
    detected_system: str
    user_agent: str | None = Field(default=None, description="Server, or User-Agent without one.")
    codecs: tuple[str, ...] = ()
    codecs_evidence: CodecEvidence = CodecEvidence.UNKNOWN
    methods: tuple[str, ...] = ()
    response_code: int
    response_time_ms: float | None = None
    usable: bool = Field(description="False when the answer says that no call is taken now.")
    fingerprint: Fingerprint
    tls: TlsFacts | None = None
    reason: str
    warnings: tuple[str, ...] = ()


def rank_of(attempt: AttemptOutcome) -> Rank | None:
    """Place of an answered attempt in the order of preference; None when it was not answered.

    In turn: whether calls can be expected, secrecy of the transport (verified TLS, TLS, TCP, UDP),
    the answer itself (2xx, then 401 or 407, then other answers, then 5xx), announced before assumed,
    the SRV priority, the response time. What is left decides equal ones by spelling, so that the
    order is total.
    """
    grade = attempt.grade
    if grade is None:
        return None
    time = attempt.response_time_ms
    return (
        _EXPECTATION[grade],
        _secrecy(attempt),
        _GRADES.index(grade),
        0 if attempt.source.announced else 1,
        attempt.priority if attempt.source.announced and attempt.priority is not None else 65536,
        time if time is not None else math.inf,
        attempt.connect_ms if attempt.connect_ms is not None else math.inf,
        attempt.model_dump_json(),
    )


def _secrecy(attempt: AttemptOutcome) -> int:
    if attempt.transport is Transport.TLS:
        return 0 if attempt.tls is not None and attempt.tls.verifies else 1
    return 2 if attempt.transport is Transport.TCP else 3


def recommend(
    attempts: Iterable[AttemptOutcome], *, fingerprint: Fingerprint | None = None
) -> Recommendation | None:
    """The settings to use, or None when nothing answered.

    Without ``fingerprint`` the system is identified from the attempts. Methods and codecs that the
    chosen attempt did not name are taken from the next best one that did: they are the same
    destination's.
    """
    everything = list(attempts)
    placed = [(rank, each) for each in everything if (rank := rank_of(each)) is not None]
    placed.sort(key=lambda pair: pair[0])
    ranked = [attempt for _, attempt in placed]
    if not ranked:
        return None
    best = ranked[0]
    replies = [attempt.reply for attempt in ranked if attempt.reply is not None]
    codecs = next((reply.codecs for reply in replies if reply.codecs), ())
    system = fingerprint or _fingerprint(ranked)
    return Recommendation(
        host=best.host,
        address=best.address,
        port=best.port,
        transport=best.transport,
        announced=best.source.announced,
        detected_system=system.system,
        user_agent=replies[0].banner,
        codecs=codecs,
        codecs_evidence=CodecEvidence.ADVERTISED if codecs else CodecEvidence.UNKNOWN,
        methods=next((reply.allow for reply in replies if reply.allow), ()),
        response_code=replies[0].status,
        response_time_ms=best.response_time_ms,
        usable=replies[0].grade.usable,
        fingerprint=system,
        tls=best.tls,
        reason=reason_for(best, ranked),
        warnings=warnings_for(best, everything),
    )


def _fingerprint(ranked: list[AttemptOutcome]) -> Fingerprint:
    """Of the chosen attempt; of the next best one that tells more when that one hides itself."""
    first = identify(observation_of(ranked[0]))
    if first.known:
        return first
    others = (identify(observation_of(attempt)) for attempt in ranked[1:])
    return next((found for found in others if found.known), first)
