"""What the holder of shards writes: changes of state at once, samples now and then.

Every function that takes ``fences`` (fences by shard, as ``take_shard`` gave them) raises
``FenceLost`` when one of the shards was taken by another process; then nothing of the transaction
may remain. All need the system scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health import HealthState, TargetHealth, Transition
from storage.columns import storable
from storage.engine import require_system_scope
from storage.health_facts import nudge
from storage.health_fence import FenceLost, hold, take_shard
from storage.health_hours import HourRow, flush_hours
from storage.health_observations import (
    NewObservation,
    ObservationRow,
    add_observation,
    new_observations,
)
from storage.health_of_trunks import StateChange, follow

__all__ = [
    "FenceLost",
    "HourRow",
    "NewObservation",
    "ObservationRow",
    "StateRow",
    "TransitionRow",
    "add_observation",
    "flush_hours",
    "new_observations",
    "take_shard",
    "write_states",
    "write_transitions",
]

MAX_REASON: Final = 1000
MAX_BYTES: Final = 8192
"""Kept of a request or a reply: what follows a header of that length proves nothing."""
ROWS_AT_A_TIME: Final = 2000
"""Between two statements other tasks of the process get their turn."""


@dataclass(frozen=True, slots=True)
class StateRow:
    """Where a target stands by a rule, and when it wants an extra look (seconds since 1970)."""

    target_id: str
    rule_key: str
    health: TargetHealth
    next_at: float | None = None


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """A change of state, what the target stands like since, and what proves it."""

    state: StateRow
    transition: Transition
    evidence: Mapping[str, Any]
    request: bytes | None = None
    reply: bytes | None = None


async def write_transitions(
    session: AsyncSession, fences: Mapping[int, int], rows: Sequence[TransitionRow]
) -> None:
    """Write changes of state, and tell every trunk that uses one of the targets.

    Written again, a change that is there already changes nothing. What nobody uses any more (a
    target, or a rule) is left out: its state went with its last trunk.
    """
    require_system_scope(session)
    present = await _locked(session, [row.state for row in rows])
    new = [row for row in rows if _is_behind(row.state, present)]
    if new:
        # Of several changes of one target the last one is where it stands.
        standing = {_key(row.state): row for row in new}
        await _update_states(session, [row.state for row in standing.values()])
        await _insert_transitions(session, new)
        began = {_key(row.state): row.transition.before for row in reversed(new)}
        changes = [
            StateChange(*key, began[key], row.transition.after) for key, row in standing.items()
        ]
        await nudge(session, await follow(session, changes))
    await hold(session, fences)


async def write_states(
    session: AsyncSession, fences: Mapping[int, int], rows: Sequence[StateRow]
) -> None:
    """Write counters, the last observation and the next look of targets whose state stays.

    A row that was forgotten and made anew meanwhile is left as it is: its target is looked at anew.
    One that lacks changes which were given up gets its state here, and its trunks are told.
    """
    require_system_scope(session)
    for portion in range(0, len(rows), ROWS_AT_A_TIME):
        given = rows[portion : portion + ROWS_AT_A_TIME]
        present = await _locked(session, given)
        behind = [row for row in given if _is_behind(row, present)]
        same = [row for row in given if present.get(_key(row)) == _standing(row)]
        await _update_states(session, same + behind)
        if behind:
            changes = [
                StateChange(*_key(row), present[_key(row)].state, row.health.state)
                for row in behind
            ]
            await nudge(session, await follow(session, changes))
    await hold(session, fences)


class _Standing(NamedTuple):
    """How often a state has changed, and what it is."""

    seq: int
    state: HealthState


def _standing(row: StateRow) -> _Standing:
    return _Standing(row.health.seq, row.health.state)


def _is_behind(row: StateRow, present: Mapping[tuple[str, str], _Standing]) -> bool:
    found = present.get(_key(row))
    return found is not None and found.seq < row.health.seq


def _key(row: StateRow) -> tuple[str, str]:
    return row.target_id, row.rule_key


async def _locked(
    session: AsyncSession, rows: Iterable[StateRow]
) -> dict[tuple[str, str], _Standing]:
    """These states, which nobody else changes from here on."""
    keys = sorted({_key(row) for row in rows})
    found = await session.execute(
        text(
            """
            SELECT s.target_id, s.rule_key, s.seq, s.state
              FROM unnest(CAST(:targets AS text[]), CAST(:rules AS text[])) AS k (target, rule)
             CROSS JOIN LATERAL (
                SELECT target_id, rule_key, seq, state FROM health_states
                 WHERE target_id = k.target AND rule_key = k.rule FOR NO KEY UPDATE) AS s
            """
        ),
        {"targets": [key[0] for key in keys], "rules": [key[1] for key in keys]},
    )
    return {
        (target_id, rule_key): _Standing(seq, HealthState(state))
        for target_id, rule_key, seq, state in found
    }


# ``%(name)b`` is the binary format: as text, bytes and times take psycopg many times as long.
_UPDATE_STATES: Final = """
    UPDATE health_states s
       SET state = g.state, since = to_timestamp(g.since), seq = g.seq, misses = g.misses,
           goods = g.goods, maintenance_until = to_timestamp(g.maintenance_until),
           last_at = to_timestamp(g.last_at), last_ms = g.last_ms, last_status = g.last_status,
           missed_by = g.missed_by, next_at = to_timestamp(g.next_at), reason = g.reason
      FROM unnest(CAST(%(targets)b AS text[]), CAST(%(rules)b AS text[]),
                  CAST(%(states)b AS text[]), CAST(%(sinces)b AS float8[]),
                  CAST(%(seqs)b AS bigint[]), CAST(%(misses)b AS integer[]),
                  CAST(%(goods)b AS integer[]), CAST(%(maintenance)b AS float8[]),
                  CAST(%(last_at)b AS float8[]), CAST(%(last_ms)b AS float8[]),
                  CAST(%(last_status)b AS integer[]), CAST(%(missed_by)b AS text[]),
                  CAST(%(next_at)b AS float8[]),
                  CAST(%(reasons)b AS text[]))
        AS g (target_id, rule_key, state, since, seq, misses, goods, maintenance_until, last_at,
              last_ms, last_status, missed_by, next_at, reason)
     WHERE s.target_id = g.target_id AND s.rule_key = g.rule_key AND s.seq <= g.seq
"""


async def _update_states(session: AsyncSession, rows: Iterable[StateRow]) -> None:
    given = list(rows)
    healths = [row.health for row in given]
    connection = await session.connection()
    await connection.exec_driver_sql(
        _UPDATE_STATES,
        {
            "targets": [row.target_id for row in given],
            "rules": [row.rule_key for row in given],
            "states": [each.state.value for each in healths],
            "sinces": [each.since for each in healths],
            "seqs": [each.seq for each in healths],
            "misses": [each.misses for each in healths],
            "goods": [each.goods for each in healths],
            "maintenance": [each.maintenance_until for each in healths],
            "last_at": [each.last_at for each in healths],
            "last_ms": [each.last_ms for each in healths],
            "last_status": [each.last_status for each in healths],
            "missed_by": [each.missed_by and each.missed_by.value for each in healths],
            "next_at": [row.next_at for row in given],
            "reasons": [storable(each.reason)[:MAX_REASON] for each in healths],
        },
    )


_INSERT_TRANSITIONS: Final = """
    INSERT INTO health_transitions
           (target_id, rule_key, seq, at, before, after, reason, evidence, request, reply)
    SELECT target_id, rule_key, seq, to_timestamp(at), before, after, reason, evidence, request,
           reply
      FROM unnest(CAST(%(targets)b AS text[]), CAST(%(rules)b AS text[]),
                  CAST(%(seqs)b AS bigint[]), CAST(%(ats)b AS float8[]),
                  CAST(%(befores)b AS text[]), CAST(%(afters)b AS text[]),
                  CAST(%(reasons)b AS text[]), CAST(%(evidence)b AS jsonb[]),
                  CAST(%(requests)b AS bytea[]), CAST(%(replies)b AS bytea[]))
        AS g (target_id, rule_key, seq, at, before, after, reason, evidence, request, reply)
"""


async def _insert_transitions(session: AsyncSession, rows: Sequence[TransitionRow]) -> None:
    connection = await session.connection()
    changes = [row.transition for row in rows]
    await connection.exec_driver_sql(
        _INSERT_TRANSITIONS,
        {
            "targets": [row.state.target_id for row in rows],
            "rules": [row.state.rule_key for row in rows],
            "seqs": [each.seq for each in changes],
            "ats": [each.at for each in changes],
            "befores": [each.before.value for each in changes],
            "afters": [each.after.value for each in changes],
            "reasons": [storable(each.reason)[:MAX_REASON] for each in changes],
            "evidence": [_evidence(row) for row in rows],
            "requests": [row.request and row.request[:MAX_BYTES] for row in rows],
            "replies": [row.reply and row.reply[:MAX_BYTES] for row in rows],
        },
    )


def _evidence(row: TransitionRow) -> Jsonb:
    counters = {"misses": row.transition.misses, "goods": row.transition.goods}
    return Jsonb(storable({**counters, **row.evidence}))
