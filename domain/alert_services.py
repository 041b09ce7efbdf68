"""Alerts as the bodies that PagerDuty and Slack take.

Sources: PagerDuty's description of the Events API v2 (a summary of 1,024 characters, a key of 255),
Slack's of incoming webhooks and Block Kit (a header of 150 characters, a section of 3,000; ``&``,
``<`` and ``>`` are markup).
"""

from __future__ import annotations

from html import escape
from typing import Any, Final

from domain.alert_kinds import Severity
from domain.alert_messages import AlertDigest, AlertEvent, AlertEventType, AlertMessage
from domain.alert_words import count, line
from domain.failover_words import moment

__all__ = ["pagerduty_body", "slack_body"]

_SUMMARY_AT_MOST: Final = 1024
_HEADER_AT_MOST: Final = 150
_SECTION_AT_MOST: Final = 2500
# Text that is all markup becomes five times as long when it is escaped.
_MARKUP_AT_MOST: Final = _SECTION_AT_MOST // 5
_TRUNKS_AT_MOST: Final = 10
_LINES_AT_MOST: Final = 20

_MARKS: Final = {
    Severity.INFO: ":large_blue_circle:",
    Severity.WARNING: ":large_orange_circle:",
    Severity.CRITICAL: ":red_circle:",
}

_WORDS: Final = {
    AlertEventType.OPENED: "",
    AlertEventType.UPDATED: "Worse: ",
    AlertEventType.REMINDER: "Still open: ",
    AlertEventType.RESOLVED: "Resolved: ",
    AlertEventType.TEST: "",
}


def pagerduty_body(event: AlertEvent, routing_key: str) -> dict[str, Any]:
    """The event for ``POST /v2/enqueue``. All events of one alert share the ``dedup_key``.

    An event of an alert that somebody acknowledged here acknowledges it there.
    """
    data = event.data
    if event.type is AlertEventType.RESOLVED:
        action = "resolve"
    elif event.type is AlertEventType.UPDATED and data.acknowledged_at is not None:
        action = "acknowledge"
    else:
        action = "trigger"
    body: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": data.alert_id,
    }
    if action != "trigger":
        return body
    links = [
        {"href": href, "text": text}
        for href, text in ((data.links.dashboard, "Alert"), (data.links.alert, "Alert in the API"))
        if href is not None
    ]
    body["payload"] = {
        "summary": line(data.title, _SUMMARY_AT_MOST),
        "source": line(data.cause, _SUMMARY_AT_MOST),
        "severity": data.severity.value,
        "timestamp": data.opened_at.isoformat(),
        "component": "sip-trunks",
        "group": event.org_id,
        "class": data.kind.value,
        "custom_details": {
            "what_happened": data.what_happened,
            "what_to_change": data.what_to_change,
            "trunks": [line(each.name) for each in data.trunks[:_TRUNKS_AT_MOST]],
            "trunks_total": data.trunks_total,
            "numbers_total": data.numbers_total,
        },
    }
    body["client"] = "Trunkline"
    if links:
        body["links"] = links
        body["client_url"] = links[0]["href"]
    return body


def slack_body(message: AlertMessage) -> dict[str, Any]:
    """The message for an incoming webhook; ``text`` is what a notification shows."""
    if isinstance(message, AlertDigest):
        return _digest(message)
    data = message.data
    headline = f"{_WORDS[message.type]}{line(data.title)}"
    blocks = [_header(headline)]
    mark = ":white_check_mark:" if data.resolved_at is not None else _MARKS[data.severity]
    since = f"{mark} {data.severity.value} since {moment(data.opened_at)}"
    ended = f", resolved {moment(data.resolved_at)}" if data.resolved_at is not None else ""
    blocks.append(_section(f"{since}{ended}", _escaped(data.what_happened)))
    if message.type is not AlertEventType.RESOLVED:
        blocks.append(_section("*What to change*", _escaped(data.what_to_change)))
    if data.trunks:
        named = ", ".join(line(each.name, 60) for each in data.trunks[:_TRUNKS_AT_MOST])
        heading = f"*{count(data.trunks_total, 'trunk')}*"
        more = data.trunks_total - min(len(data.trunks), _TRUNKS_AT_MOST)
        blocks.append(_section(heading, _escaped(f"{named} and {more} more" if more else named)))
    if data.links.dashboard is not None:
        blocks.append(_section(f"<{_escaped(data.links.dashboard)}|Open the alert>"))
    return {"text": _escaped(headline), "blocks": blocks}


def _digest(digest: AlertDigest) -> dict[str, Any]:
    data = digest.data
    headline = f"{count(data.alerts_total, 'alert')} opened and ended in quiet hours"
    lines = [
        _section(
            f"{_MARKS[each.severity]} {moment(each.opened_at)} to {moment(each.resolved_at)}",
            _escaped(each.title),
        )
        for each in data.alerts[:_LINES_AT_MOST]
    ]
    return {"text": headline, "blocks": [_header(headline), *lines]}


def _header(text: str) -> dict[str, Any]:
    plain = {"type": "plain_text", "text": line(text, _HEADER_AT_MOST), "emoji": False}
    return {"type": "header", "text": plain}


def _section(*lines: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines)}}


def _escaped(text: str) -> str:
    escaped = escape(line(text, _SECTION_AT_MOST), quote=False)
    if len(escaped) <= _SECTION_AT_MOST:
        return escaped
    return escape(line(text, _MARKUP_AT_MOST), quote=False)
