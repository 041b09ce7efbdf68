"""Ready configuration of the customer's system for one trunk."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import PlainTextResponse

from api.access import SipViewer
from api.dependencies import DatabaseDep, TrunkId
from api.documentation import answer, refusals
from api.envelope import Envelope, EnvelopeJson
from api.errors import NotFound, Unavailable
from api.routing import new_router
from api.schemas.trunk_snippets import EXAMPLE_SNIPPET, SnippetView
from api.services.trunk_snippets import snippet_for
from api.state import state_of
from domain.snippets import SnippetSystem

__all__ = ["router"]

router = new_router("/v1/sip/trunks", tag="Trunks")


class SnippetFormat(StrEnum):
    """How the answer is written."""

    JSON = "json"
    TEXT = "text"


def _described() -> dict[int | str, dict[str, Any]]:
    entries = answer(EXAMPLE_SNIPPET, description="As JSON, or the text alone")
    entries[200]["content"]["text/plain"] = {
        "schema": {"type": "string"},
        "example": EXAMPLE_SNIPPET["text"],
    }
    return entries


@router.get(
    "/{trunk_id}/snippet",
    summary="Get configuration for a PBX",
    response_model=Envelope[SnippetView],
    responses={
        **_described(),
        **refusals(
            NotFound("no such trunk"),
            Unavailable("the operator has not described the region us"),
        ),
    },
)
async def get_snippet(
    request: Request,
    principal: SipViewer,
    trunk_id: TrunkId,
    database: DatabaseDep,
    system: Annotated[SnippetSystem, Query(alias="for", description="The system to configure.")],
    output: Annotated[
        SnippetFormat, Query(alias="format", description="`text` answers the text alone.")
    ] = SnippetFormat.JSON,
) -> Response:
    """Text to paste into the system that the trunk leads to, with our server, your codecs, your user
    and your first numbers in it. A password, which is shown only once, is left for you to fill in."""
    async with database.tenant(principal.org_id) as session:
        found = await snippet_for(
            session, state_of(request).regions, principal.org_id, trunk_id, system
        )
    if output is SnippetFormat.TEXT:
        return PlainTextResponse(found.text)
    return EnvelopeJson({"data": found.model_dump(mode="json"), "errors": None})
