"""A target's state as a sentence for the person who asks why it stands so, and what comes next."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil
from typing import Final

from domain.health_observation import HealthState
from domain.health_record import CONFIRMATIONS, RETURNS, TargetHealth

__all__ = ["explain"]

SAME_DAY: Final = 12 * 3600.0
"""A time of day alone is clear for so many seconds; an older one has its date."""


def explain(health: TargetHealth, *, now: float, next_at: float | None) -> str:
    """Where a target stands, since when, why, and what happens next.

    ``now`` and ``next_at``, when it is probed again, are seconds since 1970; ``None`` is never:
    it is judged by calls. For instance: "down since 14:03:05 UTC: 3 of 3 probes unanswered; next
    probe in 8 s; back after 3 good replies".
    """
    parts = [_standing(health, now), _next(health, now, next_at), _back(health)]
    return "; ".join(part for part in parts if part)


def _standing(health: TargetHealth, now: float) -> str:
    if health.state is HealthState.UNCHECKED:
        return f"unchecked: {health.reason}" if health.reason else "not checked yet"
    since = "" if health.since is None else f" since {_clock(health.since, now)}"
    doubted = health.state is not HealthState.DOWN and health.misses > 0
    said = ", but " if doubted else ": "
    return f"{health.state}{since}{said}{health.reason}" if health.reason else health.state + since


def _next(health: TargetHealth, now: float, next_at: float | None) -> str:
    if health.maintenance_until is not None and health.maintenance_until > now:
        return f"not probed before {_clock(health.maintenance_until, now)}, as it asks"
    if next_at is None:
        return "judged by calls alone"
    seconds = ceil(next_at - now)
    return f"next probe in {seconds} s" if seconds > 0 else "next probe now"


def _back(health: TargetHealth) -> str:
    if health.state is HealthState.DOWN:
        left = RETURNS - health.goods
        more = "" if not health.goods else "more "
        return f"back after {left} {more}good {'reply' if left == 1 else 'replies'}"
    if health.misses:
        return f"down after {CONFIRMATIONS} in a row"
    return ""


def _clock(moment: float, now: float) -> str:
    form = "%H:%M:%S UTC" if abs(now - moment) < SAME_DAY else "%Y-%m-%d %H:%M:%S UTC"
    return datetime.fromtimestamp(moment, UTC).strftime(form)
