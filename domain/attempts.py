"""One attempt of a discovery: what was tried, how it ended, and why in words for a customer.

The values of AttemptCause that a probe can report are the prober's own, so a report becomes a cause
by its value.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.replies import ReplyGrade, SipReply
from sip.transports import Transport

__all__ = [
    "AttemptCause",
    "AttemptOutcome",
    "CandidateSource",
    "CertificateFacts",
    "TlsFacts",
]


class CandidateSource(StrEnum):
    """Why an address, port and transport are tried."""

    NAPTR = "naptr"  # announced, transport and port (RFC 3263 4.1)
    SRV = "srv"  # announced, port (RFC 3263 4.2)
    GIVEN = "given"  # the customer named the port
    DEFAULT = "default"  # one of the usual ports

    @property
    def announced(self) -> bool:
        """Whether the domain's owner published it."""
        return self in (CandidateSource.NAPTR, CandidateSource.SRV)


class AttemptCause(StrEnum):
    """How an attempt ended. A closed set: stored, shown and decided by."""

    ANSWERED = "answered"
    REFUSED = "refused"  # ICMP port unreachable, or RST to the connection request
    SILENT = "silent"  # nothing came back over UDP
    CONNECTED_SILENT = "connected_silent"  # TCP or TLS is up, SIP is not answered
    PROVISIONAL_ONLY = "provisional_only"  # 100 Trying, and never a final response
    CONNECT_TIMEOUT = "connect_timeout"
    RESET = "reset"
    CLOSED = "closed"
    TLS_OLD_VERSION = "tls_old_version"
    TLS_UNTRUSTED = "tls_untrusted"  # only where the policy demands a chain that verifies
    TLS_NAME_MISMATCH = "tls_name_mismatch"  # only where the policy demands the name
    TLS_FAILED = "tls_failed"
    TLS_SILENT = "tls_silent"
    TLS_CLIENT_CERTIFICATE = "tls_client_certificate"
    NOT_TLS = "not_tls"
    NOT_SIP = "not_sip"
    PROTOCOL_ERROR = "protocol_error"
    DNS_FAILURE = "dns_failure"
    NOT_ALLOWED = "not_allowed"
    UNREACHABLE = "unreachable"
    LOCAL_LIMIT = "local_limit"
    INTERRUPTED = "interrupted"


class CertificateFacts(BaseModel):
    """One certificate: names as text, SHA-256 of the DER in hex."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)

    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = Field(default=(), description="Subject alternative names.")
    not_before: AwareDatetime
    not_after: AwareDatetime
    fingerprint: str = ""


class TlsFacts(BaseModel):
    """What the handshake showed. A certificate that does not verify is a fact, not a failure."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)

    version: str
    cipher: str = ""
    chain: tuple[CertificateFacts, ...] = Field(default=(), description="Leaf first.")
    verifies: bool = Field(default=False, description="Chain and name are good.")
    problem: str | None = Field(default=None, description="Why it does not verify.")
    notes: tuple[str, ...] = ()

    @property
    def expires_at(self) -> datetime | None:
        """End of the peer's own certificate, if it was seen."""
        return self.chain[0].not_after if self.chain else None


class AttemptOutcome(BaseModel):
    """One address, port and transport that was tried, and everything learned from it.

    ``host`` is the name in the Request-URI and in SNI. ``response_time_ms`` runs from the request
    to the final response; ``replied_from`` is set when that came from another address. ``detail``
    is the technical reason behind ``cause``, such as the name of a TLS alert.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    address: str
    port: int = Field(ge=1, le=65535)
    transport: Transport
    host: str
    source: CandidateSource = CandidateSource.DEFAULT
    priority: int | None = Field(default=None, description="Of the SRV record; lower is better.")
    cause: AttemptCause
    reply: SipReply | None = None
    tls: TlsFacts | None = None
    response_time_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    connect_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    source_address: str | None = Field(
        default=None, description="Our address, as the route has it."
    )
    replied_from: str | None = None
    detail: str | None = None
    ended_at: AwareDatetime | None = None

    @property
    def answered(self) -> bool:
        return self.cause is AttemptCause.ANSWERED and self.reply is not None

    @property
    def grade(self) -> ReplyGrade | None:
        """Grade of the reply; None without one."""
        return self.reply.grade if self.reply is not None and self.answered else None

    @property
    def where(self) -> str:
        """Port and transport in words, such as ``TLS port 5061``."""
        return f"{self.transport.upper()} port {self.port}"
