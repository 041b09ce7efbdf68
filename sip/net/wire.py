"""What went over the wire, as it was: the record that every transport hands to the trace.

Taken at the socket, not in the user agent, so that a trace shows the bytes, the addresses and the
retransmissions that really happened, over TLS too.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sip.transaction import Flow

__all__ = [
    "Direction",
    "NoRoute",
    "WireRecord",
    "WireTap",
    "family_of",
    "source_address",
    "utc_now",
]


class Direction(StrEnum):
    """Seen from this host."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class WireRecord:
    """One SIP message on the wire.

    ``data`` is the framed message without stream keep-alives; ``at`` is aware UTC.
    """

    at: datetime
    direction: Direction
    flow: Flow
    data: bytes
    retransmission: bool = False


WireTap = Callable[[WireRecord], None]
"""Called in the event loop for each message; must not block."""


class NoRoute(OSError):
    """The host has no route to the address."""


def utc_now() -> datetime:
    """Wall clock of wire records."""
    return datetime.now(UTC)


def family_of(address: str) -> socket.AddressFamily:
    """Address family of an IP literal without brackets."""
    if ipaddress.ip_address(address).version == 4:
        return socket.AF_INET
    return socket.AF_INET6


def source_address(remote: str, port: int) -> str:
    """The local address from which the host would send to ``remote``.

    Asks the routing table by connecting a datagram socket, which sends nothing.
    Raises ``NoRoute``.
    """
    with socket.socket(family_of(remote), socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((remote, port))
        except OSError as error:
            raise NoRoute(error.errno, f"no route to {remote}: {error.strerror}") from error
        return str(probe.getsockname()[0])
