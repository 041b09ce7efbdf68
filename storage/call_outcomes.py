"""What a call that ended says of the trunk that placed it, for the trunk and for who watches it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.failover_outcomes import facts_in, seen_in
from sip.transports import Transport
from storage.health_observations import NewObservation, add_observation
from storage.tables import Call

__all__ = ["note_outcome"]


async def note_outcome(
    session: AsyncSession, call_id: str, details: Mapping[str, Any] | None, *, ended_at: datetime
) -> None:
    """Note what the call met, and nudge its trunk, in the transaction that ends it.

    ``details`` are those that the call ends with. Nothing is noted of a call that says nothing, nor
    of a variant: it was placed with other settings than the trunk's.
    """
    facts = facts_in(details)
    seen = () if facts is None else seen_in(facts)
    if not seen:
        return
    call = await session.scalar(
        select(Call).where(
            col(Call.id) == call_id, col(Call.trunk_id).is_not(None), col(Call.variant).is_(None)
        )
    )
    if call is None or call.trunk_id is None:
        return
    settings = call.details["settings"]
    transport = settings.get("transport")
    for each in seen:
        await add_observation(
            session,
            NewObservation(
                org_id=call.org_id,
                trunk_id=call.trunk_id,
                at=ended_at,
                host=settings["host"],
                port=settings.get("port"),
                transport=None if transport is None else Transport(transport),
                address=each.address,
                target_port=each.port,
                target_transport=each.transport,
                kind=each.kind,
                sign=each.sign.value,
                status=each.status,
                detail=each.detail,
            ),
        )
