"""When things are due in the life of an order, by the losing carrier's calendar and the clock's scale.

Business days are those of the losing carrier (47 CFR 52.35(e)). A simulated carrier lets weeks pass in
minutes: then every wait is divided by ``scale``, also those that are counted in business days, but for
those that are left to people; and dates stay what they are on the calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from domain.porting.carrier_calendar import calendar_of
from domain.porting.carrier_profile import CarrierProfile

__all__ = ["SHORTEST", "BusinessDays", "Timing", "timing_of"]

SHORTEST: Final = timedelta(milliseconds=500)
"""Between two things that are due: a wait that was scaled to nothing would be a loop."""


class BusinessDays(Protocol):
    """The losing carrier's calendar, as ``domain.porting.business_time`` has it."""

    def add_business_days(self, moment: datetime, count: int) -> datetime:
        """The moment that lies so many business days behind this one; before it, when negative."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All periods of an order. Counts are business days, in the order in which they are due."""

    days: BusinessDays
    scale: float = 1.0
    paper_reminders: Sequence[int] = (1, 3, 7)
    paper_expiry: timedelta = timedelta(days=30)
    action_reminders: Sequence[int] = (2, 5, 10)
    action_expiry: timedelta = timedelta(days=14)
    nudge: int = 3
    escalate: int = 5
    foc_reminder: int = 1
    foc_overdue: int = 1
    foc_watch: timedelta = timedelta(hours=1)
    cancel_freeze: int = 2
    """Until so many business days before the committed date a cancellation is sure to be heard."""
    cancel_refused: timedelta = timedelta(hours=24)
    """Before the committed date no cancellation is taken."""
    change_freeze: timedelta = timedelta(hours=48)
    """Before the committed date the date is not changed any more."""
    max_supplements: int = 3
    """Changes of a committed date; carriers may cancel on the next."""
    many_resubmits: int = 5
    verify_window: timedelta = timedelta(hours=48)
    poll_near: timedelta = timedelta(minutes=15)
    poll_far: timedelta = timedelta(hours=6)
    near: timedelta = timedelta(hours=24)
    retries: Sequence[timedelta] = (
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(hours=1),
    )
    """Pauses behind attempts that did not reach the winning carrier; the last one repeats."""
    cancel_watch: int = 1

    @property
    def of_people(self) -> Timing:
        """The same in real time: nobody signs or answers faster because a carrier is simulated."""
        return self if self.scale == 1.0 else replace(self, scale=1.0)

    def after(self, now: datetime, wait: timedelta) -> datetime:
        """The moment behind this wait."""
        return now + max(wait / self.scale, SHORTEST)

    def business_days_after(self, now: datetime, count: int) -> datetime:
        """The moment behind so many business days."""
        return self.after(now, self.days.add_business_days(now, count) - now)

    def business_days_before(self, moment: datetime, count: int) -> datetime:
        """The moment so many business days earlier."""
        return moment - (moment - self.days.add_business_days(moment, -count)) / self.scale

    def before(self, moment: datetime, wait: timedelta) -> datetime:
        """The moment in front of which this wait begins."""
        return moment - wait / self.scale

    def retry(self, now: datetime, tries: int) -> datetime:
        """When to try again after ``tries`` (1 or more) that brought no answer."""
        return self.after(now, self.retries[min(tries, len(self.retries)) - 1])


def timing_of(profile: CarrierProfile, around: date, *, scale: float = 1.0) -> Timing:
    """The periods of a losing carrier's profile, for an order that lives around this day."""
    return Timing(
        days=calendar_of(profile, around),
        scale=scale,
        paper_reminders=profile.signature_reminders_bd,
        paper_expiry=timedelta(days=profile.link_days),
        action_reminders=profile.action_reminders_bd,
        action_expiry=timedelta(days=profile.action_expiry_days),
        nudge=profile.nudge_bd,
        escalate=profile.escalate_bd,
        foc_reminder=profile.foc_notice_bd,
        foc_overdue=profile.foc_overdue_bd,
        foc_watch=timedelta(minutes=profile.foc_watch_minutes),
        cancel_freeze=profile.cancel_freeze_bd,
        cancel_refused=timedelta(hours=profile.cancel_refused_hours),
        change_freeze=timedelta(hours=profile.sup_freeze_hours),
        max_supplements=profile.max_sups_after_foc,
        verify_window=timedelta(hours=profile.verify_window_hours),
        poll_near=timedelta(minutes=profile.poll_near_minutes),
        poll_far=timedelta(minutes=profile.poll_far_minutes),
        near=timedelta(hours=profile.poll_near_hours),
    )
