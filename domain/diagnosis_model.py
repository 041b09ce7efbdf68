"""What a diagnosis is: what happened, who said it, what to change, and whether another route helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.causes import Clues
from domain.replies import shown
from sip.call_facts import ChallengeFacts
from sip.dialog_state import Said

__all__ = ["Blame", "Circumstances", "Diagnosis", "DiagnosisCode", "FailOver", "Refusal", "Row"]


class Blame(StrEnum):
    """Where the cause lies.

    The first five are the classes that voice platforms report; a call with no response at all is
    indeterminate.
    """

    SUCCESS = "success"
    CLIENT_ERROR = "client_error"  # the settings here, the number called, or the account
    UPSTREAM_ERROR = "upstream_error"  # the peer, or what is behind it, failed
    SERVER_ERROR = "server_error"  # ours
    INDETERMINATE = "indeterminate"
    NETWORK_PATH = "network_path"  # firewall, NAT or routing between the two
    PEER_CONFIG = "peer_config"  # a setting of the peer


class FailOver(StrEnum):
    """Whether a call that ends so is to be tried over the next route."""

    YES = "yes"
    NO = "no"
    OPT_IN = "opt_in"  # only where the trunk's owner chose it
    POLICY = "policy"  # depends on how strict the trunk is with certificates
    PROVIDER = "provider"  # what it means differs by provider
    RETRY = "retry"  # the same route, with the value that the peer asks for
    RETRY_TCP = "retry_tcp"  # the same route over TCP
    NOT_APPLICABLE = "not_applicable"  # the call was answered, or ended on purpose


class DiagnosisCode(StrEnum):
    """What is wrong, for programs. A closed set: stored and shown."""

    ALIVE = "alive"
    DNS_RESOLUTION = "dns_resolution"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    UNREACHABLE = "unreachable"
    CONNECTION_BROKEN = "connection_broken"
    LOCAL_LIMIT = "local_limit"
    TLS_OLD_VERSION = "tls_old_version"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_NAME_MISMATCH = "tls_name_mismatch"
    TLS_CLIENT_CERTIFICATE = "tls_client_certificate"
    TLS_FAILED = "tls_failed"
    TLS_SILENT = "tls_silent"
    NOT_TLS = "not_tls"
    NOT_STARTED = "not_started"
    NO_REPLY = "no_reply"
    NO_FINAL_RESPONSE = "no_final_response"
    NO_ANSWER = "no_answer"
    CANCELED = "canceled"
    INTERRUPTED = "interrupted"
    PEER_ENDED = "peer_ended"
    REDIRECTED = "redirected"
    BAD_REQUEST = "bad_request"
    AUTH_REQUIRED = "auth_required"
    AUTH_FAILED = "auth_failed"
    AUTH_REALM = "auth_realm"
    AUTH_ALGORITHM = "auth_algorithm"
    OUT_OF_CREDIT = "out_of_credit"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_UNSUPPORTED = "method_unsupported"
    NOT_ACCEPTABLE = "not_acceptable"
    REQUEST_TIMEOUT = "request_timeout"
    GONE = "gone"
    TOO_LARGE = "too_large"
    URI_SCHEME = "uri_scheme"
    EXTENSION = "extension"
    SESSION_INTERVAL = "session_interval"
    REGISTER_INTERVAL = "register_interval"
    IDENTITY = "identity"
    ANONYMOUS_REFUSED = "anonymous_refused"
    UNAVAILABLE = "unavailable"
    DIALOG_UNKNOWN = "dialog_unknown"
    LOOP = "loop"
    ADDRESS_INCOMPLETE = "address_incomplete"
    AMBIGUOUS = "ambiguous"
    BUSY = "busy"
    REQUEST_TERMINATED = "request_terminated"
    NO_COMMON_CODEC = "no_common_codec"
    ENCRYPTION_REQUIRED = "encryption_required"
    ENCRYPTION_REFUSED = "encryption_refused"
    MEDIA_NOT_ACCEPTABLE = "media_not_acceptable"
    GLARE = "glare"
    SECURITY_AGREEMENT = "security_agreement"
    REFUSED = "refused"
    PEER_ERROR = "peer_error"
    CPS_LIMIT_EXCEEDED = "cps_limit_exceeded"
    CONCURRENT_LIMIT_EXCEEDED = "concurrent_limit_exceeded"
    UPSTREAM_TROUBLE = "upstream_trouble"
    SERVICE_UNAVAILABLE = "service_unavailable"
    UNKNOWN_TO_PEER = "unknown_to_peer"
    SIP_VERSION = "sip_version"
    PRECONDITION = "precondition"
    DECLINED = "declined"
    CARRIER_BLOCKED = "carrier_blocked"
    ACK_LOST = "ack_lost"
    NO_SDP = "no_sdp"
    BAD_SDP = "bad_sdp"
    ONE_WAY_AGREED = "one_way_agreed"
    SRTP_KEY_MISMATCH = "srtp_key_mismatch"
    CODEC_UNTESTABLE = "codec_untestable"
    NO_RTP_OUT = "no_rtp_out"
    NO_RTP_IN = "no_rtp_in"
    ONLY_SILENCE = "only_silence"
    PACKET_LOSS = "packet_loss"
    DTMF_CHANGED = "dtmf_changed"
    EARLY_BYE = "early_bye"
    SESSION_TIMER = "session_timer"
    BYE_UNANSWERED = "bye_unanswered"
    BYE_REFUSED = "bye_refused"


class Diagnosis(BaseModel):
    """Why a call did not work. All texts are for the owner of the trunk, in full sentences.

    ``who`` is who said so. ``change`` is what to change, most promising first; ``checklist`` what
    can be the cause, most frequent first. ``warnings`` and ``reasons`` are the peer's own words.
    ``findings`` are addresses in the peer's messages that cannot work from here.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: DiagnosisCode
    what: str
    who: str
    change: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    fail_over: FailOver
    blame: Blame
    sip_code: int | None = None
    q850: int | None = Field(default=None, description="Cause of ITU-T Q.850 that the peer gave.")
    q850_text: str | None = None
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    retry_after: int | None = Field(default=None, description="Seconds that the peer asks to wait.")
    findings: tuple[str, ...] = ()


class Row(NamedTuple):
    """One line of the tables of causes.

    In ``what``, ``{status}`` stands for the code with the peer's phrase, ``{method}`` for the
    request's method.
    """

    code: DiagnosisCode
    what: str
    change: tuple[str, ...]
    fail_over: FailOver
    blame: Blame
    checklist: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known of the call beside the response to it; all of it may be missing.

    ``place`` is where the response came from, in words. ``secure`` says whether SRTP was offered,
    ``invite_size`` is in octets, ``has_credentials`` whether the call had any to give.
    """

    reason_phrase: str = ""
    place: str | None = None
    host: str | None = None
    transport: str | None = None
    request_uri: str | None = None
    from_uri: str | None = None
    codecs: tuple[str, ...] = ()
    secure: bool | None = None
    invite_size: int | None = None
    challenges: tuple[ChallengeFacts, ...] = ()
    rang: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final response that refuses, what was read in it, and the call that it refuses."""

    status: int
    said: Said
    clues: Clues
    method: str
    around: Circumstances

    def value(self, name: str) -> str:
        """The first value of a header field among the telling ones, as it may be shown."""
        lower = name.lower()
        return next((shown(v) for n, v in self.said.details if n.lower() == lower), "")
