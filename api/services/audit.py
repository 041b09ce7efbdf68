"""The audit entry of a change, added in the change's own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.services.actor import Actor
from storage import audit

__all__ = ["record", "record_each"]


async def record(
    session: AsyncSession,
    actor: Actor,
    *,
    org_id: str,
    action: str,
    subject: tuple[str, str],
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Say who did what to whom.

    ``action`` is ``subject.verb``, ``subject`` its kind and id; ``before`` and ``after`` hold the changed
    fields as JSON, never a secret.
    """
    kind, subject_id = subject
    await audit.append(
        session,
        org_id=org_id,
        actor=audit.Actor(actor.kind, actor.id),
        action=action,
        subject_kind=kind,
        subject_id=subject_id,
        request_id=actor.request_id,
        before=before,
        after=after,
    )


async def record_each(
    session: AsyncSession,
    actor: Actor,
    *,
    org_id: str,
    action: str,
    subject_kind: str,
    changes: Sequence[audit.Change],
) -> None:
    """Say what one action did to each of several subjects (see :func:`record`)."""
    await audit.append_each(
        session,
        org_id=org_id,
        actor=audit.Actor(actor.kind, actor.id),
        action=action,
        subject_kind=subject_kind,
        changes=changes,
        request_id=actor.request_id,
    )
