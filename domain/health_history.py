"""What stays of probes: a sample for each minute, totals for each hour, and uptime made of them.

Totals count regular rounds only. The extra probes that confirm a doubt come when something is
wrong, and would make an outage look longer than it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Final

from domain.health_observation import HealthState, Observation, Observed
from domain.health_rule import HealthPreset, HealthRule, judge

__all__ = [
    "CLASSES",
    "MINUTES",
    "SAMPLE_BYTES",
    "WINDOWS",
    "HourTotals",
    "MinuteSample",
    "OutcomeClass",
    "average_ms",
    "class_of",
    "pack_minutes",
    "summed",
    "unpack_minutes",
    "uptime",
]

MINUTES: Final = 60
SAMPLE_BYTES: Final = 3
"""The class, and the milliseconds as 16 bits, big-endian."""

NO_MS: Final = 0xFFFF
"""In place of milliseconds when there was no reply; the longest that is kept is one less."""

WINDOWS: Final[Mapping[str, timedelta]] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
"""Windows of uptime and averages, by the name they have in answers."""


class OutcomeClass(IntEnum):
    """How a probe ended, as finely as the rules tell outcomes apart. Stored: numbers never change."""

    NONE = 0
    OK = 1
    """200."""
    SUCCESS = 2
    """Another 2xx."""
    REDIRECTION = 3
    CHALLENGED = 4
    """401 or 407."""
    FORBIDDEN = 5
    CLIENT_ERROR = 6
    """Another 4xx."""
    REQUEST_TIMEOUT = 7
    """408 that a peer sent."""
    NOT_IMPLEMENTED = 8
    SERVER_ERROR = 9
    """Another 5xx."""
    UNAVAILABLE = 10
    VERSION = 11
    """505."""
    GLOBAL = 12
    """6xx."""
    TIMEOUT = 13
    REFUSED = 14
    """Refused, reset or closed."""
    UNREACHABLE = 15
    """No way there, or no connection in time."""
    TLS = 16
    BLOCKED = 17
    MAINTENANCE = 18
    """The peer had asked not to be probed (Retry-After): neither up nor down."""


CLASSES: Final = len(OutcomeClass)

_EXACT: Final = {
    200: OutcomeClass.OK,
    401: OutcomeClass.CHALLENGED,
    407: OutcomeClass.CHALLENGED,
    403: OutcomeClass.FORBIDDEN,
    408: OutcomeClass.REQUEST_TIMEOUT,
    501: OutcomeClass.NOT_IMPLEMENTED,
    503: OutcomeClass.UNAVAILABLE,
    505: OutcomeClass.VERSION,
}
_HUNDREDS: Final = {
    2: OutcomeClass.SUCCESS,
    3: OutcomeClass.REDIRECTION,
    4: OutcomeClass.CLIENT_ERROR,
    5: OutcomeClass.SERVER_ERROR,
    6: OutcomeClass.GLOBAL,
}
_KINDS: Final = {
    Observed.TIMEOUT: OutcomeClass.TIMEOUT,
    Observed.REFUSED: OutcomeClass.REFUSED,
    Observed.RESET: OutcomeClass.REFUSED,
    Observed.CLOSED: OutcomeClass.REFUSED,
    Observed.UNREACHABLE: OutcomeClass.UNREACHABLE,
    Observed.CONNECT_FAILED: OutcomeClass.UNREACHABLE,
    Observed.TLS_FAILED: OutcomeClass.TLS,
    Observed.BLOCKED: OutcomeClass.BLOCKED,
}

_TYPICAL: Final = {
    OutcomeClass.OK: 200,
    OutcomeClass.SUCCESS: 202,
    OutcomeClass.REDIRECTION: 302,
    OutcomeClass.CHALLENGED: 401,
    OutcomeClass.FORBIDDEN: 403,
    OutcomeClass.CLIENT_ERROR: 404,
    OutcomeClass.REQUEST_TIMEOUT: 408,
    OutcomeClass.NOT_IMPLEMENTED: 501,
    OutcomeClass.SERVER_ERROR: 500,
    OutcomeClass.UNAVAILABLE: 503,
    OutcomeClass.VERSION: 505,
    OutcomeClass.GLOBAL: 600,
}
"""A status of each class, by which a rule judges the class."""


def class_of(kind: Observed, status: int | None) -> OutcomeClass:
    """The class of an outcome."""
    if status is not None and kind in (Observed.REPLY, Observed.CALL):
        return _EXACT.get(status) or _HUNDREDS.get(status // 100, OutcomeClass.NONE)
    return _KINDS.get(kind, OutcomeClass.NONE)


@dataclass(frozen=True, slots=True)
class MinuteSample:
    """One minute: the worst outcome in it, and the milliseconds of its reply."""

    outcome: OutcomeClass
    ms: int | None = None


def pack_minutes(samples: Mapping[int, MinuteSample]) -> bytes:
    """Samples by minute of the hour (0-59) as 180 bytes; minutes without one are zero.

    Raises ``ValueError`` for a minute that no hour has.
    """
    packed = bytearray(MINUTES * SAMPLE_BYTES)
    for minute, sample in samples.items():
        if not 0 <= minute < MINUTES:
            raise ValueError(f"{minute} is not a minute of an hour")
        ms = NO_MS if sample.ms is None else min(max(sample.ms, 0), NO_MS - 1)
        start = minute * SAMPLE_BYTES
        packed[start] = sample.outcome
        packed[start + 1 : start + SAMPLE_BYTES] = ms.to_bytes(2, "big")
    return bytes(packed)


def unpack_minutes(packed: bytes) -> dict[int, MinuteSample]:
    """The samples by minute of the hour. A class of a later release counts as none."""
    samples: dict[int, MinuteSample] = {}
    for minute in range(min(len(packed) // SAMPLE_BYTES, MINUTES)):
        start = minute * SAMPLE_BYTES
        outcome = packed[start]
        if 0 < outcome < CLASSES:
            ms = int.from_bytes(packed[start + 1 : start + SAMPLE_BYTES], "big")
            samples[minute] = MinuteSample(OutcomeClass(outcome), None if ms == NO_MS else ms)
    return samples


@dataclass(frozen=True, slots=True)
class HourTotals:
    """Regular rounds of an hour, or of any time: how many, of which classes, and how fast.

    ``classes`` counts by ``OutcomeClass``; ``total_ms`` and ``max_ms`` are over the replies.
    """

    probes: int = 0
    classes: tuple[int, ...] = (0,) * CLASSES
    total_ms: int = 0
    max_ms: int = 0

    def count_of(self, outcome: OutcomeClass) -> int:
        """Rounds of a class; what an earlier release did not know it did not count."""
        return self.classes[outcome] if outcome < len(self.classes) else 0


def summed(totals: Iterable[HourTotals]) -> HourTotals:
    """The totals of all these hours together."""
    probes = total_ms = max_ms = 0
    classes = [0] * CLASSES
    for each in totals:
        probes += each.probes
        total_ms += each.total_ms
        max_ms = max(max_ms, each.max_ms)
        for index, count in enumerate(each.classes[:CLASSES]):
            classes[index] += count
    return HourTotals(probes, tuple(classes), total_ms, max_ms)


def uptime(rule: HealthRule, totals: Iterable[HourTotals]) -> float | None:
    """The share of rounds that were not down by the rule, 0 to 1; ``None`` without any.

    Maintenance is left out. A custom list is asked for a typical status of each class, and for each
    of its own codes: a class with a code in ``down_codes`` counts as down.
    """
    counted = summed(totals)
    up = down = 0
    for outcome in OutcomeClass:
        if outcome in (OutcomeClass.NONE, OutcomeClass.MAINTENANCE):
            continue
        if _is_up(outcome, rule):
            up += counted.count_of(outcome)
        else:
            down += counted.count_of(outcome)
    return up / (up + down) if up + down else None


def average_ms(totals: Iterable[HourTotals]) -> float | None:
    """Mean milliseconds of the replies; ``None`` without any."""
    counted = summed(totals)
    replies = sum(counted.count_of(outcome) for outcome in _TYPICAL)
    return counted.total_ms / replies if replies else None


def _is_up(outcome: OutcomeClass, rule: HealthRule) -> bool:
    status = _TYPICAL.get(outcome)
    if status is None:
        return False
    if rule.preset is HealthPreset.CUSTOM:
        of_class = [
            code
            for code in (*rule.down_codes, *rule.up_codes)
            if class_of(Observed.REPLY, code) is outcome
        ]
        status = next(iter(of_class), status)
    seen = Observation(at=0.0, kind=Observed.REPLY, status=status)
    return judge(seen, rule).state is not HealthState.DOWN
