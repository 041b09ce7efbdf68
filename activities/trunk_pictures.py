"""From a trunk's rows to the picture that is decided about, and on to what its workflow is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import TrunkDecision
from domain.failover import Decision
from domain.failover_picture import (
    CallOutcome,
    CallSign,
    EndpointPicture,
    FailoverRules,
    TargetPicture,
    TrunkPicture,
)
from domain.failover_standing import CALL_MEMORY
from domain.trunk_config import FailoverConfig
from storage import trunk_routes, trunks
from storage.health_observations import TrunkCall, calls_of_trunk
from storage.health_reads import EndpointStanding, TargetStanding, picture_of

__all__ = ["decision_of", "read_picture"]

MAX_CALLS: Final = 50
"""Newest calls of a trunk that are looked at: three in a row decide, whichever endpoint they met."""


async def read_picture(
    session: AsyncSession, org_id: str, trunk_id: str, *, now: datetime
) -> TrunkPicture | None:
    """The trunk as it stands; ``None`` when it is gone. Needs the organization's session."""
    trunk = await trunks.get(session, org_id, trunk_id)
    if trunk is None:
        return None
    route = await trunk_routes.route_of(session, org_id, trunk_id)
    calls = await calls_of_trunk(session, trunk_id, since=now - CALL_MEMORY, limit=MAX_CALLS)
    return TrunkPicture(
        revision=trunk.revision,
        failover=_rules(trunks.profile_of(trunk).failover),
        endpoints=tuple(_endpoint(each) for each in await picture_of(session, trunk_id)),
        calls=tuple(_call(each) for each in calls if each.sign in _SIGNS),
        generation=0 if route is None else route.generation,
        open_drills=await trunk_routes.open_drills(session, org_id, trunk_id),
    )


def decision_of(decision: Decision, picture: TrunkPicture) -> TrunkDecision:
    """What the workflow is told of a decision."""
    return TrunkDecision(
        failover=decision.state,
        commands=decision.commands,
        route=decision.route if decision.changed else None,
        wake_at=decision.wake_at,
        raised=tuple(each.kind for each in decision.raised),
        open_drills=picture.open_drills,
    )


_SIGNS: Final = frozenset(each.value for each in CallSign)


def _rules(failover: FailoverConfig | None) -> FailoverRules:
    if failover is None:
        return FailoverRules()
    return FailoverRules(
        enabled=failover.enabled,
        triggers=failover.triggers,
        failback=failover.failback,
        canary=failover.canary,
        hold_down_seconds=failover.hold_down_seconds,
    )


def _endpoint(standing: EndpointStanding) -> EndpointPicture:
    identity = standing.identity
    return EndpointPicture(
        position=standing.position,
        label=standing.label,
        name_id=standing.name_id,
        host=identity.host,
        port=identity.port,
        transport=identity.transport,
        targets=tuple(_target(each) for each in standing.targets),
        error=standing.error,
    )


def _target(standing: TargetStanding) -> TargetPicture:
    health, identity = standing.health, standing.identity
    since = None if health.since is None else datetime.fromtimestamp(health.since, UTC)
    return TargetPicture(
        target_id=standing.target_id,
        address=identity.address,
        port=identity.port,
        transport=identity.transport,
        priority=standing.priority,
        weight=standing.weight,
        state=health.state,
        since=since,
        seq=health.seq,
        reason=health.reason,
        missed_by=health.missed_by,
    )


def _call(call: TrunkCall) -> CallOutcome:
    return CallOutcome(
        at=call.at,
        host=call.host,
        port=call.port,
        transport=call.transport,
        sign=CallSign(call.sign),
        status=call.status,
    )
