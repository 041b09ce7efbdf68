"""Calls in memory as rows: their ids, their owners, and which of their messages wait for a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from domain.live_call import LiveCall, LiveCallState
from domain.live_call_match import Match, MatchKind
from domain.trunk import Direction
from sip.net.hep_intake import Received
from storage.ids import new_id
from storage.live_calls import OWNER_KIND, NewLiveCall
from storage.sip_messages import NewMessage
from storage.tables import CallDirection, CallMatch, LiveCallRow, MessageDirection
from storage.tables.live_call import NOBODYS

__all__ = [
    "CLOCK_TOLERANCE",
    "Held",
    "HeldMessages",
    "Identity",
    "Peers",
    "message_of",
    "peers_of",
    "row_of_call",
    "seen_at",
]

CLOCK_TOLERANCE: Final = timedelta(hours=1)
"""An exporter whose clock is further away is believed the bytes, and not the time."""


Peers = tuple[str, str]
"""Addresses of who sent the first INVITE and of who took the last one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which row a call is, and whose; ``peers`` are those that its match was found with."""

    id: str
    at: datetime
    match: Match
    peers: Peers | None = None

    @classmethod
    def new(cls, at: datetime, match: Match, peers: Peers) -> Identity:
        return cls(new_id("lc"), at, match, peers)

    @classmethod
    def of_row(cls, row: LiveCallRow) -> Identity:
        known = row.org_id != NOBODYS
        match = Match(
            kind=MatchKind(row.match.value),
            org_id=row.org_id if known else None,
            trunk_id=row.trunk_id,
            direction=None if row.direction is None else Direction(row.direction.value),
            phone_number=row.number,
        )
        return cls(row.id, row.at, match)

    def matched_again(self, match: Match, peers: Peers) -> Identity:
        """The same call with other peers: perhaps on another trunk, but never another organization's,
        which would not see the messages that were written before."""
        same = match.org_id is not None and match.org_id == self.match.org_id
        lost = match.trunk_id is None and self.match.trunk_id is not None
        return replace(self, match=match if same and not lost else self.match, peers=peers)

    @property
    def org_id(self) -> str:
        """Of its rows."""
        return self.match.org_id or NOBODYS


@dataclass(frozen=True, slots=True)
class Held:
    """A message of a call, or of what may become one."""

    received: Received
    at: datetime
    retransmission: bool


class HeldMessages:
    """Messages by Call-ID: those of known calls until the end of their turn, and at most ``most``
    that wait for their call to be known. ``dropped`` counts those that found no room, ``given_up``
    those whose call never became known."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: defaultdict[str, list[Held]] = defaultdict(list)
        self._count = 0
        self.dropped = 0
        self.given_up = 0

    def __len__(self) -> int:
        return self._count

    @property
    def call_ids(self) -> Sequence[str]:
        """Call-IDs that messages are held for."""
        return tuple(self._held)

    def add(self, sip_call_id: str, held: Held, *, waits: bool) -> None:
        """Keep a message, or count it when it waits for its call and there is no room."""
        if waits and self._count >= self._most:
            self.dropped += 1
            return
        self._held[sip_call_id].append(held)
        self._count += 1

    def take(self, sip_call_id: str) -> Sequence[Held]:
        """The messages of a call, which are no longer held."""
        taken = self._held.pop(sip_call_id, [])
        self._count -= len(taken)
        return taken

    def give_up(self, sip_call_id: str) -> None:
        """Let go of the messages of a call that is not known any more, and count them."""
        self.given_up += len(self.take(sip_call_id))


def seen_at(received: Received, arrived: datetime) -> datetime:
    """When the message was captured: by the exporter's clock, or by ours when that is far off."""
    at = received.packet.at
    return at if abs(at - arrived) <= CLOCK_TOLERANCE else arrived


def peers_of(call: LiveCall) -> Peers:
    """Where the call comes from, and where it goes as far as is known."""
    return call.source[0], call.destination[0]


def message_of(held: Held, identity: Identity) -> NewMessage:
    """The row of a message; its sender stands for this side."""
    packet = held.received.packet
    return NewMessage(
        org_id=identity.org_id,
        owner_kind=OWNER_KIND,
        owner_id=identity.id,
        at=held.at,
        direction=MessageDirection.OUT,
        transport=packet.transport.lower(),
        local_address=packet.source[0],
        local_port=packet.source[1],
        remote_address=packet.destination[0],
        remote_port=packet.destination[1],
        retransmission=held.retransmission,
        data=packet.payload,
    )


def row_of_call(call: LiveCall, identity: Identity, state: Mapping[str, Any] | None) -> NewLiveCall:
    """The row of a call as it is now; ``state`` is what a collector needs to go on with it."""
    match = identity.match
    return NewLiveCall(
        at=identity.at,
        id=identity.id,
        org_id=identity.org_id,
        trunk_id=match.trunk_id,
        number=match.phone_number,
        direction=None if match.direction is None else CallDirection(match.direction.value),
        match=CallMatch(match.kind.value),
        sip_call_id=call.sip_call_id,
        correlation_id=call.correlation_id,
        from_user=call.from_user,
        to_user=call.to_user,
        ended=call.state is LiveCallState.ENDED,
        sip_code=call.sip_code,
        sip_reason=call.sip_reason,
        source_ip=call.source[0],
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        pdd_ms=call.pdd_ms,
        duration_ms=call.duration_ms,
        codecs=call.answered_codecs or call.offered_codecs,
        messages=call.messages,
        retransmissions=call.retransmissions,
        details=details_of(call),
        state=state,
    )


def details_of(call: LiveCall) -> dict[str, Any]:
    """What the page of a call shows beside the columns of the list."""
    side = call.hung_up_by
    return {
        "state": call.state.value,
        "status": call.status,
        "expired": call.expired,
        "request_user": call.request_user,
        "transport": call.transport,
        "source": list(call.source),
        "destination": list(call.destination),
        "ringing_at": None if call.ringing_at is None else call.ringing_at.isoformat(),
        "hung_up_by": None if side is None else side.value,
        "hangup_cause": call.hangup_cause,
        "q850": call.q850,
        "attempts": call.attempts,
        "branches": call.branches,
        "reinvites": call.reinvites,
        "offered_codecs": list(call.offered_codecs),
        "answered_codecs": list(call.answered_codecs),
        "secure_media": call.secure_media,
        "caller_agent": call.caller_agent,
        "callee_agent": call.callee_agent,
    }
