"""Drills: a failover rehearsed for one number, while all other calls go as always."""

from __future__ import annotations

from fastapi import Request

from api.access import SipEditor, SipViewer
from api.dependencies import By, DatabaseDep, TrunkId
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import NotFound, Unavailable
from api.routing import new_router
from api.schemas.trunk_drills import EXAMPLE_DRILL, DrillList, DrillRequest, DrillView
from api.services import trunk_drills
from api.services.trunk_drills import NumberNotOnTrunk
from api.services.trunk_orders import Wish, refused
from api.state import state_of
from domain.failover_commands import Refusal

__all__ = ["router"]

router = new_router("/v1/sip/trunks", tag="Routing")

_UNKNOWN = NotFound("no such trunk")
_AWAY = Unavailable("no worker took the order in time; send it again")


@router.post(
    "/{trunk_id}/drill",
    summary="Rehearse a failover",
    responses={
        **answer({**EXAMPLE_DRILL, "state": "running", "ended_at": None, "calls": []}),
        **refusals(
            _UNKNOWN,
            NumberNotOnTrunk(field="phone_number"),
            refused(Refusal.DRILL_RUNNING, "a drill is running"),
            refused(
                Refusal.NOTHING_TO_FAIL_OVER_TO,
                "the trunk has no other endpoint, so none can take over",
            ),
            refused(
                Refusal.NOT_AT_THE_PRIMARY,
                "calls go to another endpoint than the primary now",
            ),
            _AWAY,
        ),
    },
)
async def start_drill(
    request: Request, principal: SipEditor, trunk_id: TrunkId, by: By, body: DrillRequest
) -> Envelope[DrillView]:
    """Calls of the number find the primary dead until the time is over; place test calls meanwhile.
    The same rules decide as in earnest, so a drill also shows when nothing would take over."""
    wish = Wish(request, principal, body)
    state = state_of(request)
    drill = await trunk_drills.started(state, principal, by, trunk_id, body, wish)
    return Envelope(data=drill)


@router.get(
    "/{trunk_id}/drill",
    summary="Get a trunk's drills",
    responses={**answer({"drill": EXAMPLE_DRILL, "earlier": []}), **refusals(_UNKNOWN)},
)
async def get_drills(
    principal: SipViewer, trunk_id: TrunkId, database: DatabaseDep
) -> Envelope[DrillList]:
    """The newest one with what it found out, and those before it."""
    async with database.tenant(principal.org_id) as session:
        return Envelope(data=await trunk_drills.drills(session, principal.org_id, trunk_id))


@router.delete(
    "/{trunk_id}/drill",
    summary="Abort a drill",
    responses={
        **answer({"drill": {**EXAMPLE_DRILL, "state": "aborted"}, "earlier": []}),
        **refusals(_UNKNOWN, refused(Refusal.NO_DRILL, "no drill is running"), _AWAY),
    },
)
async def abort_drill(
    request: Request, principal: SipEditor, trunk_id: TrunkId, by: By
) -> Envelope[DrillList]:
    """The number's calls go as before when this is answered."""
    wish = Wish(request, principal, None)
    return Envelope(
        data=await trunk_drills.aborted(state_of(request), principal, by, trunk_id, wish)
    )
