"""Calls of our user agent to software that we did not write, and everything seen of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sip.call_facts import CallFacts, DnsFacts, TargetFacts
from sip.call_plan import CallPlan
from sip.dialog_state import CallSnapshot, SessionEvent
from sip.message import Request, Response, parse_message
from sip.net.call_agent import place_call
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver
from sip.net.wire import Direction, WireRecord
from tests.strangers.conftest import GUARD

__all__ = ["MEDIA_PORTS", "Watcher", "called", "plan_for"]

MEDIA_PORTS = range(21_000, 22_000)
"""Below the ports that the kernel hands out on its own."""


@dataclass(slots=True)
class Watcher:
    """Keeps what happens; ``on_event`` is told at once and may hang up.

    ``order`` has messages and snapshots as they came, a snapshot once it is stored, which takes
    ``save_seconds``.
    """

    order: list[WireRecord | CallSnapshot] = field(default_factory=list)
    events: list[SessionEvent | TargetFacts | DnsFacts] = field(default_factory=list)
    on_event: Callable[[object], None] = lambda _event: None
    save_seconds: float = 0.0

    @property
    def records(self) -> list[WireRecord]:
        """Every message as on the wire."""
        return [each for each in self.order if isinstance(each, WireRecord)]

    def wire(self, record: WireRecord) -> None:
        self.order.append(record)

    async def save(self, snapshot: CallSnapshot) -> None:
        await asyncio.sleep(self.save_seconds)
        self.order.append(snapshot)

    def event(self, event: SessionEvent | TargetFacts | DnsFacts) -> None:
        self.events.append(event)
        self.on_event(event)

    def requests(self, method: str, direction: Direction = Direction.OUT) -> list[Request]:
        """Requests with this method as they went over the wire, retransmissions left out."""
        return [
            message
            for message in self._messages(direction, repeated=False)
            if isinstance(message, Request) and message.method == method
        ]

    def responses(self, direction: Direction = Direction.IN) -> list[Response]:
        """Responses as they went over the wire."""
        return [
            message
            for message in self._messages(direction, repeated=True)
            if isinstance(message, Response)
        ]

    def _messages(self, direction: Direction, *, repeated: bool) -> list[Request | Response]:
        return [
            parse_message(each.data)
            for each in self.records
            if each.direction is direction and (repeated or not each.retransmission)
        ]


def plan_for(host: str, **changes: Any) -> CallPlan:
    """A short call to ``host`` over UDP, changed as named."""
    plan: dict[str, Any] = {
        "host": host,
        "port": 5060,
        "transport": "udp",
        "request_user": "phone",
        "from_uri_user": "+14155550100",
        "user_agent": "Trunkline/tests",
        "ring_seconds": 5.0,
        "tone_seconds": 0.4,
        "talk_seconds": 1.0,
        "limit_seconds": 30.0,
    }
    return CallPlan(**{**plan, **changes})


async def called(
    plan: CallPlan,
    watcher: Watcher | None = None,
    *,
    hang_up: asyncio.Event | None = None,
    resolver: Resolver | None = None,
) -> CallFacts:
    """Place the call and return what it found."""
    async with MediaProcess() as media_process:
        return await place_call(
            plan,
            guard=GUARD,
            resolver=resolver or Resolver(nameservers=()),
            media_process=media_process,
            media_ports=MEDIA_PORTS,
            new_token=lambda: secrets.token_hex(16),
            observer=watcher or Watcher(),
            hang_up=hang_up or asyncio.Event(),
        )
