"""An organization with an alert and recipients, and the activities that tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.alert_channels import SIGNING_SECRET, AlertChannels
from activities.alerts import AlertActivities
from activities.contracts import AlertLooked, AlertWork, DueDelivery
from domain.alert_state import Alert, AlertMember
from settings import Settings
from sip.net.guard import AddressGuard
from storage import alert_deliveries, alerts, organizations
from storage.engine import Database
from storage.secret_box import SecretBox
from storage.tables import AlertAttempt, AlertDelivery
from tests.storage.alert_rows import add_alerting_trunk, an_alert, messages_of
from tests.storage.factories import add_organization
from workflows.names import alert_workflow_id

__all__ = ["NOW", "SECRET", "AlertDesk", "quiet_around"]

NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
"""Ahead of the activities' own clock, so that it is what counts."""

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def quiet_around(now: datetime, hours: int = 2) -> dict[str, Any]:
    """Quiet hours by UTC that began an hour before, and last for so many more."""
    start, end = now - timedelta(hours=1), now + timedelta(hours=hours)
    return {
        "start": start.time().isoformat(),
        "end": end.time().isoformat(),
        "zone": "UTC",
        "days": list(range(7)),
        "pierced_by": "critical",
    }


@dataclass
class AlertDesk:
    """One organization; its alerts are about one trunk."""

    database: Database
    org_id: str
    trunk_id: str
    activities: AlertActivities
    box: SecretBox

    @classmethod
    async def of(
        cls,
        database: Database,
        settings: Settings,
        guard: AddressGuard,
        box: SecretBox,
        channels: dict[str, Any],
    ) -> AlertDesk:
        """A new organization whose trunk's alerts go these ways."""
        org_id = await add_organization(database)
        trunk_id = await add_alerting_trunk(database, org_id, channels, unreachable_minutes=5)
        made = AlertActivities(database, AlertChannels(settings, guard, box))
        return cls(database, org_id, trunk_id, made, box)

    async def sign(self, secret: str = SECRET, box: SecretBox | None = None) -> None:
        """Let the organization have a signing secret."""
        sealed = (box or self.box).seal(secret.encode(), purpose=SIGNING_SECRET, org_id=self.org_id)
        async with self.database.system() as session:
            await organizations.set_signing_secret(session, self.org_id, sealed, now=NOW)

    async def keep_quiet(self, hours: dict[str, Any] | None) -> None:
        """Let the organization have these quiet hours."""
        async with self.database.system() as session:
            await organizations.change(session, self.org_id, quiet_hours=hours)

    async def alert(self, **changes: Any) -> Alert:
        """A new alert about the trunk."""
        member = AlertMember(trunk_id=self.trunk_id, name="Acme", numbers=2, since=NOW)
        values = {"members": (member,), "opened_at": NOW, "changed_at": NOW, **changes}
        made = an_alert(self.org_id, **values)
        await self.save(made)
        return made

    async def save(self, alert: Alert) -> None:
        async with self.database.tenant(self.org_id) as session:
            await alerts.save(session, [alert])

    async def kept(self, alert: Alert) -> Alert:
        """The alert as it is kept now."""
        async with self.database.tenant(self.org_id) as session:
            found = await alerts.get(session, alert.alert_id)
        assert found is not None
        return found

    async def change(self, alert: Alert, **changes: Any) -> Alert:
        """The alert as it is kept, with changes."""
        changed = (await self.kept(alert)).model_copy(update=changes)
        await self.save(changed)
        return changed

    async def look(self, alert: Alert, *, at: datetime = NOW, trial: bool = False) -> AlertWork:
        """What ``alert.prepare`` says."""
        looked = AlertLooked(
            org_id=self.org_id,
            alert_id=None if trial else alert.alert_id,
            workflow_id=alert_workflow_id(alert.alert_id),
            now=at,
        )
        work: AlertWork = await ActivityEnvironment().run(self.activities.prepare, looked)
        return work

    async def deliver(self, delivery_id: str, *, at: datetime = NOW) -> AlertDelivery:
        """The message after one attempt."""
        due = DueDelivery(org_id=self.org_id, delivery_id=delivery_id, now=at)
        await ActivityEnvironment().run(self.activities.deliver, due)
        [message] = [each for each in await self.messages() if each.id == delivery_id]
        return message

    async def told(self, alert: Alert, *, at: datetime = NOW) -> AlertDelivery:
        """The alert's only message that is due, after one attempt."""
        [due] = (await self.look(alert, at=at)).due
        return await self.deliver(due, at=at)

    async def messages(self) -> Sequence[AlertDelivery]:
        """All messages, the first first."""
        return await messages_of(self.database, self.org_id)

    async def attempts(self, message: AlertDelivery) -> list[AlertAttempt]:
        """The log of a message."""
        async with self.database.tenant(self.org_id) as session:
            return (await alert_deliveries.attempts_of(session, [message.id], latest=1000))[
                message.id
            ]
