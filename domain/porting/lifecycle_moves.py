"""Going to another sub-status, with what begins to be due there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from domain.porting.effects import Actor, EntryKind, NoticeKind
from domain.porting.lifecycle_course import Course
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.state import DeadlineKind, NumberState, Warned
from domain.porting.words import NumberStatus, SubStatus

__all__ = [
    "arm_foc",
    "arm_reminder",
    "begin_waits",
    "end_if_settled",
    "go",
    "poll_later",
    "require_action",
    "verify_if_here",
]

_K = DeadlineKind
_S = SubStatus

_PAPER = frozenset({_S.AWAITING_DOCUMENTS, _S.AWAITING_SIGNATURE})
_EXPIRES = {_K.PAPER_REMINDER: _K.PAPER_EXPIRY, _K.ACTION_REMINDER: _K.ACTION_EXPIRY}
_LAST_CALL = timedelta(days=1)
_LOST = frozenset({NumberStatus.CANCELED, NumberStatus.FAILED})


def go(
    course: Course,
    to: SubStatus,
    *,
    actor: Actor = Actor.SYSTEM,
    codes: Collection[RejectionCode] = (),
    until: datetime | None = None,
) -> None:
    """Go there, and let begin what is due there."""
    course.move(to, actor=actor, codes=codes, until=until)
    begin_waits(course)


def begin_waits(course: Course) -> None:
    """Arm what is due in the present sub-status. An order that is to end reminds nobody to mend it."""
    state, now, timing = course.state, course.now, course.timing
    status, ending = state.sub_status, state.closing is not None
    if status in _PAPER and not ending:
        course.arm(_K.PAPER_EXPIRY, timing.of_people.after(now, timing.paper_expiry))
        _arm_first(course, _K.PAPER_REMINDER, timing.paper_reminders)
    elif status is _S.ACTION_REQUIRED and not ending:
        course.arm(_K.ACTION_EXPIRY, timing.of_people.after(now, timing.action_expiry))
        _arm_first(course, _K.ACTION_REMINDER, timing.action_reminders)
    elif status in (_S.LSR_SENT, _S.SUPP_SENT):
        course.arm(_K.NUDGE, timing.business_days_after(now, timing.nudge))
        course.arm(_K.ESCALATE, timing.business_days_after(now, timing.escalate))
    elif status is _S.FOC_CONFIRMED:
        arm_foc(course)
    elif status is _S.ACTIVATING:
        course.arm(_K.FOC_WATCH, timing.after(now, timing.foc_watch))
        since = max(now, state.foc_at or now)
        course.arm(_K.FOC_OVERDUE, timing.business_days_after(since, timing.foc_overdue))
    elif status is _S.VERIFYING:
        course.arm(_K.VERIFY_WINDOW, timing.after(now, timing.verify_window))


def _arm_first(course: Course, kind: DeadlineKind, days: Sequence[int]) -> None:
    if days:
        arm_reminder(course, kind, course.timing.of_people.business_days_after(course.now, days[0]))


def arm_reminder(course: Course, kind: DeadlineKind, at: datetime, *, count: int = 0) -> None:
    """Remind then, but while there is still a day to do something: ten business days are as long as
    the fourteen days after which an order ends, or longer."""
    expiry = course.state.due(_EXPIRES[kind])
    if expiry is not None:
        at = min(at, course.timing.of_people.before(expiry.at, _LAST_CALL))
    course.arm(kind, max(at, course.timing.after(course.now, timedelta())), count=count)


def arm_foc(course: Course) -> None:
    """Let be due what belongs to the committed date."""
    state, now, timing = course.state, course.now, course.timing
    if state.foc_at is None:
        return
    freeze = timing.business_days_before(state.foc_at, timing.cancel_freeze)
    refused = timing.before(state.foc_at, timing.cancel_refused)
    course.keep(
        cancel_cutoff_at=min(freeze, refused),
        cancel_refused_from=refused,
        change_late_from=timing.before(state.foc_at, timing.change_freeze),
        changes_left=max(timing.max_supplements - state.foc_supplements, 0),
    )
    reminder = timing.business_days_before(state.foc_at, timing.foc_reminder)
    if reminder > now:
        course.arm(_K.FOC_REMINDER, reminder)
    course.arm(_K.FOC_TIME, max(state.foc_at, timing.after(now, timedelta())))
    since = max(now, state.foc_at)
    course.arm(_K.FOC_OVERDUE, timing.business_days_after(since, timing.foc_overdue))


def poll_later(course: Course) -> None:
    """Let the carrier be asked again: often near the committed date, else a few times a day."""
    state, now, timing = course.state, course.now, course.timing
    if not state.at_carrier or state.is_over:
        return
    far, foc_at = timing.after(now, timing.poll_far), state.foc_at
    if foc_at is None or state.sub_status is _S.VERIFYING:
        course.arm(_K.POLL, far)
        return
    near = timing.before(foc_at, timing.near)
    if now < near:
        course.arm(_K.POLL, max(min(far, near), timing.after(now, timedelta())))
    elif now < timing.after(foc_at, timing.near):
        course.arm(_K.POLL, timing.after(now, timing.poll_near))
    else:
        course.arm(_K.POLL, far)


def require_action(course: Course, rejections: tuple[SeenRejection, ...], actor: Actor) -> None:
    """Let somebody mend what was rejected; what is rejected again is told again."""
    course.keep(rejections=rejections)
    foc_at = course.state.foc_at
    if foc_at is not None and foc_at <= course.now:
        # A date that passed without a switch binds nobody.
        course.keep(cancel_cutoff_at=None, cancel_refused_from=None, change_late_from=None)
    rejected = {position for each in rejections for position in each.positions}
    code_of = {position: each.code for each in rejections for position in each.positions}
    course.keep(
        numbers=tuple(
            each.model_copy(
                update={
                    "status": NumberStatus.REJECTED,
                    "rejection": code_of[each.position],
                }
            )
            if each.position in rejected and not each.is_over and not each.is_here
            else each
            for each in course.state.numbers
        )
    )
    codes = course.state.codes
    if course.state.sub_status is not _S.ACTION_REQUIRED:
        go(course, _S.ACTION_REQUIRED, actor=actor, codes=codes)
        return
    course.note(EntryKind.REJECTED, actor=actor, codes=codes)
    course.tell(NoticeKind.ACTION_REMINDER)
    begin_waits(course)


def verify_if_here(course: Course) -> None:
    """Let numbers that came and were called count as verified."""
    course.keep(numbers=tuple(_verified(each) for each in course.state.numbers))


def _verified(number: NumberState) -> NumberState:
    if number.status is NumberStatus.PORTED and number.inbound:
        return number.model_copy(update={"status": NumberStatus.VERIFIED})
    return number


def end_if_settled(course: Course) -> bool:
    """Go to the end, or to verifying, once nothing is open at the carrier; whether it is so.

    Numbers decide: none came is an end without success, some or all came is verified first.
    """
    numbers = course.state.numbers
    if any(not each.is_over and not each.is_here for each in numbers):
        return False
    if not any(each.is_here for each in numbers):
        statuses = {each.status for each in numbers}
        failed = NumberStatus.FAILED in statuses
        go(course, course.state.closing or (_S.FAILED if failed else _S.CANCELED))
        return True
    if course.state.sub_status is not _S.VERIFYING:
        go(course, _S.VERIFYING, actor=Actor.WINNING_CARRIER)
    verify_if_here(course)
    if all(each.is_over for each in course.state.numbers):
        _complete(course)
    return True


def _complete(course: Course) -> None:
    state = course.state
    if state.cancel_requested_at is not None:
        course.warn(Warned.CANCEL_MISSED)
    lost = any(each.status in _LOST for each in state.numbers)
    go(course, _S.PARTIALLY_COMPLETED if lost else _S.COMPLETED)
