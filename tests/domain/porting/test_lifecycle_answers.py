"""What the carrier answers and says of an order, and what follows."""

from __future__ import annotations

from datetime import timedelta

from domain.porting.effects import EntryKind, Look, NoticeKind, TellCarrier
from domain.porting.events import (
    Answered,
    CarrierAway,
    CommandRefused,
    FactKind,
    TimePassed,
    Validated,
)
from domain.porting.rejections import REJECTIONS, RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.state import CommandKind, DeadlineKind
from domain.porting.words import NumberStatus, SubStatus
from tests.domain.porting.lives import (
    sent_life,
    signed_life,
)

S = SubStatus
N = NumberStatus
C = CarrierStatus
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_a_hint_makes_the_order_ask_the_carrier() -> None:
    life = sent_life()
    life.fact(FactKind.CARRIER_EVENT)
    assert life.effects == [Look()]


def test_a_request_that_is_refused_at_once_can_be_corrected_and_sent_anew() -> None:
    life = signed_life()
    refusal = SeenRejection(code=RejectionCode.ADDRESS_MISMATCH)
    life.on(CommandRefused(command=CommandKind.SUBMIT, attempt=1, rejections=(refusal,)))
    assert life.status() is S.ACTION_REQUIRED
    assert not life.state.at_carrier
    assert life.state.due(DeadlineKind.ACTION_EXPIRY) is not None


def test_a_refusal_without_a_reason_is_still_one() -> None:
    life = signed_life()
    life.on(CommandRefused(command=CommandKind.SUBMIT, attempt=1))
    assert life.state.codes == (RejectionCode.OTHER,)


def test_an_answer_to_something_else_is_none() -> None:
    life = signed_life()
    before = life.state
    life.on(Answered(command=CommandKind.SUBMIT, attempt=9))
    life.on(CommandRefused(command=CommandKind.SUBMIT, attempt=9))
    life.on(CarrierAway(command=CommandKind.SUBMIT, attempt=9))
    assert life.state == before


def test_a_carrier_that_is_away_is_told_again_under_the_same_attempt() -> None:
    life = signed_life()
    life.forget()
    for _ in range(4):
        life.on(CarrierAway(command=CommandKind.SUBMIT, attempt=1))
        due = life.state.due(DeadlineKind.RETRY)
        assert due is not None
        life.now = due.at
        life.on(TimePassed())
    told = [each.command.attempt for each in life.effects if isinstance(each, TellCarrier)]
    assert told == [1] * 4
    assert life.told == [NoticeKind.NEEDS_OPERATOR]


def test_pictures_that_do_not_come_call_the_desk_in_the_end() -> None:
    life = sent_life()
    for _ in range(4):
        life.on(CarrierAway())
    assert life.kinds == [EntryKind.CARRIER_AWAY]
    life.sees(C.SUBMITTED, N.SUBMITTED, N.SUBMITTED)
    assert life.state.unseen == 0


def test_a_rejection_is_told_again_when_it_is_another_one() -> None:
    life = sent_life()
    life.reject(RejectionCode.PIN_INVALID)
    assert life.status() is S.ACTION_REQUIRED
    life.forget()
    life.reject(RejectionCode.PIN_INVALID)
    assert life.entries == []
    life.reject(RejectionCode.POSTAL_CODE_MISMATCH)
    assert life.kinds == [EntryKind.REJECTED]


def test_numbers_that_are_rejected_for_themselves_say_why() -> None:
    life = sent_life()
    life.sees(C.SUBMITTED, N.REJECTED, N.REJECTED)
    assert life.state.rejections == (SeenRejection(code=RejectionCode.OTHER, positions=(0, 1)),)


def test_an_exception_without_a_reason_asks_for_action_all_the_same() -> None:
    life = sent_life()
    life.sees(C.ACTION_REQUIRED)
    assert life.state.rejections == (SeenRejection(code=RejectionCode.OTHER),)


def test_a_pin_that_is_supplied_sends_the_order_again() -> None:
    life = sent_life()
    life.reject(RejectionCode.PIN_REQUIRED)
    life.forget()
    life.fact(FactKind.PIN_SUPPLIED)
    assert life.commands == [CommandKind.SUPPLEMENT]
    life.take()
    assert life.status() is S.SUPP_SENT
    life.fact(FactKind.PIN_SUPPLIED)
    assert life.commands == [CommandKind.SUPPLEMENT]


def test_what_was_rejected_before_the_correction_is_no_news() -> None:
    life = sent_life()
    life.reject(RejectionCode.PIN_REQUIRED)
    life.fact(FactKind.PIN_SUPPLIED)
    rejection = SeenRejection(code=RejectionCode.NAME_MISMATCH)
    life.sees(C.ACTION_REQUIRED, rejections=(rejection,))
    assert life.state.codes == (RejectionCode.PIN_REQUIRED,)
    life.take()
    life.sees(C.ACTION_REQUIRED, N.REJECTED, None, rejections=(rejection,), attempt=1)
    assert life.status() is S.SUPP_SENT
    assert life.statuses() == [N.SUBMITTED, N.SUBMITTED]


def test_a_rejection_during_the_new_signature_is_only_remembered() -> None:
    life = sent_life()
    life.reject(RejectionCode.NAME_MISMATCH)
    life.on(Validated(letter=2))
    assert life.status() is S.AWAITING_SIGNATURE
    life.reject(RejectionCode.ADDRESS_MISMATCH)
    assert life.status() is S.AWAITING_SIGNATURE
    assert life.state.codes == (RejectionCode.ADDRESS_MISMATCH,)
    life.sign()
    assert life.status() is S.SUBMITTING
    life.take()
    assert life.status() is S.SUPP_SENT


def test_a_correction_that_lacks_a_document_says_so() -> None:
    life = sent_life()
    life.reject(RejectionCode.NAME_MISMATCH)
    life.on(Validated(documents_missing=True))
    assert life.status() is S.ACTION_REQUIRED
    assert life.state.codes == (RejectionCode.NAME_MISMATCH, RejectionCode.BILL_INVALID)


def test_an_order_that_the_carrier_closed_is_placed_anew() -> None:
    [code] = [each for each in REJECTIONS if REJECTIONS[each].closes_carrier_order][:1]
    life = sent_life()
    life.reject(code)
    life.on(Validated(letter=2))
    life.forget()
    life.sign()
    assert life.commands == [CommandKind.SUBMIT]
    life.take()
    assert (life.status(), life.state.sequence) == (S.LSR_SENT, -1)


def test_a_supplement_that_is_refused_has_to_be_mended_again() -> None:
    life = sent_life()
    life.reject(RejectionCode.PIN_INVALID)
    life.fact(FactKind.PIN_SUPPLIED)
    head = life.state.commands[0]
    refusal = SeenRejection(code=RejectionCode.PIN_INVALID, positions=(1,))
    life.on(CommandRefused(command=head.kind, attempt=head.attempt, rejections=(refusal,)))
    assert life.status() is S.ACTION_REQUIRED
    assert life.statuses(1) == [N.REJECTED]


def test_an_exception_that_the_carrier_settles_by_itself_is_over() -> None:
    life = sent_life()
    life.reject(RejectionCode.PENDING_ORDER)
    life.sees(C.SUBMITTED, N.SUBMITTED, N.SUBMITTED)
    assert (life.status(), life.state.rejections) == (S.SUPP_SENT, ())


def test_an_exception_that_nobody_mends_is_canceled_at_the_carrier_and_expires() -> None:
    life = sent_life()
    life.reject(RejectionCode.PIN_INVALID)
    life.forget()
    life.wait(15 * DAY)
    assert life.commands == [CommandKind.CANCEL]
    assert life.kinds.count(EntryKind.REMINDED) == 3
    assert life.status() is S.ACTION_REQUIRED
    life.take()
    life.sees(C.CANCELED, N.CANCELED, N.CANCELED)
    assert life.status() is S.EXPIRED


def test_an_expiry_that_the_carrier_refuses_calls_the_desk_and_comes_again() -> None:
    life = sent_life()
    life.reject(RejectionCode.PIN_INVALID)
    life.wait(15 * DAY)
    head = life.state.commands[0]
    life.forget()
    life.on(CommandRefused(command=head.kind, attempt=head.attempt))
    assert life.told == [NoticeKind.CANCEL_REFUSED, NoticeKind.NEEDS_OPERATOR]
    assert life.state.due(DeadlineKind.ACTION_EXPIRY) is not None
