"""Trunks: the reusable connections that numbers are bound to (contract 7.1 to 7.5)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Response

from api.access import SipEditor, SipViewer
from api.changes import ChangeDep
from api.dependencies import By, DatabaseDep, SecretBoxDep, SettingsDep, TrunkId
from api.documentation import answer, refusals
from api.envelope import Envelope, enveloped
from api.errors import Conflict, InvalidRequest, PreconditionFailed
from api.routing import new_router
from api.schemas.trunks import (
    EXAMPLE_TRUNK,
    DeletedTrunkView,
    TrunkChanges,
    TrunkDetailView,
    TrunkDraft,
    TrunkList,
    TrunkView,
)
from api.services import trunk_list, trunks
from api.services.trunk_revisions import (
    ETAG_HEADER,
    MAX_IF_MATCH,
    Precondition,
    etag_of,
    precondition,
)
from api.trunk_query import TrunkQuery

__all__ = ["router"]

router = new_router("/v1/sip/trunks", tag="Trunks")

_NOBODY_HEARS = InvalidRequest(
    "alert_config.channels.email: nobody would hear it; give the organization alert_emails first",
    field="alert_config.channels.email",
)
_ETAG: dict[str, Any] = {
    "description": "Stands for the trunk's `revision`; send it back as `If-Match`.",
    "schema": {"type": "string"},
    "example": '"3"',
}


def _precondition(
    if_match: Annotated[
        str | None,
        Header(
            max_length=MAX_IF_MATCH,
            description="`ETag` of the trunk that your change is made for, or `*`; "
            "412 when the trunk has changed since.",
            examples=['"3"'],
        ),
    ] = None,
) -> Precondition | None:
    return precondition(if_match)


IfMatch = Annotated[Precondition | None, Depends(_precondition)]


def _tagged(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    entries = answer(example)
    entries[200]["headers"] = {ETAG_HEADER: _ETAG}
    return entries


@router.post(
    "",
    summary="Create a trunk",
    responses={**_tagged({**EXAMPLE_TRUNK, "revision": 1}), **refusals(_NOBODY_HEARS)},
)
async def create_trunk(
    principal: SipEditor,
    draft: TrunkDraft,
    by: By,
    change: ChangeDep,
    secret_box: SecretBoxDep,
    settings: SettingsDep,
    response: Response,
) -> Envelope[TrunkView]:
    """A trunk to attach numbers, DIDs and extensions to. With registration the answer has the
    password for the PBX, shown this once."""
    org_id = principal.org_id
    session = await change.of(org_id)
    made = await trunks.create(
        session,
        secret_box,
        org_id,
        draft,
        actor=by,
        allowed_networks=settings.allowed_networks,
    )
    response.headers[ETAG_HEADER] = etag_of(made.revision)
    return Envelope(data=made)


@router.get(
    "",
    summary="List trunks",
    response_model=Envelope[TrunkList],
    responses=answer({"trunks": [{**EXAMPLE_TRUNK, "bound_number_count": 12}]}),
)
async def list_trunks(principal: SipViewer, database: DatabaseDep, wanted: TrunkQuery) -> Response:
    """The trunks that were made here, oldest first; not those that attached numbers share. Without
    `limit` all of them."""
    return enveloped(await trunk_list.page(database, principal.org_id, wanted))


@router.get(
    "/{trunk_id}",
    summary="Get a trunk",
    response_model=Envelope[TrunkDetailView],
    responses=_tagged(
        {
            **EXAMPLE_TRUNK,
            "bound_numbers": [
                {"phone_number": "+14150000000", "directions": ["outbound"]},
                {"phone_number": "100", "directions": ["outbound"]},
            ],
        }
    ),
)
async def get_trunk(principal: SipViewer, trunk_id: TrunkId, database: DatabaseDep) -> Response:
    """The trunk with everything that is bound to it."""
    found = await trunk_list.detail(database, principal.org_id, trunk_id)
    response = enveloped(found)
    response.headers[ETAG_HEADER] = etag_of(found["revision"])
    return response


@router.patch(
    "/{trunk_id}",
    summary="Change a trunk",
    responses={**_tagged(EXAMPLE_TRUNK), **refusals(_NOBODY_HEARS, PreconditionFailed())},
)
async def change_trunk(
    principal: SipEditor,
    trunk_id: TrunkId,
    changes: TrunkChanges,
    by: By,
    change: ChangeDep,
    secret_box: SecretBoxDep,
    settings: SettingsDep,
    if_match: IfMatch,
    response: Response,
) -> Envelope[TrunkView]:
    """Changes the trunk for every number that is bound to it. With `If-Match` only when nobody else
    changed it since."""
    org_id = principal.org_id
    session = await change.of(org_id)
    changed = await trunks.change(
        session,
        secret_box,
        org_id,
        trunk_id,
        changes,
        actor=by,
        allowed_networks=settings.allowed_networks,
        if_match=if_match,
    )
    response.headers[ETAG_HEADER] = etag_of(changed.revision)
    return Envelope(data=changed)


@router.delete(
    "/{trunk_id}",
    summary="Delete a trunk",
    responses={
        **answer({"trunk_id": EXAMPLE_TRUNK["trunk_id"], "unbound_number_count": 12}),
        **refusals(
            Conflict(
                "this trunk goes by itself when its last number is detached",
                code="TRUNK_IS_IMPLICIT",
            ),
            PreconditionFailed(),
        ),
    },
)
async def delete_trunk(
    principal: SipEditor,
    trunk_id: TrunkId,
    by: By,
    change: ChangeDep,
    secret_box: SecretBoxDep,
    if_match: IfMatch,
) -> Envelope[DeletedTrunkView]:
    """Its numbers keep their settings and go on working, unbound."""
    org_id = principal.org_id
    session = await change.of(org_id)
    gone = await trunks.delete(session, secret_box, org_id, trunk_id, actor=by, if_match=if_match)
    return Envelope(data=gone)
