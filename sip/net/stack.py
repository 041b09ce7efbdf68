"""A SIP stack on real sockets: the asyncio shell around the transaction layer.

Turns bytes into messages and arms one timer for all transactions. Who asks gets a future, who
serves gives a handler. Protocol lives in ``sip``; this file only moves bytes and time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sip.errors import RemoteProtocolError
from sip.message import Message, Request, Response, parse_message
from sip.net.guard import AddressGuard
from sip.net.transport import TransportLayer
from sip.net.wire import Direction, WireRecord, WireTap, utc_now
from sip.timers import Timers
from sip.transaction import (
    Event,
    Flow,
    RequestReceived,
    ResponseReceived,
    TransactionKey,
    TransactionLayer,
    TransactionTimedOut,
    TransportFailed,
)

__all__ = ["Answer", "ProtocolFault", "RequestFailed", "RequestTimedOut", "SipStack"]

EVENTS_PER_PUMP = 256
"""Events handled before other tasks get a turn."""


class RequestFailed(Exception):
    """The transport under a request failed; ``str`` says how (``closed``, ``reset``, ...)."""


class RequestTimedOut(Exception):
    """No final response came in time; ``provisional`` is the status of the last 1xx, if any came."""

    def __init__(self, provisional: int | None = None) -> None:
        super().__init__("no final response")
        self.provisional = provisional


@dataclass(frozen=True, slots=True)
class ProtocolFault:
    """Bytes from a peer that are not SIP, and why.

    ``data`` and ``error`` are there when a whole datagram or framed message could not be parsed,
    and absent when a stream could not be framed.
    """

    flow: Flow
    reason: str
    data: bytes = b""
    error: RemoteProtocolError | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A final response and the flow it really came over."""

    response: Response
    flow: Flow


class SipStack:
    """UAC and UAS on one set of sockets.

    ``handler`` gets each new request and answers through ``respond``; ``on_event`` sees every
    event of the transaction layer; ``on_fault`` bytes that are no SIP; ``tap`` every message as it
    was on the wire. Use as an async context manager.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard,
        timers: Timers | None = None,
        handler: Callable[[SipStack, RequestReceived], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_fault: Callable[[ProtocolFault], None] | None = None,
        tap: WireTap | None = None,
    ) -> None:
        self.transport = TransportLayer(self, guard)
        self._layer = TransactionLayer(timers or Timers())
        self._handler = handler
        self._on_event = on_event
        self._on_fault = on_fault
        self._tap = tap
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[TransactionKey, asyncio.Future[Answer]] = {}
        self._provisional: dict[TransactionKey, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._closed = False

    async def __aenter__(self) -> SipStack:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def request(self, request: Request, flow: Flow, *, seconds: float) -> Answer:
        """Send a request and wait for its final response, at most ``seconds``.

        Raises ``RequestTimedOut`` and ``RequestFailed``.
        """
        key = self._layer.send_request(request, flow, self._loop.time())
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting[key] = answer
        deadline = self._loop.call_later(seconds, self._expire, key)
        self._pump()
        try:
            return await answer
        except (RequestTimedOut, RequestFailed):
            self.transport.forget_route(flow.remote[0])
            raise
        finally:
            deadline.cancel()
            self._waiting.pop(key, None)
            self._provisional.pop(key, None)
            self._layer.abandon(key)

    def respond(self, key: TransactionKey, response: Response) -> None:
        """Answer a request that the handler was given."""
        self._layer.send_response(key, response, self._loop.time())
        self._pump()

    def send_without_transaction(self, message: Message, flow: Flow) -> None:
        """Send a message once and remember nothing of it.

        For the response to a request that could not be parsed, and for the ACK to a 2xx. Raises
        ``LocalProtocolError`` when the message cannot be serialized.
        """
        self._layer.send_without_transaction(message, flow)
        self._pump()

    async def close(self) -> None:
        """Close all sockets; waiting requests end as ``RequestFailed``."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for key in tuple(self._waiting):
            self._settle(key, RequestFailed("closed"))
        await self.transport.close()

    def message_arrived(self, data: bytes, flow: Flow) -> None:
        """What the transport layer received: one datagram or one framed message."""
        if self._closed:
            return
        if self._tap is not None:
            self._tap(WireRecord(utc_now(), Direction.IN, flow, data))
        try:
            message = parse_message(data)
        except RemoteProtocolError as error:
            # A lone line end is a NAT keep-alive (RFC 5626 section 4.4.1), not a fault.
            if data.strip(b"\r\n\x00 ") and self._on_fault is not None:
                self._on_fault(ProtocolFault(flow, str(error), data, error))
            return
        self._layer.receive_message(message, flow, self._loop.time())
        self._pump()

    def flow_failed(self, flow: Flow, reason: str) -> None:
        """What the transport layer lost."""
        self._layer.transport_failed(flow, self._loop.time(), reason)
        self._pump()

    def not_sip(self, flow: Flow, reason: str) -> None:
        """What the transport layer could not frame."""
        if self._on_fault is not None:
            self._on_fault(ProtocolFault(flow, reason))

    def _pump(self) -> None:
        """Send what is due, hand out events, arm the timer."""
        if self._closed:
            return
        self._transmit()
        for _ in range(EVENTS_PER_PUMP):
            event = self._layer.next_event()
            if event is None:
                break
            self._dispatch(event)
        else:
            self._loop.call_soon(self._pump)
        self._transmit()
        self._arm()

    def _arm(self) -> None:
        due = self._layer.get_timer()
        if due is None:
            return
        if self._timer is not None:
            # An earlier wake-up finds nothing due and arms again: cheaper than cancelling.
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._loop.call_at(due, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self._layer.handle_timer(self._loop.time())
        self._pump()

    def _transmit(self) -> None:
        for out in self._layer.messages_to_send():
            failure = self.transport.send(out.data, out.flow)
            if failure is not None:
                self._layer.transport_failed(out.flow, self._loop.time(), failure)
            elif self._tap is not None:
                self._tap(
                    WireRecord(utc_now(), Direction.OUT, out.flow, out.data, out.retransmission)
                )

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, ResponseReceived):
            if event.response.status >= 200:
                self._settle(event.key, Answer(event.response, event.flow))
            elif event.key in self._waiting:
                self._provisional[event.key] = event.response.status
        elif isinstance(event, TransactionTimedOut):
            self._expire(event.key)
        elif isinstance(event, TransportFailed):
            self._settle(event.key, RequestFailed(event.reason))
        elif isinstance(event, RequestReceived) and self._handler is not None:
            self._handler(self, event)
        if self._on_event is not None:
            self._on_event(event)

    def _expire(self, key: TransactionKey) -> None:
        self._settle(key, RequestTimedOut(self._provisional.get(key)))

    def _settle(self, key: TransactionKey, outcome: Answer | Exception) -> None:
        answer = self._waiting.get(key)
        if answer is None or answer.done():
            return
        if isinstance(outcome, Answer):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)
