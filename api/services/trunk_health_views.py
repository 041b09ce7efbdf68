"""A trunk's health as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.services.trunk_health import TrunkStanding, moment_of
from domain.health import HealthState
from domain.health_history import WINDOWS, HourTotals, average_ms, uptime
from domain.health_rule import HealthRule
from domain.trunk import Direction, TrunkProfile
from domain.trunk_health import best_of, down_outcomes, timed_outcomes, up_outcomes, word_of
from storage.health_reads import (
    Availability,
    EndpointStanding,
    Meaning,
    TargetStanding,
    availability,
    window_totals,
)

__all__ = ["counted", "health_of_trunk", "inbound_of", "window_of", "windows_of"]


async def windows_of(session: AsyncSession, standing: TrunkStanding) -> dict[str, Any]:
    """The trunk's windows, by name."""
    rule = standing.rule
    meaning = Meaning(up_outcomes(rule), down_outcomes(rule), timed_outcomes())
    ids = {each.target_id for each in standing.targets}
    found = await availability(session, ids, meaning, _since(standing.now))
    return {name: window_of(found.get(name)) for name in WINDOWS}


async def health_of_trunk(session: AsyncSession, standing: TrunkStanding) -> dict[str, Any]:
    """Everything about the trunk's endpoints, a ``TrunkHealthView`` as JSON."""
    ids = {each.target_id for each in standing.targets}
    totals = await window_totals(session, ids, _since(standing.now))
    profile = standing.profile
    return {
        "trunk_id": standing.trunk.id,
        "health": standing.health.value,
        "state": standing.state.value,
        "since": standing.since,
        "reason": standing.reason,
        "last_checked": standing.last_checked,
        "windows": await windows_of(session, standing),
        "inbound": inbound_of(profile) if profile.direction.serves(Direction.INBOUND) else None,
        "rule": standing.rule.model_dump(mode="json"),
        "endpoints": [_endpoint(standing, each, totals) for each in standing.endpoints],
    }


def inbound_of(profile: TrunkProfile) -> dict[str, Any]:
    """The inbound side; when the peer last called or asked is not known yet."""
    return {
        "endpoint": profile.sip_endpoint,
        "active": True,
        "last_call_at": None,
        "last_options_at": None,
    }


_Totals = Mapping[tuple[str, str], HourTotals]


def _endpoint(
    standing: TrunkStanding, endpoint: EndpointStanding, totals: _Totals
) -> dict[str, Any]:
    states = [target.health.state for target in endpoint.targets]
    state = best_of(states)
    if not states and endpoint.error is not None:
        state = HealthState.DOWN
    identity = endpoint.identity
    return {
        "position": endpoint.position,
        "label": endpoint.label,
        "host": identity.host,
        "port": identity.port,
        "transport": identity.transport,
        "state": state.value,
        "error": endpoint.error,
        "resolved_at": endpoint.resolved_at,
        "resolved_again_at": endpoint.expires_at,
        "targets": [_target(standing, target, totals) for target in endpoint.targets],
    }


def _target(standing: TrunkStanding, target: TargetStanding, totals: _Totals) -> dict[str, Any]:
    health, identity = target.health, target.identity
    last = standing.last_probe(target)
    return {
        "target_id": target.target_id,
        "address": identity.address,
        "port": identity.port,
        "transport": identity.transport.value,
        "priority": target.priority,
        "weight": target.weight,
        "health": word_of(health.state, [health.reason]).value,
        "state": health.state.value,
        "since": None if health.since is None else moment_of(health.since),
        "reason": health.reason,
        "explanation": standing.explanation(target),
        "misses": health.misses,
        "good_replies": health.goods,
        "maintenance_until": (
            None if health.maintenance_until is None else moment_of(health.maintenance_until)
        ),
        "last_probe": (
            None
            if last is None
            else {"at": last.at, "status": last.status, "response_time_ms": last.ms}
        ),
        "next_probe_at": standing.next_probe(target),
        "windows": {
            name: window_of(counted(standing.rule, totals.get((name, target.target_id))))
            for name in WINDOWS
        },
    }


def counted(rule: HealthRule, totals: HourTotals | None) -> Availability | None:
    """What totals of one target mean by a rule."""
    if totals is None:
        return None
    average = average_ms([totals])
    longest = None if average is None else totals.max_ms
    return Availability(uptime(rule, [totals]), average, longest, totals.probes)


def window_of(found: Availability | None) -> dict[str, Any]:
    """A ``WindowView`` as JSON."""
    if found is None:
        found = Availability(None, None, None, 0)
    return {
        "uptime_percent": None if found.share is None else round(found.share * 100, 3),
        "avg_response_ms": None if found.average_ms is None else round(found.average_ms),
        "max_response_ms": None if found.average_ms is None else found.max_ms,
        "probes": found.probes,
    }


def _since(now: datetime) -> dict[str, datetime]:
    return {name: now - window for name, window in WINDOWS.items()}
