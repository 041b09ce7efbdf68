"""Port orders, letters and documents for tests."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from domain.porting.loa_text import Disclosure, LoaContent
from domain.porting.order import Address, PortDetails
from domain.porting.words import CustomerType, NumberStatus, NumberType, PortKind, SubStatus
from storage import port_letters, port_orders
from storage.engine import Database
from storage.ids import new_id
from storage.port_letters import NewLetter
from storage.port_numbers import NewPortNumber
from storage.port_orders import NewPortOrder
from storage.port_projection import ProjectedNumber, Projection
from storage.tables import PortLoa
from tests.storage.factories import NOON

__all__ = [
    "DETAILS",
    "LETTER",
    "MAILBOX",
    "a_letter",
    "a_projection",
    "an_order",
    "placed",
    "placed_letter",
]

MAILBOX = "jane@acme.example"

DETAILS = PortDetails(
    customer_type=CustomerType.BUSINESS,
    customer_name="Acme, Inc.",
    authorized_representative="Jané Döe",
    authorized_representative_email=MAILBOX,
    service_address=Address(street="1 Main St", city="Denver", state="CO", zip="80202"),
    requested_date=date(2026, 12, 8),
    customer_reference="PO 7",
)


LETTER = LoaContent(
    document_id="port_1-1",
    template_version="us-1",
    title="Letter of authorization",
    fields=(("Business name on the account", "Acme, Inc."),),
    paragraphs=("The customer moves the numbers.",),
    numbers_title="Numbers",
    numbers=("+12025550101",),
    signature_statement="I am authorized. I intend to sign.",
    signature_fields=(("Name", "Jané Döe"),),
    disclosure=Disclosure(
        version="us-1",
        title="Signing electronically",
        paragraphs=("You may sign on paper instead.",),
        consent="I agree.",
        sha256="dd" * 32,
    ),
)


def an_order(org_id: str, *numbers: str, at: datetime = NOON, **fields: Any) -> NewPortOrder:
    """A submitted order of landline numbers."""
    return NewPortOrder(
        **{
            "id": new_id("port"),
            "org_id": org_id,
            "kind": PortKind.LOCAL,
            "carrier": "simulator",
            "carrier_profile": "default",
            "details": DETAILS,
            "numbers": [
                NewPortNumber(number=number, type=NumberType.LANDLINE) for number in numbers
            ],
            "created_at": at,
            **fields,
        }
    )


async def placed(database: Database, org_id: str, *numbers: str, **fields: Any) -> NewPortOrder:
    """An order that is there."""
    new = an_order(org_id, *numbers, **fields)
    async with database.tenant(org_id) as session:
        await port_orders.create(session, new)
    return new


def a_projection(
    generation: int, sub_status: SubStatus, *statuses: NumberStatus, **fields: Any
) -> Projection:
    """A projection of an order whose numbers have these statuses, so many minutes after noon."""
    return Projection(
        **{
            "generation": generation,
            "at": NOON + timedelta(minutes=generation),
            "sub_status": sub_status,
            "numbers": [
                ProjectedNumber(position=position, status=status)
                for position, status in enumerate(statuses)
            ],
            "standing": {"generation": generation},
            **fields,
        }
    )


def a_letter(order_id: str, revision: int = 1, *, at: datetime = NOON) -> NewLetter:
    return NewLetter(
        id=new_id("loa"),
        order_id=order_id,
        revision=revision,
        content=LETTER,
        unsigned_sha256="ab" * 32,
        unsigned_key=f"letters/{order_id}/{revision}",
        created_at=at,
    )


async def placed_letter(
    database: Database, org_id: str, order_id: str, revision: int = 1, *, at: datetime = NOON
) -> PortLoa:
    """A letter that is there."""
    async with database.tenant(org_id) as session:
        made = await port_letters.add(session, a_letter(order_id, revision, at=at))
    assert made is not None
    return made
