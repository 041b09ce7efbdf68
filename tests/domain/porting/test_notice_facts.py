"""What messages are made of is what the order's process and its details say, without secrets."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.porting.notice_dates import when
from domain.porting.notice_facts import NoticeLinks, facts_of
from domain.porting.order import Address, PortDetails
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.state import Deadline, DeadlineKind, NumberState, PortState
from domain.porting.words import CustomerType, NumberStatus, SubStatus

AT = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
FOC = datetime(2026, 12, 8, 16, 30, tzinfo=UTC)

DETAILS = PortDetails(
    customer_type=CustomerType.BUSINESS,
    customer_name="Acme, Inc.",
    authorized_representative="Jane Roe",
    authorized_representative_email="jane@acme.example",
    service_address=Address(street="1 Main St", city="Denver", state="CO", zip="80202"),
    requested_date=date(2026, 12, 7),
    billing_telephone_number="+13035550100",
    customer_reference="PO 7",
)


def test_facts_are_those_of_the_order() -> None:
    state = PortState(
        order_id="port_1",
        org_id="org_1",
        sub_status=SubStatus.ACTION_REQUIRED,
        numbers=(
            NumberState(position=0, status=NumberStatus.REJECTED),
            NumberState(position=1, status=NumberStatus.PORTED),
            NumberState(position=7),
        ),
        rejections=(SeenRejection(code=RejectionCode.NAME_MISMATCH, positions=(0, 9)),),
        deadlines=(
            Deadline(kind=DeadlineKind.POLL, at=AT),
            Deadline(kind=DeadlineKind.ACTION_EXPIRY, at=FOC),
        ),
        foc_at=FOC,
        changes_left=1,
    )
    numbers = {0: "+14155550100", 1: "+14155550101"}
    made = facts_of(
        state,
        DETAILS,
        numbers,
        at=AT,
        said={RejectionCode.NAME_MISMATCH: "NO MATCH"},
        foc_before=FOC,
        entries=["a"],
    )

    assert [each.number for each in made.arrived] == ["+14155550101"]
    assert [each.number for each in made.missing] == ["+14155550100"]
    assert made.codes == (RejectionCode.NAME_MISMATCH,)
    [rejection] = made.rejections
    assert (rejection.numbers, rejection.said) == (("+14155550100",), "NO MATCH")
    assert rejection.sent == (("Name on the account", "Acme, Inc."),)
    assert (made.expires_at, made.foc_before, made.changes_left) == (FOC, None, 1)
    assert made.signer == "Jane Roe"
    later = facts_of(
        state.model_copy(update={"foc_at": None, "rejections": (), "deadlines": ()}),
        DETAILS,
        numbers,
        at=AT,
        foc_before=FOC,
        links=NoticeLinks(sign="x"),
    )
    assert (later.foc_before, later.expires_at, later.changes_left) == (FOC, None, None)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "Tuesday 2026-12-08, 16:30 UTC"),
        ("America/New_York", "Tuesday 2026-12-08, 11:30 EST (16:30 UTC)"),
        ("Asia/Tokyo", "Wednesday 2026-12-09, 01:30 JST (2026-12-08 16:30 UTC)"),
    ],
)
def test_a_time_is_said_where_it_is_meant_and_in_utc(zone: str, said: str) -> None:
    assert when(FOC, zone) == said
