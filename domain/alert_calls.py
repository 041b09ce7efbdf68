"""Which calls count as failed in the failure rate.

A call has failed when the trunk or the peer did not do its part. A callee who is busy, away or does
not want the call says nothing against the trunk (field guide 1.3, 3.5), neither does a caller who
gives up or dials a number that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domain.alert_picture import CallTally

__all__ = ["NOT_THE_TRUNKS_FAULT", "call_failed", "tally_of"]

NOT_THE_TRUNKS_FAULT: Final = frozenset(
    {
        404,  # the number does not exist there
        410,
        433,  # the callee takes no anonymous calls
        480,  # a telephone that is switched off
        484,
        485,
        486,
        487,  # the caller gave up
        600,
        603,
        604,
        607,  # unwanted: the callee's verdict on the caller (RFC 8197)
        608,  # the same, by an analytics engine (RFC 8688)
    }
)
"""Final responses to an INVITE; 2xx and 3xx are no failures either."""


def call_failed(status: int | None) -> bool:
    """Whether a call that ended so has failed; ``status`` is its final response, ``None`` without
    one. Calls that were ended from our side before an answer are to be left out by whoever asks.
    """
    if status is None:
        return True
    return status >= 400 and status not in NOT_THE_TRUNKS_FAULT


def tally_of(statuses: Iterable[int | None]) -> CallTally:
    """Count calls by their final responses."""
    calls, failures = 0, dict[int | None, int]()
    for status in statuses:
        calls += 1
        if call_failed(status):
            failures[status] = failures.get(status, 0) + 1
    top = min(failures, key=lambda each: (-failures[each], each or 0), default=None)
    return CallTally(calls=calls, failed=sum(failures.values()), top_status=top)
