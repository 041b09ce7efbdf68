"""Whom a change concerns: the trunks that use a target, and the shards that probe it.

Everything about health that locks more than one thing does it in this order, so that of two
transactions none waits for the other: names and targets by id, states, streams of trunks, shards,
streams of monitors.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox
from storage.outbox import NewEntry
from storage.trunks import stream_of

__all__ = [
    "MONITOR_WANTED",
    "TRUNK_FACTS",
    "Users",
    "change_shards",
    "lock_ids",
    "monitor_stream",
    "nudge",
    "users_of_name",
    "want_monitors",
]

TRUNK_FACTS: Final = "trunk_facts"
"""Kind of the outbox entry that makes a trunk look at its picture again: ``{"trunk_id"}``."""

MONITOR_WANTED: Final = "monitor_wanted"
"""Kind of the outbox entry for a shard that has something to probe: ``{"shard"}``."""

Users = Mapping[str, str]
"""Organizations by the ids of their trunks."""


def monitor_stream(shard: int) -> str:
    """The outbox stream of a shard's monitor."""
    return f"health-monitor:{shard}"


async def lock_ids(session: AsyncSession, ids: Collection[str]) -> None:
    """Let nobody else place, resolve or collect these names and targets until the end."""
    await session.execute(
        text(
            "SELECT pg_advisory_xact_lock(hashtextextended('health ' || id, 0)) "
            "FROM unnest(CAST(:ids AS text[])) AS id"
        ),
        {"ids": sorted(ids)},
    )


async def users_of_name(session: AsyncSession, name_id: str) -> Users:
    """The trunks that have an endpoint of this name."""
    found = await session.execute(
        text("SELECT DISTINCT trunk_id, org_id FROM trunk_endpoints WHERE name_id = :name"),
        {"name": name_id},
    )
    return {row[0]: row[1] for row in found}


async def nudge(session: AsyncSession, users: Users) -> None:
    """Make these trunks look at their pictures again after the commit. Needs the system scope, or
    that of the one organization.

    A nudge that waits for its delivery serves this change too; one that is being delivered may have
    been looked after already. A relay holds what it delivers, so a row that can be locked here is
    not under way, and cannot be before the commit.
    """
    streams = {stream_of(trunk_id): trunk_id for trunk_id in users}
    await outbox.lock_streams(session, streams)
    waiting = await session.scalars(
        text(
            "SELECT stream FROM outbox WHERE stream = ANY(CAST(:streams AS text[])) "
            "AND delivered_at IS NULL AND kind = :kind FOR UPDATE SKIP LOCKED"
        ),
        {"streams": sorted(streams), "kind": TRUNK_FACTS},
    )
    left = streams.keys() - set(waiting)
    await outbox.append_each(
        session,
        [
            NewEntry(
                org_id=users[streams[stream]],
                stream=stream,
                kind=TRUNK_FACTS,
                payload={"trunk_id": streams[stream]},
            )
            for stream in sorted(left)
        ],
    )


async def change_shards(session: AsyncSession, shards: Collection[int]) -> None:
    """Tell the holders of these shards that what they probe has changed."""
    await session.execute(
        text(
            """
            INSERT INTO health_shards (shard, config_revision)
            SELECT shard, 1 FROM unnest(CAST(:shards AS smallint[])) AS shard
                ON CONFLICT (shard) DO UPDATE
               SET config_revision = health_shards.config_revision + 1
            """
        ),
        {"shards": sorted(shards)},
    )


async def want_monitors(session: AsyncSession, org_id: str, shards: Collection[int]) -> None:
    """Have the monitors of these shards started, unless they run already."""
    await outbox.append_each(
        session,
        [
            NewEntry(
                org_id=org_id,
                stream=monitor_stream(shard),
                kind=MONITOR_WANTED,
                payload={"shard": shard},
            )
            for shard in sorted(shards)
        ],
    )
