"""The transport layer: sockets that carry SIP, by flow (RFC 3261 section 18).

Binds UDP sockets, opens, accepts and shares connections. Every outbound flow passes the address
guard, on the address it will really use.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from sip.net.acceptor import StreamAcceptor
from sip.net.guard import AddressGuard
from sip.net.streams import StreamConnection
from sip.net.tls import TlsProfile, client_context
from sip.net.udp import UdpSocket
from sip.net.wire import family_of, source_address
from sip.transaction import Flow

__all__ = [
    "MAX_STREAMS",
    "ConnectTimedOut",
    "HandshakeFailed",
    "HandshakeTimedOut",
    "TransportLayer",
    "TransportUser",
]

MAX_STREAMS = 1024
"""Connections one layer keeps; more are closed at once, so a flood cannot take all descriptors."""

MAX_ROUTES = 16_384
"""Peers over UDP whose route is remembered."""

SharedKey = tuple[tuple[str, int], TlsProfile | None]


class ConnectTimedOut(Exception):
    """The peer did not answer TCP's first segment in time."""


class HandshakeTimedOut(Exception):
    """TCP connected, and TLS did not come up in time."""


class HandshakeFailed(Exception):
    """TCP connected, and TLS failed; ``error`` is the ``ssl.SSLError`` or ``OSError`` behind it."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class TransportUser(Protocol):
    """Who gets what arrives; calls are in the loop and must not block."""

    def message_arrived(self, data: bytes, flow: Flow) -> None:
        """One datagram, or one framed message of a stream."""

    def flow_failed(self, flow: Flow, reason: str) -> None:
        """The flow's connection is gone, or an ICMP error answered (reason ``errno:N``)."""

    def not_sip(self, flow: Flow, reason: str) -> None:
        """The stream's bytes cannot be framed as SIP; its connection is closed next."""


class TransportLayer:
    """Sockets of one stack, on the running loop."""

    def __init__(self, user: TransportUser, guard: AddressGuard) -> None:
        self._user = user
        self._guard = guard
        self._loop = asyncio.get_running_loop()
        self._udp: dict[tuple[str, int], UdpSocket] = {}
        self._udp_by_source: dict[str, UdpSocket] = {}
        self._udp_by_peer: dict[str, UdpSocket] = {}
        self._streams: dict[int, StreamConnection] = {}
        self._shared: dict[SharedKey, StreamConnection] = {}
        self._acceptors: list[StreamAcceptor] = []
        self._next_stream = 1
        self._closed = False

    def udp_flow(self, remote: tuple[str, int]) -> Flow:
        """Flow over UDP from the address that routes to ``remote``.

        Route and guard are asked once for each address, until ``forget_route``. Raises
        ``TargetNotAllowed`` and ``OSError`` (no route, no socket).
        """
        sock = self._udp_by_peer.get(remote[0])
        if sock is None:
            self._guard.check(remote[0])
            source = source_address(*remote)
            sock = self._udp_by_source.get(source)
            if sock is None:
                sock = self._bind((source, 0))
                self._udp_by_source[source] = sock
            if len(self._udp_by_peer) >= MAX_ROUTES:
                self._udp_by_peer.clear()
            self._udp_by_peer[remote[0]] = sock
        return Flow("UDP", sock.local, remote)

    def forget_route(self, address: str) -> None:
        """Ask again how to reach the address: it did not answer, and routes change."""
        self._udp_by_peer.pop(address, None)

    async def stream_flow(
        self,
        remote: tuple[str, int],
        tls: TlsProfile | None,
        *,
        seconds: float,
        shared: bool = True,
        on_connected: Callable[[], None] | None = None,
    ) -> Flow:
        """Flow over TCP, or TLS with a profile; an open connection to the same peer is shared.

        ``seconds`` bounds connecting and handshake together; ``on_connected`` is called between
        them. Without ``shared`` the connection is a new one that nobody else is given. Raises
        ``TargetNotAllowed``; ``ConnectTimedOut`` or ``OSError`` when TCP fails;
        ``HandshakeTimedOut`` or ``HandshakeFailed`` when TLS on it does.
        """
        self._guard.check(remote[0])
        key = (remote, tls)
        existing = self._shared.get(key) if shared else None
        if existing is not None and not existing.closing and existing.flow is not None:
            return existing.flow
        if len(self._streams) >= MAX_STREAMS:
            raise OSError(errno.EMFILE, "too many connections")
        deadline = self._loop.time() + seconds
        sock = await self._connect(remote, deadline)
        if on_connected is not None:
            on_connected()
        connection = self._stream("TLS" if tls else "TCP", accepted=False)
        try:
            async with asyncio.timeout_at(deadline):
                await self._loop.create_connection(
                    lambda: connection,
                    sock=sock,
                    ssl=client_context(tls) if tls is not None else None,
                    server_hostname=tls.server_name if tls is not None else None,
                )
        except TimeoutError:
            sock.close()
            raise HandshakeTimedOut from None
        except OSError as error:
            sock.close()
            raise HandshakeFailed(error) from error
        if connection.flow is None or connection.closing:
            raise ConnectionResetError(errno.ECONNRESET, "closed at once")
        if shared:
            self._shared[key] = connection
        return connection.flow

    async def _connect(self, remote: tuple[str, int], deadline: float) -> socket.socket:
        sock = socket.socket(family_of(remote[0]), socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            async with asyncio.timeout_at(deadline):
                await self._loop.sock_connect(sock, remote)
        except TimeoutError:
            sock.close()
            raise ConnectTimedOut from None
        except BaseException:
            sock.close()
            raise
        return sock

    def listen_udp(self, local: tuple[str, int]) -> tuple[str, int]:
        """Receive on a UDP address; port 0 takes a free one. Raises ``OSError``."""
        return self._bind(local).local

    async def listen_stream(
        self, local: tuple[str, int], context: ssl.SSLContext | None = None
    ) -> tuple[str, int]:
        """Accept TCP, or TLS with a context; port 0 takes a free one. Raises ``OSError``."""
        acceptor = StreamAcceptor.listen(
            local, lambda: self._stream("TLS" if context else "TCP", accepted=True), context
        )
        self._acceptors.append(acceptor)
        return acceptor.local

    def send(self, data: bytes, flow: Flow) -> str | None:
        """Put bytes on a flow; the reason when it is gone, as ``flow_failed`` gets it."""
        if flow.connection is None:
            sock = self._udp.get(flow.local)
            if sock is None:
                return "closed"
            sock.send(data, flow.remote)
            return None
        connection = self._streams.get(flow.connection)
        if connection is None:
            return "closed"
        connection.send(data)
        return connection.failure if connection.closing else None

    def ssl_object(self, flow: Flow) -> ssl.SSLObject | None:
        """TLS session under a flow, while its connection is open."""
        connection = self._streams.get(flow.connection or 0)
        return None if connection is None else connection.ssl_object

    def is_open(self, flow: Flow) -> bool:
        """Whether something can be sent over the flow; UDP always can."""
        connection = self._streams.get(flow.connection or 0)
        return flow.connection is None or (connection is not None and not connection.closing)

    def close_flow(self, flow: Flow) -> None:
        """Close the connection under a flow; a UDP socket stays, others use it."""
        connection = self._streams.get(flow.connection or 0)
        if connection is not None:
            connection.close()

    async def close(self) -> None:
        """Close all sockets; idempotent."""
        if self._closed:
            return
        self._closed = True
        for sock in self._udp.values():
            sock.close()
        for acceptor in self._acceptors:
            await acceptor.close()
        gone = [connection.lost for connection in self._streams.values()]
        for connection in tuple(self._streams.values()):
            connection.abort("closed")
        if gone:
            await asyncio.wait(gone)

    def stream_opened(self, connection: StreamConnection) -> None:
        """Called by a connection that is established, TLS handshake included."""
        if self._closed or len(self._streams) >= MAX_STREAMS:
            connection.abort("too many connections")
            return
        self._streams[connection.number] = connection

    def stream_message(self, connection: StreamConnection, data: bytes) -> None:
        """Called by a connection for each framed message."""
        if connection.flow is not None and not self._closed:
            self._user.message_arrived(data, connection.flow)

    def stream_lost(self, connection: StreamConnection, reason: str, *, not_sip: bool) -> None:
        """Called by a connection at its end."""
        self._streams.pop(connection.number, None)
        for key, shared in tuple(self._shared.items()):
            if shared is connection:
                del self._shared[key]
        if self._closed or connection.flow is None:
            return
        if not_sip:
            self._user.not_sip(connection.flow, reason)
        self._user.flow_failed(connection.flow, reason)

    def _stream(self, transport: str, *, accepted: bool) -> StreamConnection:
        number = self._next_stream
        self._next_stream += 1
        return StreamConnection(self, number, transport, accepted=accepted)

    def _bind(self, local: tuple[str, int]) -> UdpSocket:
        def received(sock: UdpSocket, data: bytes, remote: tuple[str, int]) -> None:
            self._user.message_arrived(data, Flow("UDP", sock.local, remote))

        def refused(sock: UdpSocket, remote: tuple[str, int], number: int) -> None:
            self._user.flow_failed(Flow("UDP", sock.local, remote), f"errno:{number}")

        sock = UdpSocket.bind(local, received, refused)
        self._udp[sock.local] = sock
        return sock
