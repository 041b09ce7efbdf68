"""The first rungs of the proof ladder: the name, the connection, and TLS on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from domain.attempt_explanations import explain_cause
from domain.attempts import AttemptCause
from domain.call_reading import (
    called_target,
    duration_words,
    place_words,
    principal_obstacle,
    stopped_at,
)
from domain.proof_steps import ProofStep, Rung, failed, passed, skipped
from domain.replies import shown
from sip.call_facts import CallFacts, TargetFacts, TargetOutcome
from sip.tls_facts import TlsFacts
from sip.transports import Transport

__all__ = ["connection_steps", "obstacle_words", "transport_of"]

EXPIRES_SOON: Final = timedelta(days=30)  # authorities that renew at all renew before that


def connection_steps(facts: CallFacts) -> tuple[ProofStep, ProofStep, ProofStep]:
    """The rungs dns, tcp and tls."""
    return _dns(facts), _tcp(facts), _tls(facts)


def _dns(facts: CallFacts) -> ProofStep:
    dns = facts.dns
    name = shown(dns.name)
    lookups = [shown(line) for line in dns.lookups]
    if stopped_at(facts) is Rung.DNS:
        reason = f": {shown(dns.failure)}" if dns.failure else ""
        return failed(
            Rung.DNS,
            f"{name} does not lead to an address{reason}.",
            dns.ms,
            {"lookups": [*lookups]},
        )
    if dns.literal:
        return skipped(Rung.DNS, f"{name} is an address: there is no name to look up.")
    if not dns.targets:
        return skipped(Rung.DNS, f"The call ended before {name} was looked up.")
    count = "1 target" if dns.targets == 1 else f"{dns.targets} targets"
    return passed(
        Rung.DNS,
        f"{name} leads to {count}.",
        dns.ms,
        {"targets": dns.targets, "lookups": [*lookups]},
    )


def _tcp(facts: CallFacts) -> ProofStep:
    stop = stopped_at(facts)
    target = called_target(facts) or principal_obstacle(facts)
    if target is None or stop is Rung.DNS:
        return skipped(Rung.TCP, "There was no target to connect to.")
    if stop is Rung.TCP:
        return failed(
            Rung.TCP, obstacle_words(target), target.tcp_ms, details=_others(facts, target)
        )
    if target.transport == Transport.UDP:
        return skipped(Rung.TCP, "The call goes over UDP, which has no connections.")
    took = f" in {duration_words(target.tcp_ms)}" if target.tcp_ms is not None else ""
    return passed(
        Rung.TCP,
        f"{place_words(target)} accepted the connection{took}.",
        target.tcp_ms,
        details=_others(facts, target),
    )


def _tls(facts: CallFacts) -> ProofStep:
    stop = stopped_at(facts)
    target = called_target(facts) or principal_obstacle(facts)
    if target is None or stop in (Rung.DNS, Rung.TCP):
        return skipped(Rung.TLS, "There was no connection to secure.")
    if stop is Rung.TLS:
        target = principal_obstacle(facts) or target
        return failed(
            Rung.TLS,
            obstacle_words(target),
            target.tls_ms,
            details=_certificate(target.tls, facts.invite.started_at if facts.invite else None),
        )
    if target.transport != Transport.TLS:
        return skipped(
            Rung.TLS, f"The call goes over {shown(target.transport).upper()}, without TLS."
        )
    tls = target.tls
    if tls is None:
        return passed(Rung.TLS, "TLS was set up.", target.tls_ms)
    started_at = facts.invite.started_at if facts.invite else None
    return passed(
        Rung.TLS,
        f"{shown(tls.version)} with {shown(tls.cipher)}; {_about_chain(tls, started_at)}",
        target.tls_ms,
        details=_certificate(tls, started_at),
    )


def _about_chain(tls: TlsFacts, started_at: datetime | None) -> str:
    if not tls.verifies:
        problem = f" ({shown(tls.problem)})" if tls.problem else ""
        return f"the certificate does not verify{problem} and was accepted all the same."
    days = _days_left(tls, started_at)
    if days is None or days > EXPIRES_SOON.days:
        return "the certificate verifies."
    return f"the certificate verifies, but expires in {max(days, 0)} days."


def _certificate(tls: TlsFacts | None, at: datetime | None) -> dict[str, JsonValue]:
    if tls is None:
        return {}
    leaf = tls.chain[0] if tls.chain else None
    return {
        "version": shown(tls.version),
        "cipher": shown(tls.cipher),
        "verifies": tls.verifies,
        "problem": shown(tls.problem) if tls.problem else None,
        "names": [shown(name) for name in leaf.names] if leaf else None,
        "issuer": shown(leaf.issuer) if leaf else None,
        "expires_at": leaf.not_after.isoformat() if leaf else None,
        "days_left": _days_left(tls, at),
    }


def _days_left(tls: TlsFacts, at: datetime | None) -> int | None:
    if at is None or not tls.chain:
        return None
    return (tls.chain[0].not_after - at).days


def _others(facts: CallFacts, used: TargetFacts) -> dict[str, JsonValue]:
    """The targets that were tried beside the one that the rung is about."""
    others = [
        f"{place_words(each)}: {each.outcome.replace('_', ' ')}"
        for each in facts.targets
        if each is not used
    ]
    return {"address": shown(used.address), "port": used.port, "other_targets": [*others] or None}


def obstacle_words(target: TargetFacts) -> str:
    """Why a target got no INVITE, as a sentence."""
    return explain_cause(
        cause_of(target),
        host=shown(target.host),
        address=shown(target.address),
        port=target.port,
        transport=transport_of(target),
        detail=target.detail,
    ).what


def cause_of(target: TargetFacts) -> AttemptCause:
    """The cause that discovery has for the same end of an attempt."""
    if target.outcome is TargetOutcome.UNAVAILABLE or target.outcome is TargetOutcome.CALLED:
        return AttemptCause.ANSWERED
    return AttemptCause(target.outcome.value)


def transport_of(target: TargetFacts) -> Transport:
    """The transport of a target, UDP for one with an unknown name."""
    try:
        return Transport(target.transport)
    except ValueError:
        return Transport.UDP
