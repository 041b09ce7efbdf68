"""When a target is probed: a pure function of its id and the round.

Every machine comes to the same times, so that whoever takes a shard over goes on where the other
stopped. A target keeps its phase within the interval, a hash of its id, which spreads any number of
them evenly; each round moves it by a hash of both, so that nothing that repeats elsewhere stays in
step with it. A round lies within 5 % of the interval around its place, so that two in a row are
the interval +-10 % apart.
"""

from __future__ import annotations

import hashlib
from math import floor
from typing import Final

__all__ = [
    "DEFAULT_INTERVAL",
    "JITTER",
    "due",
    "due_of_seed",
    "next_due",
    "next_of_seed",
    "seed_of",
]

DEFAULT_INTERVAL: Final = 60.0
"""Seconds."""

JITTER: Final = 0.05
"""Largest distance of a round from its place, as a share of the interval."""

_BITS: Final = 2**64
_MASK: Final = _BITS - 1


def due(target_id: str, round_number: int, interval: float = DEFAULT_INTERVAL) -> float:
    """When a round is due, in seconds since 1970."""
    return due_of_seed(seed_of(target_id), round_number, interval)


def next_due(target_id: str, after: float, interval: float = DEFAULT_INTERVAL) -> tuple[int, float]:
    """The first round that is due later than ``after``, and when."""
    return next_of_seed(seed_of(target_id), after, interval)


def seed_of(target_id: str) -> int:
    """What ``due_of_seed`` needs of an id: 64 bits, for whoever asks often."""
    return int.from_bytes(hashlib.sha256(target_id.encode()).digest()[:8], "big")


def due_of_seed(seed: int, round_number: int, interval: float) -> float:
    """``due`` for an id whose seed is known."""
    jitter = (_mixed(seed + round_number) / _BITS * 2.0 - 1.0) * JITTER
    return (round_number + seed / _BITS + jitter) * interval


def next_of_seed(seed: int, after: float, interval: float) -> tuple[int, float]:
    """``next_due`` for an id whose seed is known."""
    round_number = floor(after / interval - seed / _BITS - JITTER)
    while (at := due_of_seed(seed, round_number, interval)) <= after:
        round_number += 1
    return round_number, at


def _mixed(value: int) -> int:
    """64 bits in which every bit of ``value`` has its say (the finalizer of SplitMix64)."""
    value = value * 0x9E3779B97F4A7C15 & _MASK
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)
