"""A collector over a real database, and the exporters that send to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from capture.collector import Collector
from capture.owners import Owners
from capture.writing import LiveWriter
from domain.live_call_placing import CallLimits
from domain.live_call_sighting import SeenMessage
from sip.hep_packet import HepPacket, HepProtocol, IpProtocol
from sip.net.hep_intake import Received
from sip.transports import Transport
from storage.engine import Database
from storage.tables import LiveCallRow, SipMessage
from tests.domain.live_traffic import START

__all__ = [
    "CALLEES_NUMBER",
    "CALLERS_NUMBER",
    "FakeSource",
    "Station",
    "messages_of",
    "only_row",
    "received",
    "rows_of",
    "sent",
]

CALLERS_NUMBER = "+14155550199"
CALLEES_NUMBER = "+14155550100"


EXPORTER = ("198.51.100.1", 41000)


def received(messages: Iterable[SeenMessage], *, late: timedelta = timedelta(0)) -> list[Received]:
    """The packets of an exporter whose clock is so much ahead."""
    return [
        Received(
            HepPacket(
                ip_protocol=IpProtocol[message.transport],
                source=message.source,
                destination=message.destination,
                at=message.at + late,
                protocol=HepProtocol.SIP,
                capture_id=1,
                payload=message.data,
                correlation_id=message.correlation_id,
                node=message.node,
            ),
            EXPORTER,
            Transport.UDP,
        )
        for message in messages
    ]


@dataclass
class FakeSource:
    """Hands over what a test puts in, a batch at a time, then nothing."""

    batches: list[list[Received]] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def batch(self, *, limit: int, within: float | None) -> list[Received]:
        self.limits.append(limit)
        self.asked.set()
        await asyncio.sleep(0)
        return self.batches.pop(0) if self.batches else []


class Station:
    """A collector process; its time is ``now`` and is moved by the test."""

    def __init__(
        self,
        database: Database,
        *,
        now: datetime = START + timedelta(seconds=5),
        limits: CallLimits | None = None,
    ) -> None:
        self.now = now
        self.source = FakeSource()
        self.writer = LiveWriter(database)
        self.owners = Owners(database, clock=lambda: self.now.timestamp())
        self.collector = Collector(
            self.source, self.owners, self.writer, limits=limits, clock=lambda: self.now
        )

    async def sees(self, messages: Iterable[SeenMessage], *, after: float = 0.0) -> None:
        """A turn with these messages, so many seconds later."""
        self.now += timedelta(seconds=after)
        await self.collector.turn(received(messages))


async def rows_of(database: Database) -> Sequence[LiveCallRow]:
    """Every call, in the order of Call-IDs."""
    async with database.system() as session:
        found = await session.scalars(select(LiveCallRow).order_by(col(LiveCallRow.sip_call_id)))
        return found.all()


async def messages_of(database: Database, call: LiveCallRow) -> Sequence[SipMessage]:
    """Its messages as they were written."""
    async with database.system() as session:
        found = await session.scalars(
            select(SipMessage)
            .where(col(SipMessage.owner_id) == call.id)
            .order_by(col(SipMessage.seq))
        )
        return found.all()


async def only_row(database: Database) -> LiveCallRow:
    (row,) = await rows_of(database)
    return row


def sent(messages: list[SeenMessage]) -> list[bytes]:
    return [each.data for each in messages]
