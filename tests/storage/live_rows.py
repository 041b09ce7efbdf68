"""Rows of real traffic that tests of the call log start from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from storage import live_calls
from storage.engine import Database
from storage.ids import new_id
from storage.live_calls import NewLiveCall
from storage.sip_messages import NewMessage
from storage.tables import CallDirection, CallMatch, LiveCallRow, MessageDirection
from storage.tables.live_call import NOBODYS
from tests.storage.factories import NOON

__all__ = [
    "GOING_ON",
    "NUMBER",
    "a_live_call",
    "a_seen_message",
    "as_new",
    "days_with_rows",
    "nobodys_call",
    "write_live",
]

NUMBER = "+14155550100"
GOING_ON: dict[str, Any] = {
    "ended": False,
    "sip_code": None,
    "sip_reason": None,
    "answered_at": None,
    "ended_at": None,
    "duration_ms": None,
}
"""Fields of a call that nobody has answered yet."""


def a_live_call(org_id: str, *, at: datetime = NOON, **fields: Any) -> LiveCallRow:
    """An outbound call that began at ``at``, was answered after 4 s and ended 45 s later."""
    return LiveCallRow(
        **{
            "at": at,
            "id": new_id("lc"),
            "org_id": org_id,
            "trunk_id": "trk_a",
            "number": NUMBER,
            "direction": CallDirection.OUTBOUND,
            "match": CallMatch.MATCHED,
            "sip_call_id": new_id("lc").removeprefix("lc_"),
            "from_user": NUMBER,
            "to_user": "+15105551234",
            "ended": True,
            "sip_code": 200,
            "sip_reason": "OK",
            "source_ip": "192.0.2.20",
            "started_at": at,
            "answered_at": at + timedelta(seconds=4),
            "ended_at": at + timedelta(seconds=49),
            "pdd_ms": 1830,
            "duration_ms": 45_000,
            "codecs": ["PCMU"],
            "messages": 14,
            "retransmissions": 0,
            "details": {"status": "200 OK"},
            **fields,
        }
    )


def nobodys_call(*, at: datetime = NOON, **fields: Any) -> LiveCallRow:
    """A call whose numbers nobody has."""
    unmatched = {"match": CallMatch.UNMATCHED, "trunk_id": None, "number": None, "direction": None}
    return a_live_call(NOBODYS, at=at, **{**unmatched, **fields})


def a_seen_message(call: LiveCallRow, data: bytes, *, after: float = 0.0) -> NewMessage:
    """A message of the call, captured so many seconds after it began."""
    return NewMessage(
        org_id=call.org_id,
        owner_kind=live_calls.OWNER_KIND,
        owner_id=call.id,
        at=call.started_at + timedelta(seconds=after),
        direction=MessageDirection.OUT,
        transport="udp",
        local_address="192.0.2.20",
        local_port=5060,
        remote_address="203.0.113.5",
        remote_port=5060,
        retransmission=False,
        data=data,
    )


def as_new(call: LiveCallRow) -> NewLiveCall:
    """The row as it is given to be written."""
    return NewLiveCall(**call.model_dump())


async def write_live(
    database: Database, calls: Sequence[LiveCallRow], messages: Sequence[NewMessage] = ()
) -> None:
    async with database.system() as session:
        await live_calls.write(session, [as_new(call) for call in calls], messages)


async def days_with_rows(database: Database) -> dict[str, int]:
    """Number of calls by the partition they are in."""
    async with database.system() as session:
        rows = await session.execute(
            text("SELECT tableoid::regclass::text, count(*) FROM live_calls GROUP BY 1")
        )
        return {str(name): int(count) for name, count in rows}
