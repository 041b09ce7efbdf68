"""Words for the end of an attempt: what happened on the wire, and what to change."""

from __future__ import annotations

from collections.abc import Iterable

from domain.attempts import AttemptCause, AttemptOutcome
from domain.replies import shown
from domain.reply_explanations import Explanation, explain_options_reply
from sip.transports import Transport

__all__ = ["explain_attempt", "explain_beside", "explain_cause"]

# Two sentences a cause: {where} is "TCP port 5060", {ours} our address, {detail} the technical
# reason with its lead-in or nothing.
_SENTENCES: dict[AttemptCause, tuple[str, str]] = {
    AttemptCause.ANSWERED: ("SIP is answered at {where}.", ""),
    AttemptCause.REFUSED: (
        "Nothing listens at {where}: the host refused at once.",
        "Use another port or transport, or switch this one on in the PBX.",
    ),
    AttemptCause.SILENT: (
        "No answer came from {where}. Over UDP a firewall and a server that ignores strangers "
        "look the same.",
        "Allow {ours} in the firewall and on the trunk, or use TCP or TLS.",
    ),
    AttemptCause.CONNECTED_SILENT: (
        "{where} accepts the connection, but SIP is not answered: almost always an allow-list "
        "that does not name us.",
        "Add {ours} to the allow-list of the PBX or provider.",
    ),
    AttemptCause.PROVISIONAL_ONLY: (
        "{where} began to answer (100 Trying) and never finished: the server behind it is stuck.",
        "Check the connection between the proxy at this address and the PBX behind it.",
    ),
    AttemptCause.CONNECT_TIMEOUT: (
        "The connection to {where} got no answer: a firewall drops it, or the host is down.",
        "Allow {ours} in the firewall, and check that the host is up.",
    ),
    AttemptCause.RESET: (
        "{where} broke the connection off before it answered{detail}.",
        "Check its log: usually a firewall, an allow-list without {ours}, or a TLS port that is "
        "used without TLS.",
    ),
    AttemptCause.CLOSED: (
        "{where} closed the connection before it answered{detail}.",
        "Check that this port speaks SIP, and that {ours} may use it.",
    ),
    AttemptCause.TLS_OLD_VERSION: (
        "{where} offers no TLS version that is safe to use{detail}; TLS 1.2 is the oldest one "
        "accepted.",
        "Switch on TLS 1.2 or newer in the PBX or SBC.",
    ),
    AttemptCause.TLS_UNTRUSTED: (
        "The certificate at {where} does not verify{detail}.",
        "Install a certificate of a public authority with its whole chain, or add your own "
        "authority to the trunk.",
    ),
    AttemptCause.TLS_NAME_MISMATCH: (
        "The certificate at {where} is for another name{detail}.",
        "Enter the name that the certificate has, or install one for this name.",
    ),
    AttemptCause.TLS_FAILED: (
        "The TLS handshake with {where} failed{detail}.",
        "Check the certificate, protocol versions and ciphers of the PBX or SBC.",
    ),
    AttemptCause.TLS_SILENT: (
        "{where} accepts the connection, but the TLS handshake is not answered.",
        "Check that this port is meant for TLS; without TLS it is usually 5060.",
    ),
    AttemptCause.TLS_CLIENT_CERTIFICATE: (
        "{where} demands a client certificate (mutual TLS).",
        "Give the trunk a client certificate that the peer knows, or switch the demand off there.",
    ),
    AttemptCause.NOT_TLS: (
        "{where} answers, but not in TLS.",
        "Use this port over TCP, or another one for TLS, usually 5061.",
    ),
    AttemptCause.NOT_SIP: (
        "{where} answers with something that is not SIP{detail}.",
        "Check which service this port belongs to.",
    ),
    AttemptCause.PROTOCOL_ERROR: (
        "{where} answered with SIP that breaks the protocol{detail}.",
        "Update the peer's software, or report the answer to its vendor.",
    ),
    AttemptCause.DNS_FAILURE: (
        "The name {host} does not lead to an address{detail}.",
        "Check the spelling and the A, AAAA and SRV records of the name in public DNS.",
    ),
    AttemptCause.NOT_ALLOWED: (
        "{address} is an address that may not be contacted from here{detail}.",
        "Enter the public address or name; only the operator can allow others.",
    ),
    AttemptCause.UNREACHABLE: (
        "There is no route to {address}{detail}.",
        "Check that the address is right and reachable from the internet; if it is IPv6, an IPv4 "
        "address may work.",
    ),
    AttemptCause.LOCAL_LIMIT: (
        "{where} could not be tried: this system ran out of resources{detail}.",
        "Try again; if it stays, tell the operator of this system.",
    ),
    AttemptCause.INTERRUPTED: (
        "The attempt at {where} was cut off before it ended.",
        "Run the discovery again.",
    ),
}

# OpenSSL's words for the alerts that a configuration can mend (RFC 8446 6.2).
_ALERT_ADVICE = {
    "handshake failure": "The two sides share no cipher or curve, or the peer expects a client "
    "certificate.",
    "unrecognized name": "The peer has no certificate for the name {host}; enter the name it has "
    "one for.",
    "unknown ca": "The peer does not trust the authority of our client certificate.",
    "no application protocol": "The peer refuses the protocol name offered with the handshake.",
    "internal error": "The peer failed inside; its own certificate or key may be unusable.",
}


def explain_attempt(attempt: AttemptOutcome, *, source_address: str | None = None) -> Explanation:
    """What happened and what to change, in sentences for the owner of the trunk.

    ``source_address`` is what the peer sees as our address; without it the attempt's own source
    address is named, or "our addresses".
    """
    ours = source_address or attempt.source_address
    if attempt.reply is not None and attempt.answered:
        return explain_options_reply(attempt.reply, source_address=ours)
    return explain_cause(
        attempt.cause,
        host=attempt.host,
        address=attempt.address,
        port=attempt.port,
        transport=attempt.transport,
        detail=attempt.detail,
        source_address=ours,
    )


# Ends of a connection that is spoken to in the wrong way: plain SIP to TLS, or TLS to plain SIP.
_WRONG_WAY = frozenset(
    {
        AttemptCause.CONNECTED_SILENT,
        AttemptCause.CLOSED,
        AttemptCause.RESET,
        AttemptCause.NOT_SIP,
        AttemptCause.NOT_TLS,
        AttemptCause.TLS_FAILED,
        AttemptCause.TLS_SILENT,
    }
)
_STREAMS = {Transport.TCP: Transport.TLS, Transport.TLS: Transport.TCP}


def explain_beside(attempt: AttemptOutcome, others: Iterable[AttemptOutcome]) -> Explanation:
    """As ``explain_attempt``, but knowing what else was found at the same address and port.

    A TLS port that ignores plain SIP is no allow-list, once TLS was answered there.
    """
    other_way = _STREAMS.get(attempt.transport)
    if attempt.cause in _WRONG_WAY and any(
        other.answered
        and other.transport is other_way
        and (other.address, other.port) == (attempt.address, attempt.port)
        for other in others
    ):
        spoken = "TLS" if other_way is Transport.TLS else "SIP without TLS"
        return Explanation(
            what=f"{attempt.where} is not answered: this port speaks {spoken}.", change=None
        )
    return explain_attempt(attempt)


def explain_cause(
    cause: AttemptCause,
    *,
    host: str,
    address: str,
    port: int,
    transport: Transport,
    detail: str | None = None,
    source_address: str | None = None,
) -> Explanation:
    """Words for a cause; ``detail`` is shown where it tells more than the cause does."""
    what, change = _SENTENCES[cause]
    facts = {
        "where": f"{transport.upper()} port {port}",
        "host": host,
        "address": address,
        "ours": f"our address {source_address}" if source_address else "our addresses",
        "detail": f" ({shown(detail)})" if detail else "",
    }
    advice = change.format(**facts)
    if cause is AttemptCause.TLS_FAILED and detail:
        advice = next(
            (text.format(**facts) for alert, text in _ALERT_ADVICE.items() if alert in detail),
            advice,
        )
    return Explanation(what=what.format(**facts), change=advice or None)
