"""What else the customer may ask of an order, when it is refused and why, and what follows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.porting.effects import EntryKind, Look, NoticeKind, Validate
from domain.porting.events import (
    ActivateAsked,
    Answered,
    CancelAsked,
    CommandRefused,
    DropAsked,
    FactKind,
    Order,
    RescheduleAsked,
    ResubmitAsked,
    Started,
    Validated,
)
from domain.porting.lifecycle_orders import refusal_of
from domain.porting.order_refusals import OrderRefusal
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.state import CommandKind, DeadlineKind, Warned
from domain.porting.words import NumberStatus, SubStatus
from tests.domain.porting.lives import Life, committed_life, sent_life

C = CarrierStatus
N = NumberStatus
R = OrderRefusal
S = SubStatus
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

CANCEL = CancelAsked()
ACTIVATE = ActivateAsked()


def reschedule(revision: int = 2) -> RescheduleAsked:
    return RescheduleAsked(revision=revision, requested=date(2026, 12, 1))


def resubmit(*changed: str, revision: int = 2) -> ResubmitAsked:
    return ResubmitAsked(revision=revision, changed=changed)


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


def test_another_date_before_anything_is_sent_is_only_noted() -> None:
    life = Life()
    life.on(Started())
    life.on(Validated(letter=1))
    life.on(reschedule())
    assert life.state.details == 2
    assert life.commands == []
    assert EntryKind.RESCHEDULE_ASKED in life.kinds


def test_another_date_is_asked_for_once_for_each_revision() -> None:
    life = committed_life(9)
    life.on(reschedule())
    life.on(reschedule())
    assert life.commands == [CommandKind.RESCHEDULE]
    assert refusal(life, reschedule(3)) is R.BUSY
    life.take()
    life.confirm(life.now + 20 * DAY)
    assert Warned.FOC_MOVED not in life.state.warnings
    assert life.state.foc_supplements == 1
    assert life.state.changes_left == 2


def test_the_fourth_change_of_a_committed_date_is_refused() -> None:
    life = committed_life(9)
    for revision in (2, 3, 4):
        life.on(reschedule(revision))
        life.take()
    assert refusal(life, reschedule(5)) is R.TOO_MANY_CHANGES


def test_a_late_change_of_the_date_warns() -> None:
    life = committed_life(9)
    life.wait(7 * DAY + HOUR)
    life.on(reschedule())
    assert life.state.warnings == (Warned.FOC_LATE_CHANGE,)


def test_a_date_that_has_come_is_not_changed() -> None:
    life = committed_life(2, options={"on_demand": True})
    life.wait(2 * DAY)
    assert refusal(life, reschedule()) is R.TOO_LATE
    life.on(ACTIVATE)
    assert refusal(life, reschedule()) is R.SWITCH_BEGAN


def test_a_refused_date_leaves_the_one_before() -> None:
    life = committed_life(9)
    life.on(reschedule())
    head = life.state.commands[0]
    life.on(CommandRefused(command=head.kind, attempt=head.attempt))
    assert life.status() is S.FOC_CONFIRMED
    assert life.told == [NoticeKind.RESCHEDULE_REFUSED]


def test_another_date_mends_one_that_was_missed() -> None:
    life = committed_life(9)
    life.wait(14 * DAY)
    life.on(reschedule())
    life.take()
    assert (life.status(), life.state.rejections) == (S.SUPP_SENT, ())


def test_an_order_that_is_to_end_takes_no_other_order() -> None:
    life = sent_life()
    life.on(CANCEL)
    assert refusal(life, reschedule()) is R.CANCELING
    assert refusal(life, resubmit()) is R.CANCELING
    assert refusal(life, DropAsked(position=0)) is R.CANCELING


def test_a_correction_is_sent_as_a_supplement() -> None:
    life = rejected_life()
    life.on(resubmit("pin"))
    life.on(resubmit("pin"))
    assert life.commands == [CommandKind.SUPPLEMENT]
    assert refusal(life, resubmit(revision=3)) is R.BUSY
    life.take()
    assert life.status() is S.SUPP_SENT
    assert refusal(life, resubmit(revision=3)) is R.NOTHING_TO_MEND


def test_a_correction_of_what_the_letter_states_needs_a_new_one() -> None:
    life = rejected_life(RejectionCode.NAME_MISMATCH)
    life.on(resubmit("customer_name", "a field of a newer release"))
    assert life.effects == [Validate()]
    assert life.status() is S.ACTION_REQUIRED
    life.on(Validated(letter=2))
    assert life.status() is S.AWAITING_SIGNATURE


def test_many_corrections_call_the_desk_once() -> None:
    life = sent_life()
    for revision in range(2, 9):
        life.reject(RejectionCode.PIN_INVALID)
        life.on(resubmit("pin", revision=revision))
        life.take()
    assert life.state.resubmits == 7
    assert life.told.count(NoticeKind.NEEDS_OPERATOR) == 1


def test_an_order_on_demand_is_activated_once_its_time_has_come() -> None:
    life = committed_life(2, options={"on_demand": True})
    assert refusal(life, ACTIVATE) is R.TOO_EARLY
    life.wait(2 * DAY)
    life.on(ACTIVATE)
    life.on(ACTIVATE)
    assert life.commands == [CommandKind.ACTIVATE]
    assert life.status() is S.ACTIVATING
    life.take()
    assert life.status() is S.ACTIVATING


def test_an_activation_that_is_refused_needs_somebody() -> None:
    life = committed_life(2, options={"on_demand": True})
    life.wait(2 * DAY)
    life.on(ACTIVATE)
    head = life.state.commands[0]
    conflict = SeenRejection(code=RejectionCode.NPAC_CONFLICT)
    life.on(CommandRefused(command=head.kind, attempt=head.attempt, rejections=(conflict,)))
    assert life.status() is S.ACTION_REQUIRED


def test_an_activation_refused_because_it_took_place_is_a_note() -> None:
    life = committed_life(2, options={"on_demand": True})
    life.wait(2 * DAY)
    life.on(ACTIVATE)
    head = life.state.commands[0]
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    life.on(CommandRefused(command=head.kind, attempt=head.attempt))
    assert life.status() is S.VERIFYING
    assert EntryKind.COMMAND_REFUSED in life.kinds


def test_what_activates_itself_or_has_no_date_is_not_activated() -> None:
    assert refusal(committed_life(9), ACTIVATE) is R.NOT_ON_DEMAND
    assert refusal(sent_life(options={"on_demand": True}), ACTIVATE) is R.NO_DATE
    canceling = committed_life(9, options={"on_demand": True})
    canceling.on(CANCEL)
    assert refusal(canceling, ACTIVATE) is R.CANCELING


def test_a_number_is_dropped_before_the_date_with_a_supplement() -> None:
    life = sent_life()
    drop = DropAsked(position=1)
    life.on(drop)
    life.on(drop)
    assert life.statuses() == [N.SUBMITTED, N.DROPPED]
    assert life.commands == [CommandKind.SUPPLEMENT]
    assert refusal(life, DropAsked(position=0)) is R.BUSY
    life.take()
    assert life.status() is S.SUPP_SENT
    assert refusal(life, DropAsked(position=0)) is R.LAST_NUMBER
    assert refusal(life, DropAsked(position=7)) is R.UNKNOWN_NUMBER


def test_a_second_supplement_begins_the_wait_anew() -> None:
    life = sent_life(3)
    for position in (1, 2):
        life.now += HOUR
        life.on(DropAsked(position=position))
        life.take()
    due = life.state.due(DeadlineKind.NUDGE)
    assert due is not None
    assert due.at == life.timing.business_days_after(life.now, 3)


def test_a_refused_change_beside_a_committed_date_lets_it_stand() -> None:
    life = sent_life()
    life.on(DropAsked(position=1))
    head = life.state.commands[0]
    life.sees(C.FOC_CONFIRMED, N.ACCEPTED, None, foc_at=life.now + 5 * DAY)
    life.on(CommandRefused(command=head.kind, attempt=head.attempt))
    assert life.status() is S.FOC_CONFIRMED


def test_behind_the_commitment_only_a_rejected_number_is_dropped() -> None:
    life = sent_life()
    rejection = SeenRejection(code=RejectionCode.NUMBER_INACTIVE, positions=(1,))
    other = SeenRejection(code=RejectionCode.OTHER)
    foc_at = life.now + 5 * DAY
    life.sees(C.FOC_CONFIRMED, N.ACCEPTED, N.REJECTED, rejections=(rejection, other), foc_at=foc_at)
    assert refusal(life, DropAsked(position=0)) is R.COMMITTED
    life.on(DropAsked(position=1))
    assert life.commands == []
    assert life.state.rejections == (other,)


def test_the_last_number_that_holds_up_those_that_came_may_be_dropped() -> None:
    life = committed_life(9)
    life.sees(C.ACTIVATING, N.PORTED, N.REJECTED)
    life.fact(FactKind.FIRST_INBOUND, 0)
    assert life.status() is S.ACTION_REQUIRED
    life.on(DropAsked(position=1))
    assert life.status() is S.COMPLETED


def test_a_number_that_was_dropped_and_came_all_the_same_is_not_lost() -> None:
    life = sent_life()
    life.on(DropAsked(position=1))
    life.take()
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    assert life.statuses() == [N.PORTED, N.PORTED]
    assert Warned.CANCEL_MISSED in life.state.warnings


@pytest.mark.parametrize("kind", [CommandKind.ACTIVATE, CommandKind.CANCEL])
def test_an_answer_is_a_reason_to_look(kind: CommandKind) -> None:
    life = committed_life(2, options={"on_demand": True})
    if kind is CommandKind.ACTIVATE:
        life.wait(2 * DAY)
    life.on(ACTIVATE if kind is CommandKind.ACTIVATE else CANCEL)
    life.forget()
    life.on(Answered(command=kind, attempt=life.state.attempt))
    assert life.effects == [Look()]


def test_another_date_before_the_commitment_uses_up_no_change() -> None:
    life = sent_life()
    life.on(reschedule())
    assert life.commands == [CommandKind.RESCHEDULE]
    assert life.state.changes_left == 3
