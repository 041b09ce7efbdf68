"""What the caller's key is and may do."""

from __future__ import annotations

from api.access import Viewer
from api.dependencies import DatabaseDep
from api.documentation import answer
from api.envelope import Envelope
from api.routing import new_router
from api.schemas.keys import EXAMPLE_KEY, MeView
from api.schemas.organizations import EXAMPLE_ORGANIZATION
from api.services import keys, organizations

__all__ = ["router"]

router = new_router("/v1/me", tag="API keys")


@router.get(
    "",
    summary="Show the caller's organization, role and key",
    responses=answer({"organization": EXAMPLE_ORGANIZATION, "role": "editor", "key": EXAMPLE_KEY}),
)
async def show_me(principal: Viewer, database: DatabaseDep) -> Envelope[MeView]:
    """The organization this key belongs to, its role and the key without the key itself."""
    async with database.tenant(principal.org_id) as session:
        organization = await organizations.get(session, principal.org_id)
        key = await keys.get(session, principal.org_id, principal.key_id)
    return Envelope(
        data=MeView(
            organization=organizations.view_of(organization),
            role=key.role,
            key=keys.view_of(key),
        )
    )
