"""What may still be changed about an order, and how (SUP).

Before the confirmed date (FOC) carriers take any change as a supplement. After it they take a new date
only; anything else means to cancel and to order anew. Each supplement after a FOC may lose the old
date before there is a new one, and carriers end orders that are changed too often.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.porting.carrier_profile import CarrierProfile
from domain.porting.order import OrderField
from domain.porting.words import TERMINAL, SubStatus

__all__ = ["ChangeVerdict", "Manner", "judge_change", "supplements_left"]


class Manner(StrEnum):
    """How a change is made."""

    EDIT = "edit"
    """No carrier has the order: it is changed here."""
    SUPPLEMENT = "supplement"
    """A supplement (SUP) tells the carriers."""
    LOCAL = "local"
    """Carriers need not know, whatever stage the order is in."""
    REFUSED = "refused"


OURS: Final = frozenset(
    {OrderField.NOTIFICATION_EMAILS, OrderField.CUSTOMER_REFERENCE, OrderField.TRUNK}
)
"""Fields that never leave this system."""

_EDITABLE: Final = frozenset(
    {
        SubStatus.DRAFT,
        SubStatus.VALIDATING,
        SubStatus.AWAITING_DOCUMENTS,
        SubStatus.AWAITING_SIGNATURE,
        SubStatus.IN_REVIEW,
    }
)


@dataclass(frozen=True, slots=True)
class ChangeVerdict:
    """How the change is made, or why not. ``best_effort`` says that it may come too late;
    ``warnings`` are for people, before they agree."""

    manner: Manner
    reason: str = ""
    best_effort: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether it can be made."""
        return self.manner is not Manner.REFUSED


def judge_change(
    changed: Collection[OrderField],
    sub_status: SubStatus,
    now: datetime,
    profile: CarrierProfile,
    *,
    foc_at: datetime | None = None,
    sups_after_foc: int = 0,
    cancel_requested: bool = False,
) -> ChangeVerdict:
    """How these fields are changed in an order that stands like this.

    ``foc_at`` is the FOC date that is in force, ``sups_after_foc`` how many supplements were sent
    since the first one.
    """
    if sub_status in TERMINAL:
        return _refused("The order has ended; place a new one.")
    if set(changed) <= OURS:
        return ChangeVerdict(Manner.LOCAL)
    if cancel_requested:
        return _refused("A cancellation is under way, so nothing else can be changed.")
    if sub_status in (SubStatus.ACTIVATING, SubStatus.VERIFYING):
        return _refused("The numbers are being switched over or are here already.")
    if sub_status in _EDITABLE:
        return ChangeVerdict(Manner.EDIT)
    if sub_status is SubStatus.SUBMITTING:
        return _refused("The order is being sent at this moment; try again in a minute.")
    if foc_at is None:
        return ChangeVerdict(
            Manner.SUPPLEMENT,
            warnings=("The losing carrier's time to answer begins again with a supplement.",),
        )
    return _after_foc(set(changed) - OURS, sub_status, now, profile, foc_at, sups_after_foc)


def supplements_left(profile: CarrierProfile, sups_after_foc: int) -> int:
    """How many changes of the date carriers still take."""
    return max(0, profile.max_sups_after_foc - sups_after_foc)


def _after_foc(
    changed: set[OrderField],
    sub_status: SubStatus,
    now: datetime,
    profile: CarrierProfile,
    foc_at: datetime,
    sups_after_foc: int,
) -> ChangeVerdict:
    mending = sub_status is SubStatus.ACTION_REQUIRED
    if not mending and changed != {OrderField.REQUESTED_DATE}:
        return _refused(
            "The losing carrier confirmed a date; from then on only the date can be changed. Cancel "
            "the order and place a new one for everything else."
        )
    left = supplements_left(profile, sups_after_foc)
    if left == 0:
        return _refused(
            f"The order was changed {sups_after_foc} times since its date was confirmed, and "
            "carriers end orders that are changed more often. Keep the date, or cancel the order "
            "and place a new one."
        )
    if not mending and now >= foc_at:
        return _refused("The confirmed date has come; the numbers are about to be switched over.")
    late = now > foc_at - timedelta(hours=profile.sup_freeze_hours)
    return ChangeVerdict(
        Manner.SUPPLEMENT, best_effort=late, warnings=_warnings(late, left, profile)
    )


def _warnings(late: bool, left: int, profile: CarrierProfile) -> tuple[str, ...]:
    said = ["The confirmed date may be lost before the losing carrier confirms another one."]
    if late:
        said.append(
            f"Less than {profile.sup_freeze_hours} hours are left: the change may come too late, and "
            "the losing carrier may end the service on the old date."
        )
    if left == 1:
        said.append("This is the last change that carriers take for this order.")
    return tuple(said)


def _refused(reason: str) -> ChangeVerdict:
    return ChangeVerdict(Manner.REFUSED, reason)
