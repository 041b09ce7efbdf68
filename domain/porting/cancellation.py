"""When an order can still be called off, and until when that is sure.

A cancellation travels from carrier to carrier, so close to the confirmed date (FOC) it may come too
late: the numbers move all the same, and only a port back returns them. The periods are those of the
losing carrier's profile.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.porting.business_time import BusinessCalendar
from domain.porting.carrier_profile import CarrierProfile
from domain.porting.words import TERMINAL, SubStatus

__all__ = ["CancelWindow", "Cancelability", "Cancelable", "cancel_window", "cancelability"]

NOT_SENT: Final = frozenset(
    {
        SubStatus.DRAFT,
        SubStatus.VALIDATING,
        SubStatus.AWAITING_DOCUMENTS,
        SubStatus.AWAITING_SIGNATURE,
        SubStatus.IN_REVIEW,
    }
)
"""Sub-statuses in which no carrier need know of the order; a corrected one may be known to one."""


class Cancelable(StrEnum):
    """How much a cancellation can do."""

    YES = "yes"
    BEST_EFFORT = "best_effort"
    NO = "no"


class CancelWindow(BaseModel):
    """Until ``cutoff_at`` a cancellation is sure; from ``refused_from`` on it is not taken."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cutoff_at: AwareDatetime
    refused_from: AwareDatetime


class Cancelability(BaseModel):
    """The answer, with a sentence for people. ``at_once`` says that no carrier has to agree."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cancelable: Cancelable
    at_once: bool
    cutoff_at: AwareDatetime | None
    reason: str

    @property
    def shown(self) -> bool | Literal["best_effort"]:
        """As the API writes it."""
        if self.cancelable is Cancelable.BEST_EFFORT:
            return "best_effort"
        return self.cancelable is Cancelable.YES


def cancel_window(
    foc_at: datetime, profile: CarrierProfile, calendar: BusinessCalendar
) -> CancelWindow:
    """What a FOC date means for cancellation: the freeze is in business days before it."""
    cutoff = calendar.shift(foc_at, -profile.cancel_freeze_bd)
    refused = foc_at - timedelta(hours=profile.cancel_refused_hours)
    return CancelWindow(cutoff_at=min(cutoff, refused), refused_from=refused)


def cancelability(
    sub_status: SubStatus,
    now: datetime,
    *,
    window: CancelWindow | None = None,
    requested_at: datetime | None = None,
    at_carrier: bool = False,
) -> Cancelability:
    """Whether an order in this state can be called off at ``now``.

    ``window`` is that of the FOC date, ``None`` without one; ``requested_at`` is when it was asked
    for before; ``at_carrier`` says that a carrier has the order though it waits for papers again.
    """
    cutoff = None if window is None else window.cutoff_at
    if sub_status in TERMINAL:
        return _no(cutoff, "The order has ended.")
    if sub_status in (SubStatus.ACTIVATING, SubStatus.VERIFYING):
        return _no(
            cutoff,
            "The numbers are being switched over or are here already. To get them back, the old "
            "carrier has to port them.",
        )
    if requested_at is not None:
        return _no(cutoff, "The cancellation was asked for already; a carrier has to confirm it.")
    if sub_status in NOT_SENT and not at_carrier:
        return Cancelability(
            cancelable=Cancelable.YES,
            at_once=True,
            cutoff_at=cutoff,
            reason="Nothing was sent to a carrier yet, so the order ends at once.",
        )
    return _at_carrier(now, window)


def _at_carrier(now: datetime, window: CancelWindow | None) -> Cancelability:
    if window is None or now <= window.cutoff_at:
        return Cancelability(
            cancelable=Cancelable.YES,
            at_once=False,
            cutoff_at=None if window is None else window.cutoff_at,
            reason="The carriers have to confirm the cancellation, which takes up to a business day.",
        )
    if now < window.refused_from:
        return Cancelability(
            cancelable=Cancelable.BEST_EFFORT,
            at_once=False,
            cutoff_at=window.cutoff_at,
            reason="The confirmed date is near: we try, but the numbers may move all the same.",
        )
    return _no(
        window.cutoff_at,
        "The confirmed date is too near: no carrier takes a cancellation any more.",
    )


def _no(cutoff_at: datetime | None, reason: str) -> Cancelability:
    return Cancelability(
        cancelable=Cancelable.NO, at_once=False, cutoff_at=cutoff_at, reason=reason
    )
