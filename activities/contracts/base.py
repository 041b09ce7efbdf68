"""What every contract is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, ConfigDict
from temporalio.common import RetryPolicy

__all__ = ["CONCLUDE_LIMITS", "ActivityLimits", "Payload"]


class Payload(BaseModel):
    """Base of every model in a Temporal payload."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class ActivityLimits:
    """Time limits and retries of one activity call."""

    schedule_to_close: timedelta
    start_to_close: timedelta
    retry: RetryPolicy
    heartbeat: timedelta | None = None
    schedule_to_start: timedelta | None = None


CONCLUDE_LIMITS = ActivityLimits(
    # One short transaction.
    start_to_close=timedelta(seconds=5),
    # What is left of the 60 s that a discovery may last after the sweep's 45 s.
    schedule_to_close=timedelta(seconds=12),
    retry=RetryPolicy(initial_interval=timedelta(milliseconds=200), backoff_coefficient=1.5),
)
