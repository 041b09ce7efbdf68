"""HEP packets for tests: a usual one, any one, and octets that no encoder of ours would write."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from sip.hep_packet import HepPacket, HepProtocol, IpProtocol

__all__ = [
    "AT",
    "INVITE",
    "USUAL",
    "any_packets",
    "chunk",
    "fixed_chunks",
    "framed",
    "packet_of",
    "reversed_order",
]

AT = datetime(2026, 11, 23, 13, 35, 32, 123456, tzinfo=UTC)
INVITE = b"INVITE sip:+15550100@192.0.2.5 SIP/2.0\r\nCall-ID: a84b4c76e66710\r\n\r\n"
USUAL = HepPacket(
    ip_protocol=IpProtocol.UDP,
    source=("192.0.2.1", 40404),
    destination=("192.0.2.5", 5060),
    at=AT,
    protocol=HepProtocol.SIP,
    capture_id=2001,
    payload=INVITE,
    auth_key="open sesame",
    correlation_id="a84b4c76e66710",
    node="sbc-1",
)


def chunk(kind: int, value: bytes, *, vendor: int = 0, length: int | None = None) -> bytes:
    """One chunk, with a length that may be wrong."""
    return struct.pack("!HHH", vendor, kind, 6 + len(value) if length is None else length) + value


def framed(data: bytes, *, magic: bytes = b"HEP3", length: int | None = None) -> bytes:
    """A packet of these octets, with a length that may be wrong."""
    return magic + struct.pack("!H", 6 + len(data) if length is None else length) + data


def fixed_chunks(
    *, leaving_out: Iterable[int] = (), instead: dict[int, bytes] | None = None
) -> dict[int, bytes]:
    """The chunks of `USUAL` over IPv4, by type."""
    chunks = {
        0x0001: b"\x02",
        0x0002: b"\x11",
        0x0003: bytes((192, 0, 2, 1)),
        0x0004: bytes((192, 0, 2, 5)),
        0x0007: struct.pack("!H", 40404),
        0x0008: struct.pack("!H", 5060),
        0x0009: struct.pack("!I", int(AT.timestamp())),
        0x000A: struct.pack("!I", AT.microsecond),
        0x000B: b"\x01",
        0x000C: struct.pack("!I", 2001),
        0x000E: b"open sesame",
        0x0011: b"a84b4c76e66710",
        0x0013: b"sbc-1",
        0x000F: INVITE,
    } | (instead or {})
    return {kind: chunk(kind, value) for kind, value in chunks.items() if kind not in leaving_out}


def packet_of(chunks: dict[int, bytes]) -> bytes:
    """The chunks in their order."""
    return framed(b"".join(chunks.values()))


def reversed_order(chunks: dict[int, bytes]) -> bytes:
    """The chunks the other way round."""
    return framed(b"".join(reversed(chunks.values())))


_texts = st.none() | st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40
)
_ports = st.integers(0, 65_535)


def _ends(version: int) -> st.SearchStrategy[tuple[str, int]]:
    return st.tuples(st.ip_addresses(v=version).map(str), _ports)  # type: ignore[arg-type]


_pairs = st.sampled_from((4, 6)).flatmap(lambda version: st.tuples(_ends(version), _ends(version)))
_times = st.integers(0, (1 << 32) * 1_000_000 - 1).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


@st.composite
def any_packets(draw: st.DrawFn) -> HepPacket:
    """Everything that HEP can say."""
    source, destination = draw(_pairs)
    return HepPacket(
        ip_protocol=draw(st.integers(0, 255)),
        source=source,
        destination=destination,
        at=draw(_times),
        protocol=draw(st.integers(0, 255)),
        capture_id=draw(st.integers(0, (1 << 32) - 1)),
        payload=draw(st.binary(max_size=300)),
        auth_key=draw(_texts),
        correlation_id=draw(_texts),
        node=draw(_texts),
    )
