"""Facts of test calls: one that works, and what can be wrong with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.call_settings import CallSettings
from sip.call_facts import (
    AgreedMedia,
    CallFacts,
    ChallengeFacts,
    DnsFacts,
    FinalFacts,
    InviteFacts,
    OfferFacts,
    ProvisionalFacts,
    StopCause,
    TargetFacts,
    TargetOutcome,
)
from sip.dialog_state import EndedBy, FailureCause, Said
from sip.media_verdict import Heard, MediaFlow, MediaVerdict, SrtpOutcome
from sip.tls_facts import CertificateFacts, TlsFacts

__all__ = [
    "AGREED",
    "MEDIA",
    "NOTHING_IN",
    "NOTHING_OUT",
    "STARTED",
    "SUITE",
    "answered",
    "challenge",
    "dead",
    "refused",
    "settings",
    "target",
    "tls",
    "unanswered",
]

STARTED = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
PEER = ("198.51.100.7", 20_000)

DNS = DnsFacts(
    name="sip.example.com",
    literal=False,
    ms=12.0,
    targets=1,
    lookups=("A sip.example.com: 1 record",),
)
OFFER = OfferFacts(
    codecs=("PCMU", "PCMA"), secure=False, address="192.0.2.1", port=10_000, size=900
)
AGREED = AgreedMedia(
    codec="PCMU",
    codecs=("PCMU", "PCMA"),
    packet_time_ms=20.0,
    direction="sendrecv",
    suite=None,
    dtmf_payload_type=101,
    address=PEER[0],
    port=PEER[1],
    rtcp_mux=False,
)
MEDIA = MediaVerdict(
    codec="PCMU",
    encodable=True,
    may_send=True,
    flow=MediaFlow.BOTH_WAYS,
    heard=Heard.AUDIO,
    srtp=SrtpOutcome.NOT_USED,
    packets_out=150,
    packets_in=150,
    frames_skipped=0,
    packets_expected=150,
    packets_lost=0,
    loss_percent=0.0,
    packets_duplicate=0,
    packets_reordered=0,
    packets_reflected=0,
    packets_rejected=0,
    stun_packets=0,
    jitter_ms=1.5,
    first_packet_delay_ms=8.0,
    expected_source=PEER,
    source=PEER,
    other_sources=(),
    sent_to=PEER,
    ssrc_changes=0,
    stream_restarts=0,
    unexpected_payload_types=(),
    comfort_noise_packets=0,
    level_dbov=-20.0,
    loud_ms=980.0,
    tone_ms=0.0,
    dtmf_sent="1",
    dtmf_received="",
    dtmf_inband="",
    srtp_authenticated=0,
    srtp_failed=0,
    srtp_replayed=0,
    rtcp_out=2,
    rtcp_in=1,
    rtcp_rejected=0,
    rtcp_bye_received=False,
    remote_loss_percent=0.0,
    remote_packets_lost=0,
    remote_jitter_ms=1.0,
    round_trip_ms=20.0,
)
INVITE = InviteFacts(
    request_uri="sip:+14155550100@sip.example.com",
    from_uri="sip:+14155550199@192.0.2.1",
    sip_call_id="call-1",
    started_at=STARTED,
    offer=OFFER,
)
RINGING = (
    ProvisionalFacts(status=100, reason="Trying", ms=20.0),
    ProvisionalFacts(status=180, reason="Ringing", ms=120.0),
)

SUITE = "AES_CM_128_HMAC_SHA1_80"
NOTHING_IN: dict[str, Any] = {
    "heard": Heard.NOTHING,
    "packets_in": 0,
    "flow": MediaFlow.OUT_ONLY,
    "source": None,
    "jitter_ms": None,
    "first_packet_delay_ms": None,
    "loud_ms": 0.0,
}
NOTHING_OUT: dict[str, Any] = {"packets_out": 0, "dtmf_sent": None, "flow": MediaFlow.IN_ONLY}


def target(
    transport: str = "udp", outcome: TargetOutcome = TargetOutcome.CALLED, **changes: Any
) -> TargetFacts:
    made = TargetFacts(
        address="198.51.100.7",
        port=5061 if transport == "tls" else 5060,
        transport=transport,
        host="sip.example.com",
        outcome=outcome,
    )
    return replace(made, **changes)


def tls(*, verifies: bool = True, days_left: int = 80, problem: str | None = None) -> TlsFacts:
    leaf = CertificateFacts(
        subject="CN=sip.example.com",
        issuer="CN=Test CA",
        names=("DNS:sip.example.com",),
        not_before=STARTED - timedelta(days=10),
        not_after=STARTED + timedelta(days=days_left),
        fingerprint="00" * 32,
    )
    return TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", (leaf,), verifies, problem)


def challenge(why_not: str | None = None, **changes: Any) -> ChallengeFacts:
    made = ChallengeFacts(
        status=407,
        method="INVITE",
        realm="carrier.example",
        algorithms=("SHA-256", "MD5"),
        stale=False,
        ms=25.0,
        answered=None if why_not else "SHA-256",
        why_not=why_not,
    )
    return replace(made, **changes)


def answered(
    *,
    invite: dict[str, Any] | None = None,
    agreed: dict[str, Any] | None = None,
    media: dict[str, Any] | None = None,
    **changes: Any,
) -> CallFacts:
    """A call that worked; the dictionaries change fields of its parts."""
    made = replace(
        INVITE,
        provisionals=RINGING,
        final=FinalFacts(status=200, reason="OK", ms=400.0, said=Said(server="Asterisk PBX 20")),
        answered_ms=400.0,
        acked_ms=401.0,
        agreed=replace(AGREED, **(agreed or {})),
        ended_by=EndedBy.US,
        ended_ms=3450.0,
        ended_said=Said(),
        talk_ms=3000.0,
        bye_status=200,
        bye_ms=30.0,
    )
    facts = CallFacts(
        dns=DNS,
        targets=(target(),),
        invite=replace(made, **(invite or {})),
        media=replace(MEDIA, **(media or {})),
        stopped=StopCause.FINISHED,
        ring_limit_ms=60_000.0,
    )
    return replace(facts, **changes)


def unanswered(
    cause: FailureCause, *, facts: dict[str, Any] | None = None, **changes: Any
) -> CallFacts:
    """A call that failed for ``cause``; ``changes`` are of its INVITE."""
    made = replace(INVITE, **{"failure": cause, "failed_ms": 900.0, **changes})
    whole = CallFacts(dns=DNS, targets=(target(),), invite=made, ring_limit_ms=60_000.0)
    return replace(whole, **(facts or {}))


def refused(
    status: int, reason: str = "", said: Said | None = None, *, rang: bool = False, **changes: Any
) -> CallFacts:
    """A call that a final response refused."""
    cause = FailureCause.REFUSED
    if status in (401, 407):
        cause = FailureCause.UNAUTHORIZED
    elif status < 400:
        cause = FailureCause.REDIRECTED
    final = FinalFacts(status=status, reason=reason, ms=80.0, said=said or Said())
    provisionals = RINGING if rang else RINGING[:1]
    return unanswered(cause, **{"final": final, "provisionals": provisionals, **changes})


def dead(*targets: TargetFacts, **changes: Any) -> CallFacts:
    """A call of which no INVITE was sent."""
    return replace(CallFacts(dns=DNS, targets=targets), **changes)


def settings(**changes: Any) -> CallSettings:
    made = CallSettings(
        host="sip.example.com",
        callee="+14155550100",
        caller_number="+14155550199",
        username="acme",
    )
    return made.model_copy(update=changes)
