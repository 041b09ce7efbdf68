"""Samples, totals and uptime."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.health_history import (
    CLASSES,
    MINUTES,
    WINDOWS,
    HourTotals,
    MinuteSample,
    OutcomeClass,
    average_ms,
    class_of,
    pack_minutes,
    summed,
    unpack_minutes,
    uptime,
)
from domain.health_observation import Observed
from domain.health_rule import STANDARD_RULE, HealthPreset, HealthRule

SAMPLES = st.dictionaries(
    st.integers(0, MINUTES - 1),
    st.builds(
        MinuteSample,
        outcome=st.sampled_from([each for each in OutcomeClass if each]),
        ms=st.none() | st.integers(0, 65_534),
    ),
)


def hour(total_ms: int = 0, **counts: int) -> HourTotals:
    classes = [0] * CLASSES
    for name, count in counts.items():
        classes[OutcomeClass[name]] = count
    return HourTotals(sum(classes), tuple(classes), total_ms)


@given(SAMPLES)
def test_minutes_survive_being_packed(samples: dict[int, MinuteSample]) -> None:
    packed = pack_minutes(samples)
    assert len(packed) == 180
    assert unpack_minutes(packed) == samples


@given(st.binary(max_size=400))
def test_whatever_bytes_are_stored_can_be_read(packed: bytes) -> None:
    assert set(unpack_minutes(packed)) <= set(range(MINUTES))


def test_milliseconds_that_do_not_fit_are_the_most_that_do() -> None:
    packed = pack_minutes({0: MinuteSample(OutcomeClass.OK, 70_000)})
    assert unpack_minutes(packed)[0].ms == 65_534
    with pytest.raises(ValueError, match="60"):
        pack_minutes({60: MinuteSample(OutcomeClass.OK)})


@given(st.integers(200, 699))
def test_every_final_response_has_a_class(status: int) -> None:
    assert class_of(Observed.REPLY, status) is not OutcomeClass.NONE


@pytest.mark.parametrize(
    "kind", [kind for kind in Observed if kind not in ("reply", "call", "idle_closed")]
)
def test_every_failure_has_a_class(kind: Observed) -> None:
    assert class_of(kind, None) > OutcomeClass.GLOBAL
    # There is no status without a reply.
    assert class_of(kind, 200) is class_of(kind, None)


def test_uptime_goes_by_the_rule() -> None:
    counted = [hour(OK=50, CHALLENGED=5), hour(UNAVAILABLE=3, TIMEOUT=2, SERVER_ERROR=40)]
    assert uptime(STANDARD_RULE, counted) == pytest.approx(0.95)
    assert uptime(HealthRule(preset=HealthPreset.STRICT_200), counted) == pytest.approx(0.5)
    assert uptime(HealthRule(preset=HealthPreset.ANY_REPLY), counted) == pytest.approx(0.98)
    custom = HealthRule(preset=HealthPreset.CUSTOM, down_codes=(407, 513))
    assert uptime(custom, counted) == pytest.approx(0.53)


def test_maintenance_is_neither_up_nor_down() -> None:
    assert uptime(STANDARD_RULE, [hour(OK=9, TIMEOUT=1, MAINTENANCE=90)]) == pytest.approx(0.9)
    assert uptime(STANDARD_RULE, [hour(MAINTENANCE=60)]) is None
    assert uptime(STANDARD_RULE, []) is None


def test_the_average_is_over_replies() -> None:
    assert average_ms([hour(total_ms=1000, OK=90, FORBIDDEN=10, TIMEOUT=100)]) == 10.0
    assert average_ms([hour(TIMEOUT=5)]) is None


def test_rows_of_an_earlier_release_count_fewer_classes() -> None:
    old = HourTotals(probes=10, classes=(0, 9), total_ms=90, max_ms=20)
    assert summed([old, hour(total_ms=10, OK=1)]) == HourTotals(11, hour(OK=10).classes, 100, 20)
    assert uptime(STANDARD_RULE, [old]) == 1.0


def test_windows_are_a_day_a_week_and_thirty_days() -> None:
    assert list(WINDOWS.values()) == [timedelta(days=1), timedelta(days=7), timedelta(days=30)]
