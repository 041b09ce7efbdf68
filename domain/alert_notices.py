"""Which messages about an alert go where, and when.

Each route, a way that alerts of some trunk travel, is told of the opening once, of a higher severity,
of the end, and once more when nobody has acknowledged within a day. Members that come and go are no
message: the alert shows them. Rules of silence:

- During quiet hours messages wait. What opened and ended meanwhile becomes one line of one digest.
- In maintenance nothing is told but the end of what was told before.
- An acknowledgement ends reminders; webhooks hear of it, people know it.
- A channel that reaches nobody does not carry the news that it is broken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.alert_kinds import AlertKind
from domain.alert_picture import AlertPicture, ChannelKind
from domain.alert_quiet import QuietHours, quiet_until
from domain.alert_state import Alert, AlertRoute, Told

__all__ = [
    "REMIND_AFTER",
    "AlertNotice",
    "NoticeType",
    "Notices",
    "alert_routes",
    "notifications",
    "webhook_key",
]

REMIND_AFTER: Final = timedelta(hours=24)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class NoticeType(StrEnum):
    """What a message tells. The webhook's ``type`` is ``sip.alert.`` and this word."""

    OPENED = "opened"
    UPDATED = "updated"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    DIGEST = "digest"
    """It opened and ended in quiet hours."""
    TEST = "test"


class AlertNotice(_Value):
    """A message to be sent now."""

    type: NoticeType
    route: AlertRoute


class Notices(_Value):
    """What is to be sent; ``alert`` notes that it was. ``wake_at`` is when something may be due."""

    alert: Alert
    send: tuple[AlertNotice, ...] = ()
    wake_at: AwareDatetime | None = None


def alert_routes(alert: Alert, picture: AlertPicture) -> tuple[AlertRoute, ...]:
    """The routes of an alert: those that its members' trunks ask for, each once.

    That alerting is broken is told wherever any trunk's alerts go and arrive. The end is told to
    whoever was told of the beginning, too.
    """
    found = {} if alert.is_open else {each.route.key: each.route for each in alert.told}
    members = {each.trunk_id for each in alert.members}
    is_broken = alert.kind is AlertKind.ALERTING_BROKEN
    concerned = [each for each in picture.trunks if is_broken or each.trunk_id in members]
    for trunk in concerned:
        channels = trunk.alerts.channels
        if channels.email:
            found["email"] = AlertRoute(key="email", channel=ChannelKind.EMAIL)
        if channels.sms:
            found["sms"] = AlertRoute(key="sms", channel=ChannelKind.SMS)
        if channels.webhook is True:
            found["webhook"] = AlertRoute(key="webhook", channel=ChannelKind.WEBHOOK)
        elif isinstance(channels.webhook, str):
            key = webhook_key(channels.webhook)
            own = AlertRoute(key=key, channel=ChannelKind.WEBHOOK, trunk_id=trunk.trunk_id)
            found.setdefault(key, own)
    if is_broken:
        return tuple(each for each in found.values() if _arrives(each, picture))
    return tuple(found.values())


def notifications(
    alert: Alert, channels: Sequence[AlertRoute], quiet: QuietHours | None, now: datetime
) -> Notices:
    """The messages that are due. Asking again with the alert that comes back sends nothing twice."""
    later = quiet_until(quiet, alert.severity, now)
    known = {each.route.key: each for each in alert.told}
    sent, times = [], list[datetime]()
    for route in channels:
        told = known.get(route.key, Told(route=route))
        due = _due(alert, route, told, now)
        if due is not None and later is not None:
            times.append(later)
        elif due is not None:
            sent.append(AlertNotice(type=due, route=route))
            told = known[route.key] = _noted(told, due, alert, now)
        reminder = _reminder_at(alert, told)
        if reminder is not None:
            times.append(reminder)
    after = alert.model_copy(update={"told": tuple(known.values())})
    wake_at = min((each for each in times if each > now), default=None)
    return Notices(alert=after, send=tuple(sent), wake_at=wake_at)


def _due(alert: Alert, route: AlertRoute, told: Told, now: datetime) -> NoticeType | None:
    if not alert.is_open:
        if told.resolved_at is not None:
            return None
        if told.opened_at is not None:
            return NoticeType.RESOLVED
        return None if alert.in_maintenance else NoticeType.DIGEST
    if alert.in_maintenance:
        return None
    if told.opened_at is None:
        return NoticeType.OPENED
    if told.severity is not None and alert.severity.rank > told.severity.rank:
        return NoticeType.UPDATED
    acknowledged = alert.acknowledged_at is not None
    if acknowledged and not told.acknowledged and route.channel is ChannelKind.WEBHOOK:
        return NoticeType.UPDATED
    reminder = _reminder_at(alert, told)
    return NoticeType.REMINDER if reminder is not None and reminder <= now else None


def _noted(told: Told, type_: NoticeType, alert: Alert, now: datetime) -> Told:
    update: dict[str, object] = {
        "severity": alert.severity,
        "acknowledged": alert.acknowledged_at is not None,
    }
    match type_:
        case NoticeType.OPENED:
            update["opened_at"] = now
        case NoticeType.REMINDER:
            update["reminded_at"] = now
        case NoticeType.RESOLVED | NoticeType.DIGEST:
            update["resolved_at"] = now
        case _:
            pass
    return told.model_copy(update=update)


def _reminder_at(alert: Alert, told: Told) -> datetime | None:
    """When the route is to be reminded; once, and not of what somebody has acknowledged."""
    if told.opened_at is None or told.reminded_at is not None:
        return None
    if not alert.is_open or alert.acknowledged_at is not None or alert.in_maintenance:
        return None
    return told.opened_at + REMIND_AFTER


def webhook_key(url: str) -> str:
    """The key of the route to a trunk's own webhook."""
    return f"webhook:{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def _arrives(route: AlertRoute, picture: AlertPicture) -> bool:
    """Whether anybody hears what goes that way."""
    failing = {f"{each.channel.value}:{each.key}" for each in picture.failing}
    if route.trunk_id is not None:
        return route.key not in failing
    urls = [each.alerts.channels.webhook for each in picture.trunks]
    of_trunks = {webhook_key(each) for each in urls if isinstance(each, str)}
    there = picture.recipients
    recipients = {
        ChannelKind.EMAIL: there.emails,
        ChannelKind.SMS: there.phones,
        ChannelKind.WEBHOOK: there.webhooks,
    }
    lost = [each for each in failing - of_trunks if each.startswith(f"{route.channel.value}:")]
    return len(lost) < recipients[route.channel]
