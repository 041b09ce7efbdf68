"""What was seen of targets and names, as long as it is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health_history import HourTotals
from domain.health_observation import HealthState
from storage.engine import require_system_scope

__all__ = [
    "HistoryHour",
    "HoursBehind",
    "NameChangeRow",
    "RecordedTransition",
    "changes_of_names",
    "hours_of",
    "newest_hours",
    "purge",
    "transitions_of",
]

PURGED_AT_A_TIME: Final = 10_000


@dataclass(frozen=True, slots=True)
class HistoryHour:
    """An hour of a target; ``minutes`` as ``unpack_minutes`` reads them, until they are too old."""

    target_id: str
    hour: datetime
    totals: HourTotals
    minutes: bytes | None


@dataclass(frozen=True, slots=True)
class RecordedTransition:
    """A change of state, with the bytes of the probe that decided it."""

    id: int
    target_id: str
    rule_key: str
    seq: int
    at: datetime
    before: HealthState
    after: HealthState
    reason: str
    evidence: dict[str, Any]
    request: bytes | None
    reply: bytes | None


@dataclass(frozen=True, slots=True)
class NameChangeRow:
    """What a look-up changed; targets as ``{"address", "port", "transport"}``."""

    id: int
    name_id: str
    at: datetime
    added: list[dict[str, Any]]
    removed: list[dict[str, Any]]
    error: str | None


async def hours_of(
    session: AsyncSession, targets: Collection[str], *, since: datetime, until: datetime
) -> list[HistoryHour]:
    """The hours of these targets that begin from ``since`` on and before ``until``, in order."""
    found = await session.execute(
        text(
            "SELECT target_id, hour, probes, classes, total_ms, max_ms, minutes FROM health_hours "
            "WHERE target_id = ANY(CAST(:targets AS text[])) AND hour >= :since AND hour < :until "
            "ORDER BY hour, target_id"
        ),
        {"targets": sorted(targets), "since": since, "until": until},
    )
    return [_hour(row) for row in found]


@dataclass(frozen=True, slots=True)
class HoursBehind:
    """Behind this target in this hour."""

    hour: datetime
    target_id: str


async def newest_hours(
    session: AsyncSession,
    targets: Collection[str],
    *,
    since: datetime,
    behind: HoursBehind | None,
    limit: int,
) -> list[HistoryHour]:
    """The newest hours of these targets from ``since`` on, within an hour by target; behind a place
    when it is given."""
    found = await session.execute(
        text(
            """
            SELECT target_id, hour, probes, classes, total_ms, max_ms, minutes FROM health_hours
             WHERE target_id = ANY(CAST(:targets AS text[])) AND hour >= :since
               AND (CAST(:hour AS timestamptz) IS NULL OR hour < :hour
                    OR (hour = :hour AND target_id > :target))
             ORDER BY hour DESC, target_id LIMIT :limit
            """
        ),
        {
            "targets": sorted(targets),
            "since": since,
            "hour": None if behind is None else behind.hour,
            "target": None if behind is None else behind.target_id,
            "limit": limit,
        },
    )
    return [_hour(row) for row in found]


def _hour(row: Row[Any]) -> HistoryHour:
    return HistoryHour(
        row.target_id,
        row.hour,
        HourTotals(row.probes, tuple(row.classes), row.total_ms, row.max_ms),
        row.minutes,
    )


async def transitions_of(
    session: AsyncSession,
    states: Collection[tuple[str, str]],
    *,
    limit: int,
    before_id: int | None = None,
) -> list[RecordedTransition]:
    """The newest changes of these targets by the rules beside them, the newest first; from before
    ``before_id`` on, when it is given."""
    pairs = sorted(states)
    found = await session.execute(
        text(
            """
            SELECT t.* FROM unnest(CAST(:targets AS text[]), CAST(:rules AS text[]))
                AS s (target, rule)
             CROSS JOIN LATERAL (
                SELECT id, target_id, rule_key, seq, at, before, after, reason, evidence, request,
                       reply
                  FROM health_transitions
                 WHERE target_id = s.target AND rule_key = s.rule
                   AND (CAST(:before AS bigint) IS NULL OR id < :before)
                 ORDER BY id DESC LIMIT :limit) AS t
             ORDER BY t.id DESC LIMIT :limit
            """
        ),
        {
            "targets": [pair[0] for pair in pairs],
            "rules": [pair[1] for pair in pairs],
            "before": before_id,
            "limit": limit,
        },
    )
    return [
        RecordedTransition(
            row.id,
            row.target_id,
            row.rule_key,
            row.seq,
            row.at,
            HealthState(row.before),
            HealthState(row.after),
            row.reason,
            row.evidence,
            row.request,
            row.reply,
        )
        for row in found
    ]


async def changes_of_names(
    session: AsyncSession, names: Collection[str], *, limit: int, before_id: int | None = None
) -> list[NameChangeRow]:
    """The newest changes that look-ups of these names made, the newest first."""
    found = await session.execute(
        text(
            """
            SELECT id, name_id, at, added, removed, error FROM name_changes
             WHERE name_id = ANY(CAST(:names AS text[]))
               AND (CAST(:before AS bigint) IS NULL OR id < :before)
             ORDER BY id DESC LIMIT :limit
            """
        ),
        {"names": sorted(names), "before": before_id, "limit": limit},
    )
    return [
        NameChangeRow(row.id, row.name_id, row.at, row.added, row.removed, row.error)
        for row in found
    ]


async def purge(session: AsyncSession, *, before: datetime, observed_before: datetime) -> int:
    """Forget changes recorded before the one time and calls before the other, at most some ten
    thousand of each; how many. Needs the system scope."""
    require_system_scope(session)
    gone = 0
    for table, until in (
        ("health_transitions", before),
        ("name_changes", before),
        ("health_observations", observed_before),
    ):
        found = await session.scalars(
            text(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE at < :until "
                "ORDER BY at LIMIT :limit) RETURNING id"
            ),
            {"until": until, "limit": PURGED_AT_A_TIME},
        )
        gone += len(found.all())
    return gone
