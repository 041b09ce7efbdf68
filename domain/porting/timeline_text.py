"""What a timeline's entries say to people. Numbers are named, times are absolute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from domain.porting.effects import EntryKind, TimelineEntry
from domain.porting.rejections import REJECTIONS
from domain.porting.words import public_text

__all__ = ["entry_text", "moment"]

_NAMED: Final = 5
"""Numbers that are spelled out; of more there is a count."""

_K = EntryKind

_WORDS: Final[Mapping[EntryKind, str]] = {
    _K.STATUS: "",
    _K.LINK_SENT: "A link to sign the letter of authorization was sent to the authorized representative.",
    _K.REMINDED: "Reminder {count}: the order still waits for somebody.",
    _K.DOCUMENT_ATTACHED: "A document was attached.",
    _K.PIN_SUPPLIED: "A transfer PIN was supplied.",
    _K.REJECTED: "The request came back again.",
    _K.FOC_CHANGED: "The confirmed date is another one now: {until}.",
    _K.FOC_NEAR: "The numbers are switched over at {until}. Keep the present service until they are here.",
    _K.ACTIVATION_DUE: "The confirmed time has come: activate the order when you are ready for calls.",
    _K.WATCHED: "The switch has not been reported for {count} h.",
    _K.NUDGED: "The losing carrier has not answered for days: the porting desk should ask for the order.",
    _K.ESCALATED: "The losing carrier still does not answer (escalation {count}): press it for an answer.",
    _K.CANCEL_ASKED: "The carrier was asked to cancel the order; it has to confirm that.",
    _K.CANCEL_REFUSED: "The carrier refused to cancel the order: it goes on.",
    _K.CANCEL_WAITS: "The cancellation is still unconfirmed ({count} business days): call the carrier.",
    _K.RESCHEDULE_ASKED: "Another date was asked for.",
    _K.RESCHEDULE_REFUSED: "The carrier refused the other date; the one before stands.",
    _K.RESUBMITTED: "The corrected order was handed in (correction {count}).",
    _K.NUMBERS_CHANGED: "The carriers report news of {numbers}.",
    _K.NUMBER_DROPPED: "The order goes on without {numbers}.",
    _K.FIRST_INBOUND: "A call came in to {numbers}.",
    _K.ATTACHED: "Calls to {numbers} are taken by the trunk now.",
    _K.NOT_ATTACHED: "{numbers} could not be attached to the trunk; attach them by hand.",
    _K.CARRIER_AWAY: "The winning carrier did not answer {count} times in a row; we go on trying.",
    _K.COMMAND_REFUSED: "The carrier refused what it was told; the order goes on as it was.",
    _K.STRANGE: "The carrier said something that does not fit this order; nothing was changed for it.",
}


def entry_text(entry: TimelineEntry, numbers: Mapping[int, str]) -> str:
    """The entry in plain words; ``numbers`` are those of the order by position."""
    if entry.kind is _K.STATUS and entry.to_status is not None:
        said = public_text(entry.to_status)
    else:
        said = _WORDS[entry.kind].format(
            count=entry.count, numbers=_named(entry, numbers), until=moment(entry.until)
        )
    if entry.kind is _K.STATUS and entry.until is not None:
        said += f" It is {moment(entry.until)}."
    fixes = [REJECTIONS[code].fix for code in entry.codes]
    return " ".join([said, *fixes])


def moment(at: datetime | None) -> str:
    """A time: ``2026-03-09 14:03 UTC``; ``no date`` without one."""
    return "no date" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _named(entry: TimelineEntry, numbers: Mapping[int, str]) -> str:
    found = [numbers[position] for position in entry.positions if position in numbers]
    if not found or len(found) > _NAMED:
        return f"{len(entry.positions)} numbers"
    return ", ".join(found)
