"""Organizations with recipients, trunks whose alerts are on, alerts, and messages about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from domain.alert_schema import example_alert
from domain.alert_state import Alert
from storage import alert_deliveries, organizations
from storage.alert_deliveries import Attempt, NewDelivery
from storage.engine import Database
from storage.ids import new_id
from storage.tables import AlertDelivery
from tests.storage.factories import NOON
from tests.storage.health_rows import add_trunk

__all__ = [
    "MAIL",
    "PHONE",
    "a_delivery",
    "add_alerting_trunk",
    "alerting",
    "an_alert",
    "ended",
    "messages_of",
    "name_recipients",
]

MAIL, PHONE = "ops@customer.example", "+14155550100"

_EVERY = {"email": True, "sms": True, "webhook": True}


def an_alert(org_id: str, **changes: Any) -> Alert:
    """An open alert about a carrier."""
    values = {
        "alert_id": new_id("dlv").replace("dlv", "alt"),
        "org_id": org_id,
        "opened_at": NOON,
        "changed_at": NOON,
    }
    return example_alert().model_copy(update=values | changes)


def alerting(channels: dict[str, Any] | None = None, **thresholds: Any) -> dict[str, Any]:
    """A trunk's ``alerts`` with these thresholds only."""
    return {
        "enabled": True,
        "thresholds": {"unreachable_minutes": None, "failure_rate_percent": None}
        | {"failure_rate_window_minutes": None, "response_time_ms": None}
        | thresholds,
        "channels": _EVERY if channels is None else channels,
    }


async def add_alerting_trunk(
    database: Database, org_id: str, channels: dict[str, Any] | None = None, **thresholds: Any
) -> str:
    """A trunk whose alerts are on; its id."""
    return await add_trunk(database, org_id, alerts=alerting(channels, **thresholds))


async def name_recipients(
    database: Database,
    org_id: str,
    *,
    emails: Sequence[str] = (),
    phones: Sequence[str] = (),
    webhooks: Sequence[dict[str, Any]] = (),
) -> None:
    """Let these be all whom the organization's alerts go to."""
    async with database.system() as session:
        await organizations.change(
            session,
            org_id,
            alert_emails=list(emails),
            alert_phones=list(phones),
            webhook_endpoints=list(webhooks),
        )


def a_delivery(org_id: str, *, at: datetime = NOON, **fields: Any) -> NewDelivery:
    """A mail about no alert: a trial."""
    return NewDelivery(
        **{
            "id": new_id("dlv"),
            "org_id": org_id,
            "alert_id": None,
            "workflow_id": "alert:alt_1",
            "notice": "opened",
            "channel": "email",
            "route_key": "email",
            "recipient": MAIL,
            "event": {},
            "created_at": at,
            "next_at": at,
            **fields,
        }
    )


async def ended(
    database: Database, new: NewDelivery, *, delivered: bool, detail: str = "said", after: int = 1
) -> None:
    """Write a message that was tried once, so many seconds after it was made, and never again."""
    async with database.system() as session:
        await alert_deliveries.add(session, [new])
        made = await alert_deliveries.get(session, new.id)
        assert made is not None
        at = new.created_at + timedelta(seconds=after)
        attempt = Attempt(at=at, delivered=delivered, ms=20, detail=detail)
        assert await alert_deliveries.attempted(session, made, attempt)


async def messages_of(database: Database, org_id: str) -> list[AlertDelivery]:
    """The organization's messages, the first first."""
    async with database.tenant(org_id) as session:
        return (await alert_deliveries.page(session, limit=1000))[::-1]
