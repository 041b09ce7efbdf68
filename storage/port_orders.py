"""Port orders as rows: made with their numbers, changed by people, read, told to their workflows.

What a workflow knows of its order comes through ``storage.port_projection``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting.events import FactKind
from domain.porting.order import PortDetails
from domain.porting.words import PortKind, PortType, PublicStatus, SubStatus, public_status
from storage import outbox, port_numbers
from storage.engine import require_system_scope
from storage.port_numbers import NewPortNumber
from storage.tables import PortOrder

__all__ = [
    "PORT_CHANGED",
    "NewPortOrder",
    "change_details",
    "change_draft",
    "create",
    "delete_draft",
    "details_of",
    "get",
    "of_carrier",
    "parts_of",
    "purge_drafts",
    "stream_of",
    "submit_draft",
    "tell",
]

PORT_CHANGED: Final = "port_changed"
"""Kind of the outbox entry that tells an order's workflow a fact: ``{"order_id", "fact"}``, a
``FactKind``, and the ids that go with it. The workflow is started when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPortOrder:
    """An order as somebody places it; see ``storage.tables.PortOrder``.

    Numbers stand in the order of the request. One that is left out, or that went into another part
    of a split order, comes with a status that ends it and a code that says why. ``secrets_sealed``
    is made by ``storage.port_secrets.seal``.
    """

    id: str
    org_id: str
    kind: PortKind
    carrier: str
    carrier_profile: str
    details: PortDetails
    numbers: Sequence[NewPortNumber]
    created_at: datetime
    sub_status: SubStatus = SubStatus.VALIDATING
    parent_id: str | None = None
    losing_carrier: str | None = None
    spid: str | None = None
    secrets_sealed: bytes | None = field(default=None, repr=False)
    standing: Mapping[str, Any] = field(default_factory=dict)


async def create(session: AsyncSession, new: NewPortOrder) -> None:
    """Write an order with its numbers and tell its workflow, all in the caller's transaction.

    A draft holds no number and has no workflow. Raises ``NumbersTaken`` when another order in the
    installation holds one of the numbers, ``ValueError`` when one is there twice; the transaction
    must not be committed then.
    """
    session.add(
        PortOrder(
            id=new.id,
            org_id=new.org_id,
            parent_id=new.parent_id,
            sub_status=new.sub_status,
            status=public_status(new.sub_status),
            kind=new.kind,
            secrets_sealed=new.secrets_sealed,
            carrier=new.carrier,
            carrier_profile=new.carrier_profile,
            losing_carrier=new.losing_carrier,
            spid=new.spid,
            standing=dict(new.standing),
            created_at=new.created_at,
            updated_at=new.created_at,
            **_columns_of(new.details),
        )
    )
    await session.flush()
    is_draft = new.sub_status is SubStatus.DRAFT
    await port_numbers.add(session, new.id, new.org_id, new.numbers, hold=not is_draft)
    if not is_draft:
        await tell(session, new.org_id, new.id, FactKind.SUBMITTED)


async def get(
    session: AsyncSession, order_id: str, *, for_update: bool = False
) -> PortOrder | None:
    """The order, in any scope that sees it; with ``for_update`` nobody else changes it meanwhile."""
    query = select(PortOrder).where(col(PortOrder.id) == order_id)
    if for_update:
        query = query.with_for_update(key_share=True)
    found: PortOrder | None = await session.scalar(query.execution_options(populate_existing=True))
    return found


async def of_carrier(
    session: AsyncSession, carrier: str, carrier_order_id: str
) -> PortOrder | None:
    """The order that a carrier knows by this id. Needs the system scope."""
    require_system_scope(session)
    found: PortOrder | None = await session.scalar(
        select(PortOrder).where(
            col(PortOrder.carrier) == carrier, col(PortOrder.carrier_order_id) == carrier_order_id
        )
    )
    return found


async def parts_of(session: AsyncSession, order_id: str) -> list[PortOrder]:
    """The parts of a split order, in the order they were made."""
    found = await session.scalars(
        select(PortOrder)
        .where(col(PortOrder.parent_id) == order_id)
        .order_by(col(PortOrder.created_at), col(PortOrder.id))
    )
    return list(found)


def details_of(order: PortOrder) -> PortDetails:
    """What the customer stated."""
    return PortDetails.model_validate(order.details)


async def change_details(
    session: AsyncSession, order_id: str, details: PortDetails, *, revision: int, now: datetime
) -> int | None:
    """Replace what the customer stated when ``revision`` is still the newest; the new revision.

    ``None`` when somebody changed it meanwhile, or when there is no such order.
    """
    changed: int | None = await session.scalar(
        update(PortOrder)
        .where(col(PortOrder.id) == order_id, col(PortOrder.revision) == revision)
        .values(revision=revision + 1, updated_at=now, **_columns_of(details))
        .returning(col(PortOrder.revision))
        .execution_options(synchronize_session=False)
    )
    return changed


async def change_draft(
    session: AsyncSession,
    order_id: str,
    details: PortDetails,
    numbers: Sequence[NewPortNumber],
    *,
    revision: int,
    now: datetime,
) -> int | None:
    """Replace a draft, numbers included; as ``change_details``, and ``None`` when it is no draft."""
    order = await get(session, order_id, for_update=True)
    if order is None or order.sub_status is not SubStatus.DRAFT:
        return None
    changed = await change_details(session, order_id, details, revision=revision, now=now)
    if changed is not None:
        await port_numbers.remove(session, order_id)
        await port_numbers.add(session, order_id, order.org_id, numbers, hold=False)
    return changed


async def submit_draft(session: AsyncSession, order_id: str, *, now: datetime) -> bool:
    """Make an order of a draft: it takes its numbers, and its workflow begins.

    False when it is no draft. Raises ``NumbersTaken``; the transaction must not be committed then.
    """
    org_id: str | None = await session.scalar(
        update(PortOrder)
        .where(col(PortOrder.id) == order_id, col(PortOrder.sub_status) == SubStatus.DRAFT)
        .values(
            sub_status=SubStatus.VALIDATING,
            status=public_status(SubStatus.VALIDATING),
            updated_at=now,
        )
        .returning(col(PortOrder.org_id))
        .execution_options(synchronize_session=False)
    )
    if org_id is None:
        return False
    await port_numbers.hold(session, order_id)
    await tell(session, org_id, order_id, FactKind.SUBMITTED)
    return True


async def delete_draft(session: AsyncSession, order_id: str) -> bool:
    """Forget a draft; false when it is none."""
    gone = await session.scalar(
        delete(PortOrder)
        .where(col(PortOrder.id) == order_id, col(PortOrder.status) == PublicStatus.DRAFT)
        .returning(col(PortOrder.id))
        .execution_options(synchronize_session=False)
    )
    return gone is not None


async def purge_drafts(session: AsyncSession, *, untouched_since: datetime) -> int:
    """Forget drafts that nobody changed since; how many. Needs the system scope."""
    require_system_scope(session)
    gone = await session.scalars(
        delete(PortOrder)
        .where(
            col(PortOrder.sub_status) == SubStatus.DRAFT,
            col(PortOrder.updated_at) < untouched_since,
        )
        .returning(col(PortOrder.id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


async def tell(
    session: AsyncSession, org_id: str, order_id: str, fact: FactKind, **facts: Any
) -> int:
    """Have the order's workflow hear of a fact after the commit; the number of the entry.

    ``facts`` are ids, positions and codes only: the payload enters a history.
    """
    return await outbox.append(
        session,
        org_id=org_id,
        stream=stream_of(order_id),
        kind=PORT_CHANGED,
        payload={"order_id": order_id, "fact": fact.value, **facts},
    )


def stream_of(order_id: str) -> str:
    """The outbox stream of an order's facts."""
    return f"port:{order_id}"


def _columns_of(details: PortDetails) -> dict[str, Any]:
    return {
        "details": details.model_dump(mode="json"),
        "port_type": details.port_type or PortType.FULL,
        "requested_date": details.requested_date,
        "customer_reference": details.customer_reference,
        "trunk_id": details.trunk_id,
    }
