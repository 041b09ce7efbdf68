"""The whole configuration as one document: exported, compared, applied."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query, Response

from api.access import SipEditor, SipViewer
from api.changes import ChangeDep
from api.dependencies import By, DatabaseDep, SecretBoxDep, SettingsDep
from api.documentation import answer, refusals
from api.envelope import Envelope, EnvelopeJson
from api.errors import Conflict, InvalidRequest, PreconditionFailed
from api.routing import new_router
from api.schemas.state import EXAMPLE_STATE, StateInput
from api.schemas.state_views import EXAMPLE_PLAN, PlanView, StateView
from api.services import state
from api.services.trunk_revisions import ETAG_HEADER, MAX_IF_MATCH, precondition

__all__ = ["router"]

router = new_router("/v1/sip/state", tag="State")

_TAG = {
    "description": "Stands for everything that is configured; `If-Match` takes it.",
    "schema": {"type": "string"},
    "example": '"9f86d081884c7d659a2feaa0c55ad015"',
}

_TOO_LARGE = state.StateTooLarge("120,000 numbers", "10,000")


@router.get(
    "",
    summary="Export the configuration",
    response_model=Envelope[StateView],
    responses={
        200: {**answer(EXAMPLE_STATE)[200], "headers": {ETAG_HEADER: _TAG}},
        **refusals(_TOO_LARGE),
    },
)
async def get_state(principal: SipViewer, database: DatabaseDep) -> EnvelopeJson:
    """Every trunk, and every number with what carries it in each direction. Passwords read
    `********`; sent back so, they stay as they are. PUT takes whatever this answers, so of more
    than a document holds there is none: see `STATE_TOO_LARGE`."""
    async with database.tenant(principal.org_id) as session:
        document, tag = await state.show(session, principal.org_id)
    # Made of our own rows: to validate thousands of numbers again would hold everybody up.
    exported = EnvelopeJson({"data": document, "errors": None}, headers={ETAG_HEADER: tag})
    if len(exported.body) > state.MAX_EXPORT_BYTES:
        raise state.StateTooLarge.by_bytes(len(exported.body))
    return exported


@router.put(
    "",
    summary="Apply a configuration",
    responses={
        200: {
            **answer(EXAMPLE_PLAN, description="What differs")[200],
            "headers": {ETAG_HEADER: _TAG},
        },
        **refusals(
            InvalidRequest(
                "numbers.0.outbound.1.sip_endpoint: an outbound direction needs one",
                field="numbers.0.outbound.1.sip_endpoint",
            ),
            Conflict(
                "numbers.0.phone_numbers.3: +14150000003 already receives calls for somebody "
                "else; its holder must detach it there.",
                field="numbers.0.phone_numbers.3",
                code="NUMBER_UNAVAILABLE",
            ),
            _TOO_LARGE,
            PreconditionFailed(),
        ),
    },
)
async def put_state(
    principal: SipEditor,
    body: StateInput,
    by: By,
    change: ChangeDep,
    secret_box: SecretBoxDep,
    settings: SettingsDep,
    response: Response,
    dry_run: Annotated[bool, Query(description="Only say what would be changed.")] = False,
    if_match: Annotated[
        str | None,
        Header(
            max_length=MAX_IF_MATCH,
            description="`ETag` of what the document was written for; if anything was changed "
            "since, nothing is applied.",
        ),
    ] = None,
) -> Envelope[PlanView]:
    """Makes the configuration what the document says, all of it or nothing: what is not in the
    document is deleted or detached. Configurations keep their ids where their trunk or their place
    stays."""
    wanted = precondition(if_match)
    org_id = principal.org_id
    session = await change.of(org_id)
    view, tag = await state.make(
        session,
        secret_box,
        org_id,
        body,
        actor=by,
        allowed_networks=settings.allowed_networks,
        dry_run=dry_run,
        if_match=wanted,
    )
    response.headers[ETAG_HEADER] = tag
    return Envelope(data=view)
