"""The UDP ports of one media stream: RTP on an even port, RTCP on the next (RFC 3550 section 11)."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Callable

from sip.net.udp import UdpSocket

__all__ = ["MediaPorts", "NoMediaPort"]

Address = tuple[str, int]

MAX_TRIES = 64
"""Pairs tried before the range counts as used up; a random start makes a few enough."""


class NoMediaPort(OSError):
    """No pair of free ports was found in the range."""


class MediaPorts:
    """A bound pair of sockets. Make it with `open`.

    ``on_rtp``, ``on_rtcp`` get each datagram with its source, ``on_refused`` the destination and
    ``errno`` of each ICMP error that answered RTP of ours (many a peer has no RTCP); all run in the
    loop.
    """

    def __init__(self, rtp: UdpSocket, rtcp: UdpSocket) -> None:
        self._rtp, self._rtcp = rtp, rtcp

    @classmethod
    def open(
        cls,
        host: str,
        ports: range,
        *,
        on_rtp: Callable[[bytes, Address], None],
        on_rtcp: Callable[[bytes, Address], None],
        on_refused: Callable[[Address, int], None],
    ) -> MediaPorts:
        """Bind a free pair on a local address. Raises `NoMediaPort` and, for the address, OSError."""
        evens = range(ports.start + ports.start % 2, ports.stop - 1, 2)
        if not evens:
            raise NoMediaPort(errno.EADDRNOTAVAIL, "the range of media ports holds no pair")

        def refused(_: UdpSocket, remote: Address, number: int) -> None:
            on_refused(remote, number)

        first = secrets.randbelow(len(evens))
        for index in range(min(len(evens), MAX_TRIES)):
            port = evens[(first + index) % len(evens)]
            try:
                rtp = UdpSocket.bind(
                    (host, port), lambda _, data, remote: on_rtp(data, remote), refused
                )
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            try:
                rtcp = UdpSocket.bind(
                    (host, port + 1),
                    lambda _, data, remote: on_rtcp(data, remote),
                    lambda *_: None,
                )
            except OSError as error:
                rtp.close()
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return cls(rtp, rtcp)
        raise NoMediaPort(errno.EADDRINUSE, "no pair of free media ports was found")

    @property
    def rtp_port(self) -> int:
        return self._rtp.local[1]

    def send_rtp(self, data: bytes, remote: Address) -> None:
        self._rtp.send(data, remote)

    def send_rtcp(self, data: bytes, remote: Address) -> None:
        self._rtcp.send(data, remote)

    def close(self) -> None:
        """Close both sockets; idempotent."""
        self._rtp.close()
        self._rtcp.close()
