"""RTP packets on the wire (RFC 3550 section 5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sip.errors import LocalProtocolError, RemoteProtocolError

VERSION = 2
HEADER_BYTES = 12

# One Ethernet frame. No codec offered here fills it, and the SRTP library takes no more.
MAX_PACKET = 1500

# Receivers of SRTP lengthen a packet by at most a 10 byte tag; what is built leaves room for it.
MAX_BUILT_PACKET = 1356

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class HeaderExtension:
    """The header extension of section 5.3.1: `data` is a whole number of 32-bit words."""

    profile: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. `padding` is the number of padding octets, its own count octet included."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extension: HeaderExtension | None = None
    padding: int = 0

    def serialize(self) -> bytes:
        """The octets of the packet; raises LocalProtocolError for a field that does not fit."""
        csrcs, extension, padding = self.csrcs, self.extension, self.padding
        if len(csrcs) > 15 or not 0 <= self.payload_type <= 127 or not 0 <= padding <= 255:
            raise LocalProtocolError("an RTP header field is out of its range")
        first = VERSION << 6 | len(csrcs)
        middle = b""
        if csrcs or extension is not None or padding:
            first |= (0x20 if padding else 0) | (0x10 if extension is not None else 0)
            middle = _variable_header(csrcs, extension)
        try:
            header = _HEADER.pack(
                first,
                self.payload_type | (0x80 if self.marker else 0),
                self.sequence_number,
                self.timestamp,
                self.ssrc,
            )
        except struct.error:
            raise LocalProtocolError("an RTP header field is out of its range") from None
        packet = header + middle + self.payload
        if padding:
            packet += bytes(padding - 1) + bytes((padding,))
        if len(packet) > MAX_BUILT_PACKET:
            raise LocalProtocolError(f"an RTP packet of {len(packet)} octets is too long")
        return packet


def parse_rtp(data: bytes) -> RtpPacket:
    """One datagram as an RTP packet, padding removed.

    Raises RemoteProtocolError when it is none (section 5.1 and the checks of appendix A.1).
    """
    length = len(data)
    if not HEADER_BYTES <= length <= MAX_PACKET:
        raise RemoteProtocolError(f"{length} octets cannot be an RTP packet")
    first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != VERSION:
        raise RemoteProtocolError(f"RTP version {first >> 6}")
    if is_rtcp(data):
        raise RemoteProtocolError("an RTCP packet in the place of RTP")
    start, end = HEADER_BYTES, length
    csrcs: tuple[int, ...] = ()
    extension = None
    padding = 0
    if first & 0x3F:
        csrc_count = first & 0x0F
        start += 4 * csrc_count
        if start > length:
            raise RemoteProtocolError("the CSRC list is cut short")
        csrcs = struct.unpack_from(f"!{csrc_count}I", data, HEADER_BYTES)
        if first & 0x10:
            extension = _parse_extension(data, start)
            start += _EXTENSION.size + len(extension.data)
        if first & 0x20:
            padding = data[-1]
            if not 0 < padding <= length - start:
                raise RemoteProtocolError("the padding is longer than what it pads")
            end -= padding
    return RtpPacket(
        second & 0x7F,
        sequence_number,
        timestamp,
        ssrc,
        data[start:end],
        second & 0x80 != 0,
        csrcs,
        extension,
        padding,
    )


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram on a shared port is RTCP rather than RTP (RFC 5761 section 4)."""
    return len(data) >= 2 and data[0] >> 6 == VERSION and 192 <= data[1] <= 223


def is_stun(data: bytes) -> bool:
    """Whether a datagram on a media port is STUN (RFC 7983 section 7)."""
    return len(data) > 0 and data[0] <= 3


def _variable_header(csrcs: tuple[int, ...], extension: HeaderExtension | None) -> bytes:
    try:
        octets = struct.pack(f"!{len(csrcs)}I", *csrcs)
        if extension is not None:
            if len(extension.data) % 4:
                raise LocalProtocolError("a header extension is counted in 32-bit words")
            octets += _EXTENSION.pack(extension.profile, len(extension.data) // 4) + extension.data
    except struct.error:
        raise LocalProtocolError("an RTP header field is out of its range") from None
    return octets


def _parse_extension(data: bytes, start: int) -> HeaderExtension:
    if start + _EXTENSION.size > len(data):
        raise RemoteProtocolError("the header extension is cut short")
    profile, words = _EXTENSION.unpack_from(data, start)
    start += _EXTENSION.size
    end = start + 4 * words
    if end > len(data):
        raise RemoteProtocolError("the header extension is cut short")
    return HeaderExtension(profile, data[start:end])
