"""Moves the bytes and the time of one call: sockets, transactions, and the snapshots between them.

What arrives waits in an inbox until its turn, so that nothing changes while a snapshot is being
saved; and no byte leaves before the snapshot that it needs is saved. The clock of the call stands
still meanwhile: a timer runs from when its message left, however long the saving took.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sip.build import response_to
from sip.dialog_state import CallSnapshot, SessionEvent
from sip.errors import RemoteProtocolError
from sip.invite_session import InviteSession
from sip.message import Message, Request, Response, parse_message
from sip.net.call_observer import CallObserver
from sip.net.guard import AddressGuard
from sip.net.transport import TransportLayer
from sip.net.wire import Direction, WireRecord, utc_now
from sip.timers import Timers
from sip.transaction import (
    CancelReceived,
    Event,
    Flow,
    Outgoing,
    RequestReceived,
    TransactionLayer,
)
from sip.uas import refusal_of, refusal_of_malformed

__all__ = ["CallPart", "CallPump"]

MAX_INBOX = 512
"""Messages that wait; a call brings a few, so more are a flood and are dropped."""

MESSAGES_PER_TURN = 64
"""Messages handled before time and senders get their turn."""

MAX_RECORDS = 2000
"""Messages given to the observer: a trace is read by people, and stored."""

MAX_NOTES = 16


class CallPart(Protocol):
    """One INVITE session and what belongs to it."""

    @property
    def session(self) -> InviteSession: ...

    async def prepare(self, message: Message) -> None:
        """Called before the layer gets a message of the peer."""

    def sent(self, message: Message, *, retransmission: bool, now: float) -> None:
        """Called for each message that left."""

    def happened(self, event: SessionEvent) -> None:
        """Called for each event of the session."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """A flow that failed."""

    flow: Flow
    reason: str


class CallPump:
    """The transport and the transactions of one call, for its own task only.

    ``notes`` are sentences about what was not SIP, was dropped or could not be sent.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard,
        observer: CallObserver,
        new_token: Callable[[], str],
        timers: Timers,
    ) -> None:
        self.transport = TransportLayer(self, guard)
        self.layer = TransactionLayer(timers)
        self.parts: list[CallPart] = []
        self.notes: list[str] = []
        self._guard, self._observer, self._new_token = guard, observer, new_token
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[tuple[Message, Flow] | _Lost] = deque()
        self._lost: dict[Flow, str] = {}
        self._woken = asyncio.Event()
        self._unsaved: CallSnapshot | None = None
        self._outbox: list[Outgoing] = []
        self._recorded = 0
        self._stood_still = 0.0
        self._closed = False

    async def close(self) -> None:
        """Close all sockets; idempotent."""
        self._closed = True
        await self.transport.close()

    def now(self) -> float:
        """The clock of the call: the loop's, without the time that saving took."""
        return self._loop.time() - self._stood_still

    def save(self, snapshot: CallSnapshot) -> None:
        """Note a snapshot that has to be saved before anything is sent."""
        self._unsaved = snapshot

    def wake(self) -> None:
        """End the current `wait`."""
        self._woken.set()

    def note(self, text: str) -> None:
        """Keep a sentence, once and within limits."""
        if len(self.notes) < MAX_NOTES and text not in self.notes:
            self.notes.append(text)

    async def wait(self, until: float | None) -> None:
        """Wait until something arrived, a timer is due, `wake`, or the loop's time ``until``."""
        timers = [self.layer.get_timer(), *(p.session.get_timer() for p in self.parts)]
        times = [until, *(at + self._stood_still for at in timers if at is not None)]
        due = min((at for at in times if at is not None), default=None)
        if not self._inbox:
            try:
                async with asyncio.timeout_at(due):
                    await self._woken.wait()
            except TimeoutError:
                pass
        self._woken.clear()

    async def turn(self) -> None:
        """Handle what arrived and what is due, tell it, save and send.

        Raises what the observer's ``save`` raises; nothing is lost by that, see `send_unsaved`.
        """
        for _ in range(MESSAGES_PER_TURN):
            if not self._inbox:
                break
            await self._take(self._inbox.popleft())
            self._drain()
        now = self.now()
        self.layer.handle_timer(now)
        for part in self.parts:
            part.session.handle_timer(now)
        self._drain()
        await self._send()

    def send_unsaved(self) -> None:
        """Send what ends the call although no snapshot can be saved any more; no INVITE."""
        self._drain()
        self._outbox += self.layer.messages_to_send()
        waiting, self._outbox = self._outbox, []
        for out in waiting:
            if out.retransmission or not _is_invite(out.message):
                self._transmit(out)

    def message_arrived(self, data: bytes, flow: Flow) -> None:
        """What the transport layer received: one datagram or one framed message."""
        if self._closed:
            return
        if len(self._inbox) >= MAX_INBOX:
            self.note("messages were dropped: too many came at once")
            return
        self._record(WireRecord(utc_now(), Direction.IN, flow, data))
        try:
            message = parse_message(data)
        except RemoteProtocolError as error:
            # A lone line end is a NAT keep-alive (RFC 5626 section 4.4.1), not a fault.
            if data.strip(b"\r\n\x00 "):
                self._malformed(data, flow, error)
            return
        self._inbox.append((message, flow))
        self._woken.set()

    def flow_failed(self, flow: Flow, reason: str) -> None:
        """What the transport layer lost."""
        if not self._closed and len(self._inbox) < 2 * MAX_INBOX:
            if flow.connection is not None:
                self._lost[flow] = reason
            self._inbox.append(_Lost(flow, reason))
            self._woken.set()

    def not_sip(self, flow: Flow, reason: str) -> None:
        """What the transport layer could not frame."""
        self.note(f"{flow.remote[0]} sent something that is not SIP: {reason}")

    def _record(self, record: WireRecord) -> None:
        self._recorded += 1
        if self._recorded <= MAX_RECORDS:
            self._observer.wire(record)
        else:
            self.note(f"only the first {MAX_RECORDS} messages are in the trace")

    async def _take(self, item: tuple[Message, Flow] | _Lost) -> None:
        if isinstance(item, _Lost):
            self.layer.transport_failed(item.flow, self.now(), item.reason)
            return
        message, flow = item
        if self.parts:
            await self.parts[-1].prepare(message)
        self.layer.receive_message(message, flow, self.now())

    def _malformed(self, data: bytes, flow: Flow, error: RemoteProtocolError) -> None:
        where = f" ({error.header})" if error.header else ""
        self.note(f"{flow.remote[0]} sent a malformed message: {error.message}{where}")
        refusal = refusal_of_malformed(data, error, to_tag=self._new_token())
        if refusal is not None and len(self.notes) < MAX_NOTES:
            self.layer.send_without_transaction(refusal, flow)
            self._woken.set()

    def _drain(self) -> None:
        """Hand the layer's events to the sessions, and theirs to their parts."""
        now = self.now()
        while (event := self.layer.next_event()) is not None:
            if not any(p.session.receive_event(event, now) for p in reversed(self.parts)):
                self._stranger(event, now)
        for part in self.parts:
            while (told := part.session.next_event()) is not None:
                part.happened(told)

    def _stranger(self, event: Event, now: float) -> None:
        """Answer a request that belongs to no dialog of ours."""
        if isinstance(event, CancelReceived):
            response = response_to(event.request, 481, to_tag=self._new_token())
        elif isinstance(event, RequestReceived):
            response = _answer_to_stranger(event, self._new_token())
        else:
            return
        self.layer.send_response(event.key, response, now)

    async def _send(self) -> None:
        while True:
            self._outbox += self.layer.messages_to_send()
            while self._unsaved is not None:
                snapshot = self._unsaved
                began = self._loop.time()
                await self._observer.save(snapshot)
                self._stood_still += self._loop.time() - began
                if self._unsaved is snapshot:
                    self._unsaved = None
            if not self._outbox:
                return
            waiting, self._outbox = self._outbox, []
            for out in waiting:
                self._transmit(out)
            self._drain()

    def _transmit(self, out: Outgoing) -> None:
        objection = self._guard.objection(out.flow.remote[0])
        now = self.now()
        if objection is not None:
            self.note(f"nothing was sent: {objection}")
            self.layer.transport_failed(out.flow, now, "not allowed")
            return
        failure = self.transport.send(out.data, out.flow)
        if failure is not None:
            # A connection says why it is lost only when it is: before that, `flow_failed` will.
            reason = failure if out.flow.connection is None else self._lost.get(out.flow)
            if reason is not None:
                self.layer.transport_failed(out.flow, now, reason)
            return
        self._record(WireRecord(utc_now(), Direction.OUT, out.flow, out.data, out.retransmission))
        for part in self.parts[-1:]:
            part.sent(out.message, retransmission=out.retransmission, now=now)


def _answer_to_stranger(event: RequestReceived, to_tag: str) -> Response:
    request = event.request
    if request.to.tag is not None:
        return response_to(request, 481)
    refusal = refusal_of(request, allowed_methods=("OPTIONS",), to_tag=to_tag, merged=event.merged)
    return refusal or response_to(request, 200, to_tag=to_tag, headers=(("Allow", "OPTIONS"),))


def _is_invite(message: Message) -> bool:
    return isinstance(message, Request) and message.method == "INVITE"
