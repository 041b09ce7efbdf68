"""Organizations: made, read and changed, with an audit entry in the same transaction."""

from __future__ import annotations

import ipaddress
import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import ErrorItem, InvalidRequest, NotFound
from api.pagination import PageRequest
from api.schemas.common import Entitlement, Region
from api.schemas.organizations import OrganizationChanges, OrganizationDraft, OrganizationView
from api.schemas.recipients import WebhookEndpointInput, WebhookEndpointView
from api.services.actor import Actor
from api.services.audit import record
from settings import Network
from storage import organizations as rows
from storage.ids import new_id
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
    "webhook_allowed",
]

SIGNING_SECRET = "signing_secret"
"""Purpose under which the secret that signs webhooks is sealed."""


async def create(
    session: AsyncSession,
    org_id: str,
    draft: OrganizationDraft,
    *,
    actor: Actor,
    allowed_networks: tuple[Network, ...],
) -> Organization:
    """A new organization. Raises ``InvalidRequest`` for a webhook that the networks do not allow."""
    _check_webhooks(draft.webhook_endpoints, allowed_networks)
    new = rows.NewOrganization(
        id=org_id,
        name=draft.name,
        region=draft.region.value,
        entitlements=_words(draft.entitlements),
        alert_emails=draft.alert_emails,
        alert_phones=draft.alert_phones,
        webhook_endpoints=_kept(draft.webhook_endpoints, []),
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
    names = sorted(name for name in after if after[name] != before[name])
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
    secret = "whsec_" + secrets.token_urlsafe(32)
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
        _check_webhooks(changes.webhook_endpoints, allowed_networks)
        wanted = _kept(changes.webhook_endpoints, present.webhook_endpoints)
        if wanted != present.webhook_endpoints:
            values["webhook_endpoints"] = wanted
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
        webhook_endpoints=[
            WebhookEndpointView(
                webhook_id=each["id"], url=each["url"], description=each["description"]
            )
            for each in organization.webhook_endpoints
        ],
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


def _kept(
    wanted: list[WebhookEndpointInput], present: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The wanted endpoints; one whose URL is there already keeps its id."""
    ids = {each["url"]: each["id"] for each in present}
    return [
        {
            "id": ids.get(each.url) or new_id("whk"),
            "url": each.url,
            "description": each.description,
        }
        for each in wanted
    ]


def _check_webhooks(
    endpoints: list[WebhookEndpointInput], allowed_networks: tuple[Network, ...]
) -> None:
    """Plain http only to an address inside the operator's own networks: anywhere else it could be read."""
    refused = [
        ErrorItem(
            "INVALID_REQUEST",
            f"webhook_endpoints.{index}.url: must start with https://",
            f"webhook_endpoints.{index}.url",
        )
        for index, endpoint in enumerate(endpoints)
        if not webhook_allowed(endpoint.url, allowed_networks)
    ]
    if refused:
        raise InvalidRequest.of(refused)


def webhook_allowed(url: str, allowed_networks: tuple[Network, ...]) -> bool:
    """Whether alerts may go there: by https, or inside the operator's own networks."""
    parts = urlsplit(url)
    return parts.scheme == "https" or _inside(parts.hostname or "", allowed_networks)


def _inside(host: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)
