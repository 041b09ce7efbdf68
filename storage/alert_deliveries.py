"""Messages about alerts: written down with the decision to send them, then tried until they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.alert_picture import ChannelKind
from storage.columns import row_of
from storage.tables import AlertAttempt, AlertDelivery, DeliveryState, Organization

__all__ = [
    "Attempt",
    "NewDelivery",
    "Trials",
    "add",
    "attempted",
    "attempts_of",
    "get",
    "page",
    "pending",
    "recipients_of",
    "trial",
    "trials_since",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """One message to one recipient, to be tried at once; see ``storage.tables.AlertDelivery``."""

    id: str
    org_id: str
    alert_id: str | None
    workflow_id: str
    notice: str
    channel: str
    route_key: str
    recipient: str
    event: dict[str, Any]
    created_at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt; ``next_at`` is when there will be another one, ``None`` when it was the last."""

    at: datetime
    delivered: bool
    ms: int
    detail: str
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trials:
    """How many, and when the first of them was; ``None`` when there was none."""

    number: int
    first_at: datetime | None


async def add(session: AsyncSession, deliveries: Sequence[NewDelivery]) -> None:
    """Write messages down."""
    if deliveries:
        rows = [row_of(each) | {"state": DeliveryState.PENDING} for each in deliveries]
        await session.execute(insert(AlertDelivery), rows)


async def pending(session: AsyncSession, workflow_id: str) -> list[AlertDelivery]:
    """Messages that this workflow has not delivered yet, the next one first."""
    found = await session.scalars(
        select(AlertDelivery)
        .where(
            col(AlertDelivery.workflow_id) == workflow_id,
            col(AlertDelivery.state) == DeliveryState.PENDING,
        )
        .order_by(col(AlertDelivery.next_at), col(AlertDelivery.id))
    )
    return list(found)


async def get(session: AsyncSession, delivery_id: str) -> AlertDelivery | None:
    """The message."""
    return await session.get(AlertDelivery, delivery_id)


async def attempted(session: AsyncSession, delivery: AlertDelivery, attempt: Attempt) -> bool:
    """Write down an attempt at a message that is pending; false when it is no longer."""
    ended = attempt.delivered or attempt.next_at is None
    if attempt.delivered:
        state = DeliveryState.DELIVERED
    else:
        state = DeliveryState.GIVEN_UP if ended else DeliveryState.PENDING
    changed = await session.scalar(
        update(AlertDelivery)
        .where(
            col(AlertDelivery.id) == delivery.id,
            col(AlertDelivery.state) == DeliveryState.PENDING,
        )
        .values(
            state=state,
            attempts=col(AlertDelivery.attempts) + 1,
            next_at=attempt.next_at,
            ended_at=attempt.at if ended else None,
            last_error=None if attempt.delivered else attempt.detail,
        )
        .returning(col(AlertDelivery.id))
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return False
    row = {
        "delivery_id": delivery.id,
        "org_id": delivery.org_id,
        "at": attempt.at,
        "delivered": attempt.delivered,
        "ms": attempt.ms,
        "detail": attempt.detail,
    }
    await session.execute(insert(AlertAttempt), [row])
    return True


async def page(
    session: AsyncSession, *, limit: int, alert_id: str | None = None
) -> list[AlertDelivery]:
    """The newest messages of an alert, or of all of them and trials."""
    query = select(AlertDelivery)
    if alert_id is not None:
        query = query.where(col(AlertDelivery.alert_id) == alert_id)
    newest = query.order_by(col(AlertDelivery.created_at).desc(), col(AlertDelivery.id).desc())
    return list(await session.scalars(newest.limit(limit)))


async def trial(session: AsyncSession, org_id: str, workflow_id: str) -> list[AlertDelivery]:
    """The messages of a trial, in the order they were written; none when there is no such trial."""
    found = await session.scalars(
        select(AlertDelivery)
        .where(
            col(AlertDelivery.alert_id).is_(None),
            col(AlertDelivery.org_id) == org_id,
            col(AlertDelivery.workflow_id) == workflow_id,
        )
        .order_by(col(AlertDelivery.channel), col(AlertDelivery.recipient))
    )
    return list(found)


async def trials_since(session: AsyncSession, org_id: str, since: datetime) -> Trials:
    """The trials of an organization after ``since``."""
    found = await session.execute(
        select(
            func.count(col(AlertDelivery.workflow_id).distinct()),
            func.min(col(AlertDelivery.created_at)),
        ).where(
            col(AlertDelivery.alert_id).is_(None),
            col(AlertDelivery.org_id) == org_id,
            col(AlertDelivery.created_at) > since,
        )
    )
    number, first_at = found.one()
    return Trials(number, first_at)


async def attempts_of(
    session: AsyncSession, delivery_ids: Sequence[str], *, latest: int
) -> dict[str, list[AlertAttempt]]:
    """The latest attempts by message, at most so many of each, in their order."""
    found: dict[str, list[AlertAttempt]] = {each: [] for each in delivery_ids}
    from_the_last = func.row_number().over(
        partition_by=col(AlertAttempt.delivery_id), order_by=col(AlertAttempt.id).desc()
    )
    numbered = (
        select(col(AlertAttempt.id), from_the_last.label("place"))
        .where(col(AlertAttempt.delivery_id).in_(list(delivery_ids)))
        .subquery()
    )
    rows = await session.scalars(
        select(AlertAttempt)
        .join(numbered, numbered.c.id == col(AlertAttempt.id))
        .where(numbered.c.place <= latest)
        .order_by(col(AlertAttempt.id))
    )
    for row in rows:
        found[row.delivery_id].append(row)
    return found


def recipients_of(channel: ChannelKind, organization: Organization) -> list[str]:
    """Whom the organization names for a channel, as ``AlertDelivery.recipient`` has them."""
    match channel:
        case ChannelKind.EMAIL:
            return list(organization.alert_emails)
        case ChannelKind.SMS:
            return list(organization.alert_phones)
        case ChannelKind.WEBHOOK:
            return [str(endpoint["id"]) for endpoint in organization.webhook_endpoints]
