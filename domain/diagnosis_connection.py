"""Why no INVITE could be sent, or nothing came back: DNS, connection, TLS, silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.attempt_explanations import explain_cause
from domain.call_reading import place_words, principal_obstacle
from domain.diagnosis_model import Blame, DiagnosisCode, FailOver, Row
from domain.proof_connection import cause_of, transport_of
from domain.replies import shown
from sip.call_facts import CallFacts, StopCause, TargetFacts, TargetOutcome
from sip.transports import Transport

__all__ = ["dns_row", "no_reply_row", "only_trying_row", "target_row", "unsent_row"]

_Code = DiagnosisCode

_OBSTACLES: Final = {
    TargetOutcome.NOT_ALLOWED: (_Code.ADDRESS_NOT_ALLOWED, FailOver.YES, Blame.CLIENT_ERROR),
    TargetOutcome.REFUSED: (_Code.CONNECTION_REFUSED, FailOver.YES, Blame.CLIENT_ERROR),
    TargetOutcome.UNREACHABLE: (_Code.UNREACHABLE, FailOver.YES, Blame.NETWORK_PATH),
    TargetOutcome.CONNECT_TIMEOUT: (_Code.CONNECT_TIMEOUT, FailOver.YES, Blame.NETWORK_PATH),
    TargetOutcome.RESET: (_Code.CONNECTION_BROKEN, FailOver.YES, Blame.NETWORK_PATH),
    TargetOutcome.CLOSED: (_Code.CONNECTION_BROKEN, FailOver.YES, Blame.PEER_CONFIG),
    TargetOutcome.TLS_OLD_VERSION: (_Code.TLS_OLD_VERSION, FailOver.YES, Blame.PEER_CONFIG),
    TargetOutcome.TLS_UNTRUSTED: (_Code.TLS_UNTRUSTED, FailOver.POLICY, Blame.PEER_CONFIG),
    TargetOutcome.TLS_NAME_MISMATCH: (_Code.TLS_NAME_MISMATCH, FailOver.POLICY, Blame.PEER_CONFIG),
    TargetOutcome.TLS_CLIENT_CERTIFICATE: (
        _Code.TLS_CLIENT_CERTIFICATE,
        FailOver.YES,
        Blame.PEER_CONFIG,
    ),
    TargetOutcome.TLS_FAILED: (_Code.TLS_FAILED, FailOver.YES, Blame.PEER_CONFIG),
    TargetOutcome.TLS_SILENT: (_Code.TLS_SILENT, FailOver.YES, Blame.PEER_CONFIG),
    TargetOutcome.NOT_TLS: (_Code.NOT_TLS, FailOver.YES, Blame.CLIENT_ERROR),
    TargetOutcome.SILENT: (_Code.NO_REPLY, FailOver.YES, Blame.INDETERMINATE),
    TargetOutcome.LOCAL_LIMIT: (_Code.LOCAL_LIMIT, FailOver.NO, Blame.SERVER_ERROR),
    TargetOutcome.CALLED: (_Code.NO_REPLY, FailOver.NO, Blame.INDETERMINATE),
    TargetOutcome.UNAVAILABLE: (_Code.SERVICE_UNAVAILABLE, FailOver.YES, Blame.UPSTREAM_ERROR),
}

_SILENCE_CHECKLIST: Final = (
    "A firewall does not let our addresses through.",
    "The peer ignores addresses that are not on its allow-list, or has banned ours.",
    "UDP is blocked, or changed on the way by a router's SIP helper (ALG).",
)


def dns_row(facts: CallFacts) -> Row:
    """The name does not lead to an address."""
    name = shown(facts.dns.name)
    reason = f": {shown(facts.dns.failure)}" if facts.dns.failure else ""
    looked = "; ".join(shown(line) for line in facts.dns.lookups[:8])
    asked = f" Looked up: {looked}." if looked else ""
    return Row(
        _Code.DNS_RESOLUTION,
        f"The name {name} does not resolve from our network{reason}.{asked}",
        (
            "Check the spelling of the name.",
            "Publish it in public DNS (A, AAAA or SRV): names of an internal network end there.",
        ),
        FailOver.YES,
        Blame.CLIENT_ERROR,
    )


def unsent_row(facts: CallFacts) -> Row:
    """No INVITE was sent although the name resolves."""
    target = principal_obstacle(facts)
    if target is not None:
        return target_row(facts, target)
    if facts.stopped is StopCause.HANG_UP:
        return Row(
            _Code.CANCELED,
            "The call was hung up before it was placed.",
            (),
            FailOver.NOT_APPLICABLE,
            Blame.CLIENT_ERROR,
        )
    return Row(
        _Code.NOT_STARTED,
        "The call was not placed, for a reason of our own.",
        ("Run the test call again.",),
        FailOver.NOT_APPLICABLE,
        Blame.SERVER_ERROR,
    )


def target_row(facts: CallFacts, target: TargetFacts) -> Row:
    """A target that got no INVITE, or broke the connection when it had."""
    code, fail_over, blame = _OBSTACLES[target.outcome]
    words = explain_cause(
        cause_of(target),
        host=shown(target.host),
        address=shown(target.address),
        port=target.port,
        transport=transport_of(target),
        detail=target.detail,
    )
    change = [words.change] if words.change else []
    hint = _HINTS.get(target.outcome)
    return Row(
        code,
        f"{words.what}{hint(target) if hint else ''}{_others(facts, target)}",
        tuple(change),
        fail_over,
        blame,
        _SILENCE_CHECKLIST if code is _Code.NO_REPLY else (),
    )


def _others(facts: CallFacts, target: TargetFacts) -> str:
    """What became of the other targets, and which of them at least take connections."""
    others = [each for each in facts.targets if each is not target]
    if not others:
        return ""
    open_ = [place_words(each) for each in others if each.tcp_ms is not None]
    if open_:
        return f" Connections are taken at {'; '.join(open_[:4])}."
    return f" {len(others)} further target{'s' if len(others) > 1 else ''} failed as well."


def _certificate_words(target: TargetFacts) -> str:
    leaf = target.tls.chain[0] if target.tls and target.tls.chain else None
    if leaf is None:
        return ""
    names = ", ".join(shown(name) for name in leaf.names[:8]) or "no name"
    return f" It is for {names}, of {shown(leaf.issuer)}, and good until {leaf.not_after:%Y-%m-%d}."


def _alert_words(target: TargetFacts) -> str:
    return f" TLS version offered: {shown(target.tls.version)}." if target.tls else ""


_HINTS: Final[dict[TargetOutcome, Callable[[TargetFacts], str]]] = {
    TargetOutcome.TLS_UNTRUSTED: _certificate_words,
    TargetOutcome.TLS_FAILED: _alert_words,
    TargetOutcome.TLS_OLD_VERSION: _alert_words,
}


def no_reply_row(facts: CallFacts, target: TargetFacts | None) -> Row:
    """The INVITE went out and nothing at all came back."""
    invite = facts.invite
    times = invite.retransmissions + 1 if invite else 1
    where = place_words(target) if target else "the destination"
    sent = f"{times} times" if times > 1 else "once"
    udp = target is None or target.transport == Transport.UDP
    change = [
        "Let our addresses through the firewall and on to the allow-list of the peer: SIP and, for "
        "audio, our UDP ports for media.",
    ]
    if udp:
        change.append("Use TCP or TLS: there a firewall and a wrong address can be told apart.")
    return Row(
        _Code.NO_REPLY,
        f"No reply came from {where}, although the INVITE was sent {sent}.",
        tuple(change),
        FailOver.YES,
        Blame.INDETERMINATE,
        _SILENCE_CHECKLIST if udp else _SILENCE_CHECKLIST[:2],
    )


def only_trying_row(facts: CallFacts) -> Row:
    """100 Trying came, and then nothing."""
    return Row(
        _Code.NO_FINAL_RESPONSE,
        "The peer began to work on the call (100 Trying) and never said what came of it: what is "
        "behind it does not answer.",
        (
            "Check the route or dial plan of the peer for this number.",
            "Check the connection between the peer and the PBX or carrier behind it.",
        ),
        FailOver.YES,
        Blame.CLIENT_ERROR,
    )
