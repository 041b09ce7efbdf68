"""Discovery: start one, follow it (contract 4.2 and 4.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Query, Request

from api.access import SipEditor, SipViewer
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import Conflict, InvalidRequest, NotFound, RateLimited, Unavailable
from api.routing import new_router
from api.schemas.discovery import DISCOVERY_EXAMPLE, DiscoverRequest, DiscoveryView
from api.services import discoveries
from api.services.actor import actor_of
from api.state import state_of

__all__ = ["router"]

router = new_router("/v1/sip", tag="Discovery")

LONGEST_WAIT = 60
"""Seconds: a discovery has ended by then."""

Wait = Annotated[
    float,
    Query(
        ge=0,
        le=LONGEST_WAIT,
        description="Seconds to wait for the end; 0 answers at once with what is known.",
    ),
]


@router.post(
    "/discover",
    summary="Find the settings of a SIP endpoint",
    response_model=Envelope[DiscoveryView],
    responses={
        **answer(DISCOVERY_EXAMPLE, description="The discovery as it stands"),
        **refusals(
            InvalidRequest("Ports go from 1 to 65535.", field="host"),
            InvalidRequest("10.0.0.5 is a private address (RFC 1918).", code="TARGET_NOT_ALLOWED"),
            Conflict(
                "A discovery is running already.",
                code="DISCOVERY_IN_PROGRESS",
                facts={"discovery_id": "disc_4fYc3pZk8aQe1LwXo0RtVb"},
            ),
            RateLimited(
                "sip.example.com was discovered too often in the last hour.",
                retry_after=timedelta(minutes=12),
            ),
            Unavailable("Temporal cannot be reached at the moment"),
        ),
    },
)
async def discover(
    request: Request, principal: SipEditor, body: DiscoverRequest, wait: Wait = 0
) -> Envelope[DiscoveryView]:
    """Resolve the host (NAPTR, SRV, A, AAAA) and send OPTIONS to every address, on the given port
    and transport or on 5060, 5061 and 5080 over UDP, TCP and TLS. Answers `running` at once unless
    `wait` is given; poll the status route until it is `completed` or `failed`."""
    state = state_of(request)
    target = discoveries.admitted_target(state, body)
    actor = actor_of(request, principal)
    discovery_id = await discoveries.started(state, principal, actor, body, target)
    return Envelope(data=await discoveries.followed(state, principal, discovery_id, wait))


@router.get(
    "/discover/status",
    summary="Follow a discovery",
    response_model=Envelope[DiscoveryView],
    responses={
        **answer(DISCOVERY_EXAMPLE, description="The discovery as it stands"),
        **refusals(NotFound("no such discovery, or its result has expired")),
    },
)
async def discover_status(
    request: Request,
    principal: SipViewer,
    discovery_id: Annotated[str, Query(max_length=64, description="As `discover` answered it.")],
    wait: Wait = 0,
) -> Envelope[DiscoveryView]:
    """Every attempt is visible as soon as it ends. Results are kept for 10 minutes after the end."""
    view = await discoveries.followed(state_of(request), principal, discovery_id, wait)
    return Envelope(data=view)
