"""When an order will probably be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.porting.eta import EstimatedCompletion, OrderOutlook, estimate
from domain.porting.words import TERMINAL, PortKind, PortType, SubStatus
from tests.domain.porting.orders import NOW, calendar, profile

TODAY = date(2026, 3, 3)
SINGLE = OrderOutlook(sub_status=SubStatus.LSR_SENT, kind=PortKind.LOCAL, numbers=1, sent_at=NOW)


def of(order: OrderOutlook, now: datetime = NOW) -> EstimatedCompletion:
    found = estimate(order, now, profile(), calendar())
    assert found is not None
    return found


def outlook(**changes: Any) -> OrderOutlook:
    return replace(SINGLE, **changes)


@pytest.mark.parametrize("ended", sorted(TERMINAL))
def test_an_order_that_has_ended_has_none(ended: SubStatus) -> None:
    assert estimate(outlook(sub_status=ended), NOW, profile(), calendar()) is None


def test_a_single_number_takes_the_short_interval_several_the_long_one() -> None:
    assert of(SINGLE).earliest == date(2026, 3, 4)
    assert of(SINGLE).latest == date(2026, 3, 10)
    assert of(outlook(numbers=2)).earliest == date(2026, 3, 10)
    assert of(outlook(port_type=PortType.PARTIAL)).earliest == date(2026, 3, 10)
    assert "toll-free" in of(outlook(kind=PortKind.TOLL_FREE)).reason


def test_before_the_signature_the_lead_counts_and_time_has_not_begun() -> None:
    found = of(outlook(sub_status=SubStatus.AWAITING_SIGNATURE, sent_at=None))
    assert found.earliest == date(2026, 3, 10)
    assert "is signed" in found.reason


def test_it_is_not_done_before_the_date_that_was_asked_for() -> None:
    found = of(outlook(requested=date(2026, 3, 18)))
    assert found.earliest == date(2026, 3, 18)
    assert "2026-03-18" in found.reason
    early = of(outlook(sent_at=None, requested=date(2026, 3, 3)))
    assert "date asked for" not in early.reason


def test_every_rejection_makes_it_take_longer() -> None:
    found = of(outlook(rejected_times=2, sub_status=SubStatus.ACTION_REQUIRED))
    assert found.latest > of(SINGLE).latest
    assert "came back" in found.reason


def test_a_confirmed_date_is_the_estimate_and_proof_takes_a_while() -> None:
    foc = datetime(2026, 3, 12, 15, 30, tzinfo=UTC)
    confirmed = outlook(sub_status=SubStatus.FOC_CONFIRMED, foc_at=foc)
    assert (of(confirmed).earliest, of(confirmed).latest) == (date(2026, 3, 12), date(2026, 3, 14))
    overdue = of(confirmed, foc + timedelta(days=3))
    assert overdue.earliest == date(2026, 3, 15)
    verifying = of(outlook(sub_status=SubStatus.VERIFYING))
    assert (verifying.earliest, verifying.latest) == (TODAY, TODAY + timedelta(days=2))


@given(
    st.sampled_from([each for each in SubStatus if each not in TERMINAL]),
    st.sampled_from(PortKind),
    st.integers(1, 50),
    st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 1)),
    st.none() | st.integers(-60, 60).map(lambda days: NOW + timedelta(days=days)),
    st.none() | st.integers(-60, 0).map(lambda days: NOW + timedelta(days=days)),
    st.integers(0, 5),
)
def test_it_never_ends_before_it_begins_nor_in_the_past(
    sub_status: SubStatus,
    kind: PortKind,
    numbers: int,
    requested: date | None,
    foc_at: datetime | None,
    sent_at: datetime | None,
    rejected: int,
) -> None:
    found = of(
        OrderOutlook(
            sub_status=sub_status,
            kind=kind,
            numbers=numbers,
            requested=requested,
            foc_at=foc_at,
            sent_at=sent_at,
            rejected_times=rejected,
        )
    )
    assert TODAY <= found.earliest <= found.latest
    assert found.reason.endswith(".")
