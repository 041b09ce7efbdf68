"""Whether a date can be asked for, and which one is better.

Sources: API contract 6.3 (at least seven days ahead), 47 CFR 52.35 (business days of the losing
carrier). What carriers refuse is an error, what is unwise a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.porting.business_time import BusinessCalendar
from domain.porting.carrier_profile import CarrierProfile

__all__ = ["DateProblem", "DateVerdict", "judge_date"]

FURTHEST: Final = 366
"""Days ahead that a calendar surely knows."""


class DateProblem(StrEnum):
    """What is wrong with a date."""

    TOO_SOON = "date_too_soon"
    NOT_A_BUSINESS_DAY = "date_not_a_business_day"
    TOO_LATE = "date_too_late"
    RISKY = "date_risky"


@dataclass(frozen=True, slots=True)
class DateVerdict:
    """``problem`` and ``reason`` are empty when the date is good; ``allowed`` is false when carriers
    would refuse it. ``proposed`` is a good date, the one asked for if it is."""

    allowed: bool
    problem: DateProblem | None
    reason: str
    proposed: date


def judge_date(
    wanted: date,
    now: datetime,
    profile: CarrierProfile,
    calendar: BusinessCalendar,
    *,
    lead_days: int | None = None,
) -> DateVerdict:
    """Judge a requested date. ``lead_days`` (calendar days) takes the place of the profile's where
    a carrier named its own for these numbers; a longer one always counts."""
    lead = max(lead_days or 0, profile.lead_days)
    today = calendar.local_date(now)
    soonest = calendar.earliest_target_date(now, lead)
    good = calendar.good_date(soonest)
    if wanted < today + timedelta(days=lead):
        return DateVerdict(
            False,
            DateProblem.TOO_SOON,
            f"{wanted} is too soon: the earliest date is {soonest}, {lead} days ahead.",
            good,
        )
    if wanted > today + timedelta(days=FURTHEST):
        return DateVerdict(
            False,
            DateProblem.TOO_LATE,
            f"{wanted} is more than a year ahead. Place the order some weeks before.",
            good,
        )
    verdict = _judge_day(wanted, calendar)
    latest = today + timedelta(days=profile.max_days_ahead)
    if verdict.allowed and wanted > latest:
        return DateVerdict(
            True,
            DateProblem.TOO_LATE,
            f"{wanted} is more than {profile.max_days_ahead} days ahead; many carriers refuse that. "
            f"Ask for {latest} at the latest, or place the order later.",
            good,
        )
    return verdict


def _judge_day(wanted: date, calendar: BusinessCalendar) -> DateVerdict:
    better = calendar.good_date(wanted)
    off = calendar.reason_off(wanted)
    if off is not None:
        return DateVerdict(
            False,
            DateProblem.NOT_A_BUSINESS_DAY,
            f"The losing carrier does not work on {wanted} ({off}). Ask for {better}.",
            better,
        )
    risk = calendar.risk_of(wanted)
    if risk is not None:
        return DateVerdict(
            True,
            DateProblem.RISKY,
            f"The day after {wanted} is no business day ({risk}): what goes wrong stays so until the "
            f"carriers work again. {better} is better.",
            better,
        )
    return DateVerdict(True, None, "", wanted)
