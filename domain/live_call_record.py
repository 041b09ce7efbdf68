"""What is remembered of a call's messages, so that their order of arrival does not matter.

Of each message on each way the earliest capture counts, whenever it comes, and a set is the same in
whatever order it was filled. Everything is bounded; beyond the bounds the first to arrive stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.live_call import LiveCall
from domain.live_call_reading import Heading, correlation_of, sighting_of
from domain.live_call_sighting import (
    Correlation,
    SeenMessage,
    Sighting,
    SightingKey,
    moment_order,
)

__all__ = ["MAX_COPIES", "MAX_SIGHTINGS", "MAX_TIMES", "Added", "CallRecord"]

MAX_SIGHTINGS: Final = 64  # a proxied call has about 12, one forked to ten ends 50
MAX_COPIES: Final = 200  # different messages that a duplicate is still recognised of
MAX_TIMES: Final = (
    16  # captures of one message; RFC 3261 17 sends an INVITE 7 times, a 2xx 11 times
)
MAX_REINVITES: Final = 200


class Added(StrEnum):
    """What a message was to its call."""

    NEW = "new"
    RETRANSMISSION = "retransmission"
    """The sender repeated it."""
    DUPLICATE = "duplicate"
    """The exporter's packet came twice."""


@dataclass(slots=True, eq=False)
class CallRecord:
    """One call's memory. ``heard`` is when a message of it last arrived, ``last_at`` the latest capture
    in microseconds. ``closed`` is the CSeq number of the INVITE at which nobody waits for more.
    ``copies`` are the moments of capture by digest; what was forgotten of them stays counted.
    """

    sip_call_id: str
    heard: datetime
    last_at: int = 0
    sightings: dict[SightingKey, Sighting] = field(default_factory=dict)
    copies: dict[int, tuple[int, ...]] = field(default_factory=dict)
    reinvites: set[tuple[str, int]] = field(default_factory=set)
    correlation: Correlation | None = None
    closed: int | None = None
    forgotten: int = 0
    forgotten_repeats: int = 0
    is_call: bool = False
    adopted: bool = False
    told: LiveCall | None = None
    group: str | None = None

    @property
    def messages(self) -> int:
        """Captured messages, retransmissions among them."""
        return self.forgotten + sum(map(len, self.copies.values()))

    @property
    def retransmissions(self) -> int:
        """Messages with the bytes, the way and the exporter of an earlier one."""
        return self.forgotten_repeats + sum(map(len, self.copies.values())) - len(self.copies)

    def add(self, message: SeenMessage, heading: Heading, now: datetime) -> Added:
        """Remember a message of this call that arrived at ``now``."""
        added = self._count(heading.digest, heading.at)
        if added is Added.DUPLICATE:
            return added
        self.heard = max(self.heard, now)
        self.last_at = max(self.last_at, heading.at)
        if added is Added.NEW and heading.method != "ACK":
            self.closed = None
        correlation = correlation_of(message, heading)
        if correlation is not None:
            self._correlate(correlation)
        if heading.changes_call and len(self.reinvites) < MAX_REINVITES:
            self.reinvites.add((heading.from_tag, heading.cseq))
        if heading.tells and not self._is_of_reinvite(heading):
            known = self.sightings.get(heading.key_on(message))
            if known is None or heading.at <= known.at:
                self._see(sighting_of(message, heading))
        return added

    def merge(self, other: CallRecord) -> None:
        """Take in what another memory of the same call holds, once."""
        if self.adopted:
            return
        self.adopted = True
        if not self.copies:
            self.closed = other.closed
        for digest, times in other.copies.items():
            for at in times:
                self._count(digest, at)
        self.forgotten += other.forgotten
        self.forgotten_repeats += other.forgotten_repeats
        self.heard = max(self.heard, other.heard)
        self.last_at = max(self.last_at, other.last_at)
        self.reinvites |= set(sorted(other.reinvites)[: MAX_REINVITES - len(self.reinvites)])
        if other.correlation is not None:
            self._correlate(other.correlation)
        for sighting in other.sightings.values():
            self._see(sighting)

    def _count(self, digest: int, at: int) -> Added:
        times = self.copies.get(digest)
        if times is None:
            if len(self.copies) >= MAX_COPIES:
                oldest = self.copies.pop(next(iter(self.copies)))
                self.forgotten += len(oldest)
                self.forgotten_repeats += len(oldest) - 1
            self.copies[digest] = (at,)
            return Added.NEW
        if at in times:
            return Added.DUPLICATE
        if len(times) < MAX_TIMES:
            self.copies[digest] = (*times, at)
        else:
            self.forgotten += 1
            self.forgotten_repeats += 1
        return Added.RETRANSMISSION

    def _correlate(self, correlation: Correlation) -> None:
        known = self.correlation
        self.correlation = correlation if known is None else min(known, correlation)

    def _is_of_reinvite(self, heading: Heading) -> bool:
        if heading.method != "INVITE" or not heading.status:
            return False
        return (heading.from_tag, heading.cseq) in self.reinvites

    def _see(self, sighting: Sighting) -> None:
        key = sighting.key
        known = self.sightings.get(key)
        if known is not None:
            self.sightings[key] = min(known, sighting, key=moment_order)
        elif len(self.sightings) < MAX_SIGHTINGS or self._made_room_for(sighting):
            self.sightings[key] = sighting

    def _made_room_for(self, sighting: Sighting) -> bool:
        """Forget a provisional response for what decides a call; nothing for another provisional."""
        if 0 < sighting.status < 200:
            return False
        lesser = [each for each in self.sightings.values() if 0 < each.status < 200]
        if not lesser:
            return False
        del self.sightings[max(lesser, key=moment_order).key]
        return True
