"""Test alerts: messages to everybody whom a channel would reach, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import InvalidRequest, NotFound, RateLimited
from api.schemas.alerts import AlertTrialView
from api.services.actor import Actor
from api.services.alert_messages import message_views
from api.services.audit import record
from domain.alert_messages import trial_event
from domain.alert_notices import NoticeType
from domain.alert_picture import ChannelKind
from storage import alert_deliveries, alerts, organizations
from storage.alert_deliveries import NewDelivery, recipients_of
from storage.ids import new_id
from storage.tables import Organization
from workflows.names import alert_workflow_id

__all__ = ["limited", "nobody_there", "start", "unsigned", "view"]

TRIALS: Final = 10
WINDOW: Final = timedelta(minutes=15)
"""As many as test calls: a text message costs somebody money."""

_MEMBERS: Final = {
    ChannelKind.EMAIL: "alert_emails",
    ChannelKind.SMS: "alert_phones",
    ChannelKind.WEBHOOK: "webhook_endpoints",
}


def nobody_there(*channels: ChannelKind) -> InvalidRequest:
    """None of these channels leads to anybody."""
    members = " or ".join(_MEMBERS[each] for each in channels)
    return InvalidRequest(
        f"channel: nobody would hear it; give the organization {members} first", field="channel"
    )


def unsigned(org_id: str) -> InvalidRequest:
    """A webhook would get what it cannot verify."""
    return InvalidRequest(
        "channel: webhooks are signed, and there is no signing secret; make one first by "
        f"POST /v1/organizations/{org_id}/signing-secret",
        field="channel",
    )


def limited(retry_after: timedelta) -> RateLimited:
    """There were enough of them."""
    minutes = WINDOW // timedelta(minutes=1)
    return RateLimited(
        f"{TRIALS} test alerts in {minutes} minutes are allowed", retry_after=retry_after
    )


async def start(
    session: AsyncSession,
    org_id: str,
    channel: ChannelKind | None,
    *,
    actor: Actor,
    now: datetime,
) -> AlertTrialView:
    """Write the messages of a trial down; they are sent after the commit.

    Raises ``InvalidRequest`` when nobody would hear it or it could not be signed, and ``RateLimited``.
    """
    organization = await organizations.get(session, org_id)
    if organization is None:
        raise NotFound
    recipients = _recipients(organization, channel)
    await _admit(session, org_id, now)
    trial_id = new_id("atr")
    workflow_id = alert_workflow_id(trial_id)
    event = trial_event(org_id, now).model_dump(mode="json")
    await alert_deliveries.add(
        session,
        [
            NewDelivery(
                id=new_id("dlv"),
                org_id=org_id,
                alert_id=None,
                workflow_id=workflow_id,
                notice=NoticeType.TEST.value,
                channel=kind.value,
                route_key=kind.value,
                recipient=recipient,
                event=event,
                created_at=now,
                next_at=now,
            )
            for kind, named in recipients.items()
            for recipient in named
        ],
    )
    await alerts.start_trial(session, org_id, trial_id)
    await record(
        session,
        actor,
        org_id=org_id,
        action="alert.test",
        subject=("alert_trial", trial_id),
        after={"channels": {kind.value: len(named) for kind, named in recipients.items()}},
    )
    return await view(session, org_id, trial_id)


async def view(session: AsyncSession, org_id: str, trial_id: str) -> AlertTrialView:
    """How the messages of a trial fare. Raises ``NotFound``."""
    messages = await alert_deliveries.trial(session, org_id, alert_workflow_id(trial_id))
    if not messages:
        raise NotFound("no such test alert")
    return AlertTrialView(
        trial_id=trial_id,
        created_at=messages[0].created_at,
        messages=await message_views(session, messages),
    )


def _recipients(
    organization: Organization, channel: ChannelKind | None
) -> dict[ChannelKind, list[str]]:
    """Who is told, by channel; each of them can be."""
    asked = ChannelKind if channel is None else [channel]
    found = {each: recipients_of(each, organization) for each in asked}
    there = {each: named for each, named in found.items() if named}
    if not there:
        raise nobody_there(*asked)
    is_unsigned = organization.signing_secret_sealed is None and any(
        endpoint.get("format", "standard") == "standard"
        for endpoint in organization.webhook_endpoints
    )
    if ChannelKind.WEBHOOK in there and is_unsigned:
        raise unsigned(organization.id)
    return there


async def _admit(session: AsyncSession, org_id: str, now: datetime) -> None:
    """Count this trial among those of the window; whoever asks at the same time waits."""
    await alerts.lock(session, org_id)
    before = await alert_deliveries.trials_since(session, org_id, now - WINDOW)
    if before.first_at is not None and before.number >= TRIALS:
        raise limited(before.first_at + WINDOW - now)
