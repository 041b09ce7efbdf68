"""What is to be told of an alert now, written down as messages to its recipients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.alert_messages import AlertEventType, AlertMessage, digest_of, event_of
from domain.alert_notices import NoticeType, alert_routes, notifications
from domain.alert_picture import AlertPicture
from domain.alert_quiet import QuietHours
from domain.alert_state import Alert, AlertRoute
from storage import alert_deliveries, alerts, organizations
from storage.alert_deliveries import NewDelivery
from storage.alert_pictures import picture_of_organization
from storage.ids import new_id
from storage.tables import Organization

__all__ = ["Told", "tell"]

LONGEST_QUIET: Final = timedelta(days=8)
"""Quiet hours end within a week: what ended before is told already."""


@dataclass(frozen=True, slots=True)
class Told:
    """When something more may have to be told; ``over``: never again."""

    wake_at: datetime | None
    over: bool


@dataclass(frozen=True, slots=True)
class _Telling:
    """Whom an alert of an organization is told, and when."""

    organization: Organization
    picture: AlertPicture
    quiet: QuietHours | None
    workflow_id: str
    now: datetime

    def deliveries(
        self, type_: NoticeType, route: AlertRoute, about: Sequence[Alert]
    ) -> Iterable[NewDelivery]:
        """One message for each recipient; ``about`` is one alert, or those of a digest."""
        event = _message(type_, about, self.now).model_dump(mode="json")
        for recipient in self._recipients(route):
            yield NewDelivery(
                id=new_id("dlv"),
                org_id=self.organization.id,
                alert_id=about[0].alert_id,
                workflow_id=self.workflow_id,
                notice=type_.value,
                channel=route.channel.value,
                route_key=route.key,
                recipient=recipient,
                event=event,
                created_at=self.now,
                next_at=self.now,
            )

    def _recipients(self, route: AlertRoute) -> list[str]:
        """Who is told by a route, as ``AlertDelivery.recipient`` names them."""
        if route.trunk_id is not None:
            return [route.trunk_id]
        return alert_deliveries.recipients_of(route.channel, self.organization)

    def in_digest(self, alert: Alert, route: AlertRoute) -> Alert | None:
        """The alert once it is told by the digest of this route; ``None`` when it is not to be."""
        routes = [each for each in alert_routes(alert, self.picture) if each.key == route.key]
        notices = notifications(alert, routes, self.quiet, self.now)
        told = any(each.type is NoticeType.DIGEST for each in notices.send)
        return notices.alert if told else None


async def tell(
    session: AsyncSession, org_id: str, alert_id: str, workflow_id: str, now: datetime
) -> Told:
    """Write down what is due, each message once, however often this is asked."""
    await alerts.lock(session, org_id)
    alert = await alerts.get(session, alert_id)
    organization = await organizations.get(session, org_id)
    if alert is None or organization is None:
        return Told(wake_at=None, over=True)
    telling = _Telling(
        organization,
        await picture_of_organization(session, org_id, now=now),
        _quiet_hours(organization),
        workflow_id,
        now,
    )
    notices = notifications(alert, alert_routes(alert, telling.picture), telling.quiet, now)
    digests = any(each.type is NoticeType.DIGEST for each in notices.send)
    others = await _resolved_others(session, telling, alert) if digests else []
    changed = {alert.alert_id: notices.alert} if notices.alert != alert else {}
    messages: list[NewDelivery] = []
    for notice in notices.send:
        about = [notices.alert]
        if notice.type is NoticeType.DIGEST:
            # One message in the morning, whatever the night was like.
            for other in others:
                named = telling.in_digest(changed.get(other.alert_id, other), notice.route)
                if named is not None:
                    about.append(named)
                    changed[named.alert_id] = named
        messages += telling.deliveries(notice.type, notice.route, about)
    await alert_deliveries.add(session, messages)
    await alerts.save(session, changed.values())
    return Told(wake_at=notices.wake_at, over=not alert.is_open and notices.wake_at is None)


def _quiet_hours(organization: Organization) -> QuietHours | None:
    """None when they cannot be read, such as a zone that the system no longer knows: alerts are
    rather told at night than never."""
    if organization.quiet_hours is None:
        return None
    try:
        return QuietHours.model_validate(organization.quiet_hours)
    except ValidationError:
        return None


async def _resolved_others(session: AsyncSession, telling: _Telling, alert: Alert) -> list[Alert]:
    found = await alerts.standing(session, alert.org_id, since=telling.now - LONGEST_QUIET)
    return [each for each in found if not each.is_open and each.alert_id != alert.alert_id]


def _message(type_: NoticeType, about: Sequence[Alert], now: datetime) -> AlertMessage:
    if type_ is NoticeType.DIGEST:
        return digest_of(about, now)
    return event_of(about[0], AlertEventType(f"sip.alert.{type_.value}"), now)
