"""What a probe asks and what it finds, as values."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sip.message import Response
from sip.net.tls import TlsFacts

__all__ = [
    "ProbeIdentity",
    "ProbeOutcome",
    "ProbeReport",
    "ProbeTarget",
    "outcome_of_errno",
    "ssl_words",
]


class ProbeOutcome(StrEnum):
    """How a probe ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECTED_SILENT = "connected_silent"
    PROVISIONAL_ONLY = "provisional_only"
    RESET = "reset"
    CLOSED = "closed"
    TLS_OLD_VERSION = "tls_old_version"
    TLS_SILENT = "tls_silent"
    TLS_FAILED = "tls_failed"
    TLS_CLIENT_CERTIFICATE = "tls_client_certificate"
    NOT_TLS = "not_tls"
    NOT_SIP = "not_sip"
    NOT_ALLOWED = "not_allowed"
    LOCAL_LIMIT = "local_limit"


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """Where to send: a resolved address, and the domain that goes into Request-URI and SNI.

    ``transport`` is ``udp``, ``tcp`` or ``tls``; ``host`` a name or an address without brackets.
    """

    address: str
    port: int
    transport: str
    host: str


@dataclass(frozen=True, slots=True)
class ProbeIdentity:
    """Who asks: User-Agent, From's domain, and the address that peers are told to answer to."""

    user_agent: str
    from_domain: str | None = None
    public_address: str | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What one probe found.

    ``response_time_ms`` runs from the request's first byte out to the final response in, without
    connecting; ``connect_ms`` is TCP and TLS. ``source`` is where the reply came from when that is
    another address or port than was asked. ``detail`` is the technical reason behind ``outcome``.
    """

    target: ProbeTarget
    outcome: ProbeOutcome
    started_at: datetime
    ended_at: datetime
    response: Response | None = None
    response_time_ms: float | None = None
    connect_ms: float | None = None
    local_address: str | None = None
    source: tuple[str, int] | None = None
    tls: TlsFacts | None = None
    detail: str | None = None


def outcome_of_errno(number: int | None) -> ProbeOutcome:
    """Outcome behind an ``errno`` of ``connect``, ``sendto`` or an ICMP error."""
    if number == errno.ECONNREFUSED:
        return ProbeOutcome.REFUSED
    if number == errno.ECONNRESET:
        return ProbeOutcome.RESET
    if number in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EPERM):
        return ProbeOutcome.LOCAL_LIMIT
    return ProbeOutcome.UNREACHABLE


def ssl_words(error: OSError) -> str:
    """OpenSSL's reason in words: ``certificate has expired``, ``tlsv1 alert protocol version``."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return error.strerror or str(error) or "failed"
