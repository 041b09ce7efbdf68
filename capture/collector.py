"""Take in captured messages, assemble their calls, give them owners, and write both.

Everything is written in the order of arrival by one task, a turn at a time: while a turn is written,
what arrives waits in the receiver's queue, which is bounded and counts what it has to drop. Nothing
that is sent here ends the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from capture.books import (
    Held,
    HeldMessages,
    Identity,
    message_of,
    peers_of,
    row_of_call,
    seen_at,
)
from capture.owners import Owners
from capture.writing import LiveWriter
from domain.live_call import LiveCall, LiveCallState
from domain.live_call_match import Match, MatchKind, local_match, numbers_of
from domain.live_call_placing import CallLimits, Placing
from domain.live_call_sighting import SeenMessage
from domain.live_call_state import StateRefused, from_state
from domain.live_calls import CallAssembler
from observability.logs import get_logger
from sip.net.hep_intake import Received
from storage.live_calls import NewLiveCall
from storage.sip_messages import NewMessage
from storage.tables import LiveCallRow

__all__ = ["Collector", "Source"]

_log = get_logger("trunkline.hep")

TURN: Final = 0.05
"""Seconds from one turn to the next, at least: what is seen is written within 100 ms, and a flood
shares its commits."""

BATCH: Final = 2_000
PATIENCE: Final = 1.0
"""Seconds that a turn waits for a message; calls expire also when nothing comes."""

HELD: Final = 10_000
"""Messages of calls that are not known yet."""

STATE_AFTER: Final = timedelta(seconds=2)
"""A call that is over sooner is never stored for a later process to go on with."""

LONGEST_CALL: Final = timedelta(hours=12)
"""How far back a stored call is looked for."""

YOUNG: Final = timedelta(minutes=4)
"""For so long after the start a call that begins is looked for too: an earlier process may have written
it when its INVITE came for the first time."""

UNSURE: Final = timedelta(seconds=1)
"""How long a call may wait that several organizations could have: its INVITE leaves for the peer that
tells them apart after it has come in."""

LEAVING: Final = 500
"""Calls that are written together in the end, with what is remembered of each."""

_MICROSECOND: Final = timedelta(microseconds=1)


class Source(Protocol):
    """Where messages come from: ``sip.net.hep_receiver.HepReceiver``."""

    async def batch(self, *, limit: int, within: float | None) -> list[Received]: ...


class Collector:
    """One process's calls of real traffic."""

    def __init__(
        self,
        source: Source,
        owners: Owners,
        writer: LiveWriter,
        *,
        limits: CallLimits | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.assembler = CallAssembler(limits)
        self.held = HeldMessages(HELD)
        self._source, self._owners, self._writer, self._clock = source, owners, writer, clock
        self._identities: dict[str, Identity] = {}
        self._looked_for: set[str] = set()
        self._unsure: dict[str, datetime] = {}
        self._young_until = clock() + YOUNG

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set, the source is closed, and all that it had is written."""
        loop = asyncio.get_running_loop()
        writing: asyncio.Task[None] | None = None
        try:
            while True:
                received = await self._source.batch(limit=BATCH, within=PATIENCE)
                if not received and stop.is_set():
                    break
                began = loop.time()
                rows, messages = await self._assembled(received)
                # The database works on one turn while the next is assembled.
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._writer.write(rows, messages))
                await asyncio.sleep(max(0.0, began + TURN - loop.time()))
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                writing.cancel()
        await self.leave()

    async def turn(self, received: Sequence[Received]) -> None:
        """Take in these messages and write what they changed."""
        await self._writer.write(*await self._assembled(received))

    async def _assembled(
        self, received: Sequence[Received]
    ) -> tuple[list[NewLiveCall], list[NewMessage]]:
        """The rows that these messages change."""
        now = self._clock()
        unknown = {
            call_id
            # What a clock that is far off captured is in the order of its arrival.
            for place, each in enumerate(received)
            if (call_id := self._take(each, now + place * _MICROSECOND)) is not None
        }
        await self._adopt(unknown - self._looked_for, now)
        self.assembler.expire(now)
        changed = {call.sip_call_id: call for call in self.assembler.changed()}
        waiting = {each: call for each in self._unsure if (call := self.assembler.call(each))}
        calls = (waiting | changed).values()
        await self._identify(calls, now)
        rows = [self._row(call, now) for call in calls if call.sip_call_id in self._identities]
        messages = self._messages()
        self._forget()
        return rows, messages

    async def leave(self) -> None:
        """Store every call in progress, for the process that comes next."""
        self._unsure = dict.fromkeys(self._unsure, datetime.min.replace(tzinfo=UTC))
        await self.turn(())
        calls = [self.assembler.call(each) for each in self._identities]
        rows = [self._row(call, None) for call in calls if call is not None]
        open_rows = [row for row in rows if not row.ended]
        for first in range(0, len(open_rows), LEAVING):
            await self._writer.write(open_rows[first : first + LEAVING], ())

    def _take(self, received: Received, now: datetime) -> str | None:
        """Place a message; the Call-ID when an earlier process may know its call."""
        packet, at = received.packet, seen_at(received, now)
        seen = SeenMessage(
            at=at,
            transport=packet.transport,
            source=packet.source,
            destination=packet.destination,
            data=packet.payload,
            correlation_id=packet.correlation_id,
            node=packet.node,
        )
        placed = self.assembler.receive(seen, now)
        if placed.sip_call_id is None or placed.placing not in (Placing.CALL, Placing.UNKNOWN):
            return None
        unknown = placed.placing is Placing.UNKNOWN
        if placed.new:
            # Of a call that was forgotten: the Call-ID is used again.
            self._identities.pop(placed.sip_call_id, None)
        self.held.add(placed.sip_call_id, Held(received, at, placed.retransmission), waits=unknown)
        looked_for = unknown or (placed.new and now < self._young_until)
        return placed.sip_call_id if looked_for else None

    async def _adopt(self, unknown: Collection[str], now: datetime) -> None:
        """Go on with calls that an earlier process stored."""
        if not unknown:
            return
        self._looked_for.update(unknown)
        for row in await self._writer.stored(unknown, since=now - LONGEST_CALL):
            if row.sip_call_id not in self._identities and self._goes_on(row, now):
                self._identities[row.sip_call_id] = Identity.of_row(row)

    def _goes_on(self, row: LiveCallRow, now: datetime) -> bool:
        """Whether what comes of this call now belongs to the row."""
        if row.state is None:
            # Its process ended too soon to say more.
            return True
        try:
            return self.assembler.adopt(from_state(row.state), now)
        except StateRefused as error:
            _log.warning("a stored call begins anew", call_id=row.id, reason=str(error))
            return False

    async def _identify(self, calls: Collection[LiveCall], now: datetime) -> None:
        """Give new calls a row and an owner, and look again at those that have another peer now."""
        asked = [call for call in calls if not self._is_matched(call)]
        if not asked:
            return
        owners = await self._owners.of({number for call in asked for number in numbers_of(call)})
        for call in asked:
            self._match(call, local_match(call, owners), now)

    def _is_matched(self, call: LiveCall) -> bool:
        known = self._identities.get(call.sip_call_id)
        return known is not None and known.peers == peers_of(call)

    def _match(self, call: LiveCall, match: Match, now: datetime) -> None:
        call_id, peers = call.sip_call_id, peers_of(call)
        known = self._identities.get(call_id)
        if known is not None:
            self._identities[call_id] = known.matched_again(match, peers)
            return
        if match.kind is MatchKind.AMBIGUOUS and call.state is not LiveCallState.ENDED:
            unsure_since = self._unsure.setdefault(call_id, now)
            if now - unsure_since < UNSURE:
                return
        self._unsure.pop(call_id, None)
        self._identities[call_id] = Identity.new(min(call.started_at, now), match, peers)

    def _row(self, call: LiveCall, now: datetime | None) -> NewLiveCall:
        call_id = call.sip_call_id
        lasts = now is None or now - call.started_at >= STATE_AFTER
        state: Mapping[str, object] | None = None
        if lasts and call.state is not LiveCallState.ENDED:
            state = self.assembler.state_of(call_id)
        return row_of_call(call, self._identities[call_id], state)

    def _messages(self) -> list[NewMessage]:
        """The rows of the messages whose call is known, which are held no longer."""
        known = [call_id for call_id in self.held.call_ids if call_id in self._identities]
        return [
            message_of(held, self._identities[call_id])
            for call_id in known
            for held in self.held.take(call_id)
        ]

    def _forget(self) -> None:
        """Let go of what the assembler let go of."""
        for call_id in [each for each in self.held.call_ids if not self.assembler.knows(each)]:
            self.held.give_up(call_id)
        if len(self._identities) > 2 * self.assembler.calls + BATCH:
            gone = [each for each in self._identities if not self.assembler.knows(each)]
            for call_id in gone:
                del self._identities[call_id]
        self._looked_for = {each for each in self._looked_for if self.assembler.knows(each)}
        for call_id in [each for each in self._unsure if not self.assembler.knows(each)]:
            del self._unsure[call_id]
