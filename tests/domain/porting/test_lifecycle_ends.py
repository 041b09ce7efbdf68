"""What is due at its time, what a committed date means, and how orders end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.porting.effects import Audience, EntryKind, Look, NoticeKind, Validate
from domain.porting.events import (
    Attached,
    CancelAsked,
    FactKind,
    Started,
    TimePassed,
    Validated,
)
from domain.porting.lifecycle_course import Course
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.state import CommandKind, DeadlineKind, NumberState, PortState, Warned
from domain.porting.words import NumberStatus, SubStatus
from tests.domain.porting.lives import (
    MONDAY,
    Life,
    committed_life,
    letter_life,
    seen,
    sent_life,
    signed_life,
    timing,
)

S = SubStatus
N = NumberStatus
C = CarrierStatus
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_a_silent_losing_carrier_is_nudged_and_escalated_until_it_answers() -> None:
    life = sent_life()
    life.wait(15 * DAY)
    noted = [each for each in life.entries if each.kind in (EntryKind.NUDGED, EntryKind.ESCALATED)]
    assert [each.kind for each in noted] == [
        EntryKind.NUDGED,
        EntryKind.ESCALATED,
        EntryKind.ESCALATED,
    ]
    assert not any(each.public for each in noted)
    assert {each.audience for each in life.notices} == {Audience.OPERATOR}


def test_a_committed_date_reminds_and_is_watched() -> None:
    life = committed_life(8)
    life.wait(8 * DAY)
    assert EntryKind.FOC_NEAR in life.kinds
    assert life.status() is S.ACTIVATING
    life.forget()
    life.wait(4 * HOUR)
    assert life.kinds == [EntryKind.WATCHED] * 4
    assert life.told == [NoticeKind.NEEDS_OPERATOR] * 2
    assert Look() in life.effects


def test_a_date_without_a_switch_is_a_problem_for_the_desk_too() -> None:
    life = committed_life(8)
    life.wait(11 * DAY)
    assert life.status() is S.ACTION_REQUIRED
    assert life.state.codes == (RejectionCode.FOC_PROBLEM,)
    assert life.state.cancel_refused_from is None


def test_a_missed_date_of_an_order_that_is_to_end_asks_for_nothing() -> None:
    life = committed_life(8)
    life.on(CancelAsked())
    life.take()
    life.wait(14 * DAY)
    assert life.status() is S.ACTIVATING
    assert EntryKind.CANCEL_WAITS in life.kinds


def test_a_date_that_the_losing_carrier_moves_is_told() -> None:
    life = committed_life(8)
    life.confirm(life.now + 10 * DAY)
    assert life.told == [NoticeKind.FOC_CHANGED]
    assert life.state.warnings == (Warned.FOC_MOVED,)
    life.wait(9 * DAY)
    assert life.status() is S.FOC_CONFIRMED


def test_a_date_that_moves_on_the_day_itself_is_waited_for_again() -> None:
    life = committed_life(2)
    life.wait(2 * DAY + HOUR)
    assert life.status() is S.ACTIVATING
    life.sees(C.FOC_CONFIRMED, N.ACCEPTED, N.ACCEPTED, foc_at=life.state.foc_at)
    assert life.status() is S.ACTIVATING
    life.confirm(life.now + 3 * DAY)
    assert life.status() is S.FOC_CONFIRMED


def test_an_order_on_demand_waits_for_the_customer() -> None:
    life = committed_life(2, options={"on_demand": True})
    life.wait(2 * DAY)
    assert life.status() is S.FOC_CONFIRMED
    assert NoticeKind.ACTIVATION_DUE in life.told


def test_notices_may_skip_steps() -> None:
    life = sent_life()
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    assert life.status() is S.VERIFYING


def test_a_switch_under_way_is_activating_and_what_goes_back_is_not_believed() -> None:
    life = committed_life(7)
    life.sees(C.ACTIVATING, N.ACTIVATING, N.PORTED)
    assert life.status() is S.ACTIVATING
    life.forget()
    life.sees(C.ACTIVATING, N.ACTIVATING, N.REJECTED)
    assert life.statuses(1) == [N.PORTED]
    assert life.kinds == [EntryKind.STRANGE]


def test_what_the_carrier_says_before_it_has_the_order_is_not_about_it() -> None:
    life = signed_life()
    before = life.state
    life.sees(C.SUBMITTED)
    assert life.state.sub_status is before.sub_status
    assert life.state.sequence == -1


def test_words_that_nobody_knows_and_strange_numbers_are_for_the_desk() -> None:
    life = sent_life()
    life.sees(C.UNKNOWN, None, None, strangers=1)
    life.sees(C.UNKNOWN, N.DROPPED, N.VERIFIED, strangers=1)
    assert life.kinds == [EntryKind.STRANGE] * 3
    assert life.status() is S.LSR_SENT
    assert life.statuses() == [N.SUBMITTED, N.SUBMITTED]


def test_one_rejected_number_does_not_stop_the_others() -> None:
    life = sent_life()
    rejection = SeenRejection(code=RejectionCode.NUMBER_NOT_ON_ACCOUNT, positions=(1,))
    foc_at = life.now + 3 * DAY
    life.sees(C.FOC_CONFIRMED, N.ACCEPTED, N.REJECTED, rejections=(rejection,), foc_at=foc_at)
    assert life.status() is S.FOC_CONFIRMED
    assert life.state.rejections == (rejection,)
    assert life.told == [NoticeKind.STATUS, NoticeKind.ACTION_REMINDER]
    life.sees(C.COMPLETED, N.PORTED, N.REJECTED)
    life.fact(FactKind.FIRST_INBOUND, 0)
    assert life.status() is S.PARTIALLY_COMPLETED
    assert life.statuses() == [N.VERIFIED, N.FAILED]


def test_completed_without_a_word_about_a_number_is_strange() -> None:
    life = committed_life(7)
    life.sees(C.COMPLETED, N.PORTED, N.ACCEPTED)
    assert EntryKind.STRANGE in life.kinds
    assert life.status() is S.ACTIVATING


@pytest.mark.parametrize(
    ("said", "end"), [(C.CANCELED, S.CANCELED), (C.EXPIRED, S.EXPIRED), (C.FAILED, S.FAILED)]
)
def test_a_carrier_may_close_an_order_by_itself(said: CarrierStatus, end: SubStatus) -> None:
    life = sent_life()
    life.sees(said)
    assert life.status() is end


def test_all_numbers_may_end_one_by_one() -> None:
    life = sent_life()
    life.sees(C.SUBMITTED, N.CANCELED, N.CANCELED)
    assert life.status() is S.CANCELED
    life = sent_life()
    life.sees(C.SUBMITTED, N.CANCELED, N.FAILED)
    assert life.status() is S.FAILED


def test_a_call_before_the_carriers_report_makes_the_order_ask() -> None:
    life = committed_life(7)
    life.fact(FactKind.FIRST_INBOUND, 0)
    assert life.effects == [Look()]
    life.fact(FactKind.FIRST_INBOUND, 0)
    assert life.kinds == [EntryKind.FIRST_INBOUND]
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    assert life.statuses() == [N.VERIFIED, N.PORTED]


def test_numbers_that_nobody_calls_count_in_the_end() -> None:
    life = committed_life(7)
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    life.wait(3 * DAY)
    assert life.status() is S.COMPLETED
    assert life.state.warnings == (Warned.UNVERIFIED,)


def test_a_number_that_cannot_be_attached_is_told_and_holds_nothing_up() -> None:
    life = committed_life(7)
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    life.forget()
    life.on(Attached(positions=(0,), failed=(1,)))
    life.on(Attached(positions=(0,), failed=(1,)))
    assert life.kinds == [EntryKind.ATTACHED, EntryKind.NOT_ATTACHED]
    assert life.told == [NoticeKind.NEEDS_OPERATOR]
    life.wait(3 * DAY)
    assert life.status() is S.COMPLETED
    life.on(Attached(positions=(1,)))
    assert life.state.numbers[1].attached


def test_numbers_that_come_after_the_end_are_for_the_desk() -> None:
    life = committed_life(7)
    life.sees(C.CANCELED, N.CANCELED, N.CANCELED)
    life.forget()
    life.fact(FactKind.CARRIER_EVENT)
    assert life.effects == [Look()]
    life.fact(FactKind.OPERATOR_NOTE)
    life.sees(C.COMPLETED, N.PORTED, N.CANCELED)
    life.sees(C.COMPLETED, N.CANCELED, N.CANCELED)
    assert life.kinds == [EntryKind.STRANGE]
    assert life.status() is S.CANCELED
    old = seen(C.COMPLETED, N.PORTED, sequence=0, at=life.now)
    life.on(old)
    life.on(TimePassed())
    assert life.kinds == [EntryKind.STRANGE]


def test_a_lost_process_takes_up_what_was_under_way() -> None:
    life = signed_life()
    life.forget()
    life.on(Started())
    assert life.commands == [CommandKind.SUBMIT]
    fresh = Life()
    fresh.on(Started())
    fresh.on(Started())
    assert fresh.effects == [Validate(), Validate()]


def test_a_lost_process_without_deadlines_sets_them_anew() -> None:
    life = letter_life()
    life.state = life.state.model_copy(update={"deadlines": ()})
    life.on(Started())
    assert life.state.due(DeadlineKind.PAPER_EXPIRY) is not None


def test_waiting_is_divided_by_the_scale_but_for_that_of_people_and_never_vanishes() -> None:
    life = Life(timing=timing(scale=10_000.0))
    life.on(Started())
    life.on(Validated(letter=1))
    due = life.state.due(DeadlineKind.PAPER_EXPIRY)
    assert due is not None
    assert due.at - life.now == timedelta(days=30)
    assert life.timing.after(MONDAY, 10_000 * DAY) - MONDAY == DAY
    assert timing(scale=1e9).after(MONDAY, DAY) > MONDAY


def test_a_step_that_is_not_legal_is_a_mistake_of_ours() -> None:
    state = PortState(order_id="port_1", org_id="org_1", numbers=(NumberState(position=0),))
    with pytest.raises(ValueError, match="never followed"):
        Course(state, MONDAY, timing()).move(S.COMPLETED)


def test_a_rejection_of_all_is_told_once() -> None:
    life = sent_life()
    life.sees(C.ACTION_REQUIRED, N.REJECTED, N.REJECTED)
    assert life.told == [NoticeKind.STATUS]


def test_a_picture_may_name_fewer_numbers() -> None:
    life = sent_life()
    life.sees(C.SUBMITTED, N.ACCEPTED)
    assert life.statuses() == [N.ACCEPTED, N.SUBMITTED]


def test_what_cannot_be_ported_is_left_out_once() -> None:
    life = Life()
    life.on(Started())
    unportable = SeenRejection(code=RejectionCode.NOT_PORTABLE, positions=(0,))
    life.on(Validated(letter=1, unportable=(unportable, unportable)))
    assert life.kinds.count(EntryKind.NUMBERS_CHANGED) == 1
    assert life.status() is S.AWAITING_SIGNATURE


def test_a_window_that_ends_behind_the_last_call_warns_of_nothing() -> None:
    life = committed_life(7)
    life.sees(C.COMPLETED, N.PORTED, N.PORTED)
    called = [each.model_copy(update={"status": N.VERIFIED}) for each in life.state.numbers]
    life.state = life.state.model_copy(update={"numbers": tuple(called)})
    life.wait(3 * DAY)
    assert life.status() is S.COMPLETED
    assert life.state.warnings == ()
