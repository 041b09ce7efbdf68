"""Everything that one test call found out, as values: what a verdict and a diagnosis are made of.

Filled in by the calling user agent, judged elsewhere. Times named ``*_ms`` are milliseconds since
the first INVITE went out unless the name says otherwise; None means that it did not happen. Text of
the peer is as on the wire, bounded in length by the message limits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sip.dialog_state import EndedBy, FailureCause, Said
from sip.media_agreement import ProblemKind
from sip.media_verdict import MediaVerdict
from sip.tls_facts import TlsFacts

__all__ = [
    "AddressFinding",
    "AddressPlace",
    "AgreedMedia",
    "CallFacts",
    "ChallengeFacts",
    "DnsFacts",
    "FinalFacts",
    "InviteFacts",
    "OfferFacts",
    "ProvisionalFacts",
    "StopCause",
    "TargetFacts",
    "TargetOutcome",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFacts:
    """How the destination became addresses (RFC 3263).

    ``literal`` when it was an address already. ``lookups`` are one line for each question, such as
    ``SRV _sip._udp.example.com: 2 records``. ``ms`` is the time the whole took.
    """

    name: str
    literal: bool
    ms: float
    targets: int
    lookups: tuple[str, ...] = ()
    failure: str | None = None


class TargetOutcome(StrEnum):
    """What became of one resolved target."""

    CALLED = "called"  # it got the INVITE and the call went on or ended with it
    UNAVAILABLE = "unavailable"  # it answered 503 and the next target was called
    SILENT = "silent"  # UDP: an OPTIONS before the call was not answered, another target's was
    NOT_ALLOWED = "not_allowed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    RESET = "reset"
    CLOSED = "closed"
    TLS_OLD_VERSION = "tls_old_version"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_NAME_MISMATCH = "tls_name_mismatch"
    TLS_CLIENT_CERTIFICATE = "tls_client_certificate"
    TLS_FAILED = "tls_failed"
    TLS_SILENT = "tls_silent"
    NOT_TLS = "not_tls"
    LOCAL_LIMIT = "local_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """One target that was tried, in the order of RFC 3263.

    ``transport`` is ``udp``, ``tcp`` or ``tls``. ``tcp_ms`` and ``tls_ms`` are the time of the
    connection and, behind it, of the handshake. ``detail`` is the technical reason of a failure:
    the name of a TLS alert, why a certificate does not verify, the words of the address guard.
    """

    address: str
    port: int
    transport: str
    host: str
    outcome: TargetOutcome
    tcp_ms: float | None = None
    tls_ms: float | None = None
    tls: TlsFacts | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeFacts:
    """A 401 or 407. ``answered`` names the algorithm of our credentials, None when we had none to
    give; then ``why_not`` says why: ``no credentials``, ``realm``, ``algorithm``, ``refused again``.
    """

    status: int
    method: str
    realm: str
    algorithms: tuple[str, ...]
    stale: bool
    ms: float
    answered: str | None = None
    why_not: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionalFacts:
    """A 1xx; ``reliable`` when it was acknowledged by PRACK, ``early_media`` when it brought SDP."""

    status: int
    reason: str
    ms: float
    reliable: bool = False
    early_media: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalFacts:
    """The final response to the last INVITE, and what it says of its cause."""

    status: int
    reason: str
    ms: float
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFacts:
    """What we offered. ``size`` is the length of the INVITE in octets."""

    codecs: tuple[str, ...]
    secure: bool
    address: str
    port: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedMedia:
    """What offer and answer agreed on; ``problems`` are sentences, ``fatal`` when no call results.

    ``problem_kinds`` are what the problems are, for decisions.
    ``codec`` is None when there is none in common. ``suite`` is the SRTP suite, None for plain RTP.
    ``codecs`` are all that the peer accepted, ``address`` and ``port`` where its SDP wants RTP.
    """

    codec: str | None
    codecs: tuple[str, ...]
    packet_time_ms: float
    direction: str
    suite: str | None
    dtmf_payload_type: int | None
    address: str | None
    port: int | None
    rtcp_mux: bool
    problems: tuple[str, ...] = ()
    problem_kinds: tuple[ProblemKind, ...] = ()
    fatal: bool = False


class AddressPlace(StrEnum):
    """Where in the peer's messages an address stands."""

    SDP = "sdp"
    CONTACT = "contact"
    VIA = "via"
    RECORD_ROUTE = "record_route"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFinding:
    """An address in the peer's messages that cannot work from here: ``problem`` says why.

    ``blocked`` when the address guard kept us from sending there.
    """

    place: AddressPlace
    address: str
    problem: str
    blocked: bool = False


class StopCause(StrEnum):
    """What ended the call on our side, when we did."""

    FINISHED = "finished"  # tone, digit and silence are through
    HANG_UP = "hang_up"  # somebody asked for it
    LIMIT = "limit"  # the longest life of a call
    INTERRUPTED = "interrupted"  # the worker is shutting down
    MEDIA_REFUSED = "media_refused"  # no usable SDP


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteFacts:
    """The INVITE and what came of it, on the target that was called last.

    ``failure`` is None for a call that was answered. ``retransmissions`` counts ours of INVITE,
    ``peer_retransmissions`` the peer's of its 2xx. ``acked_ms`` is the first ACK to the 2xx.
    ``talk_ms`` runs from the answer to the BYE. ``ended_by`` and ``bye_status`` say how an answered
    call ended; ``bye_status`` is what answered our BYE, None when nothing did or the BYE was the
    peer's; ``bye_ms`` is how long that answer took.
    """

    request_uri: str
    from_uri: str
    sip_call_id: str
    started_at: datetime
    offer: OfferFacts
    attempts: int = 1
    retransmissions: int = 0
    peer_retransmissions: int = 0
    challenges: tuple[ChallengeFacts, ...] = ()
    min_se: int | None = None
    provisionals: tuple[ProvisionalFacts, ...] = ()
    final: FinalFacts | None = None
    failure: FailureCause | None = None
    failure_reason: str | None = None
    failed_ms: float | None = None
    answered_ms: float | None = None
    acked_ms: float | None = None
    agreed: AgreedMedia | None = None
    ended_by: EndedBy | None = None
    ended_ms: float | None = None
    ended_said: Said | None = None
    talk_ms: float | None = None
    bye_status: int | None = None
    bye_ms: float | None = None
    forks_ended: int = 0
    peer_requests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """One test call. ``invite`` is None when no target could be reached at all.

    ``media`` is there when a call was answered and its media agreed on. ``ring_limit_ms`` is how
    long the call was allowed to ring before we gave up. ``left_up`` says that the peer has not
    confirmed the end: the call may ring or be up there until its last snapshot is cleaned up.
    """

    dns: DnsFacts
    targets: tuple[TargetFacts, ...] = ()
    invite: InviteFacts | None = None
    media: MediaVerdict | None = None
    addresses: tuple[AddressFinding, ...] = ()
    stopped: StopCause | None = None
    ring_limit_ms: float = 0.0
    left_up: bool = False
    notes: tuple[str, ...] = field(default=())
