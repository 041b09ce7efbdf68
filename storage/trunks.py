"""Trunks: found by their settings or made, changed, and gone when nothing is bound to them.

Every function that writes needs the organization's configuration to be locked (``lock``) in the
same transaction: what was read then still holds, and no two writers wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.trunk import TrunkOptions, TrunkProfile, TrunkSecrets
from domain.trunk_config import AlertConfig, FailoverConfig
from storage import outbox
from storage.ids import new_id
from storage.tables import NumberBinding, Trunk
from storage.trunk_vault import TrunkVault

__all__ = [
    "CHANGED",
    "Place",
    "adopt",
    "announce",
    "by_ids",
    "create",
    "find_implicit",
    "get",
    "lock",
    "profile_of",
    "remove",
    "remove_emptied",
    "replace",
    "stream_of",
]

LOCK_WAIT = timedelta(seconds=5)
"""A change takes milliseconds: who waits longer than this waits for something that hangs."""

CHANGED = "trunk.changed"
"""Kind of the outbox entry of a new revision: ``{"trunk_id", "revision", "removed"}``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trunk stands in the list of named trunks, which is there although the trunk may go."""

    created_at: datetime
    trunk_id: str


async def lock(session: AsyncSession, org_id: str, *, wait: timedelta = LOCK_WAIT) -> None:
    """Let nobody else change this organization's trunks and numbers until the transaction ends.

    This and every later wait for a lock in the transaction raises ``DatabaseUnavailable`` (from the
    session's context) after ``wait``.
    """
    await session.execute(
        text(
            "SELECT set_config('lock_timeout', :wait, true), "
            "pg_advisory_xact_lock(hashtextextended(:name, 0))"
        ),
        {
            "wait": f"{int(wait.total_seconds() * 1000)}ms",
            "name": f"configuration {org_id}",
        },
    )


async def get(session: AsyncSession, org_id: str, trunk_id: str) -> Trunk | None:
    """The organization's trunk, named or implicit."""
    found = await by_ids(session, org_id, [trunk_id])
    return found.get(trunk_id)


async def by_ids(
    session: AsyncSession, org_id: str, trunk_ids: Collection[str]
) -> dict[str, Trunk]:
    """The organization's trunks with these ids."""
    if not trunk_ids:
        return {}
    found = await session.scalars(
        select(Trunk)
        .where(col(Trunk.org_id) == org_id, col(Trunk.id).in_(trunk_ids))
        .execution_options(populate_existing=True)
    )
    return {trunk.id: trunk for trunk in found}


async def find_implicit(session: AsyncSession, org_id: str, fingerprint: bytes) -> Trunk | None:
    """The implicit trunk with exactly these settings."""
    found: Trunk | None = await session.scalar(
        select(Trunk).where(
            col(Trunk.org_id) == org_id,
            col(Trunk.fingerprint) == fingerprint,
            col(Trunk.implicit),
        )
    )
    return found


async def create(
    session: AsyncSession,
    vault: TrunkVault,
    org_id: str,
    profile: TrunkProfile,
    secrets: TrunkSecrets,
    *,
    name: str | None = None,
    provider: str | None = None,
) -> Trunk:
    """A new trunk: a named one, or without ``name`` an implicit one."""
    trunk = Trunk(
        id=new_id("trk"),
        org_id=org_id,
        implicit=name is None,
        name=name,
        provider=provider,
        fingerprint=vault.fingerprint(org_id, profile, secrets),
        **_columns_of(profile),
        **asdict(vault.seal(org_id, profile, secrets)),
    )
    session.add(trunk)
    await session.flush()
    return trunk


async def replace(
    session: AsyncSession,
    vault: TrunkVault,
    trunk: Trunk,
    profile: TrunkProfile,
    secrets: TrunkSecrets,
    *,
    name: str,
    provider: str,
) -> None:
    """Give a trunk other settings, for everything that is bound to it; from then on it is named.

    ``trunk`` shows the new settings afterwards.
    """
    await session.scalars(
        update(Trunk)
        .where(col(Trunk.org_id) == trunk.org_id, col(Trunk.id) == trunk.id)
        .values(
            implicit=False,
            name=name,
            provider=provider,
            fingerprint=vault.fingerprint(trunk.org_id, profile, secrets),
            updated_at=func.now(),
            **_columns_of(profile),
            **asdict(vault.seal(trunk.org_id, profile, secrets)),
        )
        .returning(Trunk)
        .execution_options(populate_existing=True)
    )


async def remove(session: AsyncSession, org_id: str, trunk_id: str) -> None:
    """Delete a trunk; whatever is bound to it must be bound to another one by the commit."""
    await session.execute(
        delete(Trunk)
        .where(col(Trunk.org_id) == org_id, col(Trunk.id) == trunk_id)
        .execution_options(synchronize_session=False)
    )


def profile_of(trunk: Trunk) -> TrunkProfile:
    """The trunk's settings without its passwords."""
    return TrunkProfile(
        direction=trunk.direction,
        sip_endpoint=trunk.sip_endpoint,
        auth_mode=trunk.auth_mode,
        register_username=trunk.register_username,
        options=TrunkOptions.model_validate(trunk.options),
        headers=trunk.headers,
        failover=None if trunk.failover is None else FailoverConfig.model_validate(trunk.failover),
        alerts=None if trunk.alerts is None else AlertConfig.model_validate(trunk.alerts),
    )


async def announce(
    session: AsyncSession,
    org_id: str,
    *,
    created: Collection[str] = (),
    changed: Collection[str] = (),
    removed: Sequence[Trunk] = (),
) -> None:
    """Tell the trunks' workflows of new revisions, each once and in order.

    A created trunk has revision 1 already; of the others every call makes a new one.
    """
    revisions = dict.fromkeys(created, 1)
    touched = set(changed) - set(created) - {trunk.id for trunk in removed}
    if touched:
        counted = await session.execute(
            update(Trunk)
            .where(col(Trunk.org_id) == org_id, col(Trunk.id).in_(touched))
            .values(revision=col(Trunk.revision) + 1)
            .returning(col(Trunk.id), col(Trunk.revision))
            .execution_options(synchronize_session=False)
        )
        revisions |= {row.id: row.revision for row in counted}
    news = [
        *(_news(org_id, trunk_id, revision) for trunk_id, revision in revisions.items()),
        *(_news(org_id, trunk.id, trunk.revision + 1, removed=True) for trunk in removed),
    ]
    await outbox.append_each(session, news)


async def remove_emptied(
    session: AsyncSession, org_id: str, trunk_ids: Collection[str]
) -> list[Trunk]:
    """Of these trunks, delete the implicit ones that nothing is bound to; returns them."""
    if not trunk_ids:
        return []
    bound = (
        select(col(NumberBinding.id))
        .where(col(NumberBinding.org_id) == org_id, col(NumberBinding.trunk_id) == col(Trunk.id))
        .exists()
    )
    gone = await session.scalars(
        delete(Trunk)
        .where(
            col(Trunk.org_id) == org_id, col(Trunk.id).in_(trunk_ids), col(Trunk.implicit), ~bound
        )
        .returning(Trunk)
        .execution_options(synchronize_session=False)
    )
    return list(gone)


async def adopt(session: AsyncSession, org_id: str, trunk_id: str, revision: int) -> None:
    """Note that the trunk's workflow goes by this revision; an older one changes nothing.

    The only write that needs no lock: nobody else writes the column.
    """
    await session.execute(
        update(Trunk)
        .where(
            col(Trunk.org_id) == org_id,
            col(Trunk.id) == trunk_id,
            col(Trunk.adopted_revision) < revision,
        )
        .values(adopted_revision=revision)
        .execution_options(synchronize_session=False)
    )


def stream_of(trunk_id: str) -> str:
    """The outbox stream in which a trunk's revisions keep their order."""
    return f"trunk:{trunk_id}"


def _news(org_id: str, trunk_id: str, revision: int, *, removed: bool = False) -> outbox.NewEntry:
    return outbox.NewEntry(
        org_id=org_id,
        stream=stream_of(trunk_id),
        kind=CHANGED,
        payload={"trunk_id": trunk_id, "revision": revision, "removed": removed},
    )


def _columns_of(profile: TrunkProfile) -> dict[str, Any]:
    return {
        "direction": profile.direction,
        "sip_endpoint": profile.sip_endpoint,
        "auth_mode": profile.auth_mode,
        "register_username": profile.register_username,
        "options": profile.options.model_dump(mode="json", exclude_none=True),
        "headers": profile.headers,
        "failover": _stored(profile.failover),
        "alerts": _stored(profile.alerts),
    }


def _stored(value: FailoverConfig | AlertConfig | None) -> dict[str, Any] | None:
    return None if value is None else value.model_dump(mode="json", exclude_none=True)
