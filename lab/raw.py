"""Ports that do not speak SIP: they stay mute, talk garbage, hang up or let nothing through."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from lab.behaviour import Manner
from sip.net.acceptor import StreamAcceptor
from sip.net.udp import UdpSocket

__all__ = ["FilteredPort", "RawStreamPort", "RawUdpPort"]

MAX_CONNECTIONS = 256
"""Connections one port keeps; more are closed at once."""

MAX_SILENCE_SECONDS = 300.0
"""A connection that was opened this long ago is dropped, so that nobody can fill the port for ever."""

NOISE_BYTES = 300

HTTP_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\n"
    b"Content-Length: 11\r\nConnection: close\r\n\r\nBad Request"
)

_FILLING_CONNECTIONS = 4


class UdpInlet:
    """UDP port whose datagrams go to ``received`` with their source. Raises ``OSError``."""

    def __init__(
        self, local: tuple[str, int], received: Callable[[bytes, tuple[str, int]], None]
    ) -> None:
        self._socket = UdpSocket.bind(
            local,
            lambda _socket, data, remote: received(data, remote),
            lambda _socket, _remote, _errno: None,
        )

    def send(self, data: bytes, remote: tuple[str, int]) -> None:
        """Send one datagram from the port."""
        self._socket.send(data, remote)

    async def close(self) -> None:
        """Close the socket; idempotent."""
        self._socket.close()


class RawUdpPort(UdpInlet):
    """UDP port that is mute or answers each datagram with random bytes. Raises ``OSError``."""

    def __init__(self, local: tuple[str, int], manner: Manner) -> None:
        super().__init__(local, self._garbled if manner is Manner.GARBAGE else _ignored)

    def _garbled(self, _data: bytes, remote: tuple[str, int]) -> None:
        self.send(secrets.token_bytes(NOISE_BYTES), remote)


def _ignored(_data: bytes, _remote: tuple[str, int]) -> None:
    """Say nothing."""


class RawStreamPort:
    """TCP port, or TLS with a context, that is mute, talks garbage or hangs up."""

    def __init__(self, manner: Manner, context: ssl.SSLContext | None) -> None:
        self._manner = manner
        self._context = context
        self._acceptor: StreamAcceptor | None = None
        self._open: set[_RawConnection] = set()

    def start(self, local: tuple[str, int]) -> None:
        """Start to accept. Raises ``OSError``."""
        self._acceptor = StreamAcceptor.listen(local, lambda: _RawConnection(self), self._context)

    async def close(self) -> None:
        """Stop accepting and drop the connections; idempotent."""
        if self._acceptor is None:
            return
        acceptor, self._acceptor = self._acceptor, None
        await acceptor.close()
        gone = [connection.lost for connection in self._open]
        for connection in tuple(self._open):
            connection.abort()
        if gone:
            await asyncio.wait(gone)

    def opened(self, connection: _RawConnection) -> None:
        """Called by a connection that is established."""
        if self._acceptor is None or len(self._open) >= MAX_CONNECTIONS:
            connection.abort()
        else:
            self._open.add(connection)

    def gone(self, connection: _RawConnection) -> None:
        """Called by a connection at its end."""
        self._open.discard(connection)

    def answer(self) -> bytes | None:
        """What a connection says to its first bytes before it closes; ``None`` says nothing."""
        if self._manner is Manner.GARBAGE:
            return HTTP_ANSWER if self._context is None else secrets.token_bytes(NOISE_BYTES)
        return None if self._manner is Manner.MUTE else b""


class _RawConnection(asyncio.Protocol):
    def __init__(self, port: RawStreamPort) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self._too_long = loop.call_later(MAX_SILENCE_SECONDS, self.abort)
        self.lost: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked by isinstance: uvloop's TLS transport is none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._port.opened(self)

    def data_received(self, _data: bytes) -> None:
        answer = self._port.answer()
        if answer is not None and self._transport is not None:
            self._transport.write(answer)
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self._too_long.cancel()
        self._port.gone(self)
        if not self.lost.done():
            self.lost.set_result(None)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class FilteredPort:
    """TCP port whose handshake never completes.

    Linux drops the first segment of a connection while the queue of accepted ones is full, which a
    client cannot tell from a firewall that drops it. The queue is filled from here and nothing is
    ever taken out. Raises ``OSError``.
    """

    def __init__(self, local: tuple[str, int]) -> None:
        self._sockets = [self._listening(local)]
        for _ in range(_FILLING_CONNECTIONS):
            filling = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._sockets.append(filling)
            with suppress(BlockingIOError):
                filling.connect(local)

    def _listening(self, local: tuple[str, int]) -> socket.socket:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(local)
            listening.listen(0)
        except OSError:
            listening.close()
            raise
        return listening

    async def close(self) -> None:
        """Close all sockets; idempotent."""
        for sock in self._sockets:
            sock.close()
