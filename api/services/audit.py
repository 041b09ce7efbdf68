"""The audit entry of a change, added in the change's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.services.actor import Actor
from storage import audit

__all__ = ["record"]


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
