"""HEP version 3 on the wire: packets read and written.

    packet = "HEP3" / "EEP3", length of the packet (16 bits), chunk*

All numbers are in network order, and all lengths count what stands before them as well. A chunk of a
vendor, or of a type that is not read here, is skipped.

Source: "HEP3 Network Protocol Specification", revision 37, of the Homer project (sipcapture.org).
"""

from __future__ import annotations

import hmac
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from sip.errors import LocalProtocolError
from sip.hep_chunks import (
    CHUNK,
    COMPRESSED,
    CORRELATION_ID,
    HEADER_BYTES,
    HEADS,
    KEY,
    MAX_TEXT,
    NODE,
    PAYLOAD,
    Head,
    missing,
    read_chunks,
)
from sip.hep_packet import (
    MAX_HEP_PACKET,
    MAX_HEP_PAYLOAD,
    HepError,
    HepPacket,
    HepWrongKey,
)

__all__ = ["HEADER_BYTES", "MAGICS", "check_header", "decode_hep", "encode_hep"]

MAGICS: Final = frozenset({b"HEP3", b"EEP3"})
"""How a packet begins; the second is the name that the protocol was given later."""

_HEADER: Final = struct.Struct("!4sH")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
# The octet of the older versions that says whether addresses are of IPv4 or of IPv6.
_OLD_FAMILIES: Final = frozenset({2, 10})
# Tells a zlib stream from a gzip file by its first octets (zlib.h, inflateInit2).
_ZLIB_OR_GZIP: Final = zlib.MAX_WBITS + 32


def decode_hep(data: bytes, *, key: str | None = None) -> HepPacket:
    """The packet that fills `data`, e.g. a datagram.

    With a `key` only packets that carry it are read. It is compared in constant time, before a
    compressed payload is inflated, and the packet itself then has no `auth_key`. Raises `HepWrongKey`,
    and `HepError` for everything else: another version, a length that does not fit, a chunk that is
    missing, twice there or too long, two families, more than `MAX_HEP_PAYLOAD` inside a payload.
    """
    length = check_header(data)
    if length != len(data):
        raise HepError(f"the packet says that it has {length} octets, but {len(data)} arrived")
    head, chunks = read_chunks(data)
    presented = chunks.get(KEY)
    if key is not None:
        _check_key(presented or b"", key)
        presented = None
    correlation_id, node = chunks.get(CORRELATION_ID), chunks.get(NODE)
    return HepPacket(
        ip_protocol=head.ip_protocol,
        source=(_literal(head.source), head.source_port),
        destination=(_literal(head.destination), head.destination_port),
        at=_EPOCH + timedelta(0, head.seconds, head.microseconds),
        protocol=head.protocol,
        capture_id=head.capture_id,
        payload=_payload(chunks),
        auth_key=presented.decode("utf-8", "surrogateescape") if presented else None,
        correlation_id=_text(correlation_id) if correlation_id else None,
        node=_text(node) if node else None,
    )


def check_header(data: bytes | bytearray) -> int:
    """The length that a packet's first six octets say. Raises `HepError` for anything but version 3."""
    if bytes(data[:4]) not in MAGICS:
        if len(data) > 2 and data[0] in (1, 2) and data[2] in _OLD_FAMILIES:
            raise HepError(
                f"this is HEP version {data[0]}; set version 3 at the exporter (Kamailio: "
                'modparam("siptrace", "hep_version", 3))'
            )
        raise HepError("this is no HEP: a packet of version 3 begins with HEP3")
    if len(data) < HEADER_BYTES:
        raise HepError("the packet ends inside its header")
    length: int = _HEADER.unpack_from(data)[1]
    if length < HEADER_BYTES:
        raise HepError(f"the packet says that it has {length} octets, less than its header")
    return length


def _check_key(presented: bytes, key: str) -> None:
    if hmac.compare_digest(presented, key.encode("utf-8", "surrogateescape")):
        return
    if presented:
        raise HepWrongKey("the packet carries another key than the collector's")
    raise HepWrongKey("the packet carries no key; set the collector's key at the exporter")


@lru_cache(maxsize=4096)
def _literal(packed: bytes) -> str:
    return str(IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed))


def _text(value: bytes) -> str | None:
    # Exporters written in C send the zero that ends a text there; PostgreSQL holds none in a text.
    text = value.rstrip(b"\0").decode("utf-8", "replace")
    return text.replace("\0", "\ufffd") or None


def _payload(chunks: dict[int, bytes]) -> bytes:
    payload, compressed = chunks.get(PAYLOAD), chunks.get(COMPRESSED)
    if compressed is None:
        if payload is None:
            raise missing(PAYLOAD)
        return payload
    if payload is not None:
        raise HepError("the packet has a payload and a compressed one (chunks 0x000f and 0x0010)")
    inflater = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        payload = inflater.decompress(compressed, MAX_HEP_PAYLOAD + 1)
    except zlib.error:
        raise HepError("the compressed payload is neither zlib nor gzip") from None
    if len(payload) > MAX_HEP_PAYLOAD:
        raise HepError(f"the compressed payload has more than {MAX_HEP_PAYLOAD} octets inside")
    if not inflater.eof:
        raise HepError("the compressed payload is cut short")
    return payload


def encode_hep(packet: HepPacket) -> bytes:
    """The packet on the wire, its payload as it is. An empty text is left out like an absent one.

    Raises LocalProtocolError for what does not fit: an address that is no IP literal, two families, a
    time before 1970 or without zone, a number or a text out of its range, more than `MAX_HEP_PACKET`.
    """
    try:
        data = b"".join(_chunks(packet))
    except (struct.error, ValueError, TypeError) as error:
        raise LocalProtocolError(f"a field does not fit into HEP: {error}") from None
    length = HEADER_BYTES + len(data)
    if length > MAX_HEP_PACKET:
        raise LocalProtocolError(f"a HEP packet of {length} octets; {MAX_HEP_PACKET} are possible")
    return _HEADER.pack(b"HEP3", length) + data


def _chunks(packet: HepPacket) -> Iterator[bytes]:
    source, destination = _packed(packet.source[0]), _packed(packet.destination[0])
    if len(source) != len(destination):
        raise ValueError("the addresses are of two families")
    seconds, rest = divmod(packet.at - _EPOCH, _SECOND)
    head = Head(
        ip_protocol=packet.ip_protocol,
        source=source,
        destination=destination,
        source_port=packet.source[1],
        destination_port=packet.destination[1],
        seconds=seconds,
        microseconds=rest // _MICROSECOND,
        protocol=packet.protocol,
        capture_id=packet.capture_id,
    )
    yield HEADS[len(source)].write(head)
    if packet.auth_key:
        yield _text_chunk(KEY, packet.auth_key.encode("utf-8", "surrogateescape"))
    if packet.correlation_id:
        yield _text_chunk(CORRELATION_ID, packet.correlation_id.encode())
    if packet.node:
        yield _text_chunk(NODE, packet.node.encode())
    yield CHUNK.pack(PAYLOAD, CHUNK.size + len(packet.payload)) + packet.payload


@lru_cache(maxsize=4096)
def _packed(literal: str) -> bytes:
    # A zone (RFC 4007) is a name on one host.
    return ip_address(literal.partition("%")[0]).packed


def _text_chunk(kind: int, text: bytes) -> bytes:
    if len(text) > MAX_TEXT or b"\0" in text:
        raise ValueError(f"a text is longer than {MAX_TEXT} octets or has a zero in it")
    return CHUNK.pack(kind, CHUNK.size + len(text)) + text
