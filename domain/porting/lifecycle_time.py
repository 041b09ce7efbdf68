"""The part of the life cycle in which nobody says anything and something is due all the same.

Every deadline that was due is gone, or lies later than before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from domain.porting.effects import Actor, Audience, EntryKind, NoticeKind, TellCarrier
from domain.porting.lifecycle_course import Course
from domain.porting.lifecycle_moves import (
    arm_reminder,
    end_if_settled,
    go,
    poll_later,
    require_action,
)
from domain.porting.lifecycle_paper import leave
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.state import Deadline, DeadlineKind, Warned, next_deadline
from domain.porting.words import NumberStatus, SubStatus

__all__ = ["time_passed"]

_K = DeadlineKind
_S = SubStatus

LONG_WATCH: Final = 2
"""Hours of the watch on the day of the switch after which the desk is called."""


def time_passed(course: Course) -> None:
    """Do what is due, the earliest first."""
    while not course.state.is_over:
        deadline = next_deadline(course.state)
        if deadline is None or deadline.at > course.now:
            return
        course.disarm(deadline.kind)
        _DUE[deadline.kind](course, deadline)


def _paper_reminder(course: Course, due: Deadline) -> None:
    course.note(EntryKind.REMINDED, count=due.count + 1)
    if course.state.sub_status is _S.AWAITING_SIGNATURE:
        course.tell(NoticeKind.SIGNATURE_REMINDER, Audience.SIGNER, count=due.count + 1)
    course.tell(NoticeKind.ACTION_REMINDER, count=due.count + 1)
    _next_reminder(course, due, course.timing.paper_reminders)


def _action_reminder(course: Course, due: Deadline) -> None:
    course.note(EntryKind.REMINDED, count=due.count + 1, codes=course.state.codes)
    course.tell(NoticeKind.ACTION_REMINDER, count=due.count + 1)
    _next_reminder(course, due, course.timing.action_reminders)


def _next_reminder(course: Course, due: Deadline, days: Sequence[int]) -> None:
    count = due.count + 1
    if count < len(days):
        further = days[count] - days[due.count]
        at = course.timing.of_people.business_days_after(due.at, further)
        arm_reminder(course, due.kind, at, count=count)


def _expire(course: Course, due: Deadline) -> None:
    leave(course, _S.EXPIRED, actor=Actor.SYSTEM)


def _nudge(course: Course, due: Deadline) -> None:
    course.call_operator(EntryKind.NUDGED, count=1)
    course.look()


def _escalate(course: Course, due: Deadline) -> None:
    count = due.count + 1
    course.call_operator(EntryKind.ESCALATED, count=count)
    later = course.timing.business_days_after(course.now, course.timing.escalate)
    course.arm(_K.ESCALATE, later, count=count)
    course.look()


def _foc_reminder(course: Course, due: Deadline) -> None:
    course.note(EntryKind.FOC_NEAR, until=course.state.foc_at)
    course.tell(NoticeKind.FOC_NEAR)


def _foc_time(course: Course, due: Deadline) -> None:
    if course.state.on_demand:
        course.note(EntryKind.ACTIVATION_DUE)
        course.tell(NoticeKind.ACTIVATION_DUE)
    else:
        go(course, _S.ACTIVATING)
    course.look()
    poll_later(course)


def _foc_watch(course: Course, due: Deadline) -> None:
    count = due.count + 1
    if count % LONG_WATCH:
        course.note(EntryKind.WATCHED, count=count, public=False)
    else:
        course.call_operator(EntryKind.WATCHED, count=count)
    course.arm(_K.FOC_WATCH, course.timing.after(course.now, course.timing.foc_watch), count=count)
    course.look()


def _foc_overdue(course: Course, due: Deadline) -> None:
    if course.state.closing is not None:
        # The switch that did not take place is what was asked for; the carrier has yet to say so.
        return
    problem = SeenRejection(code=RejectionCode.FOC_PROBLEM)
    require_action(course, (problem,), Actor.SYSTEM)
    course.tell(NoticeKind.NEEDS_OPERATOR, Audience.OPERATOR)
    course.look()


def _verify_window(course: Course, due: Deadline) -> None:
    """The carriers' word has to do for numbers that nobody called."""
    silent = [each.position for each in course.state.numbers if each.status is NumberStatus.PORTED]
    if silent:
        course.warn(Warned.UNVERIFIED)
    course.keep(
        numbers=tuple(
            each.model_copy(update={"status": NumberStatus.VERIFIED})
            if each.position in silent
            else each
            for each in course.state.numbers
        )
    )
    end_if_settled(course)


def _poll(course: Course, due: Deadline) -> None:
    course.look()
    poll_later(course)


def _retry(course: Course, due: Deadline) -> None:
    for command in course.state.commands[:1]:
        course.do(TellCarrier(command=command))


def _cancel_watch(course: Course, due: Deadline) -> None:
    count = due.count + 1
    course.call_operator(EntryKind.CANCEL_WAITS, count=count)
    watch = course.timing.business_days_after(course.now, course.timing.cancel_watch)
    course.arm(_K.CANCEL_WATCH, watch, count=count)
    course.look()


_DUE: Final[Mapping[DeadlineKind, Callable[[Course, Deadline], None]]] = MappingProxyType(
    {
        _K.PAPER_REMINDER: _paper_reminder,
        _K.PAPER_EXPIRY: _expire,
        _K.ACTION_REMINDER: _action_reminder,
        _K.ACTION_EXPIRY: _expire,
        _K.NUDGE: _nudge,
        _K.ESCALATE: _escalate,
        _K.FOC_REMINDER: _foc_reminder,
        _K.FOC_TIME: _foc_time,
        _K.FOC_WATCH: _foc_watch,
        _K.FOC_OVERDUE: _foc_overdue,
        _K.VERIFY_WINDOW: _verify_window,
        _K.POLL: _poll,
        _K.RETRY: _retry,
        _K.CANCEL_WATCH: _cancel_watch,
    }
)
