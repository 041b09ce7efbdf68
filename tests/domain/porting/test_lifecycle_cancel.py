"""When an order is canceled, when that is refused or comes too late, and what follows."""

from __future__ import annotations

from datetime import timedelta

from domain.porting.effects import EntryKind, Look, NoticeKind
from domain.porting.events import (
    ActivateAsked,
    CancelAsked,
    CommandRefused,
    FactKind,
    Order,
    Started,
    Validated,
)
from domain.porting.lifecycle_orders import refusal_of
from domain.porting.order_refusals import OrderRefusal, message_of
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.state import CommandKind, DeadlineKind, Warned
from domain.porting.words import NumberStatus, SubStatus
from tests.domain.porting.lives import Life, committed_life, sent_life, signed_life

C = CarrierStatus
N = NumberStatus
R = OrderRefusal
S = SubStatus
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

CANCEL = CancelAsked()
ACTIVATE = ActivateAsked()


def rejected_life(code: RejectionCode = RejectionCode.PIN_INVALID) -> Life:
    life = sent_life()
    life.reject(code)
    life.forget()
    return life


def refusal(life: Life, order: Order) -> OrderRefusal | None:
    """Why it is not done; then nothing may happen."""
    found = refusal_of(life.state, order, life.now)
    before = life.state
    life.on(order)
    if found is not None:
        assert life.state == before
    return found


def test_every_refusal_says_what_to_do() -> None:
    assert all(len(message_of(each)) > 40 for each in OrderRefusal)


def test_an_order_that_nobody_was_told_of_is_canceled_at_once() -> None:
    life = Life()
    life.on(Started())
    life.on(Validated(letter=1))
    life.on(CANCEL)
    assert life.status() is S.CANCELED
    assert life.commands == []
    assert refusal(life, CANCEL) is None
    assert refusal(life, ACTIVATE) is R.ALREADY_ENDED


def test_an_order_that_was_sent_is_canceled_when_the_carrier_confirms() -> None:
    life = sent_life()
    life.on(CANCEL)
    life.on(CANCEL)
    assert life.commands == [CommandKind.CANCEL]
    assert life.told == [NoticeKind.CANCEL_ASKED]
    assert life.status() is S.LSR_SENT
    life.take()
    assert Look() in life.effects
    life.sees(C.CANCEL_PENDING)
    life.sees(C.CANCELED, N.CANCELED, N.CANCELED)
    assert life.status() is S.CANCELED


def test_a_cancellation_behind_a_lost_answer_waits_for_it() -> None:
    life = signed_life()
    life.forget()
    life.on(CANCEL)
    assert life.commands == []
    life.take()
    assert life.commands == [CommandKind.CANCEL]
    assert life.status() is S.LSR_SENT


def test_an_order_that_the_carrier_never_took_has_nothing_to_cancel() -> None:
    life = signed_life()
    life.on(CANCEL)
    refused = SeenRejection(code=RejectionCode.OTHER)
    life.on(CommandRefused(command=CommandKind.SUBMIT, attempt=1, rejections=(refused,)))
    assert life.status() is S.CANCELED


def test_a_refused_cancellation_lets_the_order_go_on() -> None:
    life = sent_life()
    life.on(CANCEL)
    head = life.state.commands[0]
    life.on(CommandRefused(command=head.kind, attempt=head.attempt))
    assert life.state.cancel_requested_at is None
    assert life.told[-1] is NoticeKind.CANCEL_REFUSED
    assert life.state.due(DeadlineKind.CANCEL_WATCH) is None


def test_an_unconfirmed_cancellation_is_watched() -> None:
    life = sent_life()
    life.on(CANCEL)
    life.take()
    life.forget()
    life.wait(3 * DAY)
    waits = [each.count for each in life.entries if each.kind is EntryKind.CANCEL_WAITS]
    assert waits == [1, 2, 3]


def test_near_the_date_no_cancellation_is_taken() -> None:
    life = committed_life(9)
    life.wait(8 * DAY + HOUR)
    assert refusal(life, CANCEL) is R.TOO_LATE
    life.wait(DAY)
    assert refusal(life, CANCEL) is R.SWITCH_BEGAN


def test_a_date_that_passed_without_a_switch_binds_nobody() -> None:
    life = committed_life(9)
    life.wait(14 * DAY)
    assert life.status() is S.ACTION_REQUIRED
    assert refusal(life, CANCEL) is None
    assert life.state.closing is S.CANCELED


def test_a_late_port_beats_the_cancellation() -> None:
    life = committed_life(9)
    life.on(CANCEL)
    life.take()
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    life.fact(FactKind.FIRST_INBOUND, 0, 1)
    assert life.status() is S.COMPLETED
    assert life.state.warnings == (Warned.CANCEL_MISSED,)


def test_an_expiry_that_the_customer_wants_too_is_a_cancellation() -> None:
    life = rejected_life()
    life.wait(14 * DAY)
    assert life.state.closing is S.EXPIRED
    life.on(CANCEL)
    life.sees(C.CANCELED)
    assert life.status() is S.CANCELED


def test_a_letter_declined_for_a_correction_cancels_at_the_carrier() -> None:
    life = rejected_life(RejectionCode.NAME_MISMATCH)
    life.on(Validated(letter=2))
    life.fact(FactKind.LOA_DECLINED, letter=2)
    assert life.commands == [CommandKind.CANCEL]
    life.sign()
    assert life.commands == [CommandKind.CANCEL]
