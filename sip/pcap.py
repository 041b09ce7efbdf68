"""A capture file of SIP messages, as Wireshark and sngrep read it, made from what was recorded.

Two link types, chosen by what the messages need:

- `IP`: each message in packets of its own transport (LINKTYPE_RAW, 101); a TCP connection is one
  stream with its handshake, so that every tool reads it. A dissector finds SIP there by port 5060.
- `SIP`: each message as an exported PDU with its addresses in tags (LINKTYPE_WIRESHARK_UPPER_PDU,
  252), for messages that went over TLS or other ports: Wireshark shows them as SIP without keys and
  without being told about ports.

Sources: the classic format of draft-ietf-opsawg-pcap; the tags of Wireshark's wsutil/exported_pdu_tlvs.h.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import chain

from sip.capture import CapturedMessage, WireDirection
from sip.pcap_packets import Endpoints, TcpStream, fits_udp, udp_packet

__all__ = ["CapturedMessage", "LinkType", "WireDirection", "pcap_of"]

_LINK_NUMBERS = {"ip": 101, "sip": 252}
# Wireshark refuses longer records for these link types; a message has at most 128 KiB.
_SNAP_LENGTH = 262_144
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# What `sip.sdes.mask_keys` leaves of a key.
_MASKED_KEY = re.compile(rb"(inline:[ \t]*+)(\*++)", re.IGNORECASE)

_SIP_PORT = 5060
_TAG_DISSECTOR, _TAG_PORT_TYPE, _TAG_SOURCE_PORT, _TAG_DESTINATION_PORT = 12, 24, 25, 26
_TAG_SOURCE = {4: 20, 6: 22}
_TAG_DESTINATION = {4: 21, 6: 23}
_PORT_TYPE_TCP, _PORT_TYPE_UDP = 2, 3


class LinkType(StrEnum):
    """What a record of the file is: an IP packet, or a bare SIP message with its addresses."""

    IP = "ip"
    SIP = "sip"


def pcap_of(messages: Iterable[CapturedMessage], *, link: LinkType | None = None) -> bytes:
    """Return a classic capture file with microseconds, the messages in the given order.

    The data is written as it is: mask it first. A key that masking covered stands there as base64
    zeros, because dissectors decode it. Without `link` the link type is `IP` when every
    message went over UDP or TCP with port 5060 at one end, else `SIP`. Asked for `IP`, messages over
    TLS stand there as plain TCP. Raises ValueError for an address that is no IP literal, and for
    `IP` when a message does not fit its transport: two families in one flow, a datagram too long.
    """
    listed = [replace(message, data=_MASKED_KEY.sub(_zeros, message.data)) for message in messages]
    if link is None:
        link = _link_for(listed)
    records = _ip_records(listed) if link is LinkType.IP else map(_exported, listed)
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAP_LENGTH, _LINK_NUMBERS[link])
    return header + b"".join(_record(at, data) for at, data in records)


def _zeros(found: re.Match[bytes]) -> bytes:
    return found[1] + b"A" * len(found[2])


def _link_for(messages: Sequence[CapturedMessage]) -> LinkType:
    return LinkType.IP if all(map(_is_known_by_port, messages)) else LinkType.SIP


def _is_known_by_port(message: CapturedMessage) -> bool:
    """Whether its packets can be written, and are SIP to whoever reads them."""
    if message.transport not in ("UDP", "TCP"):
        return False
    if _SIP_PORT not in (message.local[1], message.remote[1]):
        return False
    if _address(message.local[0]).version != _address(message.remote[0]).version:
        return False
    return message.transport == "TCP" or fits_udp(_endpoints(message), message.data)


def _record(at: datetime, data: bytes) -> bytes:
    microseconds = max(0, (at - _EPOCH) // _MICROSECOND)
    seconds, fraction = divmod(microseconds, 1_000_000)
    return struct.pack("<IIII", seconds, fraction, len(data), len(data)) + data


def _endpoints(message: CapturedMessage) -> Endpoints:
    return Endpoints(
        _address(message.source[0]).packed,
        message.source[1],
        _address(message.destination[0]).packed,
        message.destination[1],
    )


def _address(text: str) -> IPv4Address | IPv6Address:
    # A zone (RFC 4007) is a name on one host and stands in no packet.
    return ip_address(text.partition("%")[0])


def _ip_records(messages: Iterable[CapturedMessage]) -> Iterable[tuple[datetime, bytes]]:
    streams: dict[frozenset[tuple[str, int]], TcpStream] = {}
    for number, message in enumerate(messages):
        ends = _endpoints(message)
        if message.transport == "UDP":
            yield message.at, udp_packet(ends, message.data, identification=number)
            continue
        key = frozenset((message.local, message.remote))
        opening: Iterable[bytes] = ()
        if key not in streams:
            streams[key] = TcpStream(ends)
            opening = streams[key].handshake()
        for packet in chain(opening, streams[key].packets(ends, message.data)):
            yield message.at, packet


def _exported(message: CapturedMessage) -> tuple[datetime, bytes]:
    source, destination = _address(message.source[0]), _address(message.destination[0])
    datagram = message.transport == "UDP"
    tags = (
        (_TAG_DISSECTOR, b"sip"),
        (_TAG_SOURCE[source.version], source.packed),
        (_TAG_DESTINATION[destination.version], destination.packed),
        (_TAG_PORT_TYPE, _number(_PORT_TYPE_UDP if datagram else _PORT_TYPE_TCP)),
        (_TAG_SOURCE_PORT, _number(message.source[1])),
        (_TAG_DESTINATION_PORT, _number(message.destination[1])),
        (0, b""),
    )
    return message.at, b"".join(_tag(number, value) for number, value in tags) + message.data


def _number(value: int) -> bytes:
    return struct.pack(">I", value)


def _tag(number: int, value: bytes) -> bytes:
    padded = value.ljust(-(-len(value) // 4) * 4, b"\0")
    return struct.pack(">HH", number, len(padded)) + padded
