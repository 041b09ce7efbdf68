"""RTCP packets on the wire (RFC 3550 section 6), compound and, on input, reduced (RFC 5506).

Times on the wire are NTP timestamps: 64 bits, seconds since 1900 and their fraction. The "middle 32
bits" that LSR and DLSR use count 1/65536 s.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.rtp import MAX_BUILT_PACKET, MAX_PACKET, VERSION

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
GOODBYE = 203

CNAME = 1

# Seconds from 1900, where NTP counts from, to 1970.
NTP_UNIX_EPOCH = 2_208_988_800

# The count field of the header has five bits (section 6.4.1).
MAX_COUNT = 31

_WORD = struct.Struct("!I")
_SENDER_INFO = struct.Struct("!IQIII")
_REPORT = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBlock:
    """Section 6.4.1. `fraction_lost` is in 1/256, `jitter` in timestamp units, the delay in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReport:
    """SR. `ntp` is a whole 64-bit NTP timestamp."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR, from who sends no media."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES: for each source its items as (item type, octets)."""

    chunks: tuple[tuple[int, tuple[tuple[int, bytes], ...]], ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE."""

    ssrcs: tuple[int, ...]
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class OtherRtcp:
    """APP, feedback, extended reports and whatever comes: kept whole, not read."""

    packet_type: int
    count: int
    body: bytes


RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Goodbye | OtherRtcp


def build_rtcp(packets: Iterable[RtcpPacket]) -> bytes:
    """One compound packet. Raises LocalProtocolError for a value that does not fit its field."""
    try:
        data = b"".join(map(_serialize, packets))
    except struct.error:
        raise LocalProtocolError("an RTCP field is out of its range") from None
    if not 0 < len(data) <= MAX_BUILT_PACKET:
        raise LocalProtocolError(f"an RTCP packet of {len(data)} octets")
    return data


def parse_rtcp(data: bytes) -> tuple[RtcpPacket, ...]:
    """Every packet of one datagram, in order.

    Raises RemoteProtocolError when a packet of it is malformed (appendix A.2). The first packet may
    be of any type (RFC 5506 section 3.4.2).
    """
    if not 4 <= len(data) <= MAX_PACKET or len(data) % 4:
        raise RemoteProtocolError(f"{len(data)} octets cannot be an RTCP packet")
    packets = []
    position = 0
    while position < len(data):
        first, packet_type, words = struct.unpack_from("!BBH", data, position)
        end = position + 4 + 4 * words
        if first >> 6 != VERSION or end > len(data):
            raise RemoteProtocolError("an RTCP packet does not fit its datagram")
        body = data[position + 4 : end]
        if first & 0x20:
            if end != len(data) or not body or not 0 < body[-1] <= len(body) or body[-1] % 4:
                raise RemoteProtocolError("an RTCP packet is padded wrongly")
            body = body[: -body[-1]]
        packets.append(_parse_packet(packet_type, first & 0x1F, body))
        position = end
    return tuple(packets)


def ntp_timestamp(unix_seconds: float) -> int:
    """The 64-bit NTP timestamp of an instant, its era dropped (RFC 5905 section 6)."""
    return (round((unix_seconds + NTP_UNIX_EPOCH) * 65536) << 16) & 0xFFFFFFFFFFFFFFFF


def middle_of_ntp(ntp: int) -> int:
    """The middle 32 bits, as LSR carries them."""
    return ntp >> 16 & 0xFFFFFFFF


def round_trip_seconds(report: ReportBlock, arrival_ntp: int) -> float | None:
    """Round trip that one report block about our stream proves (section 6.4.1, figure 2).

    None when the peer had seen no sender report of ours. Clocks of differing speed can make the
    difference negative, which is zero then.
    """
    if report.last_sr == 0:
        return None
    units = middle_of_ntp(arrival_ntp) - report.last_sr - report.delay_since_last_sr
    units &= 0xFFFFFFFF
    return 0.0 if units & 0x80000000 else units / 65536


def _serialize(packet: RtcpPacket) -> bytes:
    match packet:
        case SenderReport():
            info = _SENDER_INFO.pack(
                packet.ssrc,
                packet.ntp,
                packet.rtp_timestamp,
                packet.packet_count & 0xFFFFFFFF,
                packet.octet_count & 0xFFFFFFFF,
            )
            body = info + b"".join(map(_serialize_report, packet.reports))
            return _framed(SENDER_REPORT, len(packet.reports), body)
        case ReceiverReport():
            body = _WORD.pack(packet.ssrc) + b"".join(map(_serialize_report, packet.reports))
            return _framed(RECEIVER_REPORT, len(packet.reports), body)
        case SourceDescription():
            body = b"".join(_serialize_chunk(*chunk) for chunk in packet.chunks)
            return _framed(SOURCE_DESCRIPTION, len(packet.chunks), body)
        case Goodbye():
            body = b"".join(map(_WORD.pack, packet.ssrcs))
            if packet.reason:
                body += _counted(packet.reason)
            return _framed(GOODBYE, len(packet.ssrcs), body + bytes(-len(body) % 4))
        case _:
            return _framed(packet.packet_type, packet.count, packet.body)


def _framed(packet_type: int, count: int, body: bytes) -> bytes:
    if not 0 <= count <= MAX_COUNT or len(body) % 4:
        raise LocalProtocolError("an RTCP packet holds at most 31 entries and whole words")
    return struct.pack("!BBH", VERSION << 6 | count, packet_type, len(body) // 4) + body


def _serialize_report(report: ReportBlock) -> bytes:
    if not 0 <= report.fraction_lost <= 255 or not -0x800000 <= report.cumulative_lost <= 0x7FFFFF:
        raise LocalProtocolError("a loss does not fit its RTCP field")
    return _REPORT.pack(
        report.ssrc,
        report.fraction_lost << 24 | report.cumulative_lost & 0xFFFFFF,
        report.highest_sequence,
        report.jitter,
        report.last_sr,
        report.delay_since_last_sr,
    )


def _serialize_chunk(ssrc: int, items: tuple[tuple[int, bytes], ...]) -> bytes:
    chunk = _WORD.pack(ssrc)
    for item_type, text in items:
        if not 0 < item_type <= 255:
            raise LocalProtocolError("an SDES item type is 1 to 255")
        chunk += bytes((item_type,)) + _counted(text)
    # At least one null octet ends the list, more fill the word (section 6.5).
    return chunk + bytes(4 - len(chunk) % 4)


def _counted(text: bytes) -> bytes:
    if len(text) > 255:
        raise LocalProtocolError("a text in RTCP has at most 255 octets")
    return bytes((len(text),)) + text


def _parse_packet(packet_type: int, count: int, body: bytes) -> RtcpPacket:
    match packet_type:
        case 200:
            ssrc, ntp, rtp_timestamp, packets, octets = _unpack(_SENDER_INFO, body)
            return SenderReport(
                ssrc=ssrc,
                ntp=ntp,
                rtp_timestamp=rtp_timestamp,
                packet_count=packets,
                octet_count=octets,
                reports=_parse_reports(body[_SENDER_INFO.size :], count),
            )
        case 201:
            (ssrc,) = _unpack(_WORD, body)
            return ReceiverReport(ssrc, _parse_reports(body[_WORD.size :], count))
        case 202:
            return _parse_source_description(body, count)
        case 203:
            return _parse_goodbye(body, count)
        case _:
            return OtherRtcp(packet_type, count, body)


def _unpack(layout: struct.Struct, body: bytes) -> tuple[int, ...]:
    if len(body) < layout.size:
        raise RemoteProtocolError("an RTCP packet is cut short")
    return layout.unpack_from(body)


def _parse_reports(body: bytes, count: int) -> tuple[ReportBlock, ...]:
    # What follows the blocks is a profile's extension (section 6.4.3), which nobody here reads.
    reports = []
    for index in range(count):
        ssrc, loss, highest, jitter, last_sr, delay = _unpack(_REPORT, body[24 * index :])
        lost = loss & 0xFFFFFF
        reports.append(
            ReportBlock(
                ssrc=ssrc,
                fraction_lost=loss >> 24,
                cumulative_lost=lost - 0x1000000 if lost & 0x800000 else lost,
                highest_sequence=highest,
                jitter=jitter,
                last_sr=last_sr,
                delay_since_last_sr=delay,
            )
        )
    return tuple(reports)


def _parse_source_description(body: bytes, count: int) -> SourceDescription:
    chunks = []
    position = 0
    for _ in range(count):
        (ssrc,) = _unpack(_WORD, body[position:])
        position += 4
        items = []
        while position < len(body) and body[position] != 0:
            item_type, text = body[position], _parse_counted(body, position + 1)
            items.append((item_type, text))
            position += 2 + len(text)
        if position >= len(body):
            raise RemoteProtocolError("an SDES chunk has no end")
        position += 4 - position % 4
        chunks.append((ssrc, tuple(items)))
    return SourceDescription(tuple(chunks))


def _parse_goodbye(body: bytes, count: int) -> Goodbye:
    ssrcs = tuple(_unpack(_WORD, body[4 * index :])[0] for index in range(count))
    rest = 4 * count
    return Goodbye(ssrcs, _parse_counted(body, rest) if rest < len(body) else b"")


def _parse_counted(body: bytes, position: int) -> bytes:
    if position >= len(body) or position + 1 + body[position] > len(body):
        raise RemoteProtocolError("a text in RTCP is cut short")
    return body[position + 1 : position + 1 + body[position]]
