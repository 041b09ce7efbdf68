"""One fake peer: a behaviour on an address."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from ipaddress import ip_address
from typing import Protocol

from lab.answers import Answers
from lab.behaviour import Behaviour, Manner, Port, Transport
from lab.call_media import GUARD
from lab.calls import METHODS, CallRecord, Calls
from lab.certificates import Authority
from lab.errors import LabError
from lab.raw import FilteredPort, RawStreamPort, RawUdpPort, UdpInlet
from lab.tls import server_context
from sip.errors import LocalProtocolError
from sip.message import Response
from sip.net.stack import ProtocolFault, SipStack
from sip.timers import Timers
from sip.transaction import Event, Flow, RequestReceived, ServerKey
from sip.uas import refusal_of_malformed

__all__ = ["LabPeer"]

MAX_DELAYED = 1000
"""Answers that wait at a time; a slow peer ignores what is asked beyond."""


class _Closable(Protocol):
    async def close(self) -> None: ...


class LabPeer:
    """A peer; ``start`` opens its ports and ``close`` ends everything it does.

    ``timers`` are those of its transactions and of what it repeats in a call.
    """

    def __init__(
        self,
        name: str,
        address: str,
        behaviour: Behaviour,
        authority: Authority,
        timers: Timers | None = None,
    ) -> None:
        self.name = name
        self.address = address
        self.behaviour = behaviour
        self._authority = authority
        self._timers = timers or Timers()
        self._answers = Answers(behaviour, address)
        self._stack: SipStack | None = None
        self._calls: Calls | None = None
        self._ports: list[_Closable] = []
        self._delayed: set[asyncio.TimerHandle] = set()

    @property
    def uri(self) -> str:
        """SIP URI as a customer would be told it: without port and transport."""
        return f"sip:{self.address}"

    @property
    def live_calls(self) -> int:
        """How many calls there are, ringing ones included."""
        return 0 if self._calls is None else self._calls.live

    @property
    def call_records(self) -> tuple[CallRecord, ...]:
        """The last calls that are over, oldest first."""
        return () if self._calls is None else tuple(self._calls.records)

    async def until_idle(self) -> None:
        """Wait until no call is left."""
        if self._calls is not None:
            await self._calls.until_idle()

    async def start(self) -> None:
        """Open the ports. Raises ``LabError`` for one that cannot be opened, with none left open."""
        self._stack = SipStack(
            guard=GUARD,
            timers=self._timers,
            handler=self._requested,
            on_event=self._happened,
            on_fault=self._malformed,
        )
        self._calls = Calls(self._stack, self._answers, self.behaviour, self.address, self._timers)
        try:
            for port in self.behaviour.ports:
                await self._open(self._stack, port)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the ports and drop what waits; idempotent."""
        for waiting in self._delayed:
            waiting.cancel()
        self._delayed.clear()
        if self._calls is not None:
            await self._calls.close()
        for port in self._ports:
            await port.close()
        self._ports.clear()
        if self._stack is not None:
            await self._stack.close()

    async def _open(self, stack: SipStack, port: Port) -> None:
        local = (self.address, port.number)
        try:
            context = self._context(port)
            if port.manner is Manner.FILTERED:
                self._ports.append(FilteredPort(local))
            elif port.transport is Transport.UDP:
                await self._open_udp(stack, port, local)
            elif port.manner is Manner.SIP:
                await stack.transport.listen_stream(local, context)
            else:
                raw = RawStreamPort(port.manner, context)
                self._ports.append(raw)
                raw.start(local)
        except OSError as error:
            raise LabError(
                f"{self.name} cannot listen on {port.transport} {self.address}:{port.number}: "
                f"{error.strerror or error}"
            ) from error

    async def _open_udp(self, stack: SipStack, port: Port, local: tuple[str, int]) -> None:
        if port.manner is not Manner.SIP:
            self._ports.append(RawUdpPort(local, port.manner))
            return
        if not self.behaviour.answers_from_neighbour:
            stack.transport.listen_udp(local)
            return
        # The stack knows the neighbour's socket alone and takes what arrives here as its own.
        neighbour = stack.transport.listen_udp((str(ip_address(self.address) + 1), port.number))

        def received(data: bytes, remote: tuple[str, int]) -> None:
            stack.message_arrived(data, Flow("UDP", neighbour, remote))

        self._ports.append(UdpInlet(local, received))

    def _context(self, port: Port) -> ssl.SSLContext | None:
        if port.transport is not Transport.TLS:
            return None
        pair = self._authority.server_pair(self.name, self.address, port.tls.certificate)
        return server_context(port.tls, pair, self._authority.ca_file)

    def _requested(self, stack: SipStack, event: RequestReceived) -> None:
        response = self._answers.refusal(
            event.request, allowed_methods=METHODS, merged=event.merged
        )
        if response is not None or self._calls is None:
            stack.respond(event.key, response or self._answers.response(event.request, 500))
        elif event.request.method == "INVITE":
            self._calls.receive_invite(event)
        elif event.request.method == "OPTIONS" and event.request.to.tag is None:
            self._options(stack, event)
        else:
            self._calls.receive_in_dialog(event)

    def _options(self, stack: SipStack, event: RequestReceived) -> None:
        response = self._answers.to_options(event.request)
        delay = self.behaviour.delay.total_seconds()
        if not delay:
            stack.respond(event.key, response)
        elif len(self._delayed) < MAX_DELAYED:
            self._respond_later(stack, event.key, response, delay)

    def _respond_later(
        self, stack: SipStack, key: ServerKey, response: Response, delay: float
    ) -> None:
        def respond() -> None:
            self._delayed.discard(waiting)
            stack.respond(key, response)

        waiting = asyncio.get_running_loop().call_later(delay, respond)
        self._delayed.add(waiting)

    def _happened(self, event: Event) -> None:
        if self._calls is not None:
            self._calls.observe(event)

    def _malformed(self, fault: ProtocolFault) -> None:
        if fault.error is None or self._stack is None:
            return
        refusal = refusal_of_malformed(fault.data, fault.error, to_tag=self._answers.new_tag())
        if refusal is None:
            return
        # What was saved of the request may be too broken to be sent back.
        with suppress(LocalProtocolError):
            self._stack.send_without_transaction(self._answers.signed(refusal), fault.flow)
