"""How long an endpoint must stay up before calls return to it, and who is on trial.

An endpoint that works again is trusted after the hold-down without a break: five minutes unless the
customer set another. Each further failure of where calls go doubles that, up to an hour; the sixth
within six hours leaves it to an operator (field guide 1.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain.failover_picture import CallSign, EndpointPicture, TrunkPicture
from domain.failover_standing import Fitness, Standing, calls_of, trigger_of
from domain.failover_state import CanaryStage, CanaryTrial

__all__ = [
    "CANARY_PATIENCE",
    "FLAPS_TO_MANUAL",
    "FLAP_MEMORY",
    "LONGEST_HOLD_DOWN",
    "TrialEnd",
    "Waiting",
    "failures_with",
    "hold_after",
    "next_of_trial",
    "waiting",
]

LONGEST_HOLD_DOWN: Final = timedelta(hours=1)

FLAPS_TO_MANUAL: Final = 6
"""Failures: the usual hold-downs behind the first five are 5, 10, 20, 40 and 60 minutes."""

FLAP_MEMORY: Final = timedelta(hours=6)
"""The usual five hold-downs add up to 2 h 15 min; whoever fails less often than that is not flapping."""

CANARY_PATIENCE: Final = timedelta(minutes=5)
"""A stage without calls ends after this: silence at night must not keep calls from home."""

CANARY_CALLS: Final = 5
"""Calls that an endpoint has to take while it gets a tenth of them."""


def failures_with(earlier: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """The flap history with a failure now; what is too old is forgotten."""
    kept = [each for each in earlier if each > now - FLAP_MEMORY]
    return (*kept, now)[-FLAPS_TO_MANUAL:]


def hold_after(failures: int, first_seconds: int) -> timedelta:
    """The hold-down after that many failures; the first one lasts ``first_seconds``."""
    first = timedelta(seconds=first_seconds)
    return min(first * (1 << max(0, min(failures, FLAPS_TO_MANUAL) - 1)), LONGEST_HOLD_DOWN)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who calls may return to: ``ready`` now, or ``first`` at ``until`` when it stays up."""

    ready: Standing | None = None
    first: Standing | None = None
    until: datetime | None = None


def waiting(
    standings: Sequence[Standing],
    current: Standing,
    *,
    hold: timedelta,
    moved_at: datetime | None,
    now: datetime,
) -> Waiting:
    """The more preferred endpoints that work again: the most preferred one that waited long enough,
    else the one that is first to have done so.

    Calls that moved at ``moved_at`` stay for the hold-down too, however long another one has worked.
    """
    first: Standing | None = None
    until: datetime | None = None
    for each in standings:
        if each.position >= current.position or not _may_return(each, current):
            continue
        known = [moment for moment in (each.stable_since, moved_at) if moment is not None]
        end = max(known, default=now) + hold
        if end <= now:
            return Waiting(ready=each)
        if until is None or end < until:
            first, until = each, end
    return Waiting(first=first, until=until)


def _may_return(standing: Standing, current: Standing) -> bool:
    if standing.fitness in (Fitness.UP, Fitness.UNCHECKED):
        return True
    return standing.fitness is Fitness.DEGRADED and current.fitness <= Fitness.DEGRADED


class TrialEnd(Enum):
    """How a trial ends."""

    PASSED = auto()
    FAILED = auto()


def next_of_trial(
    trial: CanaryTrial, picture: TrunkPicture, standing: Standing | None, now: datetime
) -> CanaryTrial | TrialEnd:
    """The trial as it goes on, or its end."""
    if standing is None or standing.fitness <= Fitness.MAINTENANCE:
        return TrialEnd.FAILED
    signs = _signs(trial, picture, standing.endpoint)
    if any(trigger_of(each) in picture.failover.triggers for each in signs):
        return TrialEnd.FAILED
    taken = sum(each is CallSign.ALIVE for each in signs)
    patient = now < trial.since + CANARY_PATIENCE
    if trial.stage is CanaryStage.ONE_CALL:
        if patient and not taken:
            return trial
        return trial.model_copy(update={"stage": CanaryStage.TENTH, "since": now})
    return trial if patient and taken < CANARY_CALLS else TrialEnd.PASSED


def _signs(
    trial: CanaryTrial, picture: TrunkPicture, endpoint: EndpointPicture
) -> tuple[CallSign, ...]:
    return tuple(each.sign for each in calls_of(endpoint, picture.calls, after=trial.since))
