"""How calls ended: told by who placed them, noted by who watches the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.health_observation import Observed
from sip.transports import Transport
from storage.columns import storable
from storage.engine import require_system_scope
from storage.health_facts import nudge

__all__ = [
    "NewObservation",
    "ObservationRow",
    "TrunkCall",
    "add_observation",
    "calls_of_trunk",
    "new_observations",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObservation:
    """How a call of a trunk ended.

    ``host``, ``port`` and ``transport`` are the endpoint's as it was configured, ``address``,
    ``target_port`` and ``target_transport`` where the call went, as far as it came. ``sign`` is
    what the call says of the endpoint (``domain.failover_picture.CallSign``), ``status`` the final
    response to the INVITE.
    """

    org_id: str
    trunk_id: str
    at: datetime
    host: str
    port: int | None
    transport: Transport | None
    address: str | None = None
    target_port: int | None = None
    target_transport: Transport | None = None
    kind: Observed = Observed.CALL
    sign: str
    status: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ObservationRow:
    """How a call to a target ended."""

    id: int
    shard: int
    target_id: str
    at: datetime
    kind: Observed
    sign: str
    status: int | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class TrunkCall:
    """How a call of a trunk ended; the endpoint as it was configured."""

    at: datetime
    host: str
    port: int | None
    transport: Transport | None
    sign: str
    status: int | None


async def add_observation(session: AsyncSession, new: NewObservation) -> None:
    """Note how a call ended, for the target that it went to and for the trunk, which is nudged.

    Needs the organization's session.
    """
    await session.execute(
        text(
            """
            INSERT INTO health_observations (org_id, trunk_id, shard, target_id, at, host, port,
                                             transport, kind, sign, status, detail)
            SELECT :org_id, :trunk_id, found.shard, found.id, :at, :host, :port, :transport, :kind,
                   :sign, :status, :detail
              FROM (SELECT 1) AS one
              LEFT JOIN LATERAL (
                SELECT t.id, t.shard
                  FROM trunk_endpoints e
                  JOIN health_names n ON n.id = e.name_id
                  JOIN health_name_targets l ON l.name_id = n.id
                  JOIN health_targets t ON t.id = l.target_id
                 WHERE e.org_id = :org_id AND e.trunk_id = :trunk_id
                   AND n.host = :host
                   AND n.port IS NOT DISTINCT FROM CAST(:port AS integer)
                   AND n.transport IS NOT DISTINCT FROM CAST(:transport AS text)
                   AND t.address = :address AND t.port = :target_port
                   AND t.transport = :target_transport
                 ORDER BY e.position LIMIT 1) AS found ON true
            """
        ),
        {
            "org_id": new.org_id,
            "trunk_id": new.trunk_id,
            "at": new.at,
            "host": new.host,
            "port": new.port,
            "transport": new.transport and new.transport.value,
            "address": new.address,
            "target_port": new.target_port,
            "target_transport": new.target_transport and new.target_transport.value,
            "kind": new.kind.value,
            "sign": new.sign,
            "status": new.status,
            "detail": storable(new.detail),
        },
    )
    await nudge(session, {new.trunk_id: new.org_id})


async def new_observations(
    session: AsyncSession, fences: Mapping[int, int], now: datetime
) -> list[ObservationRow]:
    """The calls to targets of these shards that nobody took note of yet, in the order of their
    numbers; from the commit on they are noted.

    A shard that another process has taken has none here. Needs the system scope.
    """
    require_system_scope(session)
    found = await session.execute(
        text(
            """
            UPDATE health_observations o SET seen_at = :now
              FROM health_shards s
              JOIN unnest(CAST(:shards AS smallint[]), CAST(:fences AS bigint[]))
                AS f (shard, fence) ON f.shard = s.shard AND f.fence = s.fence
             WHERE o.shard = s.shard AND o.seen_at IS NULL
            RETURNING o.id, o.shard, o.target_id, o.at, o.kind, o.sign, o.status, o.detail
            """
        ),
        {"shards": list(fences), "fences": list(fences.values()), "now": now},
    )
    rows = [
        ObservationRow(
            row.id,
            row.shard,
            row.target_id,
            row.at,
            Observed(row.kind),
            row.sign,
            row.status,
            row.detail,
        )
        for row in found
    ]
    return sorted(rows, key=lambda row: row.id)


async def calls_of_trunk(
    session: AsyncSession, trunk_id: str, *, since: datetime, limit: int
) -> list[TrunkCall]:
    """The newest calls of a trunk that ended after ``since``, the oldest first."""
    found = await session.execute(
        text(
            "SELECT at, host, port, transport, sign, status FROM health_observations "
            "WHERE trunk_id = :trunk_id AND at > :since ORDER BY id DESC LIMIT :limit"
        ),
        {"trunk_id": trunk_id, "since": since, "limit": limit},
    )
    rows = [
        TrunkCall(
            row.at,
            row.host,
            row.port,
            None if row.transport is None else Transport(row.transport),
            row.sign,
            row.status,
        )
        for row in found
    ]
    return rows[::-1]
