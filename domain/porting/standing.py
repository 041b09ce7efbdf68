"""What the row of an order shows beside its columns, and how an order goes on from its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from domain.porting.state import DeadlineKind, PortState
from domain.porting.words import TERMINAL, SubStatus

__all__ = ["parent_status", "standing_of", "state_in"]

_STATE = "state"


def standing_of(state: PortState) -> dict[str, Any]:
    """The order as JSON: ``rejections`` (codes with positions), ``warnings``, counters, and dates as
    ISO 8601; under ``state`` everything, for a process that has to begin anew."""
    dumped = state.model_dump(mode="json")
    shown = {
        name: dumped[name]
        for name in (
            "rejections",
            "warnings",
            "resubmits",
            "foc_changes",
            "foc_supplements",
            "changes_left",
            "cancel_refused_from",
            "change_late_from",
            "at_carrier",
            "on_demand",
            "letter",
            "signed",
            "closing",
        )
    }
    dates = {each.kind: each.at.isoformat() for each in state.deadlines}
    return {
        **shown,
        "signature_expires_at": dates.get(DeadlineKind.PAPER_EXPIRY),
        "action_expires_at": dates.get(DeadlineKind.ACTION_EXPIRY),
        _STATE: dumped,
    }


def state_in(standing: Mapping[str, Any]) -> PortState | None:
    """The order as it was recorded last; ``None`` when it never was."""
    try:
        return PortState.model_validate(standing[_STATE])
    except (KeyError, ValidationError):
        return None


_BEHIND: tuple[SubStatus, ...] = (
    SubStatus.ACTION_REQUIRED,
    SubStatus.DRAFT,
    SubStatus.VALIDATING,
    SubStatus.AWAITING_DOCUMENTS,
    SubStatus.AWAITING_SIGNATURE,
    SubStatus.IN_REVIEW,
    SubStatus.SUBMITTING,
    SubStatus.LSR_SENT,
    SubStatus.SUPP_SENT,
    SubStatus.FOC_CONFIRMED,
    SubStatus.ACTIVATING,
    SubStatus.VERIFYING,
)
"""Of parts under way the one that needs somebody counts, else the one that is furthest behind."""


def parent_status(parts: Sequence[SubStatus]) -> SubStatus:
    """The status of a split order, of which there are these parts, one or more.

    While a part is under way, it is that of the part that holds the others up; then some came and
    some did not, or all ended alike.
    """
    open_ones = [each for each in parts if each not in TERMINAL]
    if open_ones:
        return min(open_ones, key=_BEHIND.index)
    ends = set(parts)
    if len(ends) == 1:
        return next(iter(ends))
    if ends & {SubStatus.COMPLETED, SubStatus.PARTIALLY_COMPLETED}:
        return SubStatus.PARTIALLY_COMPLETED
    return SubStatus.FAILED if SubStatus.FAILED in ends else SubStatus.CANCELED
