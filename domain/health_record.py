"""Where a target stands by one rule, and how that changes. Times in seconds since 1970 (UTC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.health_observation import HealthState, Observed

__all__ = ["CONFIRMATIONS", "RETURNS", "Step", "TargetHealth", "Transition"]

CONFIRMATIONS: Final = 3
"""Misses in a row that make a target down."""

RETURNS: Final = 3
"""Replies in a row that bring it back, or change what it is otherwise."""


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """Where a target stands.

    ``since`` is when ``state`` began, ``seq`` counts its changes. ``misses`` and ``goods`` count in
    a row and up to their limit: what was missed, and the replies that speak for another state.
    ``last_status`` is of the last observation, ``last_ms`` of the last that was timed, ``None`` after
    a miss. ``missed_by`` is how the last miss came, while it is down or in doubt. ``reason`` is why
    it stands so.
    """

    state: HealthState = HealthState.UNCHECKED
    since: float | None = None
    seq: int = 0
    misses: int = 0
    goods: int = 0
    maintenance_until: float | None = None
    last_at: float | None = None
    last_ms: float | None = None
    last_status: int | None = None
    missed_by: Observed | None = None
    reason: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing speaks against the state."""
        if self.state is HealthState.DOWN:
            return not self.goods and self.maintenance_until is None
        return not self.goods and not self.misses


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state, and the counters that decided it."""

    seq: int
    at: float
    before: HealthState
    after: HealthState
    reason: str
    misses: int
    goods: int


@dataclass(frozen=True, slots=True)
class Step:
    """What an observation led to.

    ``again_in`` is seconds until the target wants another look, counted from the observation;
    ``None`` leaves it to the regular round.
    """

    health: TargetHealth
    transition: Transition | None = None
    again_in: float | None = None
