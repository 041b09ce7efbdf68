"""Alerts as rows: which organizations are to be decided about, and what was decided.

Whoever changes alerts of an organization holds ``lock``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.alert_state import Alert
from storage import outbox
from storage.engine import require_system_scope
from storage.outbox import NewEntry
from storage.tables import AlertRow

__all__ = [
    "ALERT_CHANGED",
    "alert_of",
    "claim",
    "due_organizations",
    "get",
    "lock",
    "note_decided",
    "page",
    "purge",
    "save",
    "standing",
    "start_trial",
    "tell",
]

ALERT_CHANGED: Final = "alert_changed"
"""Kind of the outbox entry that makes an alert's workflow look: ``{"alert_id"}``, with ``"trial"`` when
the id is that of a trial."""


async def due_organizations(
    session: AsyncSession, *, now: datetime, pressing_since: datetime, limit: int
) -> list[str]:
    """Organizations to decide about: whose time has come, and those with an open alert or a trunk that
    is down which were not decided about since ``pressing_since``."""
    require_system_scope(session)
    found = await session.scalars(
        _DUE, {"now": now, "pressing_since": pressing_since, "limit": limit}
    )
    return list(found)


async def claim(session: AsyncSession, org_id: str, *, now: datetime, since: datetime) -> bool:
    """Hold the organization until the transaction ends; false when another process holds it or has
    decided about it after ``since``."""
    await session.execute(_WATCH, {"org_id": org_id, "now": now})
    return await session.scalar(_CLAIM, {"org_id": org_id, "since": since}) is not None


async def lock(session: AsyncSession, org_id: str) -> None:
    """Let nobody else change the organization's alerts until the transaction ends: decisions, what was
    told, and acknowledgements are parts of one document."""
    await session.execute(_LOCK, {"org_id": org_id})


async def note_decided(
    session: AsyncSession, org_id: str, *, now: datetime, due_at: datetime
) -> None:
    """Let the organization wait until ``due_at``."""
    await session.execute(_DECIDED, {"org_id": org_id, "now": now, "due_at": due_at})


async def standing(session: AsyncSession, org_id: str, *, since: datetime) -> list[Alert]:
    """The organization's alerts that are open, or were resolved after ``since``, the first first."""
    rows = await session.scalars(
        select(AlertRow)
        .where(
            col(AlertRow.org_id) == org_id,
            or_(col(AlertRow.resolved_at).is_(None), col(AlertRow.resolved_at) >= since),
        )
        .order_by(col(AlertRow.opened_at), col(AlertRow.id))
    )
    return [alert_of(row) for row in rows]


async def get(session: AsyncSession, alert_id: str, *, for_update: bool = False) -> Alert | None:
    """The alert, in any scope that sees it."""
    row = await session.get(AlertRow, alert_id, with_for_update=for_update or None)
    return None if row is None else alert_of(row)


async def page(
    session: AsyncSession,
    *,
    limit: int,
    before: tuple[datetime, str] | None = None,
    is_open: bool | None = None,
) -> list[Alert]:
    """The tenant's alerts, the newest first, from behind the one that opened then; with ``is_open`` only
    those that are open, or only those that are over."""
    query = select(AlertRow)
    if is_open is not None:
        resolved = col(AlertRow.resolved_at)
        query = query.where(resolved.is_(None) if is_open else resolved.is_not(None))
    if before is not None:
        at, alert_id = before
        behind = (col(AlertRow.opened_at) == at) & (col(AlertRow.id) < alert_id)
        query = query.where((col(AlertRow.opened_at) < at) | behind)
    newest = query.order_by(col(AlertRow.opened_at).desc(), col(AlertRow.id).desc())
    return [alert_of(row) for row in await session.scalars(newest.limit(limit))]


async def save(session: AsyncSession, alerts: Iterable[Alert]) -> None:
    """Write alerts, new ones and new versions of known ones; in any scope that may."""
    rows = [
        {
            "id": alert.alert_id,
            "org_id": alert.org_id,
            "kind": alert.kind.value,
            "severity": alert.severity.value,
            "opened_at": alert.opened_at,
            "changed_at": alert.changed_at,
            "resolved_at": alert.resolved_at,
            "document": alert.model_dump(mode="json"),
        }
        for alert in alerts
    ]
    if rows:
        new = insert(AlertRow).values(rows)
        changes = {
            name: new.excluded[name] for name in rows[0] if name not in ("id", "org_id", "kind")
        }
        await session.execute(new.on_conflict_do_update(index_elements=["id"], set_=changes))


async def tell(session: AsyncSession, alerts: Sequence[Alert]) -> None:
    """Have the workflows of these alerts look at them after the commit."""
    await outbox.append_each(
        session,
        [
            NewEntry(
                org_id=alert.org_id,
                stream=f"alert:{alert.alert_id}",
                kind=ALERT_CHANGED,
                payload={"alert_id": alert.alert_id},
            )
            for alert in alerts
        ],
    )


async def start_trial(session: AsyncSession, org_id: str, trial_id: str) -> None:
    """Have a workflow send the messages of a trial after the commit."""
    await outbox.append_each(
        session,
        [
            NewEntry(
                org_id=org_id,
                stream=f"alert:{trial_id}",
                kind=ALERT_CHANGED,
                payload={"alert_id": trial_id, "trial": True},
            )
        ],
    )


async def purge(session: AsyncSession, *, resolved_before: datetime) -> None:
    """Forget alerts that were over by then, with their deliveries."""
    require_system_scope(session)
    await session.execute(_PURGE, {"before": resolved_before})
    await session.execute(_PURGE_TRIALS, {"before": resolved_before})


def alert_of(row: AlertRow) -> Alert:
    """The alert of a row."""
    return Alert.model_validate(row.document)


_ENABLED = "t.alerts IS NOT NULL AND coalesce(CAST(t.alerts ->> 'enabled' AS boolean), true)"

_DUE = text(
    f"""
    SELECT o.id
      FROM organizations o LEFT JOIN alert_watch w ON w.org_id = o.id
     WHERE (w.org_id IS NULL
            OR w.due_at <= :now
            OR (w.decided_at <= :pressing_since
                AND (EXISTS (SELECT FROM alerts a
                              WHERE a.org_id = o.id AND a.resolved_at IS NULL)
                     OR EXISTS (SELECT FROM trunk_health h
                                 WHERE h.org_id = o.id AND h.state = 'down'))))
       AND (EXISTS (SELECT FROM trunks t WHERE t.org_id = o.id AND {_ENABLED})
            OR EXISTS (SELECT FROM alerts a WHERE a.org_id = o.id AND a.resolved_at IS NULL))
     ORDER BY w.decided_at NULLS FIRST
     LIMIT :limit
    """
)

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('alerts ' || :org_id, 0))")

_WATCH = text(
    "INSERT INTO alert_watch (org_id, due_at) "
    "SELECT id, :now FROM organizations WHERE id = :org_id ON CONFLICT DO NOTHING"
)

_CLAIM = text(
    "SELECT org_id FROM alert_watch WHERE org_id = :org_id "
    "AND (decided_at IS NULL OR decided_at <= :since) FOR UPDATE SKIP LOCKED"
)

_DECIDED = text("UPDATE alert_watch SET decided_at = :now, due_at = :due_at WHERE org_id = :org_id")

_PURGE = text("DELETE FROM alerts WHERE resolved_at < :before")

_PURGE_TRIALS = text("DELETE FROM alert_deliveries WHERE alert_id IS NULL AND created_at < :before")
