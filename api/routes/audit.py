"""Who changed what (design section 5: the audit log)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from api.access import SipViewer
from api.dependencies import DatabaseDep
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest
from api.routing import new_router
from api.schemas.audit import EXAMPLE_AUDIT, AuditEntryView, AuditPage
from storage import audit

__all__ = ["router"]

router = new_router("/v1/sip", tag="Audit")

MAX_ID = 2**63 - 1


@router.get(
    "/audit",
    summary="List changes",
    responses={
        **answer(EXAMPLE_AUDIT),
        **refusals(InvalidRequest("cursor: is not a next_cursor of this list", field="cursor")),
    },
)
async def list_changes(
    principal: SipViewer,
    database: DatabaseDep,
    limit: Annotated[int, Query(ge=1, le=200, description="Entries of a page.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=32, description="`next_cursor` of the page before.")
    ] = None,
    subject_id: Annotated[
        str | None,
        Query(max_length=128, description="Only this number, trunk, key or other subject."),
    ] = None,
) -> Envelope[AuditPage]:
    """The organization's changes, the newest first: who, when, and the fields before and after.
    Entries are never changed and never deleted."""
    before_id = None if cursor is None else _position(cursor)
    async with database.tenant(principal.org_id) as session:
        found = await audit.entries(
            session,
            principal.org_id,
            limit=limit + 1,
            before_id=before_id,
            subject_id=subject_id,
        )
    page = found[:limit]
    more = len(found) > limit
    return Envelope(
        data=AuditPage(
            entries=[AuditEntryView.of(entry) for entry in page],
            next_cursor=str(page[-1].id) if more else None,
        )
    )


def _position(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit()) or not 0 < int(cursor) <= MAX_ID:
        raise InvalidRequest("cursor: is not a next_cursor of this list", field="cursor")
    return int(cursor)
