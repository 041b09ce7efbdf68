"""One fake peer: a behaviour on an address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Protocol

from lab.answers import Answers
from lab.behaviour import Behaviour, Manner, Port, Transport
from lab.certificates import Authority
from lab.errors import LabError
from lab.raw import FilteredPort, RawStreamPort, RawUdpPort, UdpInlet
from lab.tls import server_context
from sip.errors import LocalProtocolError
from sip.message import Response
from sip.net.guard import AddressGuard
from sip.net.stack import ProtocolFault, SipStack
from sip.transaction import CancelReceived, Event, Flow, RequestReceived, ServerKey
from sip.uas import refusal_of_malformed

__all__ = ["LabPeer"]

MAX_DELAYED = 1000
"""Answers that wait at a time; a slow peer ignores what is asked beyond."""

GUARD = AddressGuard((ip_network("127.0.0.0/8"), ip_network("::1/128")))


class _Closable(Protocol):
    async def close(self) -> None: ...


class LabPeer:
    """A peer; ``start`` opens its ports and ``close`` ends everything it does."""

    def __init__(self, name: str, address: str, behaviour: Behaviour, authority: Authority) -> None:
        self.name = name
        self.address = address
        self.behaviour = behaviour
        self._authority = authority
        self._answers = Answers(behaviour, address)
        self._methods: Mapping[str, Callable[[SipStack, RequestReceived], None]] = {
            "OPTIONS": self._options,
        }
        self._stack: SipStack | None = None
        self._ports: list[_Closable] = []
        self._delayed: set[asyncio.TimerHandle] = set()

    @property
    def uri(self) -> str:
        """SIP URI as a customer would be told it: without port and transport."""
        return f"sip:{self.address}"

    async def start(self) -> None:
        """Open the ports. Raises ``LabError`` for one that cannot be opened, with none left open."""
        self._stack = SipStack(
            guard=GUARD,
            handler=self._requested,
            on_event=self._happened,
            on_fault=self._malformed,
        )
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
            event.request, allowed_methods=tuple(self._methods), merged=event.merged
        )
        if response is None:
            self._methods[event.request.method](stack, event)
        else:
            stack.respond(event.key, response)

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
        if isinstance(event, CancelReceived) and self._stack is not None:
            # Nothing that this peer answers can be cancelled any more (RFC 3261 section 9.2).
            self._stack.respond(event.key, self._answers.response(event.request, 481))

    def _malformed(self, fault: ProtocolFault) -> None:
        if fault.error is None or self._stack is None:
            return
        refusal = refusal_of_malformed(fault.data, fault.error, to_tag=self._answers.new_tag())
        if refusal is None:
            return
        # What was saved of the request may be too broken to be sent back.
        with suppress(LocalProtocolError):
            self._stack.send_without_transaction(self._answers.signed(refusal), fault.flow)
