"""What probes found, kept in memory until it is written: one small number each.

Packed as minute since 1970 (from bit 23), regular round (bit 22), outcome (bits 17-21) and
milliseconds (bits 0-16, one more than their number, 0 for none).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from domain.health_history import (
    CLASSES,
    MINUTES,
    HourTotals,
    MinuteSample,
    OutcomeClass,
    pack_minutes,
)
from storage.health_writes import HourRow

__all__ = ["hours_of", "new_samples", "packed"]

MAX_MS: Final = (1 << 17) - 2
_MS_BITS: Final = 17
_OUTCOME_MASK: Final = 31
_REGULAR: Final = 1 << 22
_MINUTE_SHIFT: Final = 23


def new_samples() -> array[int]:
    """No samples yet."""
    return array("Q")


def packed(at: float, outcome: int, ms: float | None, *, regular: bool) -> int:
    """One sample. ``at`` in seconds since 1970."""
    value = int(at / 60) << _MINUTE_SHIFT | outcome << _MS_BITS
    if regular:
        value |= _REGULAR
    if ms is not None:
        value |= min(int(ms + 0.5), MAX_MS) + 1
    return value


@dataclass(slots=True)
class _Hour:
    probes: int = 0
    classes: list[int] = field(default_factory=lambda: [0] * CLASSES)
    total_ms: int = 0
    max_ms: int = 0
    minutes: dict[int, MinuteSample] = field(default_factory=dict)


def hours_of(target_id: str, samples: Iterable[int]) -> Iterator[HourRow]:
    """Samples of a target as totals and minutes of each hour that they lie in.

    Regular rounds make the totals; of a minute's samples the worst stays.
    """
    hours: dict[int, _Hour] = {}
    for sample in samples:
        minute = sample >> _MINUTE_SHIFT
        outcome = OutcomeClass(sample >> _MS_BITS & _OUTCOME_MASK)
        ms = (sample & MAX_MS + 1) - 1
        hour = hours.get(minute // MINUTES)
        if hour is None:
            hour = hours[minute // MINUTES] = _Hour()
        if sample & _REGULAR:
            hour.probes += outcome is not OutcomeClass.MAINTENANCE
            hour.classes[outcome] += 1
            if ms >= 0:
                hour.total_ms += ms
                hour.max_ms = max(hour.max_ms, ms)
        present = hour.minutes.get(minute % MINUTES)
        if present is None or _badness(outcome) >= _badness(present.outcome):
            hour.minutes[minute % MINUTES] = MinuteSample(outcome, ms if ms >= 0 else None)
    for number, hour in hours.items():
        yield HourRow(
            target_id=target_id,
            hour=datetime.fromtimestamp(number * 3600, UTC),
            totals=HourTotals(hour.probes, tuple(hour.classes), hour.total_ms, hour.max_ms),
            minutes=pack_minutes(hour.minutes),
        )


def _badness(outcome: OutcomeClass) -> int:
    return OutcomeClass.NONE if outcome is OutcomeClass.MAINTENANCE else outcome
