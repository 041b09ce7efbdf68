"""Links to signing pages: who may ask for one how often, and how one is made when it is mailed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting import signature_links
from storage import port_signatures
from storage.engine import require_system_scope
from storage.port_signatures import NewLink
from storage.tables import PortLinkRequest

__all__ = ["PER_ORDER", "PER_SOURCE", "WINDOW", "Admission", "admit", "issue"]

WINDOW: Final = timedelta(hours=1)
PER_ORDER: Final = 5
"""Mails that a stranger who knows an order's id can make us send in the window."""
PER_SOURCE: Final = 20
"""Requests from one address in the window; behind one there may be an office."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a request was counted in; if not, when the next one may be."""

    admitted: bool
    retry_after: timedelta = timedelta(0)


async def admit(session: AsyncSession, order_id: str, source: str, *, now: datetime) -> Admission:
    """Count a request for a link when there were fewer than ``PER_ORDER`` for the order, which need not
    exist, and ``PER_SOURCE`` from the source in the ``WINDOW`` before.

    Exact however many processes ask at once. Needs the system scope.
    """
    require_system_scope(session)
    # In one order, so that of two requests none waits for the other.
    for name in sorted((f"links of {order_id}", f"links for {source}")):
        await session.execute(_LOCK, {"name": name})
    since = now - WINDOW
    # Others forget the same rows at the same time; nobody waits for anybody.
    old = (
        select(col(PortLinkRequest.id))
        .where(col(PortLinkRequest.at) <= since)
        .with_for_update(skip_locked=True)
    )
    await session.execute(
        delete(PortLinkRequest)
        .where(col(PortLinkRequest.id).in_(old))
        .execution_options(synchronize_session=False)
    )
    free_at = max(
        await _free_at(session, col(PortLinkRequest.order_id) == order_id, PER_ORDER, since),
        await _free_at(session, col(PortLinkRequest.source) == source, PER_SOURCE, since),
    )
    if free_at > since:
        return Admission(False, free_at - since)
    session.add(PortLinkRequest(order_id=order_id, source=source, at=now))
    await session.flush()
    return Admission(True)


async def issue(
    session: AsyncSession,
    key: bytes,
    notice_id: str,
    *,
    loa_id: str,
    email: str,
    now: datetime,
    expires_at: datetime,
) -> str | None:
    """The token of the link that the notice mails; it is written down as its hash, and every older
    link of the order is void.

    ``key`` is ``storage.trunk_vault.server_key(..., "signature_links")``. A notice that is sent again
    has the same token. ``None`` when there is no such letter, or when the token is void by now: a
    newer mail has taken its place, or the letter was signed through it.
    """
    token = signature_links.link_token(key, notice_id)
    link = await port_signatures.issue(
        session,
        NewLink(
            token_sha256=signature_links.token_sha256(token),
            loa_id=loa_id,
            email=email,
            created_at=now,
            expires_at=expires_at,
        ),
    )
    if link is None or link.invalidated_at is not None or link.used_at is not None:
        return None
    return token


async def _free_at(
    session: AsyncSession, mine: ColumnElement[bool], limit: int, since: datetime
) -> datetime:
    """When the oldest of the youngest ``limit`` requests was; ``since`` when there are fewer."""
    youngest = (
        select(col(PortLinkRequest.at))
        .where(mine, col(PortLinkRequest.at) > since)
        .order_by(col(PortLinkRequest.at).desc())
        .limit(limit)
        .subquery()
    )
    used, first = (await session.execute(select(func.count(), func.min(youngest.c.at)))).one()
    return since if used < limit else first


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
