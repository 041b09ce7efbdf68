"""Values for the tests of discovery's rules, with sensible defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.attempts import (
    AttemptCause,
    AttemptOutcome,
    CandidateSource,
    CertificateFacts,
    TlsFacts,
)
from domain.replies import SipReply
from sip.transports import Transport

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def tls_facts(
    *, verifies: bool = True, problem: str | None = None, days_left: int = 80, names: str = ""
) -> TlsFacts:
    leaf = CertificateFacts(
        subject=f"CN={names or 'sip.example.com'}",
        issuer="CN=Test CA",
        names=(names or "sip.example.com",),
        not_before=NOW - timedelta(days=10),
        not_after=NOW + timedelta(days=days_left),
        fingerprint="00" * 32,
    )
    return TlsFacts(version="TLSv1.3", chain=(leaf,), verifies=verifies, problem=problem)


def failed(
    cause: AttemptCause,
    transport: Transport = Transport.UDP,
    port: int | None = None,
    detail: str | None = None,
) -> AttemptOutcome:
    return AttemptOutcome(
        address="203.0.113.10",
        port=port or transport.default_port,
        transport=transport,
        host="sip.example.com",
        cause=cause,
        detail=detail,
        ended_at=NOW,
    )


def answered(
    transport: Transport,
    status: int = 200,
    *,
    port: int | None = None,
    ms: float | None = 40.0,
    reply: SipReply | None = None,
    tls: TlsFacts | None = None,
    source: CandidateSource = CandidateSource.DEFAULT,
    priority: int | None = None,
    address: str = "203.0.113.10",
    replied_from: str | None = None,
) -> AttemptOutcome:
    if transport is not Transport.TLS:
        tls = None
    elif tls is None:
        tls = tls_facts()
    return AttemptOutcome(
        address=address,
        port=port or transport.default_port,
        transport=transport,
        host="sip.example.com",
        source=source,
        priority=priority,
        cause=AttemptCause.ANSWERED,
        reply=reply or SipReply(status=status, reason="OK" if status == 200 else "Other"),
        tls=tls,
        response_time_ms=ms,
        replied_from=replied_from,
        ended_at=NOW,
    )
