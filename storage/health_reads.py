"""A trunk's endpoints as they stand, for who decides about its calls and for who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health import TargetHealth
from domain.health_rule import HealthRule
from domain.probe_target import NameIdentity, ProbeProfile, TargetIdentity
from sip.transports import Transport
from storage.health_history import (
    HistoryHour,
    HoursBehind,
    NameChangeRow,
    RecordedTransition,
    changes_of_names,
    hours_of,
    newest_hours,
    transitions_of,
)
from storage.health_loading import HEALTH_COLUMNS, health_of, target_of
from storage.health_windows import Availability, Meaning, availability, window_totals

__all__ = [
    "Availability",
    "EndpointStanding",
    "HistoryHour",
    "HoursBehind",
    "Meaning",
    "NameChangeRow",
    "RecordedTransition",
    "TargetStanding",
    "availability",
    "changes_of_names",
    "hours_of",
    "newest_hours",
    "picture_of",
    "transitions_of",
    "window_totals",
]


@dataclass(frozen=True, slots=True)
class TargetStanding:
    """One address of an endpoint; ``next_at`` (seconds since 1970) is when it wants an extra look."""

    target_id: str
    identity: TargetIdentity
    priority: int
    weight: int
    health: TargetHealth
    next_at: float | None


@dataclass(frozen=True, slots=True)
class EndpointStanding:
    """One endpoint of a trunk, with its targets by priority."""

    position: int
    label: str
    name_id: str
    identity: NameIdentity
    rule: HealthRule
    resolved_at: datetime | None
    expires_at: datetime | None
    error: str | None
    targets: tuple[TargetStanding, ...]


_PICTURE = text(
    f"""
    SELECT e.position AS place, e.label, e.name_id, e.rule, n.host, n.port AS name_port,
           n.transport AS name_transport, n.profile AS name_profile, n.resolved_at, n.expires_at,
           n.error, t.id AS target_id, t.address, t.port, t.transport, t.profile,
           l.priority, l.weight, {HEALTH_COLUMNS}
      FROM trunk_endpoints e
      JOIN health_names n ON n.id = e.name_id
      LEFT JOIN health_name_targets l ON l.name_id = e.name_id
      LEFT JOIN health_targets t ON t.id = l.target_id
      LEFT JOIN health_states s ON s.target_id = t.id AND s.rule_key = e.rule_key
     WHERE e.trunk_id = :trunk_id
     ORDER BY e.position, l.priority, l.weight DESC, l.position, t.id
    """
)


async def picture_of(session: AsyncSession, trunk_id: str) -> tuple[EndpointStanding, ...]:
    """The endpoints of a trunk in order, as of one moment; none when nothing of it is probed."""
    found: dict[int, list[Row[Any]]] = {}
    for row in await session.execute(_PICTURE, {"trunk_id": trunk_id}):
        found.setdefault(row.place, []).append(row)
    return tuple(_endpoint(rows) for rows in found.values())


def _endpoint(rows: list[Row[Any]]) -> EndpointStanding:
    first = rows[0]
    return EndpointStanding(
        position=first.place,
        label=first.label,
        name_id=first.name_id,
        identity=NameIdentity(
            first.host,
            first.name_port,
            None if first.name_transport is None else Transport(first.name_transport),
            ProbeProfile.from_json(first.name_profile),
        ),
        rule=HealthRule.model_validate(first.rule),
        resolved_at=first.resolved_at,
        expires_at=first.expires_at,
        error=first.error,
        targets=tuple(_target(row) for row in rows if row.target_id is not None),
    )


def _target(row: Row[Any]) -> TargetStanding:
    return TargetStanding(
        target_id=row.target_id,
        identity=target_of(row),
        priority=row.priority,
        weight=row.weight,
        health=TargetHealth() if row.state is None else health_of(row),
        next_at=row.next_at,
    )
