"""Steps of a test call, as its worker and its watchers take them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from domain.call_state import CallResult, CallStatus
from storage import calls
from storage.calls import NewEvent
from storage.engine import Database
from storage.sip_messages import NewMessage
from storage.tables import Call, MessageDirection
from tests.storage.factories import NOON

__all__ = ["SECOND", "a_message", "an_event", "end", "read"]

SECOND = timedelta(seconds=1)


async def read(database: Database, call_id: str, org_id: str) -> Call:
    async with database.tenant(org_id) as session:
        found = await calls.get(session, call_id)
    assert found is not None
    return found


async def end(session: AsyncSession, call_id: str, **fields: Any) -> bool:
    return await calls.conclude(
        session,
        call_id,
        **{
            "status": CallStatus.COMPLETED,
            "result": CallResult.CONNECTED,
            "ended_at": NOON + 8 * SECOND,
            **fields,
        },
    )


def an_event(word: str = "ringing", **data: Any) -> NewEvent:
    return NewEvent(at=NOON, event=word, detail=f"The word is {word}", data=data)


def a_message(
    org_id: str, call_id: str, text: str | bytes = "INVITE", *, at: datetime = NOON
) -> NewMessage:
    return NewMessage(
        org_id=org_id,
        owner_kind=calls.OWNER_KIND,
        owner_id=call_id,
        at=at,
        direction=MessageDirection.OUT,
        transport="udp",
        local_address="192.0.2.1",
        local_port=5060,
        remote_address="198.51.100.7",
        remote_port=5060,
        retransmission=False,
        data=text.encode() if isinstance(text, str) else text,
    )
