"""What is said when an order has come to a status: a headline and parts, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from domain.alert_words import count, line
from domain.porting.notice_dates import day_of, moved, when
from domain.porting.notice_facts import NoticeFacts, NumberFacts, RejectionFacts
from domain.porting.rejections import REJECTIONS, RejectionCode
from domain.porting.signature_links import masked_mailbox
from domain.porting.state import Warned
from domain.porting.words import SubStatus, next_step, public_text

__all__ = [
    "HAPPENED",
    "KEEP",
    "TO_DO",
    "Part",
    "Words",
    "deadline_lines",
    "rejection_part",
    "status_words",
    "warning_lines",
]

Part = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Words:
    """A headline, and parts with a title and lines."""

    headline: str
    parts: tuple[Part, ...]


HAPPENED: Final = "What happened"
TO_DO: Final = "What to do"
KEEP: Final = (
    "Do not cancel the service at your present carrier before you are told that it is time."
)

_HEADLINES: Final[Mapping[SubStatus, str]] = {
    SubStatus.DRAFT: "Your port order is a draft",
    SubStatus.VALIDATING: "We received your port order",
    SubStatus.AWAITING_DOCUMENTS: "A document is missing",
    SubStatus.AWAITING_SIGNATURE: "The letter of authorization waits for its signature",
    SubStatus.IN_REVIEW: "The letter is signed; our porting desk looks at the order",
    SubStatus.SUBMITTING: "The letter is signed; the order is being sent",
    SubStatus.LSR_SENT: "Your present carrier has the request",
    SubStatus.ACTION_REQUIRED: "Your present carrier sent the request back",
    SubStatus.SUPP_SENT: "The corrected request was sent",
    SubStatus.FOC_CONFIRMED: "Your present carrier confirmed a date",
    SubStatus.ACTIVATING: "Your numbers are being switched over",
    SubStatus.VERIFYING: "Your numbers were switched over; we are checking them",
    SubStatus.COMPLETED: "Your numbers are here: cancel your old service now",
    SubStatus.PARTIALLY_COMPLETED: "Some of your numbers are here, others did not come",
    SubStatus.CANCELED: "Your port order was canceled",
    SubStatus.EXPIRED: "Your port order has ended: it waited too long",
    SubStatus.FAILED: "Your port order ended without success",
}

_WARNINGS: Final[Mapping[Warned, str]] = {
    Warned.CANCEL_MISSED: "You had asked to cancel, but the switch could not be stopped any more. To go "
    "back, order a port at the carrier that had the numbers, with a new letter for it, within days.",
    Warned.FOC_MOVED: "The losing carrier moved its date before.",
    Warned.FOC_LATE_CHANGE: "The date was changed late: the losing carrier may switch the old service "
    "off on the date before. Forward your calls for that day if you can.",
    Warned.NOT_ATTACHED: "A number could not be attached to its trunk, so calls to it are not taken: "
    "attach it by hand.",
    Warned.UNVERIFIED: "No call to some numbers was seen. Call each of them from another carrier; some "
    "callers may reach the old carrier for another day or two.",
    Warned.MANY_RESUBMITS: "The request was corrected many times; our porting desk looks at it.",
    Warned.STRANGE_NUMBERS: "The carrier named numbers that are not of this order; our porting desk asks.",
}


def warning_lines(facts: NoticeFacts) -> tuple[str, ...]:
    """What stays to be known of the order, in sentences."""
    return tuple(_WARNINGS[each] for each in facts.warnings)


def rejection_part(rejection: RejectionFacts) -> Part:
    """A reason, its cure, and what had been sent."""
    title = rejection.code.value.replace("_", " ").replace("tollfree", "toll-free")
    lines = [REJECTIONS[rejection.code].fix]
    lines += [f"You sent: {label} {line(value)}" for label, value in rejection.sent]
    if rejection.said:
        lines.append(f'The carrier said: "{line(rejection.said)}"')
    if rejection.numbers:
        lines.append(f"Concerned: {', '.join(rejection.numbers)}")
    return title[:1].upper() + title[1:], tuple(lines)


def status_words(status: SubStatus, facts: NoticeFacts) -> Words:
    """What is said when the order has come to this status."""
    parts: list[Part] = [(HAPPENED, (public_text(status), *_more(status, facts)))]
    if status in (SubStatus.ACTION_REQUIRED, SubStatus.FAILED):
        parts += map(rejection_part, facts.rejections)
    if status in _WITH_MISSING and facts.missing:
        parts.append(("Did not come", tuple(map(_missing, facts.missing))))
    parts.append((TO_DO, (next_step(status), *deadline_lines(status, facts))))
    warned = warning_lines(facts)
    if warned:
        parts.append(("Please note", warned))
    return Words(_headline(status, facts), tuple(parts))


def deadline_lines(status: SubStatus, facts: NoticeFacts) -> tuple[str, ...]:
    """Until when somebody has to act, where the order waits for somebody."""
    if facts.expires_at is None or status not in _WAITING:
        return ()
    return (
        f"The order ends by itself if that is not done by {when(facts.expires_at, facts.zone)}.",
    )


_WAITING: Final = frozenset(
    {SubStatus.AWAITING_DOCUMENTS, SubStatus.AWAITING_SIGNATURE, SubStatus.ACTION_REQUIRED}
)
_WITH_MISSING: Final = frozenset({SubStatus.PARTIALLY_COMPLETED, SubStatus.FAILED})


def _headline(status: SubStatus, facts: NoticeFacts) -> str:
    if status is SubStatus.ACTION_REQUIRED:
        pins = {RejectionCode.PIN_REQUIRED, RejectionCode.PIN_INVALID}
        if facts.codes and pins.issuperset(facts.codes):
            return "A transfer PIN is needed"
    if status is SubStatus.COMPLETED and Warned.CANCEL_MISSED in facts.warnings:
        return "Your numbers are here: the cancellation came too late"
    return _HEADLINES[status]


def _more(status: SubStatus, facts: NoticeFacts) -> list[str]:
    """What only this order can be told."""
    if status is SubStatus.AWAITING_SIGNATURE:
        return [f"The link was mailed to {facts.signer} at {masked_mailbox(facts.mailbox)}."]
    if status is SubStatus.FOC_CONFIRMED and facts.foc_at is not None:
        said = [f"The switch is on {when(facts.foc_at, facts.zone)}."]
        if facts.requested_date is not None:
            said.append(_against_wish(facts.foc_at, facts.requested_date, facts.zone))
        return said
    if status in (SubStatus.COMPLETED, SubStatus.PARTIALLY_COMPLETED):
        return [f"{count(len(facts.arrived), 'number')} of {len(facts.numbers)} came."]
    if status in (SubStatus.ACTIVATING, SubStatus.VERIFYING):
        return [KEEP]
    return []


def _against_wish(foc_at: datetime, wish: date, zone: str) -> str:
    days = (day_of(foc_at, zone) - wish).days
    return (
        "That is the day you asked for."
        if not days
        else f"You asked for {wish}: it is {moved(days)}."
    )


def _missing(number: NumberFacts) -> str:
    if number.rejection is None:
        return number.number
    return f"{number.number}: {REJECTIONS[number.rejection].fix}"
