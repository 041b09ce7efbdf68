"""What the facts of a test call say in one word: which target counted, how far it got.

A call is set up rung by rung; exactly one rung stops a call that was not answered.
"""

from __future__ import annotations

from typing import Final

from domain.proof_steps import Rung
from domain.replies import shown
from domain.transport_failures import refused_handshake, tls_alert_of
from sip.call_facts import (
    AgreedMedia,
    CallFacts,
    InviteFacts,
    StopCause,
    TargetFacts,
    TargetOutcome,
)
from sip.dialog_state import FailureCause
from sip.transports import Transport

__all__ = [
    "CALLEE_ANSWERS",
    "MIN_TALK_MS",
    "TLS_OBSTACLES",
    "agreed_media",
    "answering_status",
    "called_target",
    "duration_words",
    "ended_too_soon",
    "endpoint_words",
    "is_answered",
    "only_trying",
    "place_words",
    "principal_obstacle",
    "progress_of",
    "ran_out_of_time",
    "stopped_at",
]

MIN_TALK_MS: Final = 2000.0
"""A call shorter than this was not meant as one by who ended it, and missing audio means nothing."""

CALLEE_ANSWERS: Final = frozenset({480, 486, 487, 600, 603, 607, 608})
"""Refusals that come from, or speak for, the one who was called: the trunk took the INVITE."""

_OBSTACLES = (
    TargetOutcome.UNAVAILABLE,
    TargetOutcome.CALLED,
    TargetOutcome.TLS_UNTRUSTED,
    TargetOutcome.TLS_NAME_MISMATCH,
    TargetOutcome.TLS_CLIENT_CERTIFICATE,
    TargetOutcome.TLS_OLD_VERSION,
    TargetOutcome.TLS_FAILED,
    TargetOutcome.NOT_TLS,
    TargetOutcome.TLS_SILENT,
    TargetOutcome.CLOSED,
    TargetOutcome.RESET,
    TargetOutcome.REFUSED,
    TargetOutcome.CONNECT_TIMEOUT,
    TargetOutcome.UNREACHABLE,
    TargetOutcome.SILENT,
    TargetOutcome.NOT_ALLOWED,
    TargetOutcome.LOCAL_LIMIT,
)
"""How a target can fail, the one that got furthest first: it tells most about what to mend."""

_UNREACHED: Final = frozenset({TargetOutcome.REFUSED, TargetOutcome.UNREACHABLE})

TLS_OBSTACLES: Final = frozenset(
    {
        TargetOutcome.TLS_OLD_VERSION,
        TargetOutcome.TLS_UNTRUSTED,
        TargetOutcome.TLS_NAME_MISMATCH,
        TargetOutcome.TLS_CLIENT_CERTIFICATE,
        TargetOutcome.TLS_FAILED,
        TargetOutcome.TLS_SILENT,
        TargetOutcome.NOT_TLS,
    }
)


def is_answered(facts: CallFacts) -> bool:
    """Whether the call was answered, and the answer was wanted when it came."""
    invite = facts.invite
    return invite is not None and invite.failure is None and invite.answered_ms is not None


def answering_status(facts: CallFacts) -> int | None:
    """The final status of the INVITE; None without one, and for a 2xx that came too late."""
    final = facts.invite.final if facts.invite is not None else None
    if final is None or (final.status < 300 and not is_answered(facts)):
        return None
    return final.status


def called_target(facts: CallFacts) -> TargetFacts | None:
    """The target that the facts of the INVITE are about; None when there is none."""
    invite = facts.invite
    if invite is None:
        return None
    called = [each for each in facts.targets if each.outcome is TargetOutcome.CALLED]
    if invite.failure is FailureCause.TRANSPORT:
        # A datagram that ICMP answered leaves its target with the ICMP error's outcome.
        preferred = [called, [each for each in facts.targets if each.outcome in _UNREACHED]]
    else:
        unavailable = [each for each in facts.targets if each.outcome is TargetOutcome.UNAVAILABLE]
        preferred = [called, unavailable]
    return next((each[-1] for each in (*preferred, facts.targets) if each), None)


def principal_obstacle(facts: CallFacts) -> TargetFacts | None:
    """The target that says most about why no call was set up: the first that came closest to it."""
    alert = tls_alert_of(facts.invite) if facts.invite is not None else None
    called = called_target(facts)
    if alert is not None and called is not None:
        return refused_handshake(called, alert)
    return min(facts.targets, key=lambda each: _OBSTACLES.index(each.outcome), default=None)


def progress_of(invite: InviteFacts) -> bool:
    """Whether a provisional response beyond 100 came: somebody may have heard it ring."""
    return any(each.status > 100 for each in invite.provisionals)


def only_trying(invite: InviteFacts) -> bool:
    """Whether the peer said 100 Trying, and nothing about the callee after it."""
    return bool(invite.provisionals) and not progress_of(invite)


def ran_out_of_time(facts: CallFacts) -> bool:
    """Whether we stopped waiting for an answer that had not come."""
    if facts.invite is None:
        return False
    cause = facts.invite.failure
    return cause is FailureCause.NO_ANSWER or (
        cause is FailureCause.CANCELLED and facts.stopped is StopCause.LIMIT
    )


def stopped_at(facts: CallFacts) -> Rung | None:
    """The rung at which setting up the call came to its end; None when it was answered."""
    invite = facts.invite
    if invite is None:
        return _never_sent(facts)
    if is_answered(facts):
        return None
    status = invite.final.status if invite.final else None
    if invite.failure is FailureCause.UNAUTHORIZED or status in (401, 407):
        return Rung.AUTHENTICATION
    if tls_alert_of(invite) is not None and facts.targets:
        return Rung.TLS
    if progress_of(invite) or (status is not None and status < 300):
        return Rung.ANSWER
    if ran_out_of_time(facts):
        return Rung.RINGING if only_trying(invite) else Rung.INVITE
    if status in CALLEE_ANSWERS or invite.failure in (
        FailureCause.CANCELLED,
        FailureCause.PEER_ENDED,
        FailureCause.OFFER_REFUSED,
    ):
        return Rung.ANSWER
    return Rung.INVITE


def _never_sent(facts: CallFacts) -> Rung:
    if facts.dns.failure is not None:
        return Rung.DNS
    obstacle = principal_obstacle(facts)
    if obstacle is None:
        # Without a target that was tried, either there is none or the call was stopped before.
        return Rung.INVITE if facts.dns.targets or facts.stopped else Rung.DNS
    if obstacle.outcome in TLS_OBSTACLES:
        return Rung.TLS
    if obstacle.transport == Transport.UDP:
        return Rung.INVITE
    return (
        Rung.TLS
        if obstacle.transport == Transport.TLS and obstacle.tcp_ms is not None
        else Rung.TCP
    )


def agreed_media(facts: CallFacts) -> AgreedMedia | None:
    """What was agreed on, when media could run on it."""
    agreed = facts.invite.agreed if facts.invite is not None else None
    return agreed if agreed is not None and agreed.codec and not agreed.fatal else None


def ended_too_soon(facts: CallFacts) -> bool:
    """Whether the call was too short for missing audio to mean anything."""
    talk_ms = facts.invite.talk_ms if facts.invite is not None else None
    return facts.stopped is StopCause.INTERRUPTED or (talk_ms is not None and talk_ms < MIN_TALK_MS)


def place_words(target: TargetFacts) -> str:
    """A target in words, such as ``203.0.113.9, TLS port 5061``."""
    return f"{shown(target.address)}, {shown(target.transport).upper()} port {target.port}"


def duration_words(ms: float) -> str:
    """A duration as people read it: ``85 ms``, ``1.2 s``, ``95 s``."""
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 10_000 else f"{ms / 1000:.0f} s"


def endpoint_words(address: tuple[str, int]) -> str:
    """An address and port of media in words."""
    if not address[1]:
        return "nowhere"
    return f"{shown(address[0])} port {address[1]}"
