"""When an order will probably be done: an interval, and why it is that wide.

The one-day and four-day intervals of 47 CFR 52.35 are what carriers owe; the ranges of a profile are
what they need in practice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from domain.porting.business_time import BusinessCalendar
from domain.porting.carrier_profile import CarrierProfile
from domain.porting.words import TERMINAL, PortKind, PortType, SubStatus

__all__ = ["EstimatedCompletion", "OrderOutlook", "estimate"]

SIMPLE_NUMBERS: Final = 1
"""A simple port is a single line (47 CFR 52.36); with more the longer interval holds."""


@dataclass(frozen=True, slots=True)
class OrderOutlook:
    """What an estimate is made of.

    ``requested`` is the date asked for, ``foc_at`` the one in force, ``rejected_times`` how often
    the order came back. ``sent_at`` is when the newest request or supplement was sent.
    """

    sub_status: SubStatus
    kind: PortKind
    numbers: int
    port_type: PortType | None = None
    requested: date | None = None
    foc_at: datetime | None = None
    sent_at: datetime | None = None
    rejected_times: int = 0


@dataclass(frozen=True, slots=True)
class EstimatedCompletion:
    """From day to day, at the losing carrier, and the reason in a sentence or two."""

    earliest: date
    latest: date
    reason: str


def estimate(
    order: OrderOutlook, now: datetime, profile: CarrierProfile, calendar: BusinessCalendar
) -> EstimatedCompletion | None:
    """The interval; ``None`` for an order that has ended."""
    if order.sub_status in TERMINAL:
        return None
    today = calendar.local_date(now)
    verifying = timedelta(hours=profile.verify_window_hours)
    if order.sub_status in (SubStatus.ACTIVATING, SubStatus.VERIFYING):
        return EstimatedCompletion(
            today,
            calendar.local_date(now + verifying),
            "The numbers are being switched over; a call to each of them proves it.",
        )
    if order.foc_at is not None and order.sub_status is SubStatus.FOC_CONFIRMED:
        day = max(calendar.local_date(order.foc_at), today)
        return EstimatedCompletion(
            day,
            calendar.local_date(max(order.foc_at, now) + verifying),
            "The losing carrier confirmed the date.",
        )
    return _by_experience(order, now, profile, calendar)


def _by_experience(
    order: OrderOutlook, now: datetime, profile: CarrierProfile, calendar: BusinessCalendar
) -> EstimatedCompletion:
    (shortest, longest), why = _range(order, profile)
    start = now if order.sent_at is None else order.sent_at
    today = calendar.local_date(now)
    soonest = calendar.local_date(calendar.add_business_days(start, shortest))
    earliest = calendar.next_business_day(max(soonest, today))
    if order.requested is not None:
        earliest = max(earliest, order.requested)
    elif order.sent_at is None:
        earliest = max(earliest, calendar.earliest_target_date(now, profile.lead_days))
    span = max(1, longest - shortest)
    latest = calendar.shift_day(earliest, span * (1 + order.rejected_times))
    said = [why]
    if order.sent_at is None:
        said.append("Time counts from when the letter of authorization is signed.")
    if order.requested is not None and order.requested == earliest:
        said.append(f"The date asked for is {order.requested}.")
    if order.rejected_times:
        said.append("The request came back before, and each correction takes the time again.")
    return EstimatedCompletion(earliest, latest, " ".join(said))


def _range(order: OrderOutlook, profile: CarrierProfile) -> tuple[tuple[int, int], str]:
    if order.kind is PortKind.TOLL_FREE:
        return profile.toll_free_port_bd, _said(
            "The responsible organization of toll-free numbers", profile.toll_free_port_bd
        )
    if order.numbers > SIMPLE_NUMBERS or order.port_type is PortType.PARTIAL:
        return profile.complex_port_bd, _said(
            "A port of several numbers or of a part of an account", profile.complex_port_bd
        )
    return profile.simple_port_bd, _said("A port of a single number", profile.simple_port_bd)


def _said(what: str, days: tuple[int, int]) -> str:
    return f"{what} takes {days[0]} to {days[1]} business days."
