"""Whether a transaction whose connection was lost was committed."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["number_of", "was_committed"]


async def number_of(session: AsyncSession) -> int:
    """The number of the session's transaction."""
    return int(await session.scalar(_NUMBER) or 0)


async def was_committed(session: AsyncSession, number: int) -> bool | None:
    """Whether the transaction with this number is committed; ``None`` while it runs. 0 is none."""
    if not number:
        return False
    status = await session.scalar(_FATE, {"number": str(number)})
    return None if status == "in progress" else status == "committed"


_NUMBER = text("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)")

_FATE = text("SELECT pg_xact_status(CAST(:number AS xid8))")
