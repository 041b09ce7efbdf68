"""A UDP socket for SIP that hears refusals.

One unconnected socket talks to any number of peers. Linux keeps ICMP errors on the socket's error
queue together with the destination that caused them (``IP_RECVERR``, ip(7)), so a closed port is
told from a silent one without a connected socket for each peer, and a reply from an address that
was not asked is still seen.

The loop does not watch the socket itself: libuv, under uvloop, stops polling a descriptor for good
at its first ``POLLERR``, which is what a filled error queue raises. It watches an epoll descriptor
that holds the socket and only ever becomes readable (epoll(7)).
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import struct
from collections import deque
from collections.abc import Callable

from sip.net.wire import family_of

__all__ = ["MAX_DATAGRAM", "UdpSocket"]

MAX_DATAGRAM = 65535
"""Largest UDP payload that can arrive."""

READS_PER_WAKEUP = 64
"""Datagrams taken before other tasks get a turn: a flood must not own the loop."""

GATHERED = 16
"""Datagrams handed to the kernel in one go. Sent one by one between other work, each would wake the
sleeping receiver anew, which costs more than sending; more at a time would blur response times."""

MAX_UNSENT = 1024
"""Datagrams kept while the kernel's send buffer is full; older ones are dropped, as a net would."""

_IP_RECVERR = 11
_IPV6_RECVERR = 25
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_ANCILLARY_BYTES = 512

Address = tuple[str, int]


class UdpSocket:
    """Bound UDP socket on the running loop.

    ``on_datagram(socket, data, remote)`` gets each datagram; ``on_refused(socket, remote, errno)``
    each ICMP error that answered something sent from here. Both run in the loop and must not block.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_datagram: Callable[[UdpSocket, bytes, Address], None],
        on_refused: Callable[[UdpSocket, Address, int], None],
    ) -> None:
        self._socket = sock
        self._on_datagram = on_datagram
        self._on_refused = on_refused
        self._gathered: list[tuple[bytes, Address]] = []
        self._unsent: deque[tuple[bytes, Address]] = deque(maxlen=MAX_UNSENT)
        self._loop = asyncio.get_running_loop()
        host, port = sock.getsockname()[:2]
        self.local: Address = (host, port)
        self._poll = select.epoll()
        self._poll.register(sock.fileno(), select.EPOLLIN)
        self._loop.add_reader(self._poll.fileno(), self._ready)

    @classmethod
    def bind(
        cls,
        local: Address,
        on_datagram: Callable[[UdpSocket, bytes, Address], None],
        on_refused: Callable[[UdpSocket, Address, int], None],
    ) -> UdpSocket:
        """Open and bind; port 0 takes a free one. Raises ``OSError``."""
        family = family_of(local[0])
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(local)
        except OSError:
            sock.close()
            raise
        return cls(sock, on_datagram, on_refused)

    def send(self, data: bytes, remote: Address) -> None:
        """Send one datagram in this turn of the loop, after what was handed over before it.

        An error that belongs to it goes to ``on_refused``.
        """
        self._gathered.append((data, remote))
        if len(self._gathered) == 1:
            self._loop.call_soon(self._send_gathered)
        elif len(self._gathered) >= GATHERED:
            self._send_gathered()

    def _send_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        if self._socket.fileno() >= 0:
            for data, remote in gathered:
                self._send_now(data, remote)

    def _send_now(self, data: bytes, remote: Address) -> None:
        if self._unsent:
            self._unsent.append((data, remote))
            return
        try:
            self._socket.sendto(data, remote)
        except BlockingIOError:
            self._unsent.append((data, remote))
            self._poll.modify(self._socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
        except OSError as error:
            self._send_again(data, remote, error)

    def close(self) -> None:
        """Send what was handed over, stop reading and close; idempotent."""
        if self._socket.fileno() < 0:
            return
        self._send_gathered()
        self._loop.remove_reader(self._poll.fileno())
        self._poll.close()
        self._socket.close()

    def _send_again(self, data: bytes, remote: Address, error: OSError) -> None:
        # The kernel reports an earlier datagram's ICMP error on the next call, whoever it is for.
        self._drain_errors()
        try:
            self._socket.sendto(data, remote)
        except BlockingIOError:
            # Lost, as a datagram may be: the transaction repeats it.
            return
        except OSError as second:
            number = second.errno or error.errno or errno.EIO
            self._loop.call_soon(self._on_refused, self, remote, number)

    def _writable(self) -> None:
        while self._unsent:
            data, remote = self._unsent[0]
            try:
                self._socket.sendto(data, remote)
            except BlockingIOError:
                return
            except OSError as error:
                self._send_again(data, remote, error)
            self._unsent.popleft()
        self._poll.modify(self._socket.fileno(), select.EPOLLIN)

    def _ready(self) -> None:
        if self._unsent:
            self._writable()
        self._readable()

    def _readable(self) -> None:
        for taken in range(READS_PER_WAKEUP):
            try:
                data, remote = self._socket.recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                # The poll may have been for the error queue alone; if it was for both, what is left
                # there causes the next one.
                if not taken:
                    self._drain_errors()
                return
            except OSError:
                self._drain_errors()
            else:
                self._on_datagram(self, data, (remote[0], remote[1]))
            if self._socket.fileno() < 0:
                return

    def _drain_errors(self) -> None:
        for _ in range(READS_PER_WAKEUP):
            try:
                _, ancillary, _, remote = self._socket.recvmsg(
                    0, _ANCILLARY_BYTES, socket.MSG_ERRQUEUE
                )
            except OSError:
                return
            for _level, kind, data in ancillary:
                if kind in (_IP_RECVERR, _IPV6_RECVERR) and len(data) >= _EXTENDED_ERROR.size:
                    number = _EXTENDED_ERROR.unpack_from(data)[0]
                    self._on_refused(self, (remote[0], remote[1]), number)
            if self._socket.fileno() < 0:
                return
