"""From what a probe found on the wire to an attempt as customers and rows know it."""

from __future__ import annotations

from domain.attempts import AttemptCause, AttemptOutcome, TlsFacts
from domain.discovery_plan import Candidate
from domain.replies import read_reply
from sip.net.probe_report import ProbeReport, ProbeTarget
from sip.transports import Transport

__all__ = ["attempt_of", "target_of"]


def target_of(candidate: Candidate) -> ProbeTarget:
    """What to probe for a candidate of the plan."""
    return ProbeTarget(
        address=candidate.address,
        port=candidate.port,
        transport=candidate.transport.value,
        host=candidate.host,
    )


def attempt_of(candidate: Candidate, report: ProbeReport) -> AttemptOutcome:
    """The attempt behind a report; every value in it is bounded, whatever the peer sent."""
    source = report.source
    return AttemptOutcome(
        address=candidate.address,
        port=candidate.port,
        transport=Transport(candidate.transport),
        host=candidate.host,
        source=candidate.source,
        priority=candidate.priority,
        cause=AttemptCause(report.outcome.value),
        reply=read_reply(report.response) if report.response is not None else None,
        tls=TlsFacts.model_validate(report.tls) if report.tls is not None else None,
        response_time_ms=report.response_time_ms,
        connect_ms=report.connect_ms,
        source_address=report.local_address,
        replied_from=None if source is None else f"{source[0]}:{source[1]}",
        detail=report.detail,
        ended_at=report.ended_at,
    )
