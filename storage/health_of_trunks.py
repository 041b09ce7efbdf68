"""The states of trunks, kept up with those of their targets: a trunk is as good as its best one.

Lists show them for thousands of numbers at once, so they are rows; and a trunk may have hundreds of
targets of which every one changes in the same minute, so a change looks at the others only when it
took away what the trunk was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health_observation import HealthState
from domain.trunk_health import BEST_FIRST
from storage import outbox
from storage.health_facts import Users
from storage.trunks import stream_of

__all__ = [
    "StateChange",
    "StateOfTrunk",
    "follow",
    "refresh",
    "state_of_trunk",
    "states_of_trunks",
]


@dataclass(frozen=True, slots=True)
class StateOfTrunk:
    """What a trunk is, and since when."""

    state: HealthState
    since: datetime | None


async def state_of_trunk(session: AsyncSession, trunk_id: str) -> StateOfTrunk | None:
    """Where a trunk stands; ``None`` when nothing of it is probed."""
    found = await session.execute(
        text("SELECT state, since FROM trunk_health WHERE trunk_id = :trunk_id"),
        {"trunk_id": trunk_id},
    )
    row = found.one_or_none()
    return None if row is None else StateOfTrunk(HealthState(row.state), row.since)


async def states_of_trunks(session: AsyncSession, trunks: Iterable[str]) -> dict[str, HealthState]:
    """Where these trunks stand; one of which nothing is probed is not there."""
    found = await session.execute(
        text(
            "SELECT trunk_id, state FROM trunk_health WHERE trunk_id = ANY(CAST(:trunks AS text[]))"
        ),
        {"trunks": sorted(trunks)},
    )
    return {row[0]: HealthState(row[1]) for row in found}


@dataclass(frozen=True, slots=True)
class StateChange:
    """A target's change of state by a rule."""

    target_id: str
    rule_key: str
    before: HealthState
    after: HealthState


@dataclass(slots=True)
class _Trunk:
    """What changed under one trunk."""

    org_id: str
    before: set[HealthState] = field(default_factory=set)
    after: set[HealthState] = field(default_factory=set)

    def next_of(self, present: HealthState | None) -> HealthState | None:
        """The trunk's state after the changes; ``None`` when the other targets must be asked."""
        best = min(self.after, key=BEST_FIRST.index)
        if present is None:
            return None
        if BEST_FIRST.index(best) <= BEST_FIRST.index(present):
            return best
        return None if present in self.before else present


async def follow(session: AsyncSession, changes: Sequence[StateChange]) -> Users:
    """Bring the trunks up to date that use these targets, whose states are written already, each at
    most once; they are returned. Needs the system scope."""
    trunks = await _changed(session, changes)
    users = {trunk_id: trunk.org_id for trunk_id, trunk in trunks.items()}
    await _lock(session, users)
    present = await states_of_trunks(session, users)
    unclear: dict[str, str] = {}
    decided: dict[str, HealthState] = {}
    for trunk_id, trunk in trunks.items():
        state = trunk.next_of(present.get(trunk_id))
        if state is None:
            unclear[trunk_id] = trunk.org_id
        elif state is not present.get(trunk_id):
            decided[trunk_id] = state
    await _decide(session, users, decided)
    await refresh(session, unclear)
    return users


# A name that leads nowhere is down: no call can be sent there. Most trunks have a healthy target,
# and the first that is found is enough. Row-level security misleads the planner about how many rows
# there are; subqueries with LIMIT or OFFSET it can only carry out by index, for one trunk at a time.
_TARGETS: Final = """
    FROM trunk_endpoints e
    JOIN health_name_targets l ON l.name_id = e.name_id
    JOIN health_states s ON s.target_id = l.target_id AND s.rule_key = e.rule_key
   WHERE e.trunk_id = u.trunk_id AND e.org_id = u.org_id
"""
_ORDER: Final = ", ".join(f"'{state.value}'" for state in BEST_FIRST)
_REFRESH = text(
    f"""
    INSERT INTO trunk_health (org_id, trunk_id, state, since)
    SELECT u.org_id, u.trunk_id,
           coalesce(
                (SELECT s.state {_TARGETS} AND s.state = 'healthy' LIMIT 1),
                (SELECT s.state {_TARGETS} AND s.state <> 'unchecked'
                  ORDER BY array_position(ARRAY[{_ORDER}], s.state) LIMIT 1),
                (SELECT 'down' FROM trunk_endpoints e JOIN health_names n ON n.id = e.name_id
                  WHERE e.trunk_id = u.trunk_id AND e.org_id = u.org_id AND n.error IS NOT NULL
                    AND NOT EXISTS (SELECT FROM health_name_targets l WHERE l.name_id = n.id)
                  LIMIT 1),
                'unchecked'), now()
      FROM unnest(CAST(:orgs AS text[]), CAST(:trunks AS text[])) AS u (org_id, trunk_id)
     CROSS JOIN LATERAL (
        SELECT FROM trunk_endpoints e
         WHERE e.trunk_id = u.trunk_id AND e.org_id = u.org_id LIMIT 1) AS used
        ON CONFLICT (trunk_id) DO UPDATE
       SET state = excluded.state, since = excluded.since
     WHERE trunk_health.state <> excluded.state
    """
)


async def refresh(session: AsyncSession, users: Users) -> None:
    """Ask all targets of these trunks how the trunks stand."""
    if not users:
        return
    await _lock(session, users)
    trunks = sorted(users)
    await session.execute(_REFRESH, {"orgs": [users[each] for each in trunks], "trunks": trunks})


async def _lock(session: AsyncSession, users: Users) -> None:
    """Of two transactions that each take one of a trunk's targets down, the second then sees what
    the first wrote."""
    await outbox.lock_streams(session, [stream_of(trunk_id) for trunk_id in users])


async def _changed(session: AsyncSession, changes: Sequence[StateChange]) -> dict[str, _Trunk]:
    found = await session.execute(
        text(
            """
            SELECT DISTINCT e.trunk_id, e.org_id, c.before, c.after
              FROM unnest(CAST(:targets AS text[]), CAST(:rules AS text[]),
                          CAST(:befores AS text[]), CAST(:afters AS text[]))
                AS c (target, rule, before, after)
             CROSS JOIN LATERAL (
                SELECT name_id FROM health_name_targets WHERE target_id = c.target OFFSET 0) AS l
             CROSS JOIN LATERAL (
                SELECT trunk_id, org_id FROM trunk_endpoints
                 WHERE name_id = l.name_id AND rule_key = c.rule OFFSET 0) AS e
            """
        ),
        {
            "targets": [each.target_id for each in changes],
            "rules": [each.rule_key for each in changes],
            "befores": [each.before.value for each in changes],
            "afters": [each.after.value for each in changes],
        },
    )
    trunks: dict[str, _Trunk] = {}
    for trunk_id, org_id, before, after in found:
        trunk = trunks.setdefault(trunk_id, _Trunk(org_id))
        trunk.before.add(HealthState(before))
        trunk.after.add(HealthState(after))
    return trunks


async def _decide(session: AsyncSession, users: Users, decided: Mapping[str, HealthState]) -> None:
    if not decided:
        return
    trunks = sorted(decided)
    await session.execute(
        text(
            """
            UPDATE trunk_health h SET state = d.state, since = now()
              FROM unnest(CAST(:orgs AS text[]), CAST(:trunks AS text[]), CAST(:states AS text[]))
                AS d (org_id, trunk_id, state)
             WHERE h.org_id = d.org_id AND h.trunk_id = d.trunk_id
            """
        ),
        {
            "orgs": [users[each] for each in trunks],
            "trunks": trunks,
            "states": [decided[each].value for each in trunks],
        },
    )
