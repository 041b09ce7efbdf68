"""Who may discover what now: one run per organization, so many per target and hour.

Callers import these from ``storage.discoveries``. Everything here counts across organizations and
needs a session of ``Database.system()``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.discovery_state import FailureReason
from storage.columns import row_of
from storage.engine import require_system_scope
from storage.notify import notify
from storage.tables import Discovery, DiscoveryStatus

__all__ = [
    "CHANNEL",
    "RESULT_LIFETIME",
    "AlreadyRunning",
    "Claimed",
    "NewDiscovery",
    "Resolution",
    "TargetLimited",
    "claim_slot",
    "record_resolution",
]

CHANNEL: Final = "discovery"
RESULT_LIFETIME: Final = timedelta(minutes=10)
"""Contract section 2: how long the status route knows a closed discovery."""
TARGET_WINDOW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDiscovery:
    """A discovery that asks for the slot. ``host`` is lower case, without a trailing dot."""

    id: str
    org_id: str
    host: str
    port: int | None
    transport: str | None
    input: Mapping[str, Any]
    requested_by: str | None
    workflow_id: str
    started_at: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """The slot is taken for this discovery."""

    discovery: Discovery


@dataclass(frozen=True, slots=True)
class AlreadyRunning:
    """The organization's slot is held by this discovery."""

    discovery_id: str


@dataclass(frozen=True, slots=True)
class TargetLimited:
    """The target (host or address) had its runs of the hour; the next one is due in this time."""

    target: str
    retry_after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the one look-up of a discovery gave, as JSON; ``addresses`` are those of ``pinned``."""

    addresses: Sequence[str]
    pinned: Sequence[Mapping[str, Any]]
    srv_records: Sequence[Mapping[str, Any]]
    trail: Sequence[Mapping[str, Any]]


async def claim_slot(
    session: AsyncSession, new: NewDiscovery, *, runs_per_target: int
) -> Claimed | AlreadyRunning | TargetLimited:
    """Start a discovery when its organization runs none and its host had fewer than
    ``runs_per_target`` in the last hour, counted over all organizations.

    Exact however many processes claim at once. A running discovery whose deadline has passed does
    not hold the slot any longer: it becomes ``failed`` with ``INTERRUPTED``.
    """
    require_system_scope(session)
    await _lock(session, [f"discovery of {new.org_id}", _target_lock(new.host)])
    running = await session.scalar(
        select(Discovery).where(
            col(Discovery.org_id) == new.org_id,
            col(Discovery.status) == DiscoveryStatus.RUNNING,
            col(Discovery.deadline_at) > new.started_at,
        )
    )
    if running is not None:
        return AlreadyRunning(running.id)
    retry_after = await _until_allowed(
        session, col(Discovery.host) == new.host, new.started_at, runs_per_target
    )
    if retry_after is not None:
        return TargetLimited(new.host, retry_after)
    await _fail_overdue(session, new.org_id, new.started_at)
    values = {**row_of(new), "input": dict(new.input)}
    discovery = Discovery(status=DiscoveryStatus.RUNNING, **values)
    session.add(discovery)
    await session.flush()
    return Claimed(discovery)


async def record_resolution(
    session: AsyncSession,
    discovery_id: str,
    resolution: Resolution,
    *,
    now: datetime,
    runs_per_target: int,
) -> Discovery | TargetLimited | None:
    """Pin what the host resolved to, once.

    Returns the discovery with its pinned targets, which stay those of the first call whatever a
    later one brings; ``TargetLimited`` when one of the addresses had ``runs_per_target`` other runs
    in the last hour, under whatever name; ``None`` when the discovery is not running.
    """
    require_system_scope(session)
    await _lock(session, map(_target_lock, resolution.addresses))
    discovery: Discovery | None = await session.scalar(
        select(Discovery)
        .where(col(Discovery.id) == discovery_id, col(Discovery.status) == DiscoveryStatus.RUNNING)
        .with_for_update()
    )
    if discovery is None or discovery.pinned is not None:
        return discovery
    for address in resolution.addresses:
        retry_after = await _until_allowed(
            session, col(Discovery.addresses).contains([address]), now, runs_per_target
        )
        if retry_after is not None:
            return TargetLimited(address, retry_after)
    discovery.addresses = list(resolution.addresses)
    discovery.pinned = [dict(target) for target in resolution.pinned]
    discovery.srv_records = [dict(record) for record in resolution.srv_records]
    discovery.trail = [dict(lookup) for lookup in resolution.trail]
    await session.flush()
    await notify(session, CHANNEL, discovery_id)
    return discovery


async def _until_allowed(
    session: AsyncSession, same_target: ColumnElement[bool], now: datetime, limit: int
) -> timedelta | None:
    """How long until the window holds fewer than ``limit`` runs; ``None`` when it does now."""
    # With this run gone from the window, ``limit - 1`` are left in it.
    last_that_counts = await session.scalar(
        select(col(Discovery.started_at))
        .where(same_target, col(Discovery.started_at) > now - TARGET_WINDOW)
        .order_by(col(Discovery.started_at).desc())
        .offset(limit - 1)
        .limit(1)
    )
    return None if last_that_counts is None else last_that_counts + TARGET_WINDOW - now


async def _fail_overdue(session: AsyncSession, org_id: str, now: datetime) -> None:
    failed = await session.scalar(
        update(Discovery)
        .where(col(Discovery.org_id) == org_id, col(Discovery.status) == DiscoveryStatus.RUNNING)
        .values(
            status=DiscoveryStatus.FAILED,
            error_code=FailureReason.INTERRUPTED,
            error_message="The discovery did not end in time. Run it again.",
            completed_at=now,
            expires_at=now + RESULT_LIFETIME,
        )
        .returning(col(Discovery.id))
    )
    if failed is not None:
        await notify(session, CHANNEL, failed)


def _target_lock(target: str) -> str:
    return f"discovery target {target}"


async def _lock(session: AsyncSession, names: Iterable[str]) -> None:
    """Take these locks until the transaction ends; in one order, so that no two wait in a ring."""
    for name in sorted(set(names)):
        await session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        )
