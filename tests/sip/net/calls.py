"""Calls that the tests place: a plan, an observer that remembers, and the call itself."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from sip.call_facts import CallFacts, TargetFacts
from sip.dialog_state import CallSnapshot
from sip.errors import RemoteProtocolError
from sip.message import Message, Request, parse_message
from sip.net.call_agent import CallEvent, CallPlan, place_call
from sip.net.guard import AddressGuard
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver
from sip.net.wire import Direction, WireRecord
from sip.timers import Timers
from tests.sip.net.stacks import LOOPBACK

__all__ = ["FAST", "MEDIA", "PLAN", "Observer", "call", "new_token", "soon"]

FAST = Timers(t1=0.05, t2=0.4, t4=0.5)
"""A tenth of RFC 3261's times, so that what takes 32 seconds takes 3.2."""

PLAN = CallPlan(
    host="127.0.0.1",
    transport="udp",
    request_user="+15550111",
    from_uri_user="+15550100",
    user_agent="Trunkline/test",
    tone_seconds=0.2,
    talk_seconds=0.7,
    ring_seconds=5,
    limit_seconds=20,
)
"""A call that says little and waits short; tests give it a host."""

MEDIA_PORTS = range(30000, 32000)

MEDIA = MediaProcess()
"""One for all these calls, which the first one starts."""

_Event = TypeVar("_Event")


def new_token() -> str:
    return secrets.token_hex(8)


class Observer:
    """Remembers all it is told, and proves that snapshots are saved before their messages leave."""

    def __init__(self) -> None:
        self.records: list[WireRecord] = []
        self.saved: list[CallSnapshot] = []
        self.events: list[CallEvent] = []
        self.save_seconds = 0.0
        self.unsaved: list[str] = []
        self.changed = asyncio.Event()

    def wire(self, record: WireRecord) -> None:
        self.records.append(record)
        self._check(record)
        self.changed.set()

    async def save(self, snapshot: CallSnapshot) -> None:
        await asyncio.sleep(self.save_seconds)
        self.saved.append(CallSnapshot.from_json(snapshot.to_json()))

    def event(self, event: CallEvent) -> None:
        self.events.append(event)
        self.changed.set()

    def of(self, kind: type[_Event]) -> list[_Event]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def sent(self, method: str, *, copies: bool = False) -> list[Request]:
        """Our requests of a method on the wire."""
        return [
            message
            for message in self._messages(Direction.OUT, copies=copies)
            if isinstance(message, Request) and message.method == method
        ]

    def answered(self, method: str) -> list[int]:
        """The statuses with which we answered requests of a method."""
        return [
            message.status
            for message in self._messages(Direction.OUT)
            if not isinstance(message, Request) and message.cseq.method == method
        ]

    def heard(self, status: int, method: str = "INVITE") -> int:
        """How many responses of a status came."""
        return sum(
            not isinstance(message, Request)
            and (message.status, message.cseq.method) == (status, method)
            for message in self._messages(Direction.IN, copies=True)
        )

    async def until_event(self, kind: type[object]) -> None:
        """Wait for an event of a kind."""
        async with asyncio.timeout(10):
            while not any(isinstance(event, kind) for event in self.events):
                self.changed.clear()
                await self.changed.wait()

    def targets(self) -> list[TargetFacts]:
        return self.of(TargetFacts)

    def _messages(self, direction: Direction, *, copies: bool = False) -> list[Message]:
        messages = []
        for record in self.records:
            if record.direction is direction and (copies or not record.retransmission):
                with suppress(RemoteProtocolError):
                    messages.append(parse_message(record.data))
        return messages

    def _check(self, record: WireRecord) -> None:
        if (record.direction, record.retransmission) != (Direction.OUT, False):
            return
        if record.data.startswith(b"SIP/2.0"):
            return
        message = parse_message(record.data)
        if not isinstance(message, Request) or message.method not in ("INVITE", "BYE", "PRACK"):
            return
        if message.method == "INVITE":
            saved = [s for s in self.saved if s.invite_request().via == message.via and s.pending]
        else:
            state = (message.to.tag or "", message.cseq.number)
            saved = [
                s
                for s in self.saved
                if any((d.remote_tag, d.local_cseq) == state for d in s.dialogs)
            ]
        if not saved:
            self.unsaved.append(message.method)


async def call(
    plan: CallPlan,
    observer: Observer | None = None,
    *,
    guard: AddressGuard = LOOPBACK,
    resolver: Resolver | None = None,
    hang_up: asyncio.Event | None = None,
    stop: asyncio.Event | None = None,
    media_ports: range = MEDIA_PORTS,
    timers: Timers | None = FAST,
    **changes: Any,
) -> CallFacts:
    """Place a call; ``changes`` are fields of the plan."""
    observer = observer or Observer()
    facts = await place_call(
        replace(plan, **changes),
        guard=guard,
        resolver=resolver or Resolver([]),
        media_process=MEDIA,
        media_ports=media_ports,
        new_token=new_token,
        observer=observer,
        hang_up=hang_up or asyncio.Event(),
        stop=stop,
        timers=timers,
    )
    assert observer.unsaved == []
    return facts


def soon(event: asyncio.Event, seconds: float) -> None:
    """Set an event a little later."""
    asyncio.get_running_loop().call_later(seconds, event.set)
