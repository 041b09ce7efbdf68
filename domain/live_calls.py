"""Assemble the calls of real traffic from SIP messages that exporters captured, in any order.

A message whose call is not known, since its INVITE comes later or came before a restart, is held for
a while: when the INVITE arrives or the stored call is adopted, it is part of the call. Sources:
RFC 3261 12 and 14, 17 (retransmissions for 32 s), 16.6 (timer C).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from domain.live_call import LiveCall, LiveCallState
from domain.live_call_placing import AssemblerCounts, CallLimits, Placed, Placing
from domain.live_call_reading import Heading, heading_of
from domain.live_call_record import Added, CallRecord
from domain.live_call_sighting import SeenMessage
from domain.live_call_state import state_of
from domain.live_call_story import Story, story_of

__all__ = ["CallAssembler"]

MAX_RELATED: Final = 16
# Sooner than any patience ends, so that a call whose messages changed it is looked at again in time.
_OFTEN: Final = timedelta(seconds=5)
_SELDOM: Final = timedelta(seconds=30)
# Methods of a call's dialogs. NOTIFY, MESSAGE, OPTIONS and others have dialogs of their own or none,
# and count only when their Call-ID is that of a call.
_OF_CALLS: Final = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "REFER"})


class CallAssembler:
    """The calls in memory. ``now`` is the collector's own time (aware UTC), never a capture time."""

    def __init__(self, limits: CallLimits | None = None) -> None:
        self._limits = limits or CallLimits()
        self._records: dict[str, CallRecord] = {}
        self._unknown = 0
        self._changed: dict[str, None] = {}
        self._stories: dict[str, Story | None] = {}
        self._groups: dict[str, set[str]] = {}
        self._due: list[tuple[datetime, str]] = []
        self._counts = AssemblerCounts()

    @property
    def calls(self) -> int:
        """Calls in memory, ended ones among them for a while."""
        return len(self._records) - self._unknown

    @property
    def counts(self) -> AssemblerCounts:
        """A copy of the counters."""
        return replace(self._counts)

    def receive(self, message: SeenMessage, now: datetime) -> Placed:
        """Take in a message; never raises, whatever its bytes are."""
        self._counts.received += 1
        heading = heading_of(message)
        if heading is None:
            self._counts.not_sip += 1
            return Placed(Placing.NOT_SIP)
        call_id = heading.call_id
        record = self._records.get(call_id)
        if record is None or not record.is_call:
            refused = self._refusal(heading, held=record is not None)
            if refused is not None:
                return Placed(refused, call_id)
        if record is None:
            record = self._remember(call_id, now)
        added = record.add(message, heading, now)
        if added is Added.DUPLICATE:
            self._counts.duplicates += 1
            return Placed(Placing.DUPLICATE, call_id)
        repeated = added is Added.RETRANSMISSION
        self._counts.retransmissions += repeated
        self._touch(record)
        new = heading.opens_call and self._recognise(record)
        if not record.is_call:
            self._counts.unknown += 1
            return Placed(Placing.UNKNOWN, call_id, retransmission=repeated)
        return Placed(Placing.CALL, call_id, new, repeated)

    def adopt(self, record: CallRecord, now: datetime) -> bool:
        """Go on with a stored call (`from_state`), and put what is held of it into it.

        False when the table is full, or when the record holds no INVITE.
        """
        call_id = record.sip_call_id
        known = self._records.get(call_id)
        if story_of(record) is None:
            return False
        if (known is None or not known.is_call) and self._is_full():
            self._counts.table_full += 1
            return False
        if known is None:
            known = self._remember(call_id, now)
        known.merge(record)
        self._touch(known)
        self._recognise(known)
        return True

    def changed(self) -> tuple[LiveCall, ...]:
        """The calls that are no longer as they were told last, in the order in which they changed."""
        told = []
        for call_id in self._changed:
            record, story = self._records[call_id], self._story(call_id)
            if story is not None and record.told != story.call:
                record.told = story.call
                told.append(story.call)
        self._changed.clear()
        return tuple(told)

    def expire(self, now: datetime) -> None:
        """End the calls that nothing was heard of for long, and forget those that ended.

        To be called every few seconds; a call's end by it is told by ``changed``. None is forgotten
        before its last change was told.
        """
        while self._due and self._due[0][0] <= now:
            _, call_id = heappop(self._due)
            record = self._records[call_id]
            waits = self._patience(record)
            over = now - record.heard >= waits and not self._closed(record, now)
            if over and call_id not in self._changed:
                self._forget(record)
                continue
            often = _SELDOM if waits > self._limits.unanswered else _OFTEN
            heappush(self._due, (now + often, call_id))

    def knows(self, sip_call_id: str) -> bool:
        """Whether anything with this Call-ID is in memory: a call, or messages that wait for one."""
        return sip_call_id in self._records

    def call(self, sip_call_id: str) -> LiveCall | None:
        """A call as it is now; None when it is not in memory or its INVITE was not seen."""
        story = self._story(sip_call_id)
        return story.call if story is not None else None

    def state_of(self, sip_call_id: str) -> dict[str, object] | None:
        """What to store of a call, for `from_state`; None when it is not in memory."""
        record = self._records.get(sip_call_id)
        return state_of(record) if record is not None else None

    def related(self, sip_call_id: str) -> tuple[LiveCall, ...]:
        """The calls that an exporter ties to this one, itself among them, the first to begin first."""
        story = self._story(sip_call_id)
        if story is None:
            return ()
        group = story.call.group
        members = [group, *sorted(self._groups.get(group, ()))[:MAX_RELATED]]
        calls = {each: call for each in members if (call := self.call(each)) is not None}
        calls[sip_call_id] = story.call
        return tuple(sorted(calls.values(), key=lambda each: each.started_at))

    def _refusal(self, heading: Heading, *, held: bool) -> Placing | None:
        """Why a message is not remembered that belongs to no known call."""
        if heading.opens_call:
            if not self._is_full():
                return None
            self._counts.table_full += 1
            return Placing.TABLE_FULL
        if held:
            return None
        if heading.method not in _OF_CALLS:
            self._counts.not_calls += 1
            return Placing.NOT_A_CALL
        if self._unknown < self._limits.max_unknown:
            return None
        self._counts.unknown += 1
        return Placing.UNKNOWN

    def _is_full(self) -> bool:
        return self.calls >= self._limits.max_calls

    def _remember(self, call_id: str, now: datetime) -> CallRecord:
        record = self._records[call_id] = CallRecord(call_id, heard=now)
        self._unknown += 1
        heappush(self._due, (now + _OFTEN, call_id))
        return record

    def _recognise(self, record: CallRecord) -> bool:
        """Count it as a call from now on; whether it was none before."""
        new = not record.is_call
        record.is_call = True
        self._unknown -= new
        return new

    def _touch(self, record: CallRecord) -> None:
        call_id = record.sip_call_id
        self._changed[call_id] = None
        self._stories.pop(call_id, None)
        known = record.correlation
        if known is not None and known.value != record.group:
            self._leave_group(record)
            record.group = known.value
            self._groups.setdefault(known.value, set()).add(call_id)

    def _leave_group(self, record: CallRecord) -> None:
        members = self._groups.get(record.group or "")
        if members is not None:
            members.discard(record.sip_call_id)
            if not members:
                del self._groups[record.group or ""]

    def _story(self, call_id: str) -> Story | None:
        record = self._records.get(call_id)
        if record is None:
            return None
        if call_id not in self._stories:
            self._stories[call_id] = story_of(record)
        return self._stories[call_id]

    def _patience(self, record: CallRecord) -> timedelta:
        """How long the next message may be away."""
        story = self._story(record.sip_call_id)
        if story is None:
            return self._limits.unknown
        if story.call.state is LiveCallState.IN_PROGRESS:
            return self._limits.in_progress
        if story.call.state is LiveCallState.ENDED or story.cancelled:
            return self._limits.forget
        return self._limits.settle if story.awaits_retry else self._limits.unanswered

    def _closed(self, record: CallRecord, now: datetime) -> bool:
        """Whether it went on until now, and is ended by waiting no longer."""
        story = self._story(record.sip_call_id)
        if story is None or story.call.state is LiveCallState.ENDED:
            return False
        record.closed = story.number
        record.heard = now  # what comes late still belongs to it
        self._touch(record)
        after = self._story(record.sip_call_id)
        self._counts.expired += after is not None and after.call.expired
        return True

    def _forget(self, record: CallRecord) -> None:
        call_id = record.sip_call_id
        del self._records[call_id]
        self._stories.pop(call_id, None)
        self._leave_group(record)
        if not record.is_call:
            self._unknown -= 1
            self._counts.unknown_forgotten += 1
