"""What is said of events that leave an order's status as it is, and to whom signs or keeps the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from domain.alert_words import count
from domain.porting.effects import EntryKind, Notice, NoticeKind
from domain.porting.notice_dates import day_of, moved, when
from domain.porting.notice_facts import NoticeFacts
from domain.porting.notice_words import (
    HAPPENED,
    KEEP,
    TO_DO,
    Words,
    deadline_lines,
    rejection_part,
    status_words,
    warning_lines,
)
from domain.porting.words import SubStatus, next_step, public_text

__all__ = ["words_of"]


def words_of(notice: Notice, facts: NoticeFacts) -> Words:
    """What the message says; for a signer a link follows."""
    return _KINDS[notice.kind](notice, facts)


def _status(notice: Notice, facts: NoticeFacts) -> Words:
    return status_words(notice.status, facts)


def _signature_link(notice: Notice, facts: NoticeFacts) -> Words:
    return _to_sign("Please sign the letter of authorization", facts, _WHY, _ONLY)


def _signature_reminder(notice: Notice, facts: NoticeFacts) -> Words:
    said = "The letter of authorization is still not signed, and nothing can go on before it is."
    newer = "This mail has a new link; links that were mailed before do not work any more."
    return _to_sign("Reminder: please sign the letter of authorization", facts, said, newer)


def _to_sign(headline: str, facts: NoticeFacts, why: str, link: str) -> Words:
    until = () if facts.expires_at is None else (f"It works until {_at_expiry(facts)}.",)
    asked = f"{facts.account_name or 'Your organization'} names {facts.signer} as the one to sign."
    return Words(
        headline,
        (
            (HAPPENED, (why, asked)),
            (TO_DO, ("Open the link below, read the letter, and sign or decline.", link, *until)),
        ),
    )


_WHY: Final = (
    "Telephone numbers are to move to another carrier. The carrier that has them now asks for a letter "
    "that is signed by somebody who may decide about them."
)
_ONLY: Final = "The link is for you alone: do not pass it on. Opening it signs nothing."


def _at_expiry(facts: NoticeFacts) -> str:
    return "" if facts.expires_at is None else when(facts.expires_at, facts.zone)


def _action_reminder(notice: Notice, facts: NoticeFacts) -> Words:
    status = notice.status
    to_do = (next_step(status), *deadline_lines(status, facts))
    parts = ((HAPPENED, (public_text(status),)), *map(rejection_part, facts.rejections))
    again = notice.entry is not EntryKind.REMINDED
    headline = "The request came back again" if again else "Your port order waits for you"
    return Words(headline, (*parts, (TO_DO, to_do)))


def _foc_changed(notice: Notice, facts: NoticeFacts) -> Words:
    said = ["Your present carrier confirmed another date."]
    if facts.foc_before is not None:
        said.append(f"Before: {when(facts.foc_before, facts.zone)}.")
    if facts.foc_at is not None:
        said.append(f"Now: {when(facts.foc_at, facts.zone)}.")
    if facts.foc_before is not None and facts.foc_at is not None:
        days = (day_of(facts.foc_at, facts.zone) - day_of(facts.foc_before, facts.zone)).days
        said.append(f"The switch is {moved(days)}." if days else "The day is the same.")
    to_do = [next_step(SubStatus.FOC_CONFIRMED)]
    if facts.changes_left is not None:
        left = count(facts.changes_left, "change")
        to_do.append(f"You can ask for another date; {left} of the confirmed date remain.")
    parts = ((HAPPENED, tuple(said)), (TO_DO, (*to_do, *warning_lines(facts))))
    return Words("The date of your port has changed", parts)


def _foc_near(notice: Notice, facts: NoticeFacts) -> Words:
    return Words(
        "Your numbers are switched over on the next business day",
        (
            (HAPPENED, (f"The switch is on {_date(facts)}.",)),
            (
                TO_DO,
                (
                    "See that calls to the numbers are answered on your trunk: place a test call.",
                    KEEP,
                    "Some callers may reach the old carrier for a day or two; forward its calls if you "
                    "can.",
                ),
            ),
        ),
    )


def _activation_due(notice: Notice, facts: NoticeFacts) -> Words:
    said = f"The confirmed time, {_date(facts)}, has come."
    to_do = "Activate the order when you are ready for calls. Nothing is switched over before that."
    return Words("Your port can be activated now", ((HAPPENED, (said,)), (TO_DO, (to_do, KEEP))))


def _date(facts: NoticeFacts) -> str:
    return "the confirmed date" if facts.foc_at is None else when(facts.foc_at, facts.zone)


def _cancel_asked(notice: Notice, facts: NoticeFacts) -> Words:
    said = "The carrier was asked to cancel the order. It has to confirm that."
    to_do = (
        "Wait for the confirmation. If the switch goes through before the carrier stops it, the numbers "
        "come here all the same, and we tell you."
    )
    return Words("A cancellation was asked for", ((HAPPENED, (said,)), (TO_DO, (to_do,))))


def _cancel_refused(notice: Notice, facts: NoticeFacts) -> Words:
    said = "The carrier refused to cancel the order: it goes on."
    parts = ((HAPPENED, (said,)), *map(rejection_part, facts.rejections))
    return Words("The cancellation was refused", (*parts, (TO_DO, (next_step(notice.status),))))


def _reschedule_refused(notice: Notice, facts: NoticeFacts) -> Words:
    said = f"The carrier refused the other date. The one before stands: {_date(facts)}."
    parts = ((HAPPENED, (said,)), (TO_DO, (next_step(notice.status),)))
    return Words("The new date was refused", parts)


_DESK: Final[Mapping[EntryKind, tuple[str, str]]] = {
    EntryKind.NUDGED: (
        "The losing carrier has not answered",
        "Ask the winning carrier for the status of the order, with its number.",
    ),
    EntryKind.ESCALATED: (
        "The losing carrier still does not answer",
        "Press it: call the escalation contact of the carrier's profile, and ask the customer to call "
        "too.",
    ),
    EntryKind.WATCHED: (
        "The switch is not reported",
        "Call the winning carrier: the confirmed time has passed.",
    ),
    EntryKind.CANCEL_WAITS: (
        "A cancellation is still unconfirmed",
        "Call the winning carrier before the committed date: a switch cannot be undone.",
    ),
    EntryKind.CANCEL_REFUSED: (
        "The carrier refused a cancellation",
        "Tell the customer what is possible, or call the carrier.",
    ),
    EntryKind.NOT_ATTACHED: (
        "A number could not be attached to its trunk",
        "Attach it by hand: calls to it are not taken.",
    ),
    EntryKind.CARRIER_AWAY: (
        "The winning carrier does not answer",
        "See whether its interface is in service; we go on trying.",
    ),
    EntryKind.STRANGE: (
        "The carrier said something that does not fit",
        "Read the timeline, and ask the carrier what it means. Nothing was changed for it.",
    ),
}
_DESK_ELSE: Final = ("A port order needs the porting desk", "Read the timeline and decide.")


def _needs_operator(notice: Notice, facts: NoticeFacts) -> Words:
    headline, to_do = _DESK.get(notice.entry, _DESK_ELSE)
    said = (public_text(notice.status), *facts.entries, *warning_lines(facts))
    parts = ((HAPPENED, said), *map(rejection_part, facts.rejections))
    return Words(headline, (*parts, (TO_DO, (to_do,))))


_KINDS: Final[Mapping[NoticeKind, Callable[[Notice, NoticeFacts], Words]]] = {
    NoticeKind.STATUS: _status,
    NoticeKind.SIGNATURE_LINK: _signature_link,
    NoticeKind.SIGNATURE_REMINDER: _signature_reminder,
    NoticeKind.ACTION_REMINDER: _action_reminder,
    NoticeKind.FOC_CHANGED: _foc_changed,
    NoticeKind.FOC_NEAR: _foc_near,
    NoticeKind.ACTIVATION_DUE: _activation_due,
    NoticeKind.CANCEL_ASKED: _cancel_asked,
    NoticeKind.CANCEL_REFUSED: _cancel_refused,
    NoticeKind.RESCHEDULE_REFUSED: _reschedule_refused,
    NoticeKind.NEEDS_OPERATOR: _needs_operator,
}
