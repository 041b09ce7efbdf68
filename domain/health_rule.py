"""Which replies make a target healthy, and which make it down (field guide 1.1).

A rule judges one observation; how many of them it takes to change a state is ``domain.health``.
Silence and broken transports are down by every rule, and only what a peer sent can be found in a
list of codes: there is no status without a reply.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from domain.base62 import base62
from domain.health_observation import HealthState, Observation, Observed

__all__ = [
    "MAX_CODES",
    "STANDARD_RULE",
    "HealthPreset",
    "HealthRule",
    "HealthSource",
    "Judgement",
    "judge",
]

MAX_CODES: Final = 64
"""Codes of one list: there are about as many final responses in use."""


class HealthPreset(StrEnum):
    """Ready-made rules."""

    STANDARD = "standard"
    """2xx is healthy, a refusal proves that somebody is there, 5xx is degraded, 408 and 503 down."""
    STRICT_200 = "strict_200"
    """200 or down, as Kamailio, OpenSIPS and jambonz have it by default."""
    ANY_REPLY = "any_reply"
    """Whatever answers is up, as Asterisk has it by default."""
    CISCO = "cisco"
    """503 and 505 are down, as for CUBE's out-of-dialog OPTIONS; any other reply is up."""
    CUSTOM = "custom"
    """The rule's own lists."""


class HealthSource(StrEnum):
    """What a target is judged by."""

    OPTIONS = "options"
    """OPTIONS, and the outcomes of calls beside them."""
    CALLS = "calls"
    """Calls alone, for peers that ignore OPTIONS: none are sent."""


class HealthRule(BaseModel):
    """How a trunk's targets are judged.

    The lists belong to the preset ``custom``: a code in ``down_codes`` is down; with ``up_codes``
    every code that is not in it is down too. What is left is healthy for 2xx, else reachable.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    preset: HealthPreset = HealthPreset.STANDARD
    down_codes: tuple[int, ...] = ()
    up_codes: tuple[int, ...] = ()
    source: HealthSource = HealthSource.OPTIONS

    @model_validator(mode="after")
    def _lists(self) -> Self:
        listed = (*self.down_codes, *self.up_codes)
        if self.preset is not HealthPreset.CUSTOM:
            if listed:
                raise ValueError("down_codes and up_codes belong to the preset custom")
            return self
        if not listed:
            raise ValueError("the preset custom needs down_codes or up_codes")
        if max(len(self.down_codes), len(self.up_codes)) > MAX_CODES:
            raise ValueError(f"a list holds at most {MAX_CODES} codes")
        if any(not 200 <= code <= 699 for code in listed):
            raise ValueError("codes are final responses: 200 to 699")
        if 200 in self.down_codes:
            raise ValueError("200 cannot be one of down_codes")
        if set(self.down_codes) & set(self.up_codes):
            raise ValueError("a code is either in down_codes or in up_codes")
        return self

    @property
    def key(self) -> str:
        """Short text that is equal for rules that judge alike, and for no others."""
        key = self.preset.value
        if self.preset is HealthPreset.CUSTOM:
            lists = [sorted(set(self.down_codes)), sorted(set(self.up_codes))]
            digest = hashlib.sha256(json.dumps(lists, separators=(",", ":")).encode()).digest()
            key = f"{key}-{base62(digest[:8])}"
        return f"{key}+calls" if self.source is HealthSource.CALLS else key


STANDARD_RULE: Final = HealthRule()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one observation says; ``reason`` is the end of a sentence: "answered 401"."""

    state: HealthState
    reason: str


DEGRADED_CODES: Final = range(500, 600)
REACHABLE_5XX: Final = frozenset({501})
STANDARD_DOWN: Final = frozenset({408, 503})
CISCO_DOWN: Final = frozenset({503, 505})

CALLEE_ANSWERS: Final = frozenset({486, 487, 600, 603, 607, 608})
"""Responses to an INVITE by which the callee speaks: the trunk carried the call to its end."""

_BROKEN: Final = {
    Observed.TIMEOUT: "unanswered",
    Observed.REFUSED: "refused",
    Observed.RESET: "reset",
    Observed.CLOSED: "cut off by the peer",
    Observed.UNREACHABLE: "unreachable",
    Observed.TLS_FAILED: "failed in TLS",
    Observed.CONNECT_FAILED: "without a connection",
    Observed.BLOCKED: "not permitted by the address guard",
}

MAX_DETAIL: Final = 200


def judge(observation: Observation, rule: HealthRule = STANDARD_RULE) -> Judgement:
    """What an observation says by a rule: healthy, reachable, degraded or down.

    A call is judged by the standard table whatever the rule's lists: they are made for OPTIONS.
    """
    status = observation.status
    if observation.kind in _BROKEN or status is None:
        words = _BROKEN.get(observation.kind, _BROKEN[Observed.TIMEOUT])
        if observation.detail:
            words = f"{words} ({observation.detail[:MAX_DETAIL]})"
        return Judgement(HealthState.DOWN, words)
    if observation.kind is Observed.CALL:
        state = HealthState.HEALTHY if status in CALLEE_ANSWERS else _standard(status)
    else:
        state = _by_preset(status, rule)
    return Judgement(state, f"answered {status}")


def _by_preset(status: int, rule: HealthRule) -> HealthState:
    match rule.preset:
        case HealthPreset.STANDARD:
            return _standard(status)
        case HealthPreset.STRICT_200:
            return HealthState.HEALTHY if status == 200 else HealthState.DOWN
        case HealthPreset.ANY_REPLY:
            return _unless(status, frozenset())
        case HealthPreset.CISCO:
            return _unless(status, CISCO_DOWN)
        case HealthPreset.CUSTOM:
            if rule.up_codes and status not in rule.up_codes:
                return HealthState.DOWN
            return _unless(status, frozenset(rule.down_codes))


def _standard(status: int) -> HealthState:
    if status in DEGRADED_CODES and status not in REACHABLE_5XX | STANDARD_DOWN:
        return HealthState.DEGRADED
    return _unless(status, STANDARD_DOWN)


def _unless(status: int, down: AbstractSet[int]) -> HealthState:
    if status in down:
        return HealthState.DOWN
    return HealthState.HEALTHY if 200 <= status < 300 else HealthState.REACHABLE
