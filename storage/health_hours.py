"""Samples of targets, added up by the hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from domain.health_history import CLASSES, MINUTES, SAMPLE_BYTES, HourTotals
from storage.engine import require_system_scope
from storage.health_fence import hold

__all__ = ["HourRow", "flush_hours"]

ROWS_AT_A_TIME: Final = 2000
"""Between two statements other tasks of the process get their turn."""


@dataclass(frozen=True, slots=True)
class HourRow:
    """What was seen of a target in an hour since the last flush; ``minutes`` as ``pack_minutes``
    makes them."""

    target_id: str
    hour: datetime
    totals: HourTotals
    minutes: bytes


# What came later overwrites from its first minute on; the zero bytes around it are minutes of which
# nothing is known. A sample begins with its class, which is never zero.
_FIRST: Final = (
    "(length(excluded.minutes) - length(ltrim(excluded.minutes, '\\x00'::bytea)))"
    f" / {SAMPLE_BYTES} * {SAMPLE_BYTES}"
)
_END: Final = (
    f"(length(rtrim(excluded.minutes, '\\x00'::bytea)) + {SAMPLE_BYTES - 1})"
    f" / {SAMPLE_BYTES} * {SAMPLE_BYTES}"
)
_SUMS: Final = ", ".join(
    f"coalesce(h.classes[{index}], 0) + coalesce(excluded.classes[{index}], 0)"
    for index in range(1, CLASSES + 1)
)

# ``%(name)b`` is the binary format: as text, samples take psycopg seconds, and nothing else of the
# process runs meanwhile.
_FLUSH: Final = f"""
    INSERT INTO health_hours AS h
           (target_id, hour, probes, classes, total_ms, max_ms, minutes)
    SELECT target_id, hour, probes, CAST(classes AS integer[]), total_ms, max_ms, minutes
      FROM unnest(CAST(%(targets)b AS text[]), CAST(%(hours)b AS timestamptz[]),
                  CAST(%(probes)b AS integer[]), CAST(%(classes)b AS text[]),
                  CAST(%(total_ms)b AS bigint[]), CAST(%(max_ms)b AS integer[]),
                  CAST(%(minutes)b AS bytea[]))
        AS g (target_id, hour, probes, classes, total_ms, max_ms, minutes)
        ON CONFLICT (target_id, hour) DO UPDATE
       SET probes = h.probes + excluded.probes,
           classes = ARRAY[{_SUMS}],
           total_ms = h.total_ms + excluded.total_ms,
           max_ms = greatest(h.max_ms, excluded.max_ms),
           minutes = overlay(
               coalesce(h.minutes, decode(repeat('00', {MINUTES * SAMPLE_BYTES}), 'hex'))
               PLACING substring(excluded.minutes
                                 FROM {_FIRST} + 1 FOR greatest({_END} - {_FIRST}, 0))
               FROM {_FIRST} + 1)
"""


async def flush_hours(
    session: AsyncSession, fences: Mapping[int, int], rows: Sequence[HourRow]
) -> None:
    """Add to the hours of targets; at most one row for each of them and hour.

    Whoever does not learn whether the transaction was committed must not repeat it: it adds up.
    Needs the system scope. Raises ``FenceLost``.
    """
    require_system_scope(session)
    connection = await session.connection()
    texts: dict[tuple[int, ...], str] = {}
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        portion = rows[start : start + ROWS_AT_A_TIME]
        await connection.exec_driver_sql(_FLUSH, _arrays(portion, texts))
    await hold(session, fences)


def _arrays(rows: Sequence[HourRow], texts: dict[tuple[int, ...], str]) -> dict[str, Any]:
    """One array for each column; ``texts`` remembers counts as text, since most are alike."""
    totals = [row.totals for row in rows]
    return {
        "targets": [row.target_id for row in rows],
        "hours": [row.hour for row in rows],
        "probes": [each.probes for each in totals],
        "classes": [
            texts.get(each.classes) or texts.setdefault(each.classes, _array(each.classes))
            for each in totals
        ],
        "total_ms": [each.total_ms for each in totals],
        "max_ms": [each.max_ms for each in totals],
        "minutes": [row.minutes for row in rows],
    }


def _array(counts: tuple[int, ...]) -> str:
    return f"{{{','.join(map(str, counts))}}}"
