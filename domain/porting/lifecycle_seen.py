"""The part of the life cycle that follows from how the carrier says that the order stands.

Its newest picture counts, and only what differs from the one before has consequences; so notices may
come twice, late, in any order or not at all.
"""

from __future__ import annotations

from typing import Final

from domain.porting.effects import Actor, EntryKind, NoticeKind
from domain.porting.lifecycle_course import Course
from domain.porting.lifecycle_moves import (
    arm_foc,
    end_if_settled,
    go,
    poll_later,
    require_action,
    verify_if_here,
)
from domain.porting.lifecycle_table import LEGAL, number_may_become
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection, Sighting
from domain.porting.state import CommandKind, NumberState, Warned
from domain.porting.words import NumberStatus, SubStatus

__all__ = ["seen", "seen_after_end"]

_C = CarrierStatus
_N = NumberStatus
_S = SubStatus

_CLOSED: Final = {_C.CANCELED: _S.CANCELED, _C.EXPIRED: _S.EXPIRED, _C.FAILED: _S.FAILED}
_CONTENT: Final = frozenset({CommandKind.SUBMIT, CommandKind.SUPPLEMENT})
_MOVING: Final = frozenset({_N.ACTIVATING, _N.PORTED, _N.VERIFIED})


def seen(course: Course, sighting: Sighting) -> None:
    """Take the carrier's picture of the order."""
    poll_later(course)
    course.keep(unseen=0)
    state = course.state
    if not state.at_carrier or sighting.sequence <= state.sequence:
        return
    course.keep(sequence=sighting.sequence, carrier_status=sighting.status)
    _warn_of_strangers(course, sighting)
    is_stale = _is_stale(course, sighting)
    rejected = _take_numbers(course, sighting, is_stale=is_stale)
    _take_date(course, sighting)
    verify_if_here(course)
    course.attach()
    _close(course, sighting)
    if end_if_settled(course):
        return
    _follow(course, sighting, is_stale=is_stale)
    if rejected and course.state.sub_status is not _S.ACTION_REQUIRED:
        # The order goes on without them, unless somebody mends what is wrong.
        codes = {each.rejection for each in course.state.numbers if each.position in rejected}
        course.note(EntryKind.REJECTED, positions=rejected, codes=sorted(filter(None, codes)))
        course.tell(NoticeKind.ACTION_REMINDER)


def seen_after_end(course: Course, sighting: Sighting) -> None:
    """Numbers that came although their order had ended without them."""
    if sighting.sequence <= course.state.sequence:
        return
    course.keep(sequence=sighting.sequence)
    elsewhere = {each.position for each in course.state.numbers if not each.is_here}
    came = tuple(
        each.position
        for each in sighting.numbers
        if each.status is _N.PORTED and each.position in elsewhere
    )
    if came:
        course.call_operator(EntryKind.STRANGE, positions=came)


def _is_stale(course: Course, sighting: Sighting) -> bool:
    """Whether what it rejects was corrected meanwhile, or is just being."""
    under_way = any(each.kind in _CONTENT for each in course.state.commands)
    before = sighting.attempt is not None and sighting.attempt < course.state.answered
    return under_way or before


def _warn_of_strangers(course: Course, sighting: Sighting) -> None:
    if sighting.strangers and course.warn(Warned.STRANGE_NUMBERS):
        course.call_operator(EntryKind.STRANGE, count=sighting.strangers)
    if sighting.status is _C.UNKNOWN:
        course.call_operator(EntryKind.STRANGE, actor=Actor.WINNING_CARRIER)


def _take_numbers(course: Course, sighting: Sighting, *, is_stale: bool) -> tuple[int, ...]:
    """Give the numbers the statuses that they are said to have; those that were rejected by it."""
    said = {each.position: each for each in sighting.numbers if each.status is not None}
    numbers: list[NumberState] = []
    for number in course.state.numbers:
        each = said.get(number.position)
        # A rejection from before the correction is no news.
        outdated = each is not None and is_stale and each.status is _N.REJECTED
        if each is not None and each.status is not None and not outdated:
            if number_may_become(number.status, each.status):
                changes = {"status": each.status, "rejection": each.rejection}
                if number.status is _N.DROPPED or number.is_over:
                    course.warn(Warned.CANCEL_MISSED)
                number = number.model_copy(update=changes)
            elif number.is_here and each.status in (_N.CANCELED, _N.FAILED, _N.REJECTED):
                course.call_operator(EntryKind.STRANGE, positions=(number.position,))
        numbers.append(number)
    before = {each.position: each.status for each in course.state.numbers}
    changed = [each.position for each in numbers if each.status is not before[each.position]]
    course.keep(numbers=tuple(numbers))
    if changed:
        course.note(
            EntryKind.NUMBERS_CHANGED, actor=Actor.WINNING_CARRIER, positions=tuple(changed)
        )
    return tuple(
        each.position for each in numbers if each.position in changed and each.status is _N.REJECTED
    )


def _take_date(course: Course, sighting: Sighting) -> None:
    state = course.state
    if sighting.foc_at is None or sighting.foc_at == state.foc_at:
        return
    is_first = state.foc_at is None
    course.keep(foc_at=sighting.foc_at, foc_changes=state.foc_changes + 1, rescheduling=False)
    if is_first:
        return
    if not state.rescheduling:
        course.warn(Warned.FOC_MOVED)
    course.note(EntryKind.FOC_CHANGED, actor=Actor.LOSING_CARRIER, until=sighting.foc_at)
    course.tell(NoticeKind.FOC_CHANGED)
    if state.sub_status is _S.FOC_CONFIRMED:
        arm_foc(course)
    poll_later(course)


def _close(course: Course, sighting: Sighting) -> None:
    """Nothing will follow at the carrier: what did not come will not."""
    end = _CLOSED.get(sighting.status)
    if end is not None:
        if course.state.closing is None:
            course.keep(closing=end)
        course.give_up(_N.FAILED if end is _S.FAILED else _N.CANCELED)
    elif sighting.status is _C.COMPLETED:
        rejected = [
            each.position for each in course.state.open_numbers if each.status is _N.REJECTED
        ]
        course.keep(
            numbers=tuple(
                each.model_copy(update={"status": _N.FAILED}) if each.position in rejected else each
                for each in course.state.numbers
            )
        )
        unsaid = tuple(each.position for each in course.state.open_numbers if not each.is_here)
        if unsaid:
            course.call_operator(EntryKind.STRANGE, positions=unsaid)


def _follow(course: Course, sighting: Sighting, *, is_stale: bool) -> None:
    """Go where the numbers and the carrier's word lead."""
    to = _target(course, sighting)
    if to is _S.ACTION_REQUIRED:
        if not is_stale:
            _reject(course, _reasons(course, sighting))
        return
    status = course.state.sub_status
    if to is None or to is status or to not in LEGAL[status]:
        return
    if to is _S.SUPP_SENT and (status is not _S.ACTION_REQUIRED or course.state.commands):
        return
    course.keep(rejections=sighting.rejections)
    actor = Actor.LOSING_CARRIER if to is _S.FOC_CONFIRMED else Actor.WINNING_CARRIER
    until = course.state.foc_at if to is _S.FOC_CONFIRMED else None
    go(course, to, actor=actor, until=until)
    poll_later(course)


def _reject(course: Course, reasons: tuple[SeenRejection, ...]) -> None:
    """What is known to be wrong is no news, and a correction that waits for its signature goes on."""
    state = course.state
    if state.sub_status is _S.AWAITING_SIGNATURE:
        course.keep(rejections=reasons)
    elif state.sub_status is not _S.ACTION_REQUIRED or state.rejections != reasons:
        require_action(course, reasons, Actor.LOSING_CARRIER)


def _target(course: Course, sighting: Sighting) -> SubStatus | None:
    state = course.state
    pending = [each for each in state.open_numbers if not each.is_here]
    rejected = all(each.status is _N.REJECTED for each in pending)
    if sighting.status is _C.ACTION_REQUIRED or rejected:
        return _S.ACTION_REQUIRED
    if sighting.status is _C.ACTIVATING or any(each.status in _MOVING for each in state.numbers):
        return _S.ACTIVATING
    committed = all(each.status in (_N.ACCEPTED, _N.REJECTED) for each in pending)
    if state.foc_at is not None and (sighting.status is _C.FOC_CONFIRMED or committed):
        # After its time came, only another date leads back to waiting for it.
        if state.sub_status is _S.ACTIVATING and state.foc_at <= course.now:
            return None
        return _S.FOC_CONFIRMED
    return _S.SUPP_SENT if sighting.status is _C.SUBMITTED else None


def _reasons(course: Course, sighting: Sighting) -> tuple[SeenRejection, ...]:
    """Why: what the carrier said of the order, and of numbers for themselves."""
    if sighting.rejections:
        return sighting.rejections
    by_code: dict[RejectionCode, list[int]] = {}
    for each in course.state.open_numbers:
        if each.status is _N.REJECTED:
            by_code.setdefault(each.rejection or RejectionCode.OTHER, []).append(each.position)
    if not by_code:
        return (SeenRejection(code=RejectionCode.OTHER),)
    return tuple(
        SeenRejection(code=code, positions=tuple(positions)) for code, positions in by_code.items()
    )
