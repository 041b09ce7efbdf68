"""An organization with something to steal in every table that a route can reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage import calls, discoveries
from storage.engine import Database
from storage.ids import new_id
from storage.sip_messages import NewMessage
from storage.tables import MessageDirection
from tests.api.tenants import Tenant

__all__ = ["VICTIMS_NUMBER", "Victim", "add_discovery", "add_test_call"]

VICTIMS_NUMBER = "+14155550199"


@dataclass(frozen=True)
class Victim:
    """An organization with something in every table that a route can reach."""

    tenant: Tenant
    discovery_id: str
    call_id: str
    trunk_id: str

    @property
    def traces(self) -> list[str]:
        """Texts that no stranger may ever be shown."""
        return [self.tenant.org_id, *self.tenant.key_ids.values(), "victim.example.com", "Zanzibar"]


async def add_discovery(database: Database, org_id: str, host: str) -> str:
    discovery_id = new_id("disc")
    now = datetime.now(UTC)
    new = discoveries.NewDiscovery(
        id=discovery_id,
        org_id=org_id,
        host=host,
        port=None,
        transport=None,
        input={"host": host},
        requested_by=new_id("key"),
        workflow_id=f"discovery:{discovery_id}",
        started_at=now,
        deadline_at=now + timedelta(seconds=90),
    )
    async with database.system() as session:
        await discoveries.claim_slot(session, new, runs_per_target=20)
    return discovery_id


async def add_test_call(database: Database, org_id: str) -> str:
    """A test call that has begun, with everything that belongs to one, of which a retry is offered."""
    call_id = new_id("tc")
    # Upkeep, which runs beside, moves messages of these days into their partitions.
    before = datetime.now(UTC) - timedelta(days=2)
    new = calls.NewTestCall(
        id=call_id,
        org_id=org_id,
        number=VICTIMS_NUMBER,
        trunk_id=None,
        settings={"host": "victim.example.com", "callee": "1", "caller_number": VICTIMS_NUMBER},
        started_at=before,
        deadline_at=before + timedelta(days=3),
        workflow_id=f"test-call:{call_id}",
        requested_by=new_id("key"),
    )
    message = NewMessage(
        org_id=org_id,
        owner_kind=calls.OWNER_KIND,
        owner_id=call_id,
        at=before,
        direction=MessageDirection.OUT,
        transport="udp",
        local_address="192.0.2.1",
        local_port=5060,
        remote_address="198.51.100.7",
        remote_port=5060,
        retransmission=False,
        data=b"INVITE sip:1@victim.example.com SIP/2.0\r\n\r\n",
    )
    event = calls.NewEvent(at=before, event="initiated", detail="Calling victim.example.com")
    async with database.tenant(org_id) as session:
        await calls.admit(session, new, limit=10, window=timedelta(minutes=15))
        await calls.add_event(session, call_id, event)
        await calls.add_messages(session, call_id, [message])
    return call_id
