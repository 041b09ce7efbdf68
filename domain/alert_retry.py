"""When a message that did not arrive is sent again, in two gears.

First quickly, for a receiver that is being restarted; then slowly, for one that somebody has to mend.
After a day it is given up: by then the alert is history, and the log tells it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

__all__ = ["GIVEN_UP_AFTER", "QUICK", "SLOW", "next_attempt"]

QUICK: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 120))
"""Pauses behind the first attempts."""

SLOW: Final = timedelta(minutes=15)
GIVEN_UP_AFTER: Final = timedelta(hours=24)


def next_attempt(
    *, created_at: datetime, attempts: int, now: datetime, retry_after: timedelta | None = None
) -> datetime | None:
    """When to try again after ``attempts`` (1 or more) of them, the last one just now; ``None`` when it
    is given up. ``retry_after`` is what the receiver asked for, which is granted where it is longer.
    """
    pause = QUICK[attempts - 1] if attempts <= len(QUICK) else SLOW
    if retry_after is not None:
        pause = max(pause, retry_after)
    return now + pause if now + pause <= created_at + GIVEN_UP_AFTER else None
