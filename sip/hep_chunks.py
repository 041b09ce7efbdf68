"""The chunks of a HEP packet: which are read, how long each must be, and how they are walked.

    chunk = vendor (16 bits), type (16 bits), length of the chunk (16 bits), value

Nearly every exporter writes the ten chunks of fixed length first and in the order of their types, so
those are read in one go where they stand so, and one by one where they do not.

Source: "HEP3 Network Protocol Specification", revision 37, of the Homer project (sipcapture.org).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sip.hep_packet import HepError

__all__ = [
    "CHUNK",
    "COMPRESSED",
    "CORRELATION_ID",
    "HEADER_BYTES",
    "HEADS",
    "KEY",
    "MAX_TEXT",
    "NODE",
    "PAYLOAD",
    "Head",
    "missing",
    "read_chunks",
]

HEADER_BYTES: Final = 6
MAX_TEXT: Final = 1024
"""Octets of a key, a correlation id or a node's name: more than any Call-ID that is in use."""

_FAMILY, _IP_PROTOCOL = 0x0001, 0x0002
_SOURCE_V4, _DESTINATION_V4, _SOURCE_V6, _DESTINATION_V6 = 0x0003, 0x0004, 0x0005, 0x0006
_SOURCE_PORT, _DESTINATION_PORT = 0x0007, 0x0008
_SECONDS, _MICROSECONDS, _PROTOCOL, _CAPTURE_ID = 0x0009, 0x000A, 0x000B, 0x000C
KEY, PAYLOAD, COMPRESSED, CORRELATION_ID, NODE = 0x000E, 0x000F, 0x0010, 0x0011, 0x0013

# The chunks that are read, with the length that each must have; 0 where the sender chooses it.
_LENGTHS: Final = {
    _IP_PROTOCOL: 7,
    _SOURCE_V4: 10,
    _DESTINATION_V4: 10,
    _SOURCE_V6: 22,
    _DESTINATION_V6: 22,
    _SOURCE_PORT: 8,
    _DESTINATION_PORT: 8,
    _SECONDS: 10,
    _MICROSECONDS: 10,
    _PROTOCOL: 7,
    _CAPTURE_ID: 10,
    KEY: 0,
    PAYLOAD: 0,
    COMPRESSED: 0,
    CORRELATION_ID: 0,
    NODE: 0,
}
_OF_FIXED_LENGTH: Final = frozenset(kind for kind, length in _LENGTHS.items() if length)
_NAMES: Final = {
    _IP_PROTOCOL: "IP protocol",
    _SOURCE_V4: "source address",
    _DESTINATION_V4: "destination address",
    _SOURCE_PORT: "source port",
    _DESTINATION_PORT: "destination port",
    _SECONDS: "time",
    _PROTOCOL: "protocol type",
    PAYLOAD: "payload",
}

CHUNK: Final = struct.Struct("!IH")
"""Vendor and type as one number, and the length: generic types, those of vendor 0, are themselves."""


class Head(NamedTuple):
    """What the chunks of fixed length say. A tuple, because one is made for each packet."""

    ip_protocol: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    seconds: int
    microseconds: int
    protocol: int
    capture_id: int


class _HeadLayout:
    """The ten chunks of fixed length in the order of their types, for one family."""

    def __init__(self, family: int, address_bytes: int, source: int, destination: int) -> None:
        address = f"IH{address_bytes}s"
        layout = f"!IHB IHB {address} {address} IHH IHH IHI IHI IHB IHI"
        self.layout = struct.Struct(layout)
        self.family = family
        kinds = (_FAMILY, _IP_PROTOCOL, source, destination, _SOURCE_PORT, _DESTINATION_PORT)
        self.kinds = (*kinds, _SECONDS, _MICROSECONDS, _PROTOCOL, _CAPTURE_ID)
        self.lengths = tuple(_LENGTHS.get(kind, 7) for kind in self.kinds)
        self._fields: list[int | bytes] = [0] * (3 * len(self.kinds))
        self._fields[0::3], self._fields[1::3] = self.kinds, self.lengths

    def read(self, data: bytes) -> Head | None:
        """The head of a packet that is long enough, `None` when its chunks are others."""
        fields = self.layout.unpack_from(data, HEADER_BYTES)
        if fields[0::3] != self.kinds or fields[1::3] != self.lengths:
            return None
        return Head._make(fields[5::3])

    def write(self, head: Head) -> bytes:
        """The ten chunks. Raises struct.error for a number out of its range."""
        fields = self._fields.copy()
        fields[2::3] = (self.family, *head)
        return self.layout.pack(*fields)


# By the length of an address. AF_INET and AF_INET6 are 2 and 10 as Linux counts, which exporters write
# on other systems too; on input the addresses themselves say what they are.
HEADS: Final = {
    4: _HeadLayout(2, 4, _SOURCE_V4, _DESTINATION_V4),
    16: _HeadLayout(10, 16, _SOURCE_V6, _DESTINATION_V6),
}


def read_chunks(data: bytes) -> tuple[Head, dict[int, bytes]]:
    """What the chunks of fixed length say, and the values of the others that are read, by type.

    `data` is a whole packet. Raises `HepError` for a chunk whose length does not fit, that stands there
    twice or is too long, for one of fixed length that is missing, and for addresses of two families.
    """
    for usual in HEADS.values():
        end = HEADER_BYTES + usual.layout.size
        if len(data) >= end:
            head = usual.read(data)
            if head is not None:
                chunks = _walk(data, end)
                if not chunks.keys().isdisjoint(_OF_FIXED_LENGTH):
                    raise _twice(min(chunks.keys() & _OF_FIXED_LENGTH))
                return head, chunks
    chunks = _walk(data, HEADER_BYTES)
    return _head_of(chunks), chunks


def _head_of(chunks: dict[int, bytes]) -> Head:
    source, destination = _SOURCE_V4, _DESTINATION_V4
    if _SOURCE_V6 in chunks or _DESTINATION_V6 in chunks:
        if _SOURCE_V4 in chunks or _DESTINATION_V4 in chunks:
            raise HepError("the packet has addresses of both IPv4 and IPv6")
        source, destination = _SOURCE_V6, _DESTINATION_V6
    for kind in (source, destination):
        if kind not in chunks:
            raise missing(_SOURCE_V4 if kind == source else _DESTINATION_V4)
    number = int.from_bytes
    try:
        return Head(
            ip_protocol=number(chunks[_IP_PROTOCOL]),
            source=chunks[source],
            destination=chunks[destination],
            source_port=number(chunks[_SOURCE_PORT]),
            destination_port=number(chunks[_DESTINATION_PORT]),
            seconds=number(chunks[_SECONDS]),
            microseconds=number(chunks.get(_MICROSECONDS, b"")),
            protocol=number(chunks[_PROTOCOL]),
            capture_id=number(chunks.get(_CAPTURE_ID, b"")),
        )
    except KeyError as error:
        raise missing(error.args[0]) from None


def _walk(data: bytes, position: int) -> dict[int, bytes]:
    chunks: dict[int, bytes] = {}
    end = len(data)
    while position < end:
        if end - position < 6:
            raise HepError("the packet ends inside the header of a chunk")
        kind, length = CHUNK.unpack_from(data, position)
        following = position + length
        if length < 6 or following > end:
            raise HepError(f"chunk {kind & 0xFFFF:#06x} says {length} octets, which does not fit")
        wanted = _LENGTHS.get(kind)
        if wanted is not None:
            if wanted != length and wanted:
                raise HepError(f"chunk {kind:#06x} has {length} octets instead of {wanted}")
            if kind in chunks:
                raise _twice(kind)
            chunks[kind] = data[position + 6 : following]
        position = following
    for kind in (KEY, CORRELATION_ID, NODE):
        if kind in chunks and len(chunks[kind]) > MAX_TEXT:
            raise HepError(f"chunk {kind:#06x} has more than {MAX_TEXT} octets of text")
    return chunks


def _twice(kind: int) -> HepError:
    return HepError(f"chunk {kind:#06x} stands in the packet twice")


def missing(kind: int) -> HepError:
    """What to say of a packet without that chunk."""
    return HepError(f"the packet has no {_NAMES[kind]} (chunk {kind:#06x})")
