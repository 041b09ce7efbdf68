"""What a connection test of a trunk found, in the contract's words (7.6) and in a person's."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sip.call_facts import TargetOutcome

__all__ = ["ConnectionProblem", "explain", "problem_of"]


class ConnectionProblem(StrEnum):
    """Why a trunk's endpoint was not reached."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    DNS_FAILURE = "dns_failure"
    NOT_ALLOWED = "not_allowed"
    NOT_SIP = "not_sip"
    TLS_HANDSHAKE_FAILED = "tls_handshake_failed"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_NAME_MISMATCH = "tls_name_mismatch"
    TLS_CLIENT_CERTIFICATE = "tls_client_certificate_required"
    NO_ENDPOINT = "no_endpoint"
    INTERRUPTED = "interrupted"


_PROBLEMS: Final = {
    TargetOutcome.SILENT: ConnectionProblem.TIMEOUT,
    TargetOutcome.CONNECT_TIMEOUT: ConnectionProblem.TIMEOUT,
    TargetOutcome.NOT_ALLOWED: ConnectionProblem.NOT_ALLOWED,
    TargetOutcome.REFUSED: ConnectionProblem.REFUSED,
    TargetOutcome.UNREACHABLE: ConnectionProblem.UNREACHABLE,
    TargetOutcome.RESET: ConnectionProblem.CLOSED,
    TargetOutcome.CLOSED: ConnectionProblem.CLOSED,
    TargetOutcome.TLS_OLD_VERSION: ConnectionProblem.TLS_HANDSHAKE_FAILED,
    TargetOutcome.TLS_FAILED: ConnectionProblem.TLS_HANDSHAKE_FAILED,
    TargetOutcome.TLS_SILENT: ConnectionProblem.TLS_HANDSHAKE_FAILED,
    TargetOutcome.NOT_TLS: ConnectionProblem.TLS_HANDSHAKE_FAILED,
    TargetOutcome.TLS_UNTRUSTED: ConnectionProblem.TLS_UNTRUSTED,
    TargetOutcome.TLS_NAME_MISMATCH: ConnectionProblem.TLS_NAME_MISMATCH,
    TargetOutcome.TLS_CLIENT_CERTIFICATE: ConnectionProblem.TLS_CLIENT_CERTIFICATE,
    TargetOutcome.LOCAL_LIMIT: ConnectionProblem.INTERRUPTED,
}

_WORDS: Final = {
    ConnectionProblem.TIMEOUT: "Nothing answered in time. Check address, port and transport, and "
    "that the firewall lets our addresses in.",
    ConnectionProblem.REFUSED: "The host is there, and nothing listens on this port and transport.",
    ConnectionProblem.UNREACHABLE: "There is no way to this address.",
    ConnectionProblem.CLOSED: "The connection was closed before SIP was answered.",
    ConnectionProblem.DNS_FAILURE: "The endpoint's name leads to no address.",
    ConnectionProblem.NOT_ALLOWED: "The endpoint is in a private network; only the operator can "
    "allow it.",
    ConnectionProblem.NOT_SIP: "Something answered, and not in SIP.",
    ConnectionProblem.TLS_HANDSHAKE_FAILED: "The TLS handshake failed. TLS 1.2 or newer must be "
    "spoken on this port; a peer that demands a client certificate may refuse like this too.",
    ConnectionProblem.TLS_UNTRUSTED: "The certificate does not lead to a trusted authority, or is "
    "not the pinned one. Complete the chain, or set ca_pem or certificate_pin.",
    ConnectionProblem.TLS_NAME_MISMATCH: "The certificate does not name the endpoint.",
    ConnectionProblem.TLS_CLIENT_CERTIFICATE: "The peer demands a client certificate that it "
    "accepts. Set client_certificate and client_key.",
    ConnectionProblem.NO_ENDPOINT: "The trunk has no endpoint any more.",
    ConnectionProblem.INTERRUPTED: "The test did not end by itself. Run it again.",
}


def problem_of(
    outcome: TargetOutcome | None, *, resolved: bool, not_sip: bool
) -> ConnectionProblem:
    """The problem behind a peer that gave no final response."""
    if not resolved:
        return ConnectionProblem.DNS_FAILURE
    if not_sip:
        return ConnectionProblem.NOT_SIP
    if outcome is None:
        return ConnectionProblem.INTERRUPTED
    return _PROBLEMS.get(outcome, ConnectionProblem.TIMEOUT)


def explain(problem: ConnectionProblem) -> str:
    """What to do about it."""
    return _WORDS[problem]
