"""Taking a test call to be placed: once, whoever asks and however often."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.call_state import CallStatus
from storage.calls import CHANNEL
from storage.notify import notify
from storage.tables import Call

__all__ = ["take"]


async def take(session: AsyncSession, call_id: str) -> Call | None:
    """The call, ``initiated`` from now on; ``None`` when it was taken before or has ended.

    A process that dies with the call leaves it taken: nobody calls a second time.
    """
    taken = await session.scalar(
        update(Call)
        .where(
            col(Call.id) == call_id,
            col(Call.status) == CallStatus.QUEUED,
            col(Call.ended_at).is_(None),
        )
        .values(status=CallStatus.INITIATED)
        .returning(col(Call.id))
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        return None
    await notify(session, CHANNEL, call_id)
    found: Call | None = await session.scalar(select(Call).where(col(Call.id) == call_id))
    return found
