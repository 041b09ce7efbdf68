"""Alerts: listed, shown with what was told of them, acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.alert_query import AlertListRequest, cursor_behind
from api.errors import Conflict, NotFound
from api.schemas.alerts import (
    AlertList,
    AlertMemberView,
    AlertView,
    WholeAlertView,
    members_of,
)
from api.services.actor import Actor
from api.services.alert_messages import message_views
from api.services.audit import record
from domain.alert_state import Alert
from storage import alert_deliveries
from storage import alerts as rows

__all__ = ["AlertResolved", "acknowledge", "page", "whole"]

SHOWN_MESSAGES: Final = 200
"""A notice goes to 110 recipients at most, and to webhooks of trunks."""


class AlertResolved(Conflict):
    """It ended by itself: there is nothing to take care of."""

    code = "ALERT_RESOLVED"
    default_message = "the alert is over; there is nothing to acknowledge"


async def page(session: AsyncSession, wanted: AlertListRequest) -> AlertList:
    """A page of the tenant's alerts, the newest first."""
    found = await rows.page(
        session, limit=wanted.limit + 1, before=wanted.before, is_open=wanted.is_open
    )
    shown = found[: wanted.limit]
    return AlertList(
        alerts=[AlertView.of(each) for each in shown],
        next_cursor=cursor_behind(shown[-1]) if len(found) > wanted.limit else None,
    )


async def whole(session: AsyncSession, org_id: str, alert_id: str) -> WholeAlertView:
    """One alert with its trunks and its delivery log. Raises ``NotFound``."""
    alert = await _get(session, org_id, alert_id)
    messages = await alert_deliveries.page(session, limit=SHOWN_MESSAGES, alert_id=alert_id)
    return WholeAlertView(
        **AlertView.of(alert).model_dump(),
        members=[AlertMemberView.of(each) for each in members_of(alert)],
        messages=await message_views(session, messages),
    )


async def acknowledge(
    session: AsyncSession, org_id: str, alert_id: str, *, actor: Actor, now: datetime
) -> AlertView:
    """Note that somebody takes care of an open alert, which ends its reminders; once is for good.

    Raises ``NotFound`` and ``AlertResolved``.
    """
    await rows.lock(session, org_id)
    alert = await _get(session, org_id, alert_id)
    if not alert.is_open:
        raise AlertResolved
    if alert.acknowledged_at is not None:
        return AlertView.of(alert)
    by = actor.id or actor.kind
    changed = alert.model_copy(
        update={"acknowledged_at": now, "acknowledged_by": by, "changed_at": now}
    )
    await rows.save(session, [changed])
    await rows.tell(session, [changed])
    await record(
        session,
        actor,
        org_id=org_id,
        action="alert.acknowledge",
        subject=("alert", alert_id),
        before={"acknowledged_at": None},
        after={"acknowledged_at": now.isoformat()},
    )
    return AlertView.of(changed)


async def _get(session: AsyncSession, org_id: str, alert_id: str) -> Alert:
    alert = await rows.get(session, alert_id)
    if alert is None or alert.org_id != org_id:
        raise NotFound("no such alert")
    return alert
