"""What a call that ended says of the endpoint it was sent to, and of each address that it tried.

The triggers are those of field guide 1.3. A callee who is busy or does not want the call says nothing
against the trunk, and neither does 480: a telephone that is switched off looks like that. Once it
has rung, nothing moves calls: the trunk did its part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from domain.call_reading import (
    answering_status,
    called_target,
    is_answered,
    principal_obstacle,
    progress_of,
)
from domain.failover_picture import CallSign
from domain.health_observation import Observed
from sip.call_facts import CallFacts, InviteFacts, StopCause, TargetFacts, TargetOutcome
from sip.dialog_state import FailureCause
from sip.transports import Transport

__all__ = ["SeenTarget", "facts_in", "seen_in", "sign_of"]

AUTH_CODES: Final = frozenset({401, 403, 407})
TIMEOUT_CODES: Final = frozenset({408, 504})
UNREACHABLE_CODES: Final = frozenset({500, 502, 503})

_OURS: Final = frozenset({TargetOutcome.NOT_ALLOWED, TargetOutcome.LOCAL_LIMIT})
"""Our own refusals; the peer has no part in them."""

_SILENT: Final = frozenset(
    {TargetOutcome.SILENT, TargetOutcome.CONNECT_TIMEOUT, TargetOutcome.TLS_SILENT}
)

_OBSERVED: Final = {
    TargetOutcome.UNAVAILABLE: Observed.CALL,
    TargetOutcome.SILENT: Observed.TIMEOUT,
    TargetOutcome.REFUSED: Observed.REFUSED,
    TargetOutcome.UNREACHABLE: Observed.UNREACHABLE,
    TargetOutcome.CONNECT_TIMEOUT: Observed.CONNECT_FAILED,
    TargetOutcome.RESET: Observed.RESET,
    TargetOutcome.CLOSED: Observed.CLOSED,
    TargetOutcome.TLS_OLD_VERSION: Observed.TLS_FAILED,
    TargetOutcome.TLS_UNTRUSTED: Observed.TLS_FAILED,
    TargetOutcome.TLS_NAME_MISMATCH: Observed.TLS_FAILED,
    TargetOutcome.TLS_CLIENT_CERTIFICATE: Observed.TLS_FAILED,
    TargetOutcome.TLS_FAILED: Observed.TLS_FAILED,
    TargetOutcome.TLS_SILENT: Observed.TLS_FAILED,
    TargetOutcome.NOT_TLS: Observed.TLS_FAILED,
}

_TRANSPORTS: Final = frozenset(each.value for each in Transport)

_FACTS: Final = TypeAdapter(CallFacts)


@dataclass(frozen=True, slots=True)
class SeenTarget:
    """What a call met at one address; ``status`` is the response to the INVITE that tells most.

    Without an address the name led to none, or to none that could be tried.
    """

    address: str | None
    port: int | None
    transport: Transport | None
    kind: Observed
    sign: CallSign
    status: int | None = None
    detail: str | None = None


def facts_in(details: Mapping[str, Any] | None) -> CallFacts | None:
    """The facts among the details of a call that is written down; ``None`` without."""
    said = None if details is None else details.get("facts")
    if said is None:
        return None
    try:
        return _FACTS.validate_python(said)
    except ValidationError:
        return None


def seen_in(facts: CallFacts) -> tuple[SeenTarget, ...]:
    """What the call met, in order; the last one carries the verdict on the endpoint.

    Empty when the call says nothing: it was ended from here, or our own rules stopped it.
    """
    sign = sign_of(facts)
    if sign is None:
        return ()
    called = called_target(facts)
    others = [each for each in facts.targets if each is not called]
    met = [seen for each in others if (seen := _tried(each)) is not None]
    if called is not None and facts.invite is not None:
        met.append(_called(called, facts.invite, sign))
    elif met:
        met[-1] = replace(met[-1], sign=sign)
    else:
        failure = facts.dns.failure
        met = [SeenTarget(None, None, None, Observed.UNREACHABLE, sign, None, failure)]
    return tuple(met)


def sign_of(facts: CallFacts) -> CallSign | None:
    """What the call says of the endpoint; ``None`` when it says nothing."""
    if is_answered(facts):
        return CallSign.ALIVE
    if facts.stopped is StopCause.INTERRUPTED:
        return None
    invite = facts.invite
    if invite is None:
        return _sign_of_the_way(facts)
    status = answering_status(facts)
    if progress_of(invite):
        return CallSign.ALIVE
    if status in AUTH_CODES or invite.failure is FailureCause.UNAUTHORIZED:
        return CallSign.AUTH_FAILURE
    if status is not None:
        return _sign_of_status(status)
    return _sign_of_silence(facts, invite)


def _sign_of_status(status: int) -> CallSign:
    if status in TIMEOUT_CODES:
        return CallSign.TIMEOUT
    return CallSign.UNREACHABLE if status in UNREACHABLE_CODES else CallSign.ALIVE


def _sign_of_silence(facts: CallFacts, invite: InviteFacts) -> CallSign | None:
    """No final response that counts, and it never rang."""
    match invite.failure:
        case FailureCause.NO_REPLY | FailureCause.NO_ANSWER:
            return CallSign.TIMEOUT
        case FailureCause.TRANSPORT:
            return CallSign.UNREACHABLE
        case FailureCause.CANCELLED if facts.stopped is StopCause.LIMIT:
            return CallSign.TIMEOUT
        case FailureCause.CANCELLED | None:
            return None
        case _:
            return CallSign.ALIVE


def _sign_of_the_way(facts: CallFacts) -> CallSign | None:
    """No INVITE was sent."""
    if facts.dns.failure is not None:
        return CallSign.UNREACHABLE
    obstacle = principal_obstacle(facts)
    if obstacle is None or obstacle.outcome in _OURS:
        return None
    return CallSign.TIMEOUT if obstacle.outcome in _SILENT else CallSign.UNREACHABLE


def _tried(target: TargetFacts) -> SeenTarget | None:
    """An address that did not take the call."""
    kind = _OBSERVED.get(target.outcome)
    if kind is None:
        return None
    status = 503 if target.outcome is TargetOutcome.UNAVAILABLE else None
    return _at(target, kind, CallSign.TRIED, status)


def _called(target: TargetFacts, invite: InviteFacts, sign: CallSign) -> SeenTarget:
    """The address that got the INVITE in the end."""
    status = _said(invite, sign)
    kind = Observed.CALL
    if status is None:
        broken = invite.failure is FailureCause.TRANSPORT
        kind = _OBSERVED.get(target.outcome, Observed.RESET if broken else Observed.TIMEOUT)
    return _at(target, kind, sign, status)


def _at(target: TargetFacts, kind: Observed, sign: CallSign, status: int | None) -> SeenTarget:
    transport = Transport(target.transport) if target.transport in _TRANSPORTS else None
    return SeenTarget(target.address, target.port, transport, kind, sign, status, target.detail)


def _said(invite: InviteFacts, sign: CallSign) -> int | None:
    """The response that tells how the address did; behind ringing that is the ringing."""
    final = invite.final.status if invite.final is not None else None
    rang = max((each.status for each in invite.provisionals if each.status > 100), default=None)
    if sign is CallSign.ALIVE and rang is not None and (final is None or final >= 300):
        return rang
    return final
