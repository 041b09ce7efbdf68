"""Why something that the customer asked of an order is not done, and what to do instead."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["OrderRefusal", "message_of"]


class OrderRefusal(StrEnum):
    """Why something that was asked for is not done."""

    ALREADY_ENDED = "already_ended"
    SWITCH_BEGAN = "switch_began"
    TOO_LATE = "too_late"
    """The committed date is too near."""
    CANCELING = "canceling"
    """It is about to be canceled."""
    BUSY = "busy"
    """The carrier has not answered what it was told before."""
    NOTHING_TO_MEND = "nothing_to_mend"
    TOO_MANY_CHANGES = "too_many_changes"
    NOT_ON_DEMAND = "not_on_demand"
    NO_DATE = "no_date"
    TOO_EARLY = "too_early"
    UNKNOWN_NUMBER = "unknown_number"
    LAST_NUMBER = "last_number"
    COMMITTED = "committed"
    """The losing carrier has committed itself: nothing but the date can be changed."""


_MESSAGES: Final = {
    OrderRefusal.ALREADY_ENDED: "The order has ended. Place a new one if numbers are still to be ported.",
    OrderRefusal.SWITCH_BEGAN: "The numbers are being switched over. Once they are here, port them back "
    "through the carrier that they are to return to.",
    OrderRefusal.TOO_LATE: "The confirmed date is too near: the present carrier may not hear of a change "
    "in time. Let the port go through, or call the porting desk.",
    OrderRefusal.CANCELING: "A cancellation was asked for and is not confirmed yet. Wait for its outcome.",
    OrderRefusal.BUSY: "The carrier has not answered the last request yet. Try again in a few minutes.",
    OrderRefusal.NOTHING_TO_MEND: "Nothing was rejected that waits for a correction. Resubmit only when the "
    "order's status is action_required.",
    OrderRefusal.TOO_MANY_CHANGES: "The date was changed too often since it was confirmed; the carrier may "
    "cancel the order with the next change. Keep the date, or cancel and place a new order.",
    OrderRefusal.NOT_ON_DEMAND: "The order is switched by itself at the confirmed time; there is nothing to "
    "activate.",
    OrderRefusal.NO_DATE: "No date is confirmed yet, so there is nothing to activate.",
    OrderRefusal.TOO_EARLY: "The confirmed time has not come yet. Activate once it has.",
    OrderRefusal.UNKNOWN_NUMBER: "The number is not part of the order any more, or was ported already.",
    OrderRefusal.LAST_NUMBER: "It is the last number of the order. Cancel the order instead.",
    OrderRefusal.COMMITTED: "The present carrier has confirmed the order: only the date can be changed now. "
    "Cancel the order and place a new one without the number.",
}


def message_of(refusal: OrderRefusal) -> str:
    """What happened and what to do, for people."""
    return _MESSAGES[refusal]
