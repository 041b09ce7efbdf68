"""Organizations: made, read and changed, with an audit entry in the same transaction."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from api.pagination import PageRequest
from api.schemas.common import Entitlement, Region
from api.schemas.organizations import OrganizationChanges, OrganizationDraft, OrganizationView
from api.schemas.quiet_hours import QuietHoursView
from api.services.actor import Actor
from api.services.audit import record
from api.services.webhook_endpoints import kept
from api.services.webhook_endpoints import view_of as webhook_view
from settings import Network
from storage import organizations as rows
from storage.secret_box import SecretBox
from storage.tables import Organization

__all__ = [
    "SIGNING_SECRET",
    "change",
    "create",
    "get",
    "page",
    "rotate_signing_secret",
    "view_of",
]

SIGNING_SECRET = "signing_secret"
"""Purpose under which the secret that signs webhooks is sealed."""

SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""


async def create(
    session: AsyncSession,
    org_id: str,
    draft: OrganizationDraft,
    *,
    actor: Actor,
    allowed_networks: tuple[Network, ...],
) -> Organization:
    """A new organization. Raises ``InvalidRequest`` for a webhook that the networks do not allow."""
    new = rows.NewOrganization(
        id=org_id,
        name=draft.name,
        region=draft.region.value,
        entitlements=_words(draft.entitlements),
        alert_emails=draft.alert_emails,
        alert_phones=draft.alert_phones,
        webhook_endpoints=kept(draft.webhook_endpoints, [], allowed_networks),
        quiet_hours=None if draft.quiet_hours is None else draft.quiet_hours.stored(),
    )
    organization = await rows.create(session, new)
    await record(
        session,
        actor,
        org_id=org_id,
        action="organization.create",
        subject=("organization", org_id),
        after=_facts(organization),
    )
    return organization


async def get(session: AsyncSession, org_id: str, *, for_update: bool = False) -> Organization:
    """The organization. Raises ``NotFound``."""
    organization = await rows.get(session, org_id, for_update=for_update)
    if organization is None:
        raise NotFound
    return organization


async def page(session: AsyncSession, wanted: PageRequest) -> tuple[list[Organization], str | None]:
    """A page of all organizations that the session sees, and the next cursor.

    Raises ``InvalidRequest`` for a cursor that is none.
    """
    found = await rows.every(session, limit=wanted.limit + 1, after=wanted.after("org"))
    return found[: wanted.limit], wanted.next_cursor([each.id for each in found])


async def change(
    session: AsyncSession,
    org_id: str,
    changes: OrganizationChanges,
    *,
    actor: Actor,
    allowed_networks: tuple[Network, ...],
) -> Organization:
    """The organization with the fields that ``changes`` names replaced; an empty change is none.

    Raises ``NotFound`` and ``InvalidRequest``.
    """
    present = await get(session, org_id, for_update=True)
    values = _values(changes, present, allowed_networks)
    before = _facts(present)
    if not values:
        return present
    changed = await rows.change(session, org_id, **values)
    if changed is None:
        raise NotFound
    after = _facts(changed)
    # Named even where both look the same: of a URL only what is covered may have changed.
    names = sorted(values)
    await record(
        session,
        actor,
        org_id=org_id,
        action="organization.update",
        subject=("organization", org_id),
        before={name: before[name] for name in names},
        after={name: after[name] for name in names},
    )
    return changed


async def rotate_signing_secret(
    session: AsyncSession, org_id: str, *, actor: Actor, secret_box: SecretBox
) -> tuple[str, datetime]:
    """A new secret that signs webhooks from now on, and when it was set. Raises ``NotFound``."""
    present = await get(session, org_id, for_update=True)
    set_before = present.signing_secret_set_at
    # Verifiers decode the standard alphabet: the others' characters would be lost without a word.
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    now = datetime.now(UTC)
    sealed = secret_box.seal(secret.encode(), purpose=SIGNING_SECRET, org_id=org_id)
    await rows.set_signing_secret(session, org_id, sealed, now=now)
    await record(
        session,
        actor,
        org_id=org_id,
        action="organization.rotate_signing_secret",
        subject=("organization", org_id),
        before={"signing_secret_set_at": set_before and set_before.isoformat()},
        after={"signing_secret_set_at": now.isoformat()},
    )
    return secret, now


def _values(
    changes: OrganizationChanges, present: Organization, allowed_networks: tuple[Network, ...]
) -> rows.OrganizationChanges:
    """The new values of the fields that ``changes`` names and that differ."""
    named = changes.model_fields_set
    values: rows.OrganizationChanges = {}
    if "name" in named and changes.name != present.name:
        values["name"] = changes.name
    if "region" in named and changes.region != present.region:
        values["region"] = changes.region.value
    if "entitlements" in named and _words(changes.entitlements) != present.entitlements:
        values["entitlements"] = _words(changes.entitlements)
    if "alert_emails" in named and changes.alert_emails != present.alert_emails:
        values["alert_emails"] = changes.alert_emails
    if "alert_phones" in named and changes.alert_phones != present.alert_phones:
        values["alert_phones"] = changes.alert_phones
    if "webhook_endpoints" in named:
        there = [{"format": "standard", **each} for each in present.webhook_endpoints]
        wanted = kept(changes.webhook_endpoints, there, allowed_networks)
        if wanted != there:
            values["webhook_endpoints"] = wanted
    if "quiet_hours" in named:
        quiet = None if changes.quiet_hours is None else changes.quiet_hours.stored()
        if quiet != present.quiet_hours:
            values["quiet_hours"] = quiet
    return values


def view_of(organization: Organization) -> OrganizationView:
    """The organization as the API shows it."""
    region = Region(organization.region)
    return OrganizationView(
        org_id=organization.id,
        name=organization.name,
        region=region,
        region_name=region.signaling_name,
        entitlements=[Entitlement(word) for word in organization.entitlements],
        alert_emails=organization.alert_emails,
        alert_phones=organization.alert_phones,
        webhook_endpoints=[webhook_view(each) for each in organization.webhook_endpoints],
        quiet_hours=None
        if organization.quiet_hours is None
        else QuietHoursView.of(organization.quiet_hours),
        signing_secret_set_at=organization.signing_secret_set_at,
        created_at=organization.created_at,
        updated_at=organization.updated_at,
    )


def _facts(organization: Organization) -> dict[str, Any]:
    """What the audit log compares: the fields that somebody can set."""
    shown = set(OrganizationDraft.model_fields)
    return view_of(organization).model_dump(mode="json", include=shown)


def _words(entitlements: list[Entitlement]) -> list[str]:
    return sorted({each.value for each in entitlements})
