"""An organization with something to steal in every table that a route can reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage import calls
from storage.engine import Database
from tests.api.tenants import Tenant
from tests.storage.call_steps import a_message
from tests.storage.factories import queued_call, running_discovery

__all__ = ["VICTIMS_NUMBER", "Victim", "add_discovery", "add_test_call"]

VICTIMS_NUMBER = "+14155550199"


@dataclass(frozen=True)
class Victim:
    """An organization with something in every table that a route can reach."""

    tenant: Tenant
    discovery_id: str
    call_id: str
    trunk_id: str
    alert_id: str
    trial_id: str

    @property
    def traces(self) -> list[str]:
        """Texts that no stranger may ever be shown."""
        return [self.tenant.org_id, *self.tenant.key_ids.values(), "victim.example.com", "Zanzibar"]


async def add_discovery(database: Database, org_id: str, host: str) -> str:
    row = await running_discovery(database, org_id, host=host, at=datetime.now(UTC))
    return row.id


async def add_test_call(database: Database, org_id: str) -> str:
    """A test call that has begun, with everything that belongs to one, of which a retry is offered."""
    # Upkeep, which runs beside, moves messages of these days into their partitions.
    before = datetime.now(UTC) - timedelta(days=2)
    call = await queued_call(
        database,
        org_id,
        at=before,
        number=VICTIMS_NUMBER,
        trunk_id=None,
        settings={"host": "victim.example.com", "callee": "1", "caller_number": VICTIMS_NUMBER},
        deadline_at=before + timedelta(days=3),
    )
    event = calls.NewEvent(at=before, event="initiated", detail="Calling victim.example.com")
    invite = b"INVITE sip:1@victim.example.com SIP/2.0\r\n\r\n"
    async with database.tenant(org_id) as session:
        await calls.add_event(session, call.id, event)
        await calls.add_messages(session, call.id, [a_message(org_id, call.id, invite, at=before)])
    return call.id
