"""What the customer may ask of an order: whether it fits, and what follows.

Before a commitment (FOC) an order may be changed in anything, behind it in its date alone; near the
committed date neither that nor a cancellation is certain to reach the losing carrier in time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from domain.porting.cancellation import Cancelable, CancelWindow, cancelability
from domain.porting.effects import Actor, EntryKind, Validate
from domain.porting.events import (
    ActivateAsked,
    CancelAsked,
    DropAsked,
    Order,
    RescheduleAsked,
    ResubmitAsked,
)
from domain.porting.lifecycle_course import Course
from domain.porting.lifecycle_moves import end_if_settled, go
from domain.porting.lifecycle_paper import leave, send
from domain.porting.order import OrderField
from domain.porting.order_refusals import OrderRefusal
from domain.porting.rejections import needs_new_loa
from domain.porting.state import CommandKind, PortState, Warned
from domain.porting.words import NumberStatus, SubStatus

__all__ = ["ask", "refusal_of"]

_S = SubStatus

_SENT: Final = frozenset({_S.SUBMITTING, _S.LSR_SENT, _S.SUPP_SENT, _S.ACTION_REQUIRED})
_SWITCHING: Final = frozenset({_S.ACTIVATING, _S.VERIFYING})


def refusal_of(state: PortState, order: Order, now: datetime) -> OrderRefusal | None:
    """Why this is not done to an order that stands so; ``None`` when it is. What was done before is
    not refused."""
    if state.is_over:
        canceled = isinstance(order, CancelAsked) and state.sub_status is _S.CANCELED
        return None if canceled else OrderRefusal.ALREADY_ENDED
    return _RULES[type(order)](state, order, now)


def _may_cancel(state: PortState, order: CancelAsked, now: datetime) -> OrderRefusal | None:
    if state.cancel_requested_at is not None:
        return None
    if state.sub_status in _SWITCHING:
        return OrderRefusal.SWITCH_BEGAN
    known = state.at_carrier or bool(state.commands)
    window = _window_of(state)
    verdict = cancelability(state.sub_status, now, window=window, at_carrier=known)
    return OrderRefusal.TOO_LATE if verdict.cancelable is Cancelable.NO else None


def _window_of(state: PortState) -> CancelWindow | None:
    if state.cancel_cutoff_at is None or state.cancel_refused_from is None:
        return None
    return CancelWindow(cutoff_at=state.cancel_cutoff_at, refused_from=state.cancel_refused_from)


def _may_reschedule(state: PortState, order: RescheduleAsked, now: datetime) -> OrderRefusal | None:
    if order.revision <= state.details:
        return None
    if state.closing is not None:
        return OrderRefusal.CANCELING
    if state.sub_status in _SWITCHING:
        return OrderRefusal.SWITCH_BEGAN
    if state.commands:
        return OrderRefusal.BUSY
    if state.foc_at is None:
        return None
    if not state.changes_left:
        return OrderRefusal.TOO_MANY_CHANGES
    came = state.sub_status is _S.FOC_CONFIRMED and state.foc_at <= now
    return OrderRefusal.TOO_LATE if came else None


def _may_resubmit(state: PortState, order: ResubmitAsked, now: datetime) -> OrderRefusal | None:
    if order.revision <= state.details:
        return None
    if state.closing is not None:
        return OrderRefusal.CANCELING
    if state.sub_status is not _S.ACTION_REQUIRED:
        return OrderRefusal.NOTHING_TO_MEND
    return OrderRefusal.BUSY if state.commands else None


def _may_activate(state: PortState, order: ActivateAsked, now: datetime) -> OrderRefusal | None:
    if not state.on_demand:
        return OrderRefusal.NOT_ON_DEMAND
    if state.sub_status in _SWITCHING:
        return None
    if state.sub_status is not _S.FOC_CONFIRMED or state.foc_at is None:
        return OrderRefusal.NO_DATE
    if state.closing is not None:
        return OrderRefusal.CANCELING
    return OrderRefusal.TOO_EARLY if now < state.foc_at else None


def _may_drop(state: PortState, order: DropAsked, now: datetime) -> OrderRefusal | None:
    found = [each for each in state.numbers if each.position == order.position]
    if any(each.status is NumberStatus.DROPPED for each in found):
        return None
    left = [each for each in state.open_numbers if not each.is_here]
    mine = [each for each in left if each.position == order.position]
    if not mine:
        return OrderRefusal.UNKNOWN_NUMBER
    if state.closing is not None:
        return OrderRefusal.CANCELING
    if state.commands:
        return OrderRefusal.BUSY
    if len(left) == 1 and not any(each.is_here for each in state.numbers):
        return OrderRefusal.LAST_NUMBER
    committed = state.foc_at is not None and mine[0].status is not NumberStatus.REJECTED
    return OrderRefusal.COMMITTED if committed else None


_RULES: Final[dict[type, Callable[[PortState, Any, datetime], OrderRefusal | None]]] = {
    CancelAsked: _may_cancel,
    RescheduleAsked: _may_reschedule,
    ResubmitAsked: _may_resubmit,
    ActivateAsked: _may_activate,
    DropAsked: _may_drop,
}


def ask(course: Course, order: Order) -> None:
    """Do what was asked for; nothing when it is refused, or was done before."""
    course.refusal = refusal_of(course.state, order, course.now)
    if course.refusal is None:
        _DOING[type(order)](course, order)


def _cancel(course: Course, order: CancelAsked) -> None:
    if course.state.is_over:
        return
    if course.state.cancel_requested_at is not None:
        course.keep(closing=_S.CANCELED)
        return
    leave(course, _S.CANCELED, actor=Actor.CUSTOMER)


def _reschedule(course: Course, order: RescheduleAsked) -> None:
    state = course.state
    if order.revision <= state.details:
        return
    course.keep(details=order.revision)
    course.note(EntryKind.RESCHEDULE_ASKED, actor=Actor.CUSTOMER)
    if not state.at_carrier:
        return
    if state.foc_at is not None:
        course.keep(
            foc_supplements=state.foc_supplements + 1, changes_left=max(state.changes_left - 1, 0)
        )
        if state.change_late_from is not None and state.change_late_from <= course.now:
            course.warn(Warned.FOC_LATE_CHANGE)
    course.command(CommandKind.RESCHEDULE)


def _resubmit(course: Course, order: ResubmitAsked) -> None:
    state = course.state
    if order.revision <= state.details:
        return
    resubmits = state.resubmits + 1
    course.keep(details=order.revision, resubmits=resubmits)
    course.note(EntryKind.RESUBMITTED, actor=Actor.CUSTOMER, codes=state.codes, count=resubmits)
    if resubmits >= course.timing.many_resubmits and course.warn(Warned.MANY_RESUBMITS):
        course.call_operator(EntryKind.RESUBMITTED, count=resubmits)
    changed = [OrderField(each) for each in order.changed if each in set(OrderField)]
    if needs_new_loa(changed, state.codes):
        course.do(Validate())
        return
    send(course, actor=Actor.CUSTOMER)


def _activate(course: Course, order: ActivateAsked) -> None:
    if course.state.sub_status is _S.FOC_CONFIRMED:
        go(course, _S.ACTIVATING, actor=Actor.CUSTOMER)
        course.command(CommandKind.ACTIVATE)


def _drop(course: Course, order: DropAsked) -> None:
    state = course.state
    number = next(each for each in state.numbers if each.position == order.position)
    if number.status is NumberStatus.DROPPED:
        return
    dropped = state.with_status((order.position,), NumberStatus.DROPPED, number.rejection)
    course.keep(numbers=dropped.numbers)
    course.note(EntryKind.NUMBER_DROPPED, actor=Actor.CUSTOMER, positions=(order.position,))
    _without(course, order.position)


def _without(course: Course, position: int) -> None:
    """Let the carrier know, and let go of rejections that were about this number alone."""
    state = course.state
    left = tuple(
        each.model_copy(update={"positions": rest})
        for each in state.rejections
        for rest in [tuple(at for at in each.positions if at != position)]
        if rest or not each.positions
    )
    course.keep(rejections=left)
    if end_if_settled(course):
        return
    if state.at_carrier and state.foc_at is None and state.sub_status in _SENT:
        course.command(CommandKind.SUPPLEMENT)


_DOING: Final[dict[type, Callable[[Course, Any], None]]] = {
    CancelAsked: _cancel,
    RescheduleAsked: _reschedule,
    ResubmitAsked: _resubmit,
    ActivateAsked: _activate,
    DropAsked: _drop,
}
