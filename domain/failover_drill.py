"""A drill: for calls of one number the active endpoint counts as dead, and nothing else changes.

What the number's calls do then is decided by the same rules as in earnest, so a drill also shows a
trunk whose triggers or endpoints would not have helped.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.failover_commands import Commands, Drill, DrillEnd
from domain.failover_picture import EndpointPicture, TrunkPicture
from domain.failover_state import FailoverState
from domain.health import QUICK_CONFIRM, SLOW_CONFIRM
from domain.health_observation import HealthState, Observed

__all__ = [
    "DEAD",
    "DrillReport",
    "dead_picture",
    "drill_now",
    "report_of",
    "state_for_drill",
    "switched",
]

DEAD: Final = "declared dead by a drill"

PROBE_SECONDS: Final = 4.0
"""How long a probe waits for its reply (design section 4)."""

SILENCE_SECONDS: Final = 3 * PROBE_SECONDS + sum(SLOW_CONFIRM)
REFUSAL_SECONDS: Final = sum(QUICK_CONFIRM)


class DrillReport(BaseModel):
    """What a drill found out.

    ``detection_ms`` runs from the declaration to the published route of the number, ``recovery_ms``
    from the end to the route without the drill. ``took_over`` is the position that the calls went
    to, ``None`` when nothing did. In earnest detection takes ``silence_seconds`` from the first
    unanswered probe, or ``refusal_seconds`` from the first refused one, and calls return after
    ``hold_down_seconds`` of stable service.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    detection_ms: int | None = None
    recovery_ms: int | None = None
    took_over: int | None = None
    why: tuple[str, ...] = ()
    silence_seconds: float = SILENCE_SECONDS
    refusal_seconds: float = REFUSAL_SECONDS
    hold_down_seconds: int = 0


def drill_now(
    commands: Commands, picture: TrunkPicture, active: str, now: datetime
) -> Drill | None:
    """The drill as it stands: ended when its time is over, or the trunk is not what it was."""
    drill = commands.drill
    if drill is None or drill.end is not None:
        return drill
    if now >= drill.until:
        return drill.model_copy(update={"end": DrillEnd.COMPLETED, "ended_at": drill.until})
    end = None
    if picture.revision != drill.revision:
        end = DrillEnd.TRUNK_REVISED
    elif active != drill.name_id:
        end = DrillEnd.FAILED_OVER
    if end is None:
        return drill
    return drill.model_copy(update={"end": end, "ended_at": now})


def dead_picture(picture: TrunkPicture, drill: Drill) -> TrunkPicture:
    """The trunk as it is for the number: the endpoint is silent since the drill began."""

    def dead(endpoint: EndpointPicture) -> EndpointPicture:
        targets = tuple(
            each.model_copy(
                update={
                    "state": HealthState.DOWN,
                    "since": drill.started_at,
                    "reason": DEAD,
                    "missed_by": Observed.TIMEOUT,
                }
            )
            for each in endpoint.targets
        )
        return endpoint.model_copy(update={"targets": targets, "error": DEAD})

    endpoints = tuple(
        dead(each) if each.name_id == drill.name_id else each for each in picture.endpoints
    )
    return picture.model_copy(update={"endpoints": endpoints})


def state_for_drill(drill: Drill, state: FailoverState) -> FailoverState:
    """A state that knows the endpoints, and nothing of a trial, a hold-down or an operator's wish."""
    return FailoverState(active=drill.name_id, since=state.since, endpoints=state.endpoints)


def switched(drill: Drill, now: datetime) -> Drill:
    """The drill when its route is published: from the first one on that sends calls elsewhere, the
    failure counts as detected."""
    if drill.switched_at is not None or not drill.order or drill.order[0] == 0:
        return drill
    return drill.model_copy(update={"switched_at": now, "took_over": drill.order[0]})


def report_of(drill: Drill, *, hold: timedelta, restored_at: datetime | None) -> DrillReport:
    """The report so far; ``restored_at`` is when the route without the drill was published."""
    return DrillReport(
        detection_ms=_ms(drill.started_at, drill.switched_at),
        recovery_ms=_ms(drill.ended_at, restored_at),
        took_over=drill.took_over,
        why=drill.why,
        hold_down_seconds=round(hold.total_seconds()),
    )


def _ms(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return max(0, round((end - start) / timedelta(milliseconds=1)))
