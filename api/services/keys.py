"""API keys: made, listed and revoked, with an audit entry in the same transaction."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import InvalidRequest, NotFound
from api.schemas.keys import KeyDraft, KeyView
from api.services import organizations
from api.services.actor import Actor
from api.services.audit import record
from storage import api_keys
from storage.tables import ApiKey

__all__ = ["create", "every", "get", "revoke", "view_of"]


async def create(
    session: AsyncSession, org_id: str, draft: KeyDraft, *, actor: Actor
) -> api_keys.MadeKey:
    """A new key of the organization; the key itself is kept nowhere.

    Raises ``NotFound`` when there is no such organization, ``InvalidRequest`` when the key would be
    expired from the start.
    """
    await organizations.get(session, org_id)
    if draft.expires_at is not None and draft.expires_at <= datetime.now(UTC):
        raise InvalidRequest("expires_at: must be in the future", field="expires_at")
    made = await api_keys.create(
        session, org_id, name=draft.name, role=draft.role, expires_at=draft.expires_at
    )
    await record(
        session,
        actor,
        org_id=org_id,
        action="api_key.create",
        subject=("api_key", made.key.id),
        after=view_of(made.key).model_dump(mode="json"),
    )
    return made


async def every(session: AsyncSession, org_id: str) -> list[ApiKey]:
    """The organization's keys, oldest first, revoked ones included. Raises ``NotFound``."""
    await organizations.get(session, org_id)
    return await api_keys.listed(session, org_id)


async def get(session: AsyncSession, org_id: str, key_id: str) -> ApiKey:
    """The organization's key. Raises ``NotFound``."""
    found = await api_keys.get(session, key_id)
    if found is None or found.org_id != org_id:
        raise NotFound
    return found


async def revoke(session: AsyncSession, org_id: str, key_id: str, *, actor: Actor) -> ApiKey:
    """The key, revoked; a second time changes nothing. Raises ``NotFound``."""
    # The organization's lock keeps two revocations from both being the first in the audit log.
    await organizations.get(session, org_id, for_update=True)
    present = await get(session, org_id, key_id)
    if present.revoked_at is not None:
        return present
    revoked = await api_keys.revoke(session, key_id, now=datetime.now(UTC))
    if revoked is None:
        raise NotFound
    await record(
        session,
        actor,
        org_id=org_id,
        action="api_key.revoke",
        subject=("api_key", key_id),
        before={"revoked_at": None},
        after={"revoked_at": view_of(revoked).model_dump(mode="json")["revoked_at"]},
    )
    return revoked


def view_of(row: ApiKey) -> KeyView:
    """The key as the API shows it."""
    return KeyView(
        key_id=row.id,
        org_id=row.org_id,
        name=row.name,
        role=row.role,
        hint=row.hint,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
