"""How a call of the log ended, in a word."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["OUTCOME_CODES", "CallOutcome", "outcome_of"]


class CallOutcome(StrEnum):
    """What became of a call. Only ``failed`` says something about the trunk: the others are what
    people do with their telephones."""

    IN_PROGRESS = "in-progress"
    ANSWERED = "answered"
    BUSY = "busy"
    CANCELLED = "cancelled"
    NO_ANSWER = "no-answer"
    DECLINED = "declined"
    FAILED = "failed"


OUTCOME_CODES: Final[dict[CallOutcome, tuple[int, ...]]] = {
    CallOutcome.BUSY: (486, 600),
    CallOutcome.CANCELLED: (487,),
    CallOutcome.NO_ANSWER: (480,),
    CallOutcome.DECLINED: (603, 607, 608),
}
"""Final answers by which people end calls (RFC 3261 section 21; RFC 8197 and 8688 for 607 and 608).
408 is none of them: it is how proxies say that the next hop is silent."""

_BY_CODE: Final = {code: outcome for outcome, codes in OUTCOME_CODES.items() for code in codes}


def outcome_of(*, ended: bool, answered: bool, code: int | None) -> CallOutcome:
    """The outcome of a call with this final answer; ``None`` when none came."""
    if not ended:
        return CallOutcome.IN_PROGRESS
    if answered:
        return CallOutcome.ANSWERED
    return CallOutcome.FAILED if code is None else _BY_CODE.get(code, CallOutcome.FAILED)
