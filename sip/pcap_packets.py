"""IP packets around recorded messages: UDP datagrams and TCP streams (RFC 791, 768, 8200, 9293)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Endpoints", "TcpStream", "fits_udp", "udp_packet"]

_TCP, _UDP = 6, 17
_HOPS = 64
_DONT_FRAGMENT = 0x4000
_SYN, _PUSH, _ACK = 0x02, 0x08, 0x10
_WINDOW = 65_535
# Whatever a message's size, a receiver of such a window never was the one who held things up.
_WINDOW_SCALE_OPTION = bytes((3, 3, 14, 1))  # RFC 7323 section 2.2
_MAX_LENGTH = 65_535  # of an IPv4 packet with its header, of an IPv6 payload
_IPV4_HEADER, _TCP_HEADER, _UDP_HEADER = 20, 20, 8


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Who sends to whom; addresses packed, 4 octets or 16. Raises ValueError for one of each."""

    source: bytes
    source_port: int
    destination: bytes
    destination_port: int

    def __post_init__(self) -> None:
        if len(self.source) != len(self.destination):
            raise ValueError("a packet has two addresses of one family")

    @property
    def room(self) -> int:
        """Octets that one packet has for its transport header and payload."""
        return _MAX_LENGTH - _IPV4_HEADER if len(self.source) == 4 else _MAX_LENGTH

    @property
    def reversed(self) -> Endpoints:
        """The way back."""
        return Endpoints(self.destination, self.destination_port, self.source, self.source_port)


def fits_udp(ends: Endpoints, data: bytes) -> bool:
    """Whether one datagram can hold it."""
    return len(data) <= ends.room - _UDP_HEADER


def udp_packet(ends: Endpoints, data: bytes, *, identification: int = 0) -> bytes:
    """One datagram. Raises ValueError when it is longer than a datagram can be."""
    if not fits_udp(ends, data):
        raise ValueError(f"{len(data)} octets do not fit a datagram")
    length = _UDP_HEADER + len(data)
    header = struct.pack(">HHHH", ends.source_port, ends.destination_port, length, 0)
    # A sum of zero is sent as all ones: zero says that there is none (RFC 768).
    checksum = _checksum(_pseudo_header(ends, _UDP, length) + header + data) or 0xFFFF
    return _ip_packet(ends, _UDP, header[:6] + struct.pack(">H", checksum) + data, identification)


class TcpStream:
    """One connection as its packets: the sequence numbers of both directions, from zero."""

    def __init__(self, opener: Endpoints) -> None:
        """`opener` is the way of the first packet."""
        self._opener = opener
        self._next = {opener: 0, opener.reversed: 0}
        self._sent = 0

    def handshake(self) -> Iterator[bytes]:
        """SYN, SYN and ACK, ACK; once, before any data."""
        there, back = self._opener, self._opener.reversed
        segment_size = struct.pack(">BBH", 2, 4, there.room - _TCP_HEADER)
        options = segment_size + _WINDOW_SCALE_OPTION
        yield self._packet(there, _SYN, options=options)
        self._next[there] = 1
        yield self._packet(back, _SYN | _ACK, options=options)
        self._next[back] = 1
        yield self._packet(there, _ACK)

    def packets(self, ends: Endpoints, data: bytes) -> Iterator[bytes]:
        """A message in as few segments as hold it, and the acknowledgement of the other side."""
        largest = ends.room - _TCP_HEADER
        for start in range(0, len(data), largest):
            segment = data[start : start + largest]
            yield self._packet(ends, _PUSH | _ACK, segment)
            self._next[ends] = (self._next[ends] + len(segment)) % 2**32
        yield self._packet(ends.reversed, _ACK)

    def _packet(
        self, ends: Endpoints, flags: int, data: bytes = b"", *, options: bytes = b""
    ) -> bytes:
        header = struct.pack(
            ">HHIIBBHHH",
            ends.source_port,
            ends.destination_port,
            self._next[ends],
            self._next[ends.reversed] if flags & _ACK else 0,
            (_TCP_HEADER + len(options)) // 4 << 4,
            flags,
            _WINDOW,
            0,
            0,
        )
        segment = header + options + data
        checksum = _checksum(_pseudo_header(ends, _TCP, len(segment)) + segment)
        self._sent += 1
        return _ip_packet(
            ends, _TCP, segment[:16] + struct.pack(">H", checksum) + segment[18:], self._sent
        )


def _ip_packet(ends: Endpoints, protocol: int, payload: bytes, identification: int) -> bytes:
    if len(ends.source) == 16:
        fixed = struct.pack(">IHBB", 6 << 28, len(payload), protocol, _HOPS)
        return fixed + ends.source + ends.destination + payload
    header = struct.pack(
        ">BBHHHBBH",
        0x45,
        0,
        _IPV4_HEADER + len(payload),
        identification & 0xFFFF,
        _DONT_FRAGMENT,
        _HOPS,
        protocol,
        0,
    )
    addresses = ends.source + ends.destination
    checksum = struct.pack(">H", _checksum(header + addresses))
    return header[:10] + checksum + addresses + payload


def _pseudo_header(ends: Endpoints, protocol: int, length: int) -> bytes:
    # The sum is the same for IPv4's layout and IPv6's (RFC 8200 section 8.1).
    return ends.source + ends.destination + struct.pack(">II", length, protocol)


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071), over 16-bit words with a zero octet behind an odd end."""
    if len(data) % 2:
        data += b"\0"
    # 2**16 is 1 modulo 2**16 - 1, so the whole as one number leaves the sum of its words; only a sum
    # of nothing but zeros would fold to 0, and no header is that.
    return 0xFFFF - (int.from_bytes(data) % 0xFFFF or 0xFFFF)
