"""Until when an order can be called off, and how sure that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.porting.cancellation import Cancelable, cancel_window, cancelability
from domain.porting.words import SubStatus
from tests.domain.porting.orders import NOW, calendar, profile

FOC = datetime(2026, 3, 16, 15, 30, tzinfo=UTC)
"""Monday, 11:30 in New York."""
WINDOW = cancel_window(FOC, profile(), calendar())


def test_the_freeze_is_counted_in_business_days_before_the_date() -> None:
    assert datetime(2026, 3, 12, 15, 30, tzinfo=UTC) == WINDOW.cutoff_at
    assert FOC - timedelta(hours=24) == WINDOW.refused_from


def test_what_is_refused_is_not_sure_either() -> None:
    window = cancel_window(FOC, profile(cancel_freeze_bd=0), calendar())
    assert window.cutoff_at == window.refused_from


@pytest.mark.parametrize(
    ("sub_status", "now", "more", "shown", "at_once"),
    [
        (SubStatus.AWAITING_SIGNATURE, NOW, {}, True, True),
        (SubStatus.AWAITING_SIGNATURE, NOW, {"at_carrier": True}, True, False),
        (SubStatus.LSR_SENT, NOW, {}, True, False),
        (SubStatus.FOC_CONFIRMED, WINDOW.cutoff_at, {"window": WINDOW}, True, False),
        (SubStatus.FOC_CONFIRMED, FOC - timedelta(hours=25), {"window": WINDOW}, "best_effort", False),
        (SubStatus.FOC_CONFIRMED, WINDOW.refused_from, {"window": WINDOW}, False, False),
        (SubStatus.LSR_SENT, NOW, {"requested_at": NOW}, False, False),
        (SubStatus.ACTIVATING, NOW, {"window": WINDOW}, False, False),
        (SubStatus.VERIFYING, NOW, {}, False, False),
        (SubStatus.COMPLETED, NOW, {}, False, False),
    ],
)  # fmt: skip
def test_a_cancellation_is_sure_then_an_attempt_then_refused(
    sub_status: SubStatus, now: datetime, more: dict[str, Any], shown: object, at_once: bool
) -> None:
    found = cancelability(sub_status, now, **more)
    assert (found.shown, found.at_once) == (shown, at_once)
    assert found.reason.endswith(".")
    window = more.get("window")
    assert found.cutoff_at == (window.cutoff_at if window else None)


@given(st.lists(st.integers(0, 30 * 24 * 60), min_size=2, max_size=6).map(sorted))
def test_time_never_makes_a_cancellation_easier(minutes: list[int]) -> None:
    ease = [Cancelable.NO, Cancelable.BEST_EFFORT, Cancelable.YES]
    seen = [
        ease.index(
            cancelability(
                SubStatus.FOC_CONFIRMED, NOW + timedelta(minutes=each), window=WINDOW
            ).cancelable
        )
        for each in minutes
    ]
    assert seen == sorted(seen, reverse=True)
