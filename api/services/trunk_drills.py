"""Drills: started and aborted by the trunk's workflow, shown from rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.errors import Conflict, Unavailable
from api.schemas.trunk_drills import (
    DrillCallView,
    DrillList,
    DrillReportView,
    DrillRequest,
    DrillView,
    InEarnestView,
)
from api.services import trunks
from api.services.actor import Actor
from api.services.trunk_orders import Wish, carry_out
from api.state import ApiState
from domain.failover_commands import AbortDrill, StartDrill
from domain.failover_drill import DrillReport
from domain.phone_numbers import spellings_of
from domain.trunk import Direction
from storage import bindings, trunk_routes
from storage.drill_calls import calls_of_drill
from storage.tables import Drill

__all__ = ["NumberNotOnTrunk", "aborted", "drills", "started"]

SHOWN_DRILLS: Final = 20
SHOWN_CALLS: Final = 20


class NumberNotOnTrunk(Conflict):
    """The number does not call out by this trunk."""

    code = "NUMBER_NOT_ON_TRUNK"
    default_message = "this number does not call out by this trunk"


async def started(
    state: ApiState,
    principal: Principal,
    actor: Actor,
    trunk_id: str,
    body: DrillRequest,
    wish: Wish,
) -> DrillView:
    """Begin a drill; when this returns, calls of the number find the endpoint dead.

    Raises ``NotFound``, ``Conflict`` and ``Unavailable``.
    """
    async with state.database.tenant(principal.org_id) as session:
        await trunks.get(session, principal.org_id, trunk_id)
        binding_id = await _binding(session, principal.org_id, trunk_id, body.phone_number)
    drill_id = wish.new_id("drl")
    await carry_out(
        state,
        principal,
        actor,
        trunk_id,
        StartDrill(drill_id=drill_id, binding_id=binding_id, seconds=body.seconds),
        wish=wish,
        action="trunk.start_drill",
        asked={"drill_id": drill_id, "seconds": body.seconds, "binding_id": binding_id},
    )
    async with state.database.tenant(principal.org_id) as session:
        drill = await trunk_routes.drill_of(session, principal.org_id, drill_id)
        if drill is None:
            raise Unavailable("the number was moved to another trunk meanwhile")
        return await _view(session, drill)


async def aborted(
    state: ApiState, principal: Principal, actor: Actor, trunk_id: str, wish: Wish
) -> DrillList:
    """End the drill now; when this returns, calls go as before. Raises as ``started`` does."""
    await carry_out(
        state,
        principal,
        actor,
        trunk_id,
        AbortDrill(),
        wish=wish,
        action="trunk.abort_drill",
        asked={},
    )
    async with state.database.tenant(principal.org_id) as session:
        return await drills(session, principal.org_id, trunk_id)


async def drills(session: AsyncSession, org_id: str, trunk_id: str) -> DrillList:
    """The trunk's drills, the newest first. Raises ``NotFound``."""
    await trunks.get(session, org_id, trunk_id)
    found = await trunk_routes.drills_of(session, org_id, trunk_id, limit=SHOWN_DRILLS)
    views = [await _view(session, each) for each in found]
    return DrillList(drill=views[0] if views else None, earlier=views[1:])


async def _binding(session: AsyncSession, org_id: str, trunk_id: str, number: str) -> str:
    spellings = spellings_of(number)
    found = await bindings.of_numbers(session, org_id, spellings)
    for spelling in spellings:
        for binding in found.get(spelling, ()):
            if binding.direction is Direction.OUTBOUND and binding.trunk_id == trunk_id:
                return binding.id
    raise NumberNotOnTrunk(field="phone_number")


async def _view(session: AsyncSession, drill: Drill) -> DrillView:
    now = datetime.now(UTC)
    ends_at = drill.started_at + timedelta(seconds=drill.seconds)
    ended_at = drill.ended_at
    over = ended_at is None and ends_at <= now
    calls = await calls_of_drill(
        session, drill, until=min(ended_at or ends_at, ends_at), limit=SHOWN_CALLS
    )
    return DrillView(
        drill_id=drill.id,
        phone_number=drill.number,
        state="ending" if over else drill.state,
        seconds=drill.seconds,
        started_at=drill.started_at,
        ends_at=ends_at,
        ended_at=ended_at,
        report=None if drill.report is None else _report(DrillReport.model_validate(drill.report)),
        calls=[
            DrillCallView(
                call_id=each.id,
                started_at=each.started_at,
                host=each.details["settings"]["host"],
                result=each.result,
                sip_code=each.sip_code,
            )
            for each in calls
        ],
    )


def _report(report: DrillReport) -> DrillReportView:
    return DrillReportView(
        took_over=report.took_over,
        detection_ms=report.detection_ms,
        recovery_ms=report.recovery_ms,
        in_earnest=InEarnestView(
            silence_seconds=report.silence_seconds,
            refusal_seconds=report.refusal_seconds,
            hold_down_seconds=report.hold_down_seconds,
        ),
        why=list(report.why),
    )
