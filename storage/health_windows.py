"""Totals of targets, and of trunks, over windows of time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health_history import CLASSES, HourTotals, OutcomeClass

__all__ = ["Availability", "Meaning", "availability", "window_totals"]


_SUMS: Final = ", ".join(f"sum(h.classes[{index}])::int" for index in range(1, CLASSES + 1))

_TOTALS = text(
    f"""
    SELECT w.name, h.target_id, sum(h.probes)::bigint AS probes, ARRAY[{_SUMS}] AS classes,
           sum(h.total_ms)::bigint AS total_ms, max(h.max_ms) AS max_ms
      FROM health_hours h
      JOIN unnest(CAST(:names AS text[]), CAST(:sinces AS timestamptz[])) AS w (name, since)
        ON h.hour >= w.since
     WHERE h.target_id = ANY(CAST(:targets AS text[])) AND h.hour >= :first
     GROUP BY w.name, h.target_id
    """
)


async def window_totals(
    session: AsyncSession, targets: Collection[str], since: Mapping[str, datetime]
) -> dict[tuple[str, str], HourTotals]:
    """Totals by the name of a window and the target, over the hours that begin from each window's
    ``since`` on; without probes there are none."""
    if not targets or not since:
        return {}
    found = await session.execute(
        _TOTALS,
        {
            "names": list(since),
            "sinces": list(since.values()),
            "first": min(since.values()),
            "targets": sorted(targets),
        },
    )
    return {
        (row.name, row.target_id): HourTotals(
            row.probes, tuple(count or 0 for count in row.classes), row.total_ms, row.max_ms
        )
        for row in found
    }


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a rule makes of outcomes: those in neither set are not counted. ``replies`` are those
    that have a time."""

    up: frozenset[OutcomeClass]
    down: frozenset[OutcomeClass]
    replies: frozenset[OutcomeClass]


@dataclass(frozen=True, slots=True)
class Availability:
    """How a trunk did in a window: the share of the time it could be reached (0 to 1), and the
    replies' milliseconds; ``None`` where nothing was counted."""

    share: float | None
    average_ms: float | None
    max_ms: int | None
    probes: int


async def availability(
    session: AsyncSession,
    targets: Collection[str],
    meaning: Meaning,
    since: Mapping[str, datetime],
) -> dict[str, Availability]:
    """How a trunk with these targets did, by the name of each window that is not empty.

    A trunk is as good as its best target, and in each hour it counts as that one; so it never looks
    better than it was.
    """
    if not targets or not since:
        return {}
    found = await session.execute(
        _question(meaning),
        {
            "names": list(since),
            "sinces": list(since.values()),
            "first": min(since.values()),
            "targets": sorted(targets),
        },
    )
    return {
        row.name: Availability(row.share, row.average_ms, row.max_ms, row.probes) for row in found
    }


@lru_cache(maxsize=64)
def _question(meaning: Meaning) -> TextClause:
    """There are as many as rules differ in what they make of an outcome: few."""
    up, replies = _sum(meaning.up), _sum(meaning.replies)
    counted = _sum(meaning.up | meaning.down)
    return text(
        f"""
        WITH hours AS (
            SELECT h.hour, max(({up})::float8 / nullif({counted}, 0)) AS share,
                   max({counted}) AS rounds, sum({replies}) AS replies,
                   sum(h.total_ms) AS total_ms, max(h.max_ms) AS max_ms, sum(h.probes) AS probes
              FROM health_hours h
             WHERE h.target_id = ANY(CAST(:targets AS text[])) AND h.hour >= :first
             GROUP BY h.hour)
        SELECT w.name,
               sum(hours.share * hours.rounds) / nullif(sum(hours.rounds), 0) AS share,
               sum(hours.total_ms)::float8 / nullif(sum(hours.replies), 0)::float8 AS average_ms,
               max(hours.max_ms) AS max_ms, sum(hours.probes)::bigint AS probes
          FROM hours
          JOIN unnest(CAST(:names AS text[]), CAST(:sinces AS timestamptz[])) AS w (name, since)
            ON hours.hour >= w.since
         GROUP BY w.name
        """
    )


def _sum(outcomes: Collection[OutcomeClass]) -> str:
    terms = [f"coalesce(h.classes[{outcome + 1}], 0)" for outcome in sorted(outcomes)]
    return f"({' + '.join(terms) or '0'})"
