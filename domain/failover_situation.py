"""What a choice about a trunk's calls is made of, and what is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.failover_commands import Commands
from domain.failover_picture import TrunkPicture
from domain.failover_standing import Fitness, Standing
from domain.failover_state import CanaryTrial, Cause, FailoverState
from domain.trunk_config import FailoverTrigger

__all__ = ["Choice", "Situation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that a choice is made of; ``standings`` by position, at least one."""

    picture: TrunkPicture
    standings: tuple[Standing, ...]
    commands: Commands
    state: FailoverState
    now: datetime

    @property
    def primary(self) -> Standing:
        return self.standings[0]

    def named(self, name_id: str | None) -> Standing | None:
        """The endpoint with this name."""
        return next((each for each in self.standings if each.name_id == name_id), None)

    def moved_by(self, standing: Standing) -> frozenset[FailoverTrigger]:
        """The enabled triggers that an endpoint has failed by."""
        return standing.triggers & frozenset(self.picture.failover.triggers)

    def better_than(self, current: Standing, hold: timedelta) -> Standing | None:
        """The best endpoint that is worth leaving ``current`` for.

        One that is in its hold-down comes behind its equals, and is worth it only when ``current``
        does not work at all.
        """

        def shaky(each: Standing) -> bool:
            if each.position > current.position or each.stable_since is None:
                return False
            return each.stable_since + hold > self.now

        others = [each for each in self.standings if each.fitness > current.fitness]
        if current.fitness is Fitness.DEGRADED:
            others = [each for each in others if each.fitness is Fitness.UP and not shaky(each)]
        return min(
            others, key=lambda each: (-each.fitness, shaky(each), each.position), default=None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The endpoint that gets the calls, and what to remember of how it came to that.

    ``failed`` is an endpoint whose calls failed just now. ``waits`` is the more preferred endpoint
    that works again and is in its hold-down until ``held_until``, or ``ready``.
    """

    active: Standing
    cause: Cause
    because: str
    commands: Commands
    left: tuple[datetime, ...]
    hold: timedelta
    by_hand: bool
    failed: Standing | None = None
    waits: Standing | None = None
    held_until: datetime | None = None
    ready: bool = False
    trial: CanaryTrial | None = None
