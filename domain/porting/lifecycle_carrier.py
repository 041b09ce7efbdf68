"""The part of the life cycle in which the winning carrier answers what it was told."""

from __future__ import annotations

from domain.porting.effects import Actor, Audience, EntryKind, NoticeKind, TellCarrier
from domain.porting.events import Answered, CarrierAway, CommandRefused
from domain.porting.lifecycle_course import Course
from domain.porting.lifecycle_moves import begin_waits, go, poll_later, require_action
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.state import Command, CommandKind, DeadlineKind
from domain.porting.words import NumberStatus, SubStatus

__all__ = ["MANY_TRIES", "answered", "away", "refused"]

_S = SubStatus

MANY_TRIES = 4
"""Attempts in a row without an answer that call the porting desk."""


def answered(course: Course, event: Answered) -> None:
    """The carrier took a command."""
    if not _ended(course, event):
        return
    course.keep(unseen=0)
    if event.command is CommandKind.SUBMIT:
        _submitted(course, event.attempt, _S.LSR_SENT)
        # Pictures of an order that the carrier had closed say nothing of this one.
        course.keep(
            at_carrier=True,
            carrier_order_id=event.carrier_order_id,
            sequence=-1,
            carrier_status=None,
            foc_at=None,
        )
    elif event.command is CommandKind.SUPPLEMENT:
        _submitted(course, event.attempt, _S.SUPP_SENT)
    elif event.command is CommandKind.RESCHEDULE:
        course.keep(rescheduling=True)
        if course.state.sub_status is _S.ACTION_REQUIRED:
            course.keep(rejections=())
            go(course, _S.SUPP_SENT)
    _tell_next(course)
    # The carrier may have gone on before its answer was here, and its notice may have come too early.
    course.look()
    poll_later(course)


def _submitted(course: Course, attempt: int, to: SubStatus) -> None:
    """It has the whole order anew: what it rejected before is void."""
    again = {
        each.position
        for each in course.state.open_numbers
        if each.status in (NumberStatus.REQUESTED, NumberStatus.REJECTED)
    }
    sent = course.state.with_status(again, NumberStatus.SUBMITTED)
    course.keep(numbers=sent.numbers, answered=attempt, rejections=())
    status = course.state.sub_status
    if status in (_S.SUBMITTING, _S.ACTION_REQUIRED) or (
        status is _S.LSR_SENT and to is _S.SUPP_SENT
    ):
        go(course, to)
    elif status is _S.SUPP_SENT:
        begin_waits(course)


def refused(course: Course, event: CommandRefused) -> None:
    """The carrier refused a command for good."""
    if not _ended(course, event):
        return
    rejections = event.rejections or (SeenRejection(code=RejectionCode.OTHER),)
    codes = tuple(each.code for each in rejections)
    if event.command is CommandKind.CANCEL:
        _cancel_refused(course)
    elif event.command is CommandKind.RESCHEDULE:
        course.note(EntryKind.RESCHEDULE_REFUSED, actor=Actor.WINNING_CARRIER, codes=codes)
        course.tell(NoticeKind.RESCHEDULE_REFUSED)
    elif event.command is CommandKind.SUBMIT and _ends_without_order(course):
        # It never took the order that was to be ended: there is nothing left to cancel.
        course.give_up(NumberStatus.CANCELED)
        go(course, course.state.closing or _S.CANCELED)
        return
    elif _stands_beside(course, event.command):
        course.call_operator(EntryKind.COMMAND_REFUSED, codes=codes)
    else:
        require_action(course, rejections, Actor.WINNING_CARRIER)
    _tell_next(course)


def _stands_beside(course: Course, command: CommandKind) -> bool:
    """Whether the order goes its way although the command was refused: a committed date stands when
    another change is refused, and numbers that came have come."""
    status = course.state.sub_status
    committed = status in (_S.FOC_CONFIRMED, _S.ACTIVATING)
    return status is _S.VERIFYING or (committed and command is CommandKind.SUPPLEMENT)


def _ends_without_order(course: Course) -> bool:
    return course.state.closing is not None and not course.state.at_carrier


def _cancel_refused(course: Course) -> None:
    expiring = course.state.closing is _S.EXPIRED
    course.keep(closing=None, cancel_requested_at=None)
    course.disarm(DeadlineKind.CANCEL_WATCH)
    course.note(EntryKind.CANCEL_REFUSED, actor=Actor.WINNING_CARRIER)
    course.tell(NoticeKind.CANCEL_REFUSED)
    if expiring:
        course.tell(NoticeKind.NEEDS_OPERATOR, Audience.OPERATOR)
    if course.state.sub_status in (_S.ACTION_REQUIRED, _S.AWAITING_SIGNATURE):
        begin_waits(course)


def away(course: Course, event: CarrierAway) -> None:
    """Try again later; the desk is called when that does not help."""
    if event.command is None:
        tries = course.state.unseen + 1
        course.keep(unseen=tries)
        poll_later(course)
    else:
        head = next(iter(course.state.commands), None)
        if head is None or head.attempt != event.attempt:
            return
        tries = head.tries + 1
        tried = head.model_copy(update={"tries": tries})
        course.keep(commands=(tried, *course.state.commands[1:]))
        course.arm(DeadlineKind.RETRY, course.timing.retry(course.now, tries), count=tries)
    if tries % MANY_TRIES == 0:
        course.call_operator(EntryKind.CARRIER_AWAY, count=tries)


def _ended(course: Course, event: Answered | CommandRefused) -> bool:
    """Take the command off; false when it was answered before."""
    commands = course.state.commands
    left = tuple(each for each in commands if each.attempt != event.attempt)
    course.keep(commands=left)
    course.disarm(DeadlineKind.RETRY)
    return len(left) < len(commands)


def _tell_next(course: Course) -> None:
    head: Command | None = next(iter(course.state.commands), None)
    if head is not None and not course.state.is_over:
        course.do(TellCarrier(command=head))
