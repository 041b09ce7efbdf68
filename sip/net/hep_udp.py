"""A UDP socket that takes HEP datagrams as fast as they come and lets the loop breathe.

It never sends, so no ICMP error can come back, and the loop may watch it itself (see `sip.net.udp`).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from sip.net.hep_intake import HepIntake
from sip.net.wire import family_of

__all__ = ["HepUdpSocket"]

DATAGRAMS_PER_WAKEUP: Final = 64
"""Taken before other tasks get a turn: a flood must not own the loop."""

_MAX_DATAGRAM: Final = 65_535
# Numbers of Linux (asm-generic/socket.h, linux/sock_diag.h) that Python has no names for.
_SO_RCVBUFFORCE: Final = 33
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")
_MEMINFO_DROPS: Final = 8


class HepUdpSocket:
    """A bound socket on the running loop. Make it with `bind`."""

    def __init__(self, sock: socket.socket, intake: HepIntake) -> None:
        self._socket = sock
        self._intake = intake
        self._loop = asyncio.get_running_loop()
        self._drops = 0
        host, port = sock.getsockname()[:2]
        self.local: tuple[str, int] = (host, port)
        self._loop.add_reader(sock.fileno(), self._readable)

    @classmethod
    def bind(
        cls, local: tuple[str, int], intake: HepIntake, *, receive_buffer: int
    ) -> HepUdpSocket:
        """Open and bind; port 0 takes a free one. Raises `OSError`.

        `receive_buffer` are octets of the kernel's, which counts each datagram's own structures too;
        without CAP_NET_ADMIN it gives no more than net.core.rmem_max.
        """
        family = family_of(local[0])
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, receive_buffer)
            except OSError:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.bind(local)
        except OSError:
            sock.close()
            raise
        return cls(sock, intake)

    @property
    def kernel_drops(self) -> int:
        """Datagrams that the kernel dropped, mostly for want of room; 0 where it does not say."""
        if self._socket.fileno() >= 0:
            try:
                told = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
                self._drops = _MEMINFO.unpack(told)[_MEMINFO_DROPS]
            except (OSError, struct.error):
                self._drops = 0
        return self._drops

    def close(self) -> None:
        """Stop reading and close; idempotent."""
        if self._socket.fileno() >= 0:
            self._drops = self.kernel_drops
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _readable(self) -> None:
        receive, take = self._socket.recvfrom, self._intake.datagram
        for _ in range(DATAGRAMS_PER_WAKEUP):
            try:
                data, remote = receive(_MAX_DATAGRAM)
            except OSError:
                return
            take(data, (remote[0], remote[1]))
