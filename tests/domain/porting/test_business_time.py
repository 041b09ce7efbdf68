"""Business days of losing carriers: cut-off, holidays, clocks that change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.porting.business_time import MAX_DAYS, BusinessCalendar, CalendarEnds
from domain.porting.carrier_calendar import calendar_of
from tests.domain.porting.orders import NOW, calendar, profile, shipped

NEW_YORK = ZoneInfo("America/New_York")
PLAIN = BusinessCalendar(zone="America/New_York", holidays={date(2026, 3, 9): "Founder's Day"})
START = datetime(2025, 6, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 60 * 24 * 540).map(lambda minutes: START + timedelta(minutes=minutes))


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("came", "counts"),
    [
        (at(3, 10), at(3, 10)),
        (at(3, 13), at(3, 13)),
        (at(3, 13, 1), at(4, 8)),
        (at(3, 6), at(3, 8)),
        (at(6, 14), at(10, 8)),
        (at(7, 10), at(10, 8)),
        (at(9, 10), at(10, 8)),
    ],
)
def test_what_comes_after_the_cut_off_counts_as_the_next_business_day(
    came: datetime, counts: datetime
) -> None:
    assert PLAIN.counted(came) == counts


def test_business_days_skip_weekends_and_holidays_and_keep_the_time_of_day() -> None:
    assert PLAIN.add_business_days(at(5, 10), 1) == at(6, 10)
    # Clocks change on 8 March, and Monday is a holiday.
    assert PLAIN.add_business_days(at(6, 10), 1) == at(10, 10)
    assert PLAIN.add_business_days(at(6, 10), 0) == at(6, 10)
    assert PLAIN.add_business_days(at(5, 16), 2) == at(11, 8)


def test_counting_back_starts_from_the_day_itself_whatever_its_hour() -> None:
    assert PLAIN.add_business_days(at(10, 17), -1) == at(6, 17)
    assert PLAIN.shift(at(7, 11), -1) == at(6, 11)
    assert PLAIN.shift(at(7, 11), 0) == at(7, 11)


def test_a_simple_port_of_the_morning_is_available_at_midnight() -> None:
    assert PLAIN.available_from(at(3, 10), 1) == at(4, 0)
    assert PLAIN.available_from(at(3, 14), 1) == at(5, 0)
    assert PLAIN.available_from(at(3, 10), 4) == at(7, 0)
    assert PLAIN.available_from(at(6, 10), 2) == at(11, 0)


def test_the_days_of_a_carrier_are_those_of_its_region() -> None:
    honolulu = BusinessCalendar(zone="Pacific/Honolulu")
    assert honolulu.local_date(datetime(2026, 3, 3, 5, tzinfo=UTC)) == date(2026, 3, 2)
    assert honolulu.opening(date(2026, 3, 2)) == datetime(2026, 3, 2, 18, tzinfo=UTC)
    assert honolulu.at(date(2026, 3, 2), time(11, 30)) == datetime(2026, 3, 2, 21, 30, tzinfo=UTC)


def test_a_day_off_says_why() -> None:
    assert PLAIN.reason_off(date(2026, 3, 7)) == "Saturday"
    assert PLAIN.reason_off(date(2026, 3, 9)) == "Founder's Day"
    assert PLAIN.reason_off(date(2026, 3, 10)) is None


def test_a_calendar_does_not_guess_beyond_its_years() -> None:
    with pytest.raises(CalendarEnds, match="known from 2025-01-01 to 2028-12-31"):
        calendar().is_business_day(date(2029, 1, 2))
    with pytest.raises(ValueError, match=f"At most {MAX_DAYS}"):
        calendar().shift_day(date(2026, 3, 3), MAX_DAYS + 1)


def test_a_good_date_leaves_a_day_to_put_things_right() -> None:
    assert PLAIN.good_date(date(2026, 3, 5)) == date(2026, 3, 5)
    assert PLAIN.good_date(date(2026, 3, 6)) == date(2026, 3, 10)
    assert PLAIN.risk_of(date(2026, 3, 6)) == "Saturday"
    thanksgiving = date(2026, 11, 26)
    assert calendar().good_date(thanksgiving - timedelta(days=1)) == date(2026, 11, 30)


def test_without_any_good_date_a_business_day_does() -> None:
    every_second = {date(2026, 3, day): "off" for day in range(1, 29, 2)}
    odd = BusinessCalendar(zone="UTC", holidays=every_second)
    assert odd.good_date(date(2026, 3, 3)) == date(2026, 3, 4)


def test_the_earliest_target_date_is_a_business_day_at_least_the_lead_ahead() -> None:
    assert calendar().earliest_target_date(NOW, 7) == date(2026, 3, 10)
    assert calendar().earliest_target_date(NOW, 4) == date(2026, 3, 9)


def test_a_calendar_survives_as_json() -> None:
    assert BusinessCalendar.model_validate_json(calendar().model_dump_json()) == calendar()


@given(MOMENTS, st.integers(0, 30))
def test_counting_and_adding_are_each_others_inverse(moment: datetime, count: int) -> None:
    then = calendar().add_business_days(moment, count)
    assert calendar().is_business_day(calendar().local_date(then))
    assert then >= moment or calendar().counted(moment) == moment
    assert calendar().business_days_between(moment, then) == count


@given(MOMENTS, MOMENTS, st.integers(0, 20))
def test_who_comes_later_is_never_due_earlier(one: datetime, two: datetime, count: int) -> None:
    first, second = sorted((one, two))
    added = calendar().add_business_days
    assert added(first, count) <= added(second, count)
    assert calendar().available_from(first, 1 + count) <= calendar().available_from(
        second, 1 + count
    )


@given(MOMENTS)
def test_an_end_that_is_not_later_has_no_business_day_before_it(moment: datetime) -> None:
    assert calendar().business_days_between(moment, moment - timedelta(days=3)) == 0


def test_public_holidays_of_the_country_are_days_off_observed_ones_too() -> None:
    assert calendar().reason_off(date(2026, 7, 3)) == "Independence Day (observed)"
    assert calendar().reason_off(date(2027, 12, 31)) == "New Year's Day (observed)"


def test_a_profile_adds_holidays_of_its_own_and_takes_others_away() -> None:
    rural = calendar_of(shipped().profiles["example_rural"], NOW.date())
    assert rural.reason_off(date(2026, 11, 27)) == "day after Thanksgiving Day"
    assert rural.reason_off(date(2026, 12, 24)) == "holiday of the carrier"
    mobile = calendar_of(shipped().profiles["example_mobile"], NOW.date())
    assert mobile.is_business_day(date(2026, 10, 12))
    own = calendar_of(profile(extra_holidays=(date(2026, 3, 4),)), NOW.date())
    assert own.reason_off(date(2026, 3, 4)) == "holiday of the carrier"


def test_a_yearly_holiday_on_29_february_is_one_of_leap_years() -> None:
    leap = calendar_of(profile(yearly_holidays=("02-29",)), date(2027, 6, 1))
    assert leap.reason_off(date(2028, 2, 29)) == "holiday of the carrier"
    assert leap.is_business_day(date(2027, 3, 1))
