"""Alerts as e-mail: subject, text and HTML.

Every name in them was written by somebody else, so HTML is escaped and lines are single lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.alert_kinds import Severity
from domain.alert_messages import (
    AlertDigest,
    AlertEvent,
    AlertEventType,
    AlertMessage,
    AlertTrunk,
)
from domain.alert_words import count, line
from domain.failover_words import moment
from domain.mail_form import html_of, text_of

__all__ = ["Mail", "mail_of"]

_TRUNKS_AT_MOST: Final = 20
"""More would bury what there is to do; the webhook has a hundred, the page all."""

_SUBJECT_AT_MOST: Final = 150

_OPENINGS: Final = {
    AlertEventType.OPENED: "",
    AlertEventType.UPDATED: "Worse: ",
    AlertEventType.REMINDER: "Still open: ",
    AlertEventType.RESOLVED: "Resolved: ",
    AlertEventType.TEST: "",
}

_COLOURS: Final = {
    Severity.INFO: "#1d4ed8",
    Severity.WARNING: "#b45309",
    Severity.CRITICAL: "#b91c1c",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One message; ``subject`` is one line. ``thread`` is the same for all mails of one alert."""

    subject: str
    text: str
    html: str
    thread: str


def mail_of(message: AlertMessage) -> Mail:
    """The message as e-mail."""
    return _digest(message) if isinstance(message, AlertDigest) else _event(message)


def _event(event: AlertEvent) -> Mail:
    data = event.data
    headline = f"{_OPENINGS[event.type]}{line(data.title)}"
    facts = [
        ("Severity", data.severity.value),
        ("Since", moment(data.opened_at)),
        *([("Resolved", moment(data.resolved_at))] if data.resolved_at is not None else []),
        *([("Came back", count(data.flaps, "time"))] if data.flaps else []),
        ("Alert", data.alert_id),
    ]
    links = [each for each in (data.links.dashboard, data.links.alert) if each is not None]
    trunks = [_trunk_line(each) for each in data.trunks[:_TRUNKS_AT_MOST]]
    if data.trunks_total > len(trunks):
        trunks.append(f"and {count(data.trunks_total - len(trunks), 'more trunk')}")
    parts = [("What happened", [data.what_happened])]
    if event.type is not AlertEventType.RESOLVED:
        parts.append(("What to change", [data.what_to_change]))
    if trunks:
        parts.append((f"Concerned ({data.trunks_total})", trunks))
    return Mail(
        subject=line(f"[{data.severity.value}] {headline}", _SUBJECT_AT_MOST),
        text=text_of(headline, facts, parts, links),
        html=html_of(headline, facts, parts, links, _COLOURS[data.severity]),
        thread=data.alert_id,
    )


def _digest(digest: AlertDigest) -> Mail:
    data = digest.data
    headline = f"{count(data.alerts_total, 'alert')} opened and ended in quiet hours"
    lines = [
        f"{moment(each.opened_at)} to {moment(each.resolved_at)}: {line(each.title)}"
        f" ({each.severity.value}, {count(each.trunks_total, 'trunk')})"
        for each in data.alerts
    ]
    if data.alerts_total > len(lines):
        lines.append(f"and {data.alerts_total - len(lines)} more")
    parts = [("Nothing of it is open any more", lines)]
    return Mail(
        subject=headline,
        text=text_of(headline, [], parts, []),
        html=html_of(headline, [], parts, [], _COLOURS[Severity.INFO]),
        thread=digest.id,
    )


def _trunk_line(trunk: AlertTrunk) -> str:
    place = f", {', '.join(trunk.endpoints)}" if trunk.endpoints else ""
    route = ", no other endpoint works" if trunk.no_route else ""
    return line(f"{trunk.name} ({count(trunk.numbers, 'number')}{place}{route})")
