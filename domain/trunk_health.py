"""How a trunk stands, in the words of the contract (section 2) and in finer ones."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from domain.health_history import HourTotals, OutcomeClass, average_ms, uptime
from domain.health_observation import HealthState
from domain.health_rule import HealthRule

__all__ = [
    "BEST_FIRST",
    "STATUS_WORDS",
    "HealthWord",
    "best_of",
    "down_outcomes",
    "timed_outcomes",
    "up_outcomes",
    "wants_client_certificate",
    "word_of",
]

BEST_FIRST: Final = (
    HealthState.HEALTHY,
    HealthState.REACHABLE,
    HealthState.DEGRADED,
    HealthState.DOWN,
    HealthState.UNCHECKED,
)
"""What was never looked at says nothing beside what was."""

CLIENT_CERTIFICATE: Final = "asks for a client certificate"
"""What the prober says of a peer that demands one, whether by an alert in the handshake or, with
TLS 1.3, behind it."""


class HealthWord(StrEnum):
    """``health`` in answers."""

    HEALTHY = "healthy"
    UNREACHABLE = "unreachable"
    UNCHECKED = "unchecked"
    MUTUAL_TLS = "mutual_tls"
    """Down, because the peer demands a client certificate that it did not get."""
    UNCONFIGURED = "unconfigured"


def best_of(states: Iterable[HealthState]) -> HealthState:
    """A trunk is as good as its best target; without any it is unchecked."""
    return min(states, key=BEST_FIRST.index, default=HealthState.UNCHECKED)


def word_of(state: HealthState, reasons: Iterable[str] = ()) -> HealthWord:
    """The word for a state; ``reasons`` are those of the targets that are down."""
    if state is HealthState.UNCHECKED:
        return HealthWord.UNCHECKED
    if state is not HealthState.DOWN:
        return HealthWord.HEALTHY
    if any(wants_client_certificate(reason) for reason in reasons):
        return HealthWord.MUTUAL_TLS
    return HealthWord.UNREACHABLE


STATUS_WORDS: Final = {None: HealthWord.UNCHECKED.value} | {
    state.value: word_of(state).value for state in HealthState
}
"""``health_status`` in lists, by the state as it is stored; ``None`` when nothing is probed."""


def wants_client_certificate(reason: str) -> bool:
    """Whether a target is down because the peer demanded a client certificate."""
    return CLIENT_CERTIFICATE in reason


def up_outcomes(rule: HealthRule) -> frozenset[OutcomeClass]:
    """The outcomes that count as up by a rule."""
    return frozenset(each for each in OutcomeClass if uptime(rule, [_once(each)]) == 1.0)


def down_outcomes(rule: HealthRule) -> frozenset[OutcomeClass]:
    """The outcomes that count as down by a rule; some count as neither."""
    return frozenset(each for each in OutcomeClass if uptime(rule, [_once(each)]) == 0.0)


def timed_outcomes() -> frozenset[OutcomeClass]:
    """The outcomes that have a response time: replies."""
    return frozenset(each for each in OutcomeClass if average_ms([_once(each)]) is not None)


def _once(outcome: OutcomeClass) -> HourTotals:
    classes = tuple(int(each is outcome) for each in OutcomeClass)
    return HourTotals(probes=1, classes=classes)
