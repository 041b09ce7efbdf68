"""What happens to an order before it is sent: documents, the letter, its signature."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.porting.effects import Audience, EntryKind, NoticeKind, Validate
from domain.porting.events import (
    Fact,
    FactKind,
    Started,
    TimePassed,
    Validated,
)
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.state import DeadlineKind
from domain.porting.words import NumberStatus, SubStatus
from tests.domain.porting.lives import (
    MONDAY,
    Life,
    committed_life,
    letter_life,
    sent_life,
    signed_life,
    timing,
)

S = SubStatus
N = NumberStatus
C = CarrierStatus
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_an_order_begins_with_a_look_at_it() -> None:
    life = Life()
    life.on(Started())
    assert life.effects == [Validate()]
    assert [each.to_status for each in life.entries] == [S.VALIDATING]


def test_the_way_of_every_order_that_meets_no_trouble() -> None:
    life = committed_life(7)
    life.wait(7 * DAY)
    assert life.status() is S.ACTIVATING
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    assert life.status() is S.VERIFYING
    life.attach()
    life.fact(FactKind.FIRST_INBOUND, 0)
    assert life.statuses() == [N.VERIFIED, N.PORTED]
    life.fact(FactKind.FIRST_INBOUND, 1)
    assert life.status() is S.COMPLETED
    assert life.state.warnings == ()


def test_an_order_without_documents_waits_for_them_and_is_looked_at_again() -> None:
    life = Life()
    life.on(Started())
    life.on(Validated(documents_missing=True))
    assert life.status() is S.AWAITING_DOCUMENTS
    life.wait(20 * DAY)
    assert life.kinds.count(EntryKind.REMINDED) == 3
    life.forget()
    life.fact(FactKind.DOCUMENT_ATTACHED)
    assert life.status() is S.VALIDATING
    assert life.effects == [Validate()]
    life.fact(FactKind.DOCUMENT_ATTACHED)
    assert life.effects == [Validate()]


def test_documents_that_never_come_end_the_order() -> None:
    life = Life()
    life.on(Started())
    life.on(Validated(documents_missing=True))
    life.wait(31 * DAY)
    assert life.status() is S.EXPIRED


def test_nothing_that_can_be_ported_is_a_failure() -> None:
    life = Life()
    life.on(Started())
    unportable = SeenRejection(code=RejectionCode.NOT_PORTABLE, positions=(0, 1))
    life.on(Validated(unportable=(unportable,)))
    assert life.status() is S.FAILED
    assert life.state.numbers[0].rejection is RejectionCode.NOT_PORTABLE


def test_a_look_that_comes_too_late_changes_nothing() -> None:
    life = signed_life()
    before = life.state
    life.on(Validated(letter=2))
    assert life.state == before


def test_a_signer_is_reminded_with_a_link_and_the_customer_too() -> None:
    life = letter_life()
    life.wait(12 * DAY)
    reminders = [each for each in life.notices if each.kind is NoticeKind.SIGNATURE_REMINDER]
    assert [each.audience for each in reminders] == [Audience.SIGNER] * 3
    assert [each.count for each in reminders] == [1, 2, 3]
    assert life.told.count(NoticeKind.ACTION_REMINDER) == 3


def test_reminders_come_after_one_three_and_seven_business_days() -> None:
    life = letter_life()
    life.wait(12 * DAY)
    days = [(each.at - MONDAY).days for each in life.entries if each.kind is EntryKind.REMINDED]
    assert days == [1, 3, 9]


def test_a_profile_may_have_no_reminders() -> None:
    life = Life(timing=timing(paper_reminders=()))
    life.on(Started())
    life.on(Validated(letter=1))
    assert life.state.due(DeadlineKind.PAPER_REMINDER) is None


def test_a_process_that_slept_reminds_once() -> None:
    life = letter_life()
    life.now += 20 * DAY
    life.on(TimePassed())
    assert life.kinds.count(EntryKind.REMINDED) == 1


def test_another_link_is_mailed_as_long_as_there_is_something_to_sign() -> None:
    life = letter_life()
    life.fact(FactKind.LINK_RESENT)
    assert life.told == [NoticeKind.SIGNATURE_LINK]
    assert life.state.links == 2
    sent = sent_life()
    sent.fact(FactKind.LINK_RESENT)
    assert sent.told == []


def test_a_letter_that_was_replaced_cannot_be_signed_or_declined() -> None:
    life = letter_life()
    life.fact(FactKind.LOA_SIGNED, letter=7)
    life.fact(FactKind.LOA_DECLINED, letter=7)
    assert life.status() is S.AWAITING_SIGNATURE


def test_a_letter_that_is_declined_ends_the_order() -> None:
    life = letter_life()
    life.fact(FactKind.LOA_DECLINED, letter=1)
    assert life.status() is S.CANCELED
    assert life.statuses() == [N.CANCELED, N.CANCELED]


def test_a_fact_that_is_told_twice_counts_once() -> None:
    life = letter_life()
    life.sign()
    before = life.state
    life.on(Fact(seq=life.seq, kind=FactKind.LOA_SIGNED, letter=1))
    assert life.state == before


@pytest.mark.parametrize("kind", [FactKind.SUBMITTED, FactKind.OPERATOR_NOTE])
def test_some_facts_only_wake(kind: FactKind) -> None:
    life = sent_life()
    life.fact(kind)
    assert (life.effects, life.entries) == ([], [])
