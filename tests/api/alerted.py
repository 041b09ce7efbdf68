"""Alerts as they are found by who asks, with messages that were sent, for the API's tests."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alert_kinds import AlertKind, Severity
from domain.alert_messages import AlertEventType, event_of, trial_event
from domain.alert_picture import ChannelKind
from domain.alert_state import Alert, AlertMember
from storage import alert_deliveries, alerts
from storage.alert_deliveries import Attempt, NewDelivery
from storage.engine import Database
from storage.ids import new_id
from workflows.names import alert_workflow_id

__all__ = [
    "CARRIER",
    "OPENED_AT",
    "add_alert",
    "add_message",
    "add_trial",
    "alert_about",
    "attempted",
]

CARRIER = "sip1.victim.example.com"
OPENED_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def alert_about(org_id: str, cause: str = CARRIER, **facts: Any) -> Alert:
    """An alert about a carrier under one trunk."""
    seed = f"{org_id} {cause}"
    values: dict[str, Any] = {
        "alert_id": f"alt_{hashlib.sha256(seed.encode()).hexdigest()[:24]}",
        "org_id": org_id,
        "kind": AlertKind.UNREACHABLE,
        "cause": cause,
        "causes": (f"host:{cause}",),
        "severity": Severity.WARNING,
        "opened_at": OPENED_AT,
        "changed_at": OPENED_AT,
        "title": f"No answer from {cause}",
        "happened": f"{cause} is down.",
        "to_change": f"Ask the operator of {cause}.",
        "members": (
            AlertMember(
                trunk_id=new_id("trk"),
                name="Sales",
                numbers=12,
                since=OPENED_AT - timedelta(minutes=5),
                endpoints=(cause,),
                because="no answer",
            ),
        ),
    }
    return Alert(**(values | facts))


async def add_alert(database: Database, org_id: str, cause: str = CARRIER, **facts: Any) -> Alert:
    alert = alert_about(org_id, cause, **facts)
    async with database.tenant(org_id) as session:
        await alerts.save(session, [alert])
    return alert


async def add_message(
    database: Database, alert: Alert, channel: ChannelKind, recipient: str, **facts: Any
) -> str:
    """A message about an alert that waits to be sent; its id."""
    message = NewDelivery(
        id=new_id("dlv"),
        org_id=alert.org_id,
        alert_id=alert.alert_id,
        workflow_id=alert_workflow_id(alert.alert_id),
        notice="opened",
        channel=channel.value,
        route_key=channel.value,
        recipient=recipient,
        event=event_of(alert, AlertEventType.OPENED, OPENED_AT).model_dump(mode="json"),
        **({"created_at": OPENED_AT, "next_at": OPENED_AT} | facts),
    )
    async with database.tenant(alert.org_id) as session:
        await alert_deliveries.add(session, [message])
    return message.id


async def attempted(database: Database, org_id: str, message_id: str, *attempts: Attempt) -> None:
    for attempt in attempts:
        async with database.tenant(org_id) as session:
            message = await alert_deliveries.get(session, message_id)
            assert message is not None
            assert await alert_deliveries.attempted(session, message, attempt)


async def add_trial(database: Database, org_id: str, at: datetime, recipient: str) -> str:
    """A trial with one message that was not sent yet; its id."""
    trial_id = new_id("atr")
    message = NewDelivery(
        id=new_id("dlv"),
        org_id=org_id,
        alert_id=None,
        workflow_id=alert_workflow_id(trial_id),
        notice="test",
        channel="email",
        route_key="email",
        recipient=recipient,
        event=trial_event(org_id, at).model_dump(mode="json"),
        created_at=at,
        next_at=at,
    )
    async with database.tenant(org_id) as session:
        await alert_deliveries.add(session, [message])
    return trial_id
