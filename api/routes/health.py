"""How numbers and trunks stand, and what was seen of them (contract 5.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Query, Response

from api.access import SipViewer
from api.dependencies import DatabaseDep, SettingsDep, TrunkId
from api.documentation import answer, refusals
from api.envelope import Envelope, enveloped
from api.errors import InvalidRequest, NotFound
from api.routing import new_router
from api.schemas.health import (
    EXAMPLE_HEALTH,
    EXAMPLE_STATUS,
    NumberStatusView,
    TrunkHealthView,
)
from api.schemas.health_history import (
    EXAMPLE_DNS_CHANGES,
    EXAMPLE_HISTORY,
    EXAMPLE_TRANSITIONS,
    DnsChangePage,
    HistoryPage,
    TransitionPage,
)
from api.services import health_history
from api.services.number_status import status_of_number
from api.services.trunk_health import the_trunk, trunk_standing
from api.services.trunk_health_views import health_of_trunk
from settings import Settings

__all__ = ["router"]

router = new_router("/v1/sip", tag="Health")

MAX_LIMIT: Final = 200

_UNKNOWN = refusals(
    NotFound("no such trunk"),
    InvalidRequest("cursor: is not a next_cursor of this list", field="cursor"),
)

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Entries of a page.")]
Cursor = Annotated[
    str | None, Query(max_length=128, description="`next_cursor` of the page before.")
]
TargetId = Annotated[
    str | None,
    Query(
        max_length=64,
        description="Only this address, by its `target_id`.",
        examples=["tgt_3rZt024eRrmoapKsIym3Ov"],
    ),
]


@router.get(
    "/status",
    summary="Get a number's health",
    response_model=Envelope[NumberStatusView],
    responses={
        **answer(EXAMPLE_STATUS),
        **refusals(
            InvalidRequest(
                'phone_number: "x y" is not a phone number, a DID or an extension',
                field="phone_number",
            )
        ),
    },
)
async def get_status(
    principal: SipViewer,
    database: DatabaseDep,
    settings: SettingsDep,
    phone_number: Annotated[
        str,
        Query(
            max_length=128,
            description="E.164 with `+` as `%2B`, or a DID or an extension of a trunk.",
            examples=["+14150000000"],
        ),
    ],
) -> Response:
    """How the trunk stands that calls from the number try first. A number that is not configured is
    answered too, with `configured` false; one that only receives calls is `unchecked`."""
    async with database.tenant(principal.org_id) as session:
        found = await status_of_number(
            session,
            principal.org_id,
            phone_number,
            now=datetime.now(UTC),
            interval=_interval(settings),
        )
    return enveloped(found)


@router.get(
    "/trunks/{trunk_id}/health",
    summary="Get a trunk's health",
    response_model=Envelope[TrunkHealthView],
    responses={**answer(EXAMPLE_HEALTH), **refusals(NotFound("no such trunk"))},
)
async def get_trunk_health(
    principal: SipViewer, trunk_id: TrunkId, database: DatabaseDep, settings: SettingsDep
) -> Response:
    """Every endpoint with every address that its name leads to: where it stands, since when, why,
    and when it is looked at again. Changes show at once, samples every few minutes."""
    async with database.tenant(principal.org_id) as session:
        trunk = await the_trunk(session, principal.org_id, trunk_id)
        standing = await trunk_standing(
            session, trunk, now=datetime.now(UTC), interval=_interval(settings)
        )
        found = await health_of_trunk(session, standing)
    return enveloped(found)


@router.get(
    "/trunks/{trunk_id}/health/history",
    summary="List the hours of a trunk's endpoints",
    response_model=Envelope[HistoryPage],
    responses={**answer(EXAMPLE_HISTORY), **_UNKNOWN},
)
async def list_hours(
    principal: SipViewer,
    trunk_id: TrunkId,
    database: DatabaseDep,
    target_id: TargetId = None,
    limit: Limit = 48,
    cursor: Cursor = None,
) -> Response:
    """Hours of the last 31 days, the newest first, with their minutes for 48 hours."""
    async with database.tenant(principal.org_id) as session:
        found: dict[str, Any] = await health_history.hours(
            session,
            principal.org_id,
            trunk_id,
            target_id=target_id,
            limit=limit,
            cursor=cursor,
            now=datetime.now(UTC),
        )
    return enveloped(found)


@router.get(
    "/trunks/{trunk_id}/health/transitions",
    summary="List changes of state",
    response_model=Envelope[TransitionPage],
    responses={**answer(EXAMPLE_TRANSITIONS), **_UNKNOWN},
)
async def list_transitions(
    principal: SipViewer,
    trunk_id: TrunkId,
    database: DatabaseDep,
    target_id: TargetId = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """When an endpoint's address went down, came back or changed otherwise, the newest first, with
    what proves it: the probe's bytes, the rule and the counters."""
    async with database.tenant(principal.org_id) as session:
        found = await health_history.transitions(
            session,
            principal.org_id,
            trunk_id,
            target_id=target_id,
            limit=limit,
            cursor=cursor,
        )
    return enveloped(found)


@router.get(
    "/trunks/{trunk_id}/health/dns-changes",
    summary="List DNS changes",
    response_model=Envelope[DnsChangePage],
    responses={**answer(EXAMPLE_DNS_CHANGES), **_UNKNOWN},
)
async def list_dns_changes(
    principal: SipViewer,
    trunk_id: TrunkId,
    database: DatabaseDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Addresses that came and went behind the endpoints' names, and look-ups that began to fail."""
    async with database.tenant(principal.org_id) as session:
        found = await health_history.dns_changes(
            session, principal.org_id, trunk_id, limit=limit, cursor=cursor
        )
    return enveloped(found)


def _interval(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.health_interval_seconds)
