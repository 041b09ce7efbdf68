"""An organization with something to steal in every table that a route can reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from domain.porting.standing import standing_of
from domain.porting.state import NumberState, PortState
from domain.porting.words import NumberStatus, SubStatus
from storage import calls, outbox, port_letters, port_orders
from storage.engine import Database
from storage.port_projection import ProjectedNumber, Projection, project
from storage.tables import OutboxEntry
from tests.api.ported import add_document
from tests.api.tenants import Tenant
from tests.storage.call_steps import a_message
from tests.storage.factories import queued_call, running_discovery
from tests.storage.port_rows import DETAILS, a_letter, an_order

__all__ = ["VICTIMS_NUMBER", "Victim", "add_discovery", "add_port_order", "add_test_call"]

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
    port_id: str
    document_id: str

    @property
    def traces(self) -> list[str]:
        """Texts that no stranger may ever be shown."""
        return [self.tenant.org_id, *self.tenant.key_ids.values(), "victim.example.com", "Zanzibar"]


async def add_discovery(database: Database, org_id: str, host: str) -> str:
    row = await running_discovery(database, org_id, host=host, at=datetime.now(UTC))
    return row.id


async def add_port_order(database: Database, org_id: str) -> tuple[str, str]:
    """The ids of an order that waits for its signature, and of its document."""
    document_id = await add_document(database, org_id)
    details = DETAILS.model_copy(
        update={
            "customer_name": "Zanzibar Telephony",
            "authorized_representative_email": "jane@victim.example.com",
            "document_ids": (document_id,),
        }
    )
    order = an_order(org_id, VICTIMS_NUMBER, details=details, at=datetime.now(UTC))
    async with database.tenant(org_id) as session:
        await port_orders.create(session, order)
    async with database.system() as session:
        # Nobody relays in these tests to a Temporal that is away.
        found = await session.scalars(select(OutboxEntry).where(col(OutboxEntry.org_id) == org_id))
        ids = [each.id for each in found if each.kind == port_orders.PORT_CHANGED]
        await outbox.mark_delivered(session, ids, now=datetime.now(UTC))
    letter = a_letter(order.id)
    async with database.tenant(org_id) as session:
        await port_letters.add(session, letter)
    state = PortState(
        order_id=order.id,
        org_id=org_id,
        generation=1,
        sub_status=SubStatus.AWAITING_SIGNATURE,
        numbers=(NumberState(position=0),),
        letter=1,
    )
    async with database.tenant(org_id) as session:
        await project(
            session,
            order.id,
            Projection(
                generation=1,
                at=datetime.now(UTC),
                sub_status=state.sub_status,
                numbers=[ProjectedNumber(position=0, status=NumberStatus.REQUESTED)],
                standing=standing_of(state),
            ),
        )
    return order.id, document_id


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
