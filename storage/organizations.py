"""Organizations: creating and changing them needs ``Database.system()``, reading one's own does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.tables import Organization

__all__ = [
    "NewOrganization",
    "OrganizationChanges",
    "change",
    "create",
    "every",
    "get",
    "set_signing_secret",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganization:
    """``webhook_endpoints`` are ``{"id", "url", "description", "format"}`` each, ``quiet_hours`` a
    ``domain.alert_quiet.QuietHours`` as JSON."""

    id: str
    name: str
    region: str
    entitlements: Sequence[str] = ()
    alert_emails: Sequence[str] = ()
    alert_phones: Sequence[str] = ()
    webhook_endpoints: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    quiet_hours: Mapping[str, Any] | None = None


class OrganizationChanges(TypedDict, total=False):
    """New values of the fields to change."""

    name: str
    region: str
    entitlements: list[str]
    alert_emails: list[str]
    alert_phones: list[str]
    webhook_endpoints: list[dict[str, Any]]
    quiet_hours: dict[str, Any] | None


async def create(session: AsyncSession, new: NewOrganization) -> Organization:
    """Add an organization. Raises ``IntegrityError`` when the id exists."""
    organization = Organization(
        id=new.id,
        name=new.name,
        region=new.region,
        entitlements=list(new.entitlements),
        alert_emails=list(new.alert_emails),
        alert_phones=list(new.alert_phones),
        webhook_endpoints=[dict(endpoint) for endpoint in new.webhook_endpoints],
        quiet_hours=None if new.quiet_hours is None else dict(new.quiet_hours),
    )
    session.add(organization)
    await session.flush()
    return organization


async def get(
    session: AsyncSession, org_id: str, *, for_update: bool = False
) -> Organization | None:
    """The organization; ``for_update`` keeps others from changing it until the transaction ends,
    so that "before" in an audit entry is what was replaced."""
    return await session.get(Organization, org_id, with_for_update=for_update or None)


async def every(
    session: AsyncSession, *, limit: int, after: str | None = None
) -> list[Organization]:
    """Organizations by id, from after ``after`` on; in a tenant's session its own only."""
    query = select(Organization).order_by(col(Organization.id)).limit(limit)
    if after is not None:
        query = query.where(col(Organization.id) > after)
    return list(await session.scalars(query))


async def change(
    session: AsyncSession, org_id: str, **changes: Unpack[OrganizationChanges]
) -> Organization | None:
    """Set these fields; ``None`` when there is no such organization (for this session)."""
    changed: Organization | None = await session.scalar(
        update(Organization)
        .where(col(Organization.id) == org_id)
        .values(**changes, updated_at=func.now())
        .returning(Organization)
        .execution_options(populate_existing=True)
    )
    return changed


async def set_signing_secret(
    session: AsyncSession, org_id: str, sealed: bytes, *, now: datetime
) -> bool:
    """Replace the sealed webhook signing secret; false when there is no such organization."""
    changed = await session.scalar(
        update(Organization)
        .where(col(Organization.id) == org_id)
        .values(signing_secret_sealed=sealed, signing_secret_set_at=now, updated_at=now)
        .returning(col(Organization.id))
    )
    return changed is not None
