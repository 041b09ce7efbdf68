"""The words of assembling calls: what a message was, the limits, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

__all__ = ["AssemblerCounts", "CallLimits", "Placed", "Placing"]


class Placing(StrEnum):
    """What a message was."""

    CALL = "call"
    UNKNOWN = "unknown"
    """Of a call whose INVITE was not seen; held, so it need not be received again."""
    DUPLICATE = "duplicate"
    """The exporter's packet came twice; dropped."""
    NOT_SIP = "not_sip"
    NOT_A_CALL = "not_a_call"
    TABLE_FULL = "table_full"
    """Dropped: as many calls are remembered as the limits permit."""


@dataclass(frozen=True, slots=True)
class Placed:
    """``sip_call_id`` is None for what is no SIP. ``new``: this message made the call known."""

    placing: Placing
    sip_call_id: str | None = None
    new: bool = False
    retransmission: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """How many calls are remembered, and how long one is without a message.

    ``max_unknown`` bounds the calls whose INVITE was not seen. ``unanswered`` is longer than timer C of
    RFC 3261 16.6. ``settle`` is for the next INVITE of a caller who was challenged or redirected.
    ``forget`` is for retransmissions after the end, and for the answer to a CANCEL.
    """

    max_calls: int = 20_000
    max_unknown: int = 2_000
    unanswered: timedelta = timedelta(minutes=4)
    in_progress: timedelta = timedelta(hours=12)
    settle: timedelta = timedelta(seconds=5)
    forget: timedelta = timedelta(seconds=40)
    unknown: timedelta = timedelta(seconds=10)


@dataclass(slots=True)
class AssemblerCounts:
    """Messages since the start by what they were; ``expired`` and ``unknown_forgotten`` are calls."""

    received: int = 0
    not_sip: int = 0
    not_calls: int = 0
    duplicates: int = 0
    retransmissions: int = 0
    unknown: int = 0
    table_full: int = 0
    expired: int = 0
    unknown_forgotten: int = 0
