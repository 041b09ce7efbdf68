"""The life of a port order as one pure function: how it stands, what happened, what follows.

Time, the calendar and the carrier are arguments. Whatever comes, in whatever order and however often,
each number stays accounted for, and an order that has ended stays as it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from domain.porting.effects import (
    Actor,
    Audience,
    EntryKind,
    Look,
    NoticeKind,
    Step,
    TellCarrier,
    Validate,
)
from domain.porting.events import (
    ActivateAsked,
    Answered,
    Attached,
    CancelAsked,
    CarrierAway,
    CommandRefused,
    DropAsked,
    Fact,
    FactKind,
    Order,
    PortEvent,
    RescheduleAsked,
    ResubmitAsked,
    Seen,
    Started,
    TimePassed,
    Validated,
)
from domain.porting.lifecycle_carrier import answered, away, refused
from domain.porting.lifecycle_course import Course
from domain.porting.lifecycle_moves import begin_waits, end_if_settled, poll_later, verify_if_here
from domain.porting.lifecycle_orders import ask
from domain.porting.lifecycle_paper import (
    declined,
    document_attached,
    link_resent,
    send,
    signed,
    validated,
)
from domain.porting.lifecycle_seen import seen, seen_after_end
from domain.porting.lifecycle_time import time_passed
from domain.porting.rejections import RejectionCode
from domain.porting.state import MAX_FACTS, PortState, Warned
from domain.porting.timing import Timing
from domain.porting.words import SubStatus

__all__ = ["advance"]

_PINS: Final = frozenset({RejectionCode.PIN_REQUIRED, RejectionCode.PIN_INVALID})


def advance(state: PortState, event: PortEvent, now: datetime, timing: Timing) -> Step:
    """What follows from the event. What is due by ``now`` is done behind it, in the same step.

    ``now`` is an aware time that never lies before that of the step before.
    """
    course = Course(state, now, timing)
    if state.is_over:
        _after_end(course, event)
    else:
        _HANDLERS[type(event)](course, event)
        time_passed(course)
    return course.step()


def _after_end(course: Course, event: PortEvent) -> None:
    """An order that has ended stays so; what contradicts its end is for the porting desk."""
    if isinstance(event, Attached):
        _attached(course, event)
    elif isinstance(event, Fact):
        if event.kind is FactKind.CARRIER_EVENT and course.state.at_carrier:
            course.do(Look())
    elif isinstance(event, Seen):
        seen_after_end(course, event.sighting)
    elif isinstance(event, Order):
        ask(course, event)


def _started(course: Course, event: Started) -> None:
    """Begin, or go on as the row says that a lost process stood."""
    state = course.state
    if state.generation == 0:
        course.keep(since=course.now)
        course.note(EntryKind.STATUS, actor=Actor.CUSTOMER, to_status=state.sub_status)
        course.tell(NoticeKind.STATUS)
        course.do(Validate())
        return
    if state.sub_status is SubStatus.VALIDATING:
        course.do(Validate())
    for command in state.commands[:1]:
        course.do(TellCarrier(command=command))
    course.attach()
    course.look()
    poll_later(course)
    if not course.state.deadlines:
        begin_waits(course)


def _fact(course: Course, fact: Fact) -> None:
    state = course.state
    if fact.seq in state.facts:
        return
    course.keep(facts=(*state.facts, fact.seq)[-MAX_FACTS:])
    _FACTS[fact.kind](course, fact)


def _pin_supplied(course: Course, fact: Fact) -> None:
    """Send the order again when only PINs were wrong with it."""
    course.note(EntryKind.PIN_SUPPLIED, actor=Actor.CUSTOMER)
    state = course.state
    mended = bool(state.codes) and _PINS.issuperset(state.codes)
    idle = state.closing is None and not state.commands
    if state.sub_status is SubStatus.ACTION_REQUIRED and mended and idle:
        course.keep(resubmits=state.resubmits + 1)
        send(course, actor=Actor.CUSTOMER)


def _first_inbound(course: Course, fact: Fact) -> None:
    """A call shows that a number is here, at times before any carrier says so."""
    calls = {
        each.position
        for each in course.state.numbers
        if each.position in fact.positions and not each.inbound
    }
    if not calls:
        return
    course.keep(
        numbers=tuple(
            each.model_copy(update={"inbound": True}) if each.position in calls else each
            for each in course.state.numbers
        )
    )
    course.note(EntryKind.FIRST_INBOUND, positions=tuple(sorted(calls)))
    verify_if_here(course)
    if course.state.sub_status is SubStatus.VERIFYING:
        end_if_settled(course)
    course.look()


def _attached(course: Course, event: Attached) -> None:
    attached = [
        each.position
        for each in course.state.numbers
        if each.position in event.positions and not each.attached
    ]
    course.keep(
        numbers=tuple(
            each.model_copy(update={"attached": True}) if each.position in attached else each
            for each in course.state.numbers
        )
    )
    if attached:
        course.note(EntryKind.ATTACHED, positions=tuple(attached))
    if event.failed and course.warn(Warned.NOT_ATTACHED):
        course.note(EntryKind.NOT_ATTACHED, positions=event.failed)
        course.tell(NoticeKind.NEEDS_OPERATOR, Audience.OPERATOR)


def _hinted(course: Course, fact: Fact) -> None:
    course.look()


def _nothing(course: Course, event: Any) -> None:
    """What is due is done in any case."""


_FACTS: Final[dict[FactKind, Callable[[Course, Fact], None]]] = {
    FactKind.SUBMITTED: _nothing,
    FactKind.DOCUMENT_ATTACHED: lambda course, _: document_attached(course),
    FactKind.LOA_SIGNED: signed,
    FactKind.LOA_DECLINED: declined,
    FactKind.LINK_RESENT: lambda course, _: link_resent(course),
    FactKind.PIN_SUPPLIED: _pin_supplied,
    FactKind.CARRIER_EVENT: _hinted,
    FactKind.FIRST_INBOUND: _first_inbound,
    FactKind.OPERATOR_NOTE: _nothing,
}

_HANDLERS: Final[dict[type, Callable[[Course, Any], None]]] = {
    Started: _started,
    Fact: _fact,
    Validated: validated,
    Answered: answered,
    CommandRefused: refused,
    CarrierAway: away,
    Seen: lambda course, event: seen(course, event.sighting),
    Attached: _attached,
    TimePassed: _nothing,
    CancelAsked: ask,
    RescheduleAsked: ask,
    ResubmitAsked: ask,
    ActivateAsked: ask,
    DropAsked: ask,
}
