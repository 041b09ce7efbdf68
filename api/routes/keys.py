"""API keys of an organization. Operators only: a key can be made with any role."""

from __future__ import annotations

from api.access import Operator
from api.changes import ChangeDep
from api.dependencies import AuthenticatorDep, By, DatabaseDep, KeyId, OrgId
from api.documentation import answer
from api.envelope import Envelope
from api.routing import new_router
from api.schemas.keys import (
    EXAMPLE_CREATED_KEY,
    EXAMPLE_KEY,
    CreatedKeyView,
    KeyDraft,
    KeyList,
    KeyView,
)
from api.services import keys

__all__ = ["router"]

router = new_router("/v1/organizations/{org_id}/keys", tag="API keys")


@router.post(
    "",
    summary="Create an API key",
    status_code=201,
    responses=answer(EXAMPLE_CREATED_KEY, status=201),
)
async def create_key(
    org_id: OrgId, draft: KeyDraft, _: Operator, by: By, change: ChangeDep
) -> Envelope[CreatedKeyView]:
    """A new key, shown this once."""
    made = await keys.create(await change.of(org_id), org_id, draft, actor=by)
    view = keys.view_of(made.key)
    return Envelope(data=CreatedKeyView(**view.model_dump(), api_key=made.secret))


@router.get("", summary="List API keys", responses=answer({"keys": [EXAMPLE_KEY]}))
async def list_keys(org_id: OrgId, _: Operator, database: DatabaseDep) -> Envelope[KeyList]:
    """The organization's keys, oldest first, revoked ones included; never the keys themselves."""
    async with database.tenant(org_id) as session:
        found = await keys.every(session, org_id)
    return Envelope(data=KeyList(keys=[keys.view_of(each) for each in found]))


@router.delete(
    "/{key_id}",
    summary="Revoke an API key",
    responses=answer({**EXAMPLE_KEY, "revoked_at": "2026-03-10T08:30:00Z"}),
)
async def revoke_key(
    org_id: OrgId,
    key_id: KeyId,
    _: Operator,
    by: By,
    change: ChangeDep,
    authenticator: AuthenticatorDep,
) -> Envelope[KeyView]:
    """The key stops working: here at once, on other API processes within five seconds."""
    revoked = await keys.revoke(await change.of(org_id), org_id, key_id, actor=by)
    change.after_commit(lambda: authenticator.forget(org_id))
    return Envelope(data=keys.view_of(revoked))
