"""Alerts as e-mail: subject, text and HTML.

Every name in them was written by somebody else, so HTML is escaped and lines are single lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
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
        text=_text(headline, facts, parts, links),
        html=_html(headline, facts, parts, links, _COLOURS[data.severity]),
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
        text=_text(headline, [], parts, []),
        html=_html(headline, [], parts, [], _COLOURS[Severity.INFO]),
        thread=digest.id,
    )


_Facts = Sequence[tuple[str, str]]
_Parts = Sequence[tuple[str, Sequence[str]]]


def _trunk_line(trunk: AlertTrunk) -> str:
    place = f", {', '.join(trunk.endpoints)}" if trunk.endpoints else ""
    route = ", no other endpoint works" if trunk.no_route else ""
    return line(f"{trunk.name} ({count(trunk.numbers, 'number')}{place}{route})")


def _text(headline: str, facts: _Facts, parts: _Parts, links: Sequence[str]) -> str:
    blocks = [headline]
    blocks += ["\n".join(f"{name}: {value}" for name, value in facts)] if facts else []
    for title, lines in parts:
        listed = lines if len(lines) == 1 else [f"- {each}" for each in lines]
        blocks.append("\n".join((f"{title}:", *listed)))
    blocks += ["\n".join(links)] if links else []
    return "\n\n".join(blocks) + "\n"


def _html(headline: str, facts: _Facts, parts: _Parts, links: Sequence[str], colour: str) -> str:
    rows = "".join(
        f'<tr><td style="padding-right:16px;color:#666">{escape(name)}</td>'
        f"<td>{escape(value)}</td></tr>"
        for name, value in facts
    )
    body = [f'<h1 style="font-size:18px;color:{colour}">{escape(headline)}</h1>']
    body += [f"<table>{rows}</table>"] if rows else []
    for title, lines in parts:
        body.append(f'<h2 style="font-size:15px">{escape(title)}</h2>')
        if len(lines) == 1:
            body.append(f"<p>{escape(lines[0])}</p>")
        else:
            items = "".join(f"<li>{escape(each)}</li>" for each in lines)
            body.append(f"<ul>{items}</ul>")
    body += [f'<p><a href="{escape(each)}">{escape(each)}</a></p>' for each in links]
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;font-size:14px">'
        f"{''.join(body)}</body></html>"
    )
