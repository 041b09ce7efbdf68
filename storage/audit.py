"""The audit log: entries are added in the transaction of the change they tell of, and stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.columns import Json, StorableText
from storage.tables import AuditEntry

__all__ = ["Actor", "Change", "append", "append_each", "entries"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted: ``api_key`` and its id, ``command``, ``workflow`` and its id, ``system``."""

    kind: str
    id: str | None = None


async def append(
    session: AsyncSession,
    *,
    org_id: str,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: str,
    request_id: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> int:
    """Add an entry; returns its number.

    ``action`` is ``subject.verb`` such as ``api_key.revoke``; ``before`` and ``after`` are the
    changed fields as JSON, without secrets.
    """
    entry = AuditEntry(
        org_id=org_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        request_id=request_id,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
    )
    session.add(entry)
    await session.flush()
    return entry.id


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one subject: the changed fields as JSON, without secrets."""

    subject_id: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


async def append_each(
    session: AsyncSession,
    *,
    org_id: str,
    actor: Actor,
    action: str,
    subject_kind: str,
    changes: Sequence[Change],
    request_id: str | None = None,
) -> None:
    """Add an entry for each subject that one action changed, in one round trip."""
    if not changes:
        return
    await session.execute(
        _APPEND_EACH,
        {
            "org_id": org_id,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "action": action,
            "subject_kind": subject_kind,
            "request_id": request_id,
            "changes": [
                {"subject_id": each.subject_id, "before": each.before, "after": each.after}
                for each in changes
            ],
        },
    )


# One statement with one parameter for all rows: a hundred numbers are attached in one request.
_APPEND_EACH = text(
    """
    INSERT INTO audit_log (org_id, actor_kind, actor_id, action, subject_kind, request_id,
                           subject_id, before, after)
    SELECT :org_id, :actor_kind, :actor_id, :action, :subject_kind, :request_id,
           change.subject_id, change.before, change.after
      FROM jsonb_to_recordset(:changes) AS change (subject_id text, before jsonb, after jsonb)
    """
).bindparams(bindparam("changes", type_=Json()), bindparam("request_id", type_=StorableText()))


async def entries(
    session: AsyncSession,
    org_id: str,
    *,
    limit: int,
    before_id: int | None = None,
    subject_id: str | None = None,
) -> list[AuditEntry]:
    """The organization's entries, newest first; pages go on with the last ``id`` as ``before_id``."""
    query = select(AuditEntry).where(col(AuditEntry.org_id) == org_id)
    if subject_id is not None:
        query = query.where(col(AuditEntry.subject_id) == subject_id)
    if before_id is not None:
        query = query.where(col(AuditEntry.id) < before_id)
    return list(await session.scalars(query.order_by(col(AuditEntry.id).desc()).limit(limit)))
