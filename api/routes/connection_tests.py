"""Whether a trunk's endpoint can be reached (contract 7.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import Request

from api.access import SipEditor
from api.dependencies import By, TrunkId
from api.documentation import answer, refusals, with_nulls_marked
from api.envelope import Envelope
from api.errors import NotFound, RateLimited, Unavailable
from api.routing import new_router
from api.schemas.connection_tests import (
    EXAMPLE_REACHABLE,
    EXAMPLE_UNREACHABLE,
    ConnectionTestView,
)
from api.services.connection_tests import NoEndpoint, tested
from api.state import state_of

__all__ = ["router"]

router = new_router("/v1/sip/trunks", tag="Trunks")


def _described() -> dict[int | str, dict[str, Any]]:
    entries = answer(EXAMPLE_REACHABLE, description="What became of the OPTIONS")
    media = entries[200]["content"]["application/json"]
    examples = {"reachable": media.pop("example")}
    examples["not_reachable"] = with_nulls_marked({"data": EXAMPLE_UNREACHABLE, "errors": None})
    media["examples"] = {name: {"value": value} for name, value in examples.items()}
    return entries


@router.post(
    "/{trunk_id}/test-connection",
    summary="Test a trunk's endpoint",
    responses={
        **_described(),
        **refusals(
            NotFound("no such trunk"),
            NoEndpoint(),
            RateLimited(
                "trunk.acme.example was tested too often in the last hour.",
                retry_after=timedelta(minutes=12),
            ),
            Unavailable("Temporal cannot be reached at the moment"),
        ),
    },
)
async def check_trunk(
    request: Request, principal: SipEditor, trunk_id: TrunkId, by: By
) -> Envelope[ConnectionTestView]:
    """One OPTIONS to the trunk's endpoint, by its own port, transport and TLS settings; over TLS to
    5061 when it names neither. Answers within ten seconds, 20 times for a target and hour."""
    return Envelope(data=await tested(state_of(request), principal, by, trunk_id))
