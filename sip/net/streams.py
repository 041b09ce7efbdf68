"""One TCP or TLS connection that carries SIP messages, framed (RFC 3261 section 18.3)."""

from __future__ import annotations

import asyncio
import ssl
from typing import Protocol, cast

from sip.errors import ProtocolError
from sip.stream import KeepAlive, StreamFramer
from sip.transaction import Flow

__all__ = ["MAX_UNSENT_BYTES", "StreamConnection", "StreamOwner"]

MAX_UNSENT_BYTES = 1 << 20
"""A peer that does not read loses its connection at this many waiting bytes."""

MESSAGES_PER_WAKEUP = 64
"""Messages taken out of one read before other tasks get a turn."""


class StreamOwner(Protocol):
    """What a connection tells its endpoint; every call is in the loop and must not block."""

    def stream_opened(self, connection: StreamConnection) -> None:
        """The connection is established, TLS handshake included."""

    def stream_message(self, connection: StreamConnection, data: bytes) -> None:
        """One framed message arrived."""

    def stream_lost(self, connection: StreamConnection, reason: str, *, not_sip: bool) -> None:
        """The connection is gone; ``not_sip`` when the peer's bytes are no SIP."""


class StreamConnection(asyncio.Protocol):
    """Asyncio protocol of one connection, inbound or outbound."""

    def __init__(
        self, owner: StreamOwner, number: int, transport_name: str, *, accepted: bool
    ) -> None:
        """``accepted`` says that the peer opened the connection."""
        self._owner = owner
        self._framer = StreamFramer(accepted=accepted)
        self._transport: asyncio.Transport | None = None
        self._failure: str | None = None
        self._not_sip = False
        self.number = number
        self._name = transport_name
        self._loop = asyncio.get_running_loop()
        self._backlog = False
        self.flow: Flow | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection is gone."""

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The TLS session, ``None`` on plain TCP."""
        if self._transport is None:
            return None
        found: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return found

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked by isinstance: uvloop's TLS transport is none of asyncio's classes.
        self._transport = transport = cast(asyncio.Transport, transport)
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if remote is None:
            # The peer hung up between accept and here: there is no address to talk to.
            self.abort("closed at once")
            return
        self.flow = Flow(
            transport=self._name,
            local=(local[0], local[1]),
            remote=(remote[0], remote[1]),
            connection=self.number,
        )
        self._owner.stream_opened(self)

    def data_received(self, data: bytes) -> None:
        self._framer.receive_data(data)
        if not self._backlog:
            self._take_messages()

    def eof_received(self) -> None:
        # What came last is still heard, and a message cut short is told from a silent close.
        self._framer.receive_eof()
        if not self._backlog:
            self._take_messages()

    def connection_lost(self, error: Exception | None) -> None:
        reason = self._failure or _reason(error)
        self._owner.stream_lost(self, reason, not_sip=self._not_sip)
        if not self.lost.done():
            self.lost.set_result(None)

    def send(self, data: bytes) -> None:
        """Write one message; a peer that stopped reading loses the connection."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.abort("the peer does not read")
            return
        self._transport.write(data)

    @property
    def closing(self) -> bool:
        """Whether the connection is no longer of use."""
        return self._transport is None or self._transport.is_closing()

    @property
    def failure(self) -> str:
        """Why it is of no use, as far as that is known."""
        return self._failure or "closed"

    def close(self) -> None:
        """Close after what is written went out."""
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str) -> None:
        """Drop the connection at once."""
        self._failure = self._failure or reason
        if self._transport is not None:
            self._transport.abort()

    def _take_messages(self) -> None:
        if self._transport is None or self.closing:
            return
        for _ in range(MESSAGES_PER_WAKEUP):
            try:
                item = self._framer.next_message()
            except ProtocolError as error:
                self._fail(error)
                return
            if item is None:
                if self._backlog:
                    self._backlog = False
                    self._transport.resume_reading()
                return
            if item is KeepAlive.PING:
                self.send(b"\r\n")
            elif isinstance(item, bytes):
                self._owner.stream_message(self, item)
            if self.closing:
                return
        if not self._backlog:
            # The sender has to wait: what it sends faster than it is handled would fill the memory.
            self._backlog = True
            self._transport.pause_reading()
        self._loop.call_soon(self._take_messages)

    def _fail(self, error: ProtocolError) -> None:
        self._not_sip = True
        self.abort(str(error))


def _reason(error: Exception | None) -> str:
    if error is None:
        return "closed"
    if isinstance(error, ssl.SSLError):
        return f"tls:{error.reason or 'failed'}"
    return "reset"
