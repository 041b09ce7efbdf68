"""What people and machines are told of an order, and what its row shows."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest

from domain.porting.carrier_profile import parse_carriers
from domain.porting.effects import Actor, EntryKind, TimelineEntry
from domain.porting.rejections import REJECTIONS, RejectionCode
from domain.porting.snapshot import (
    CarrierRejection,
    CarrierSnapshot,
    CarrierStatus,
    NumberSnapshot,
    sighting_of,
)
from domain.porting.standing import parent_status, standing_of, state_in
from domain.porting.state import PortState
from domain.porting.timeline_text import entry_text, moment
from domain.porting.timing import timing_of
from domain.porting.words import TERMINAL, NumberStatus, SubStatus, public_text
from tests.domain.porting.lives import MONDAY, sent_life

S = SubStatus
NUMBERS = {position: f"+1202555010{position}" for position in range(8)}


def entry(kind: EntryKind, **fields: Any) -> TimelineEntry:
    return TimelineEntry(key="1.0", kind=kind, at=MONDAY, **fields)


@pytest.mark.parametrize("kind", EntryKind)
def test_every_entry_has_its_words(kind: EntryKind) -> None:
    made = entry(kind, to_status=S.LSR_SENT, positions=(0,), until=MONDAY, count=2)
    text = entry_text(made, NUMBERS)
    assert len(text) > 10
    assert "{" not in text


def test_a_change_of_status_says_what_it_means_when_and_how_to_mend_it() -> None:
    made = entry(EntryKind.STATUS, to_status=S.FOC_CONFIRMED, until=MONDAY)
    assert entry_text(made, {}) == f"{public_text(S.FOC_CONFIRMED)} It is 2026-11-02 15:00 UTC."
    rejected = entry(
        EntryKind.STATUS, to_status=S.ACTION_REQUIRED, codes=(RejectionCode.PIN_INVALID,)
    )
    assert REJECTIONS[RejectionCode.PIN_INVALID].fix in entry_text(rejected, {})


def test_few_numbers_are_named_and_many_counted() -> None:
    named = entry_text(entry(EntryKind.ATTACHED, positions=(0, 1)), NUMBERS)
    assert "+12025550100, +12025550101" in named
    assert "7 numbers" in entry_text(entry(EntryKind.ATTACHED, positions=tuple(range(7))), NUMBERS)
    assert moment(None) == "no date"


def test_a_row_holds_all_that_a_lost_process_needs() -> None:
    life = sent_life()
    life.reject(RejectionCode.PIN_INVALID)
    standing = standing_of(life.state)
    assert state_in(standing) == life.state
    assert standing["rejections"] == [{"code": "pin_invalid", "positions": []}]
    assert standing["action_expires_at"] is not None
    assert standing["signature_expires_at"] is None
    assert state_in({}) is None
    assert state_in({"state": {"order_id": 7}}) is None


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ((S.COMPLETED, S.COMPLETED), S.COMPLETED),
        ((S.COMPLETED, S.CANCELED), S.PARTIALLY_COMPLETED),
        ((S.FAILED, S.CANCELED), S.FAILED),
        ((S.EXPIRED, S.CANCELED), S.CANCELED),
        ((S.COMPLETED, S.LSR_SENT), S.LSR_SENT),
        ((S.FOC_CONFIRMED, S.AWAITING_SIGNATURE), S.AWAITING_SIGNATURE),
        ((S.FOC_CONFIRMED, S.ACTION_REQUIRED), S.ACTION_REQUIRED),
    ],
)
def test_a_split_order_stands_as_its_parts_do(parts: tuple[S, ...], whole: S) -> None:
    assert parent_status(parts) is whole


@pytest.mark.parametrize("one", SubStatus)
def test_a_split_order_ends_with_its_last_part(one: S) -> None:
    for other in SubStatus:
        assert (parent_status((one, other)) in TERMINAL) == ({one, other} <= TERMINAL)


def test_a_picture_enters_a_history_without_numbers_and_words() -> None:
    snapshot = CarrierSnapshot(
        carrier_order_id="sim_1",
        status=CarrierStatus.ACTION_REQUIRED,
        numbers=(
            NumberSnapshot(number="+12025550101", status=NumberStatus.REJECTED, raw="NOPE"),
            NumberSnapshot(number="+12025550199", status=NumberStatus.ACCEPTED),
        ),
        rejections=(
            CarrierRejection(
                code=RejectionCode.NAME_MISMATCH,
                text="is Jane Doe",
                numbers=("+12025550101", "+12025550188"),
            ),
        ),
        sequence=3,
        at=MONDAY,
    )
    sighting = sighting_of(snapshot, {"+12025550100": 0, "+12025550101": 1})
    assert [each.position for each in sighting.numbers] == [1]
    assert sighting.rejections[0].positions == (1,)
    assert sighting.strangers == 2
    text = sighting.model_dump_json()
    assert "Jane" not in text
    assert "+1" not in text


def test_periods_come_from_the_losing_carriers_profile() -> None:
    profile = parse_carriers((files("domain.porting") / "carriers.toml").read_text()).default
    made = timing_of(profile, date(2026, 11, 2), scale=10.0)
    assert made.paper_expiry == timedelta(days=30)
    assert made.cancel_refused == timedelta(hours=24)
    assert made.retry(MONDAY, 99) - MONDAY == timedelta(minutes=6)
    monday = MONDAY + timedelta(days=14)
    assert made.business_days_before(monday, 1) == monday - timedelta(days=3) / 10


def test_actors_are_the_words_of_the_timeline() -> None:
    assert {each.value for each in Actor} == {
        "customer",
        "operator",
        "system",
        "winning_carrier",
        "losing_carrier",
    }


def test_a_new_order_knows_nothing() -> None:
    state = PortState(order_id="port_1", org_id="org_1")
    assert (state.codes, state.open_numbers, state.is_over) == ((), (), False)
