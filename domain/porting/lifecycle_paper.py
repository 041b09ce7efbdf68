"""The part of the life cycle before anything is sent: documents, the letter, its signature."""

from __future__ import annotations

from domain.porting.effects import Actor, Audience, EntryKind, NoticeKind, Validate
from domain.porting.events import Fact, Validated
from domain.porting.lifecycle_course import Course
from domain.porting.lifecycle_moves import end_if_settled, go, require_action
from domain.porting.rejections import REJECTIONS, RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.state import CommandKind, DeadlineKind
from domain.porting.words import NumberStatus, SubStatus

__all__ = [
    "declined",
    "document_attached",
    "leave",
    "link_resent",
    "send",
    "signed",
    "validated",
]

_S = SubStatus


def validated(course: Course, event: Validated) -> None:
    """Ask for documents or for the signature, or end when nothing can be ported."""
    if course.state.sub_status not in (_S.VALIDATING, _S.ACTION_REQUIRED):
        return
    _exclude(course, event)
    if course.state.sub_status is _S.VALIDATING and end_if_settled(course):
        return
    if event.documents_missing:
        if course.state.sub_status is _S.VALIDATING:
            go(course, _S.AWAITING_DOCUMENTS)
        else:
            # What is missing is what has to be mended next, beside what was rejected before.
            missing = SeenRejection(code=RejectionCode.BILL_INVALID)
            known = tuple(each for each in course.state.rejections if each.code != missing.code)
            require_action(course, (*known, missing), Actor.SYSTEM)
        return
    course.keep(letter=event.letter)
    go(course, _S.AWAITING_SIGNATURE)
    _mail_link(course, NoticeKind.SIGNATURE_LINK)


def _exclude(course: Course, event: Validated) -> None:
    """Numbers that cannot be ported leave the order, each with its reason."""
    for each in event.unportable:
        open_ones = {number.position for number in course.state.open_numbers}
        positions = tuple(sorted(open_ones.intersection(each.positions)))
        if positions:
            failed = course.state.with_status(positions, NumberStatus.FAILED, each.code)
            course.keep(numbers=failed.numbers)
            course.note(EntryKind.NUMBERS_CHANGED, codes=(each.code,), positions=positions)


def document_attached(course: Course) -> None:
    """Look at the order again when it waits for documents."""
    course.note(EntryKind.DOCUMENT_ATTACHED, actor=Actor.CUSTOMER)
    if course.state.sub_status is _S.AWAITING_DOCUMENTS:
        go(course, _S.VALIDATING)
        course.do(Validate())


def link_resent(course: Course) -> None:
    """Mail another link; the one before is void."""
    if course.state.sub_status is _S.AWAITING_SIGNATURE and course.state.closing is None:
        _mail_link(course, NoticeKind.SIGNATURE_LINK)


def _mail_link(course: Course, kind: NoticeKind) -> None:
    state = course.state
    course.keep(links=state.links + 1)
    expiry = state.due(DeadlineKind.PAPER_EXPIRY)
    until = None if expiry is None else expiry.at
    course.note(EntryKind.LINK_SENT, until=until, count=course.state.links)
    course.tell(kind, Audience.SIGNER, count=course.state.links)


def signed(course: Course, fact: Fact) -> None:
    """Send the order, or its amended form. The signature of a letter that was replaced counts for
    nothing."""
    state = course.state
    if state.sub_status is not _S.AWAITING_SIGNATURE or fact.letter != state.letter:
        return
    course.keep(signed=fact.letter)
    if state.closing is not None:
        return
    send(course, actor=Actor.CUSTOMER)


def declined(course: Course, fact: Fact) -> None:
    """End the order: it has no authority."""
    state = course.state
    if state.sub_status is _S.AWAITING_SIGNATURE and fact.letter == state.letter:
        leave(course, _S.CANCELED, actor=Actor.CUSTOMER)


def send(course: Course, *, actor: Actor) -> None:
    """Tell the carrier the order as it is now: as a new one when it has none that is alive."""
    state = course.state
    dead = any(REJECTIONS[code].closes_carrier_order for code in state.codes)
    if not state.at_carrier or dead:
        go(course, _S.SUBMITTING, actor=actor)
        course.command(CommandKind.SUBMIT)
        return
    if state.sub_status is _S.AWAITING_SIGNATURE:
        go(course, _S.SUBMITTING, actor=actor)
    course.disarm(DeadlineKind.ACTION_REMINDER, DeadlineKind.ACTION_EXPIRY)
    course.command(CommandKind.SUPPLEMENT)


def leave(course: Course, end: SubStatus, *, actor: Actor) -> None:
    """End the order: at once when the carrier knows nothing of it, else when it has confirmed."""
    state = course.state
    if not state.at_carrier and not state.commands:
        course.keep(closing=end)
        course.give_up(NumberStatus.CANCELED)
        go(course, end, actor=actor)
        return
    course.disarm(
        DeadlineKind.PAPER_REMINDER,
        DeadlineKind.PAPER_EXPIRY,
        DeadlineKind.ACTION_REMINDER,
        DeadlineKind.ACTION_EXPIRY,
    )
    course.keep(closing=end, cancel_requested_at=course.now)
    course.note(EntryKind.CANCEL_ASKED, actor=actor)
    course.tell(NoticeKind.CANCEL_ASKED)
    course.command(CommandKind.CANCEL)
    watch = course.timing.business_days_after(course.now, course.timing.cancel_watch)
    course.arm(DeadlineKind.CANCEL_WATCH, watch)
