"""Accept connections, so that peers who only connect cost little and closing leaves none behind.

``loop.create_server`` neither bounds the TLS handshakes that peers begin and never finish nor ends
them when the server closes.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

from sip.net.wire import family_of

__all__ = ["HANDSHAKE_SECONDS", "MAX_HANDSHAKES", "StreamAcceptor"]

HANDSHAKE_SECONDS = 10.0
"""A peer that takes longer for its TLS handshake is dropped."""

MAX_HANDSHAKES = 256
"""Connections on their way into the loop; more are closed at once."""

BACKLOG = 1024

PAUSE_SECONDS = 0.2
"""Wait after a failed accept: mostly descriptors ran out, and the connection is still queued."""


class StreamAcceptor:
    """Listening socket whose connections get a protocol each. Make it with ``listen``."""

    def __init__(
        self,
        sock: socket.socket,
        factory: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext | None,
    ) -> None:
        self._socket = sock
        self._factory = factory
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Task[None]] = set()
        self._accepted: set[socket.socket] = set()
        self._resuming: asyncio.TimerHandle | None = None
        # Not by a task: one that is cancelled loses the connection that it was about to get.
        self._loop.add_reader(sock, self._accept)
        host, port = sock.getsockname()[:2]
        self.local: tuple[str, int] = (host, port)

    @classmethod
    def listen(
        cls,
        local: tuple[str, int],
        factory: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext | None = None,
    ) -> StreamAcceptor:
        """Listen on TCP, or TLS with a context; port 0 takes a free one. Raises ``OSError``."""
        family = family_of(local[0])
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(local)
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
        return cls(sock, factory, context)

    async def close(self) -> None:
        """Stop accepting and drop unfinished handshakes; idempotent."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        if self._resuming is not None:
            self._resuming.cancel()
        self._socket.close()
        tasks = tuple(self._starting)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        # A task that was cancelled before its first step has not taken its connection.
        while self._accepted:
            self._accepted.pop().close()

    def _accept(self) -> None:
        # One at a time: a flood must not own the loop.
        try:
            sock, _ = self._socket.accept()
        except BlockingIOError:
            return
        except OSError:
            self._loop.remove_reader(self._socket)
            self._resuming = self._loop.call_later(PAUSE_SECONDS, self._resume)
            return
        sock.setblocking(False)
        if len(self._starting) >= MAX_HANDSHAKES:
            sock.close()
            return
        self._accepted.add(sock)
        task = self._loop.create_task(self._start(sock))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _resume(self) -> None:
        self._loop.add_reader(self._socket, self._accept)

    async def _start(self, sock: socket.socket) -> None:
        self._accepted.discard(sock)
        timeout = None if self._context is None else HANDSHAKE_SECONDS
        try:
            await self._loop.connect_accepted_socket(
                self._factory, sock, ssl=self._context, ssl_handshake_timeout=timeout
            )
        except OSError:
            # The peer went away or its handshake failed: it was told, and nobody here waits.
            sock.close()
