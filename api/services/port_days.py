"""Business days of losing carriers, so that no client does the arithmetic itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from api.errors import InvalidRequest
from api.porting import Porting, calendar_at
from api.schemas.port_checks import BusinessDaysView, DayOffView
from domain.porting.business_time import CalendarEnds
from domain.porting.carrier_profile import CarrierProfile

__all__ = ["business_days"]


def business_days(
    porting: Porting, first: date | None, count: int, carrier: str | None, *, now: datetime
) -> BusinessDaysView:
    """The ``count`` business days behind ``first``. Raises ``InvalidRequest`` for days of years whose
    holidays are not known."""
    profile = _profile(porting, carrier)
    calendar = calendar_at(profile, now)
    start = calendar.local_date(now) if first is None else first
    try:
        days = [calendar.shift_day(start, each) for each in range(1, count + 1)]
        last = days[-1] if days else start
        earliest = calendar.next_business_day(start + timedelta(days=profile.lead_days))
        off = [
            DayOffView(date=day, reason=reason)
            for ahead in range(1, (last - start).days)
            if (reason := calendar.reason_off(day := start + timedelta(days=ahead))) is not None
        ]
        suggested = calendar.good_date(earliest)
    except (CalendarEnds, OverflowError) as error:
        raise InvalidRequest(f"from: {error}", field="from") from error
    return BusinessDaysView.model_validate(
        {
            "carrier_profile": profile.key,
            "label": profile.label,
            "time_zone": calendar.zone,
            "cutoff": calendar.cutoff.isoformat("minutes"),
            "from": start,
            "n": count,
            "date": last,
            "days": days,
            "days_off": off,
            "earliest_target_date": earliest,
            "suggested_target_date": suggested,
        }
    )


def _profile(porting: Porting, carrier: str | None) -> CarrierProfile:
    profiles = porting.profiles
    if carrier is None:
        return profiles.default
    return profiles.profiles.get(carrier) or profiles.profile_for(carrier, carrier)
