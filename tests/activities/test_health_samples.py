"""Samples in memory become the hours that are stored."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from activities.health_samples import MAX_MS, hours_of, new_samples, packed
from domain.health_history import HourTotals, MinuteSample, OutcomeClass, unpack_minutes

HOUR = datetime(2026, 3, 9, 14, tzinfo=UTC)
OK, TIMEOUT = OutcomeClass.OK, OutcomeClass.TIMEOUT


def at(minute: float) -> float:
    return HOUR.timestamp() + 60 * minute


def test_regular_rounds_make_totals_and_every_probe_makes_minutes() -> None:
    samples = new_samples()
    samples.append(packed(at(0.1), OK, 11.6, regular=True))
    samples.append(packed(at(1.1), TIMEOUT, None, regular=True))
    samples.append(packed(at(1.3), TIMEOUT, None, regular=False))
    samples.append(packed(at(1.5), OK, 30.0, regular=False))
    (part,) = hours_of("tgt_1", samples)
    assert part.hour == HOUR
    assert (part.totals.probes, part.totals.total_ms, part.totals.max_ms) == (2, 12, 12)
    assert (part.totals.count_of(OK), part.totals.count_of(TIMEOUT)) == (1, 1)
    assert unpack_minutes(part.minutes) == {0: MinuteSample(OK, 12), 1: MinuteSample(TIMEOUT)}


def test_a_minute_of_maintenance_is_no_probe() -> None:
    (part,) = hours_of("tgt_1", [packed(at(5), OutcomeClass.MAINTENANCE, None, regular=True)])
    assert part.totals.probes == 0
    assert part.totals.count_of(OutcomeClass.MAINTENANCE) == 1
    assert unpack_minutes(part.minutes)[5].outcome is OutcomeClass.MAINTENANCE


@given(
    st.lists(
        st.tuples(
            st.floats(0, 180),
            st.sampled_from([each for each in OutcomeClass if each]),
            st.none() | st.floats(0, 200_000),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_nothing_is_lost_over_the_borders_of_hours(
    seen: list[tuple[float, OutcomeClass, float | None, bool]],
) -> None:
    samples = [
        packed(at(minute), outcome, ms, regular=regular) for minute, outcome, ms, regular in seen
    ]
    parts = list(hours_of("tgt_1", samples))
    assert len({part.hour for part in parts}) == len(parts)
    assert sum(sum(part.totals.classes) for part in parts) == sum(each[3] for each in seen)
    assert sum(part.totals.total_ms for part in parts) == sum(
        min(int(ms + 0.5), MAX_MS) for _, _, ms, regular in seen if regular and ms is not None
    )
    minutes = {int(minute) for minute, *_ in seen}
    assert sum(len(unpack_minutes(part.minutes)) for part in parts) == len(minutes)


def test_no_samples_are_no_hours() -> None:
    assert list(hours_of("tgt_1", new_samples())) == []
    assert HourTotals().probes == 0
