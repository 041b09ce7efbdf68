"""Capture files: their records, addresses, checksums and streams, read back by hand."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.capture import CapturedMessage, WireDirection
from sip.pcap import LinkType, pcap_of
from sip.pcap_packets import Endpoints, TcpStream, udp_packet
from sip.transaction_events import Flow
from tests.domain.traces import START, Way, challenged_call, request, sdp

V4 = Way()
V6 = Way(local=("2001:db8::10", 40404), remote=("2001:db8::5", 5060))
TCP, UDP = 6, 17


@dataclass(frozen=True)
class Packet:
    source: str
    destination: str
    protocol: int
    ports: tuple[int, int]
    payload: bytes
    segment: bytes = b""

    @property
    def flags(self) -> int:
        return self.segment[13]

    @property
    def numbers(self) -> tuple[int, int]:
        sequence, acknowledged = struct.unpack(">II", self.segment[4:12])
        return sequence, acknowledged


def records(file: bytes) -> tuple[int, list[tuple[datetime, bytes]]]:
    """Link type and records of a classic capture file in our byte order."""
    magic, major, minor, _, _, snap_length, link = struct.unpack("<IHHiIII", file[:24])
    assert (magic, major, minor) == (0xA1B2C3D4, 2, 4)
    found, place = [], 24
    while place < len(file):
        seconds, microseconds, kept, length = struct.unpack("<IIII", file[place : place + 16])
        assert kept == length <= snap_length
        at = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
        found.append((at, file[place + 16 : place + 16 + length]))
        place += 16 + length
    return link, found


def packet_of(data: bytes) -> Packet:
    """A packet whose lengths and checksums were found right."""
    if data[0] >> 4 == 4:
        header, rest = data[:20], data[20:]
        assert int.from_bytes(header[2:4]) == len(data)
        assert words(header) == 0xFFFF
        source, destination = ip_address(header[12:16]), ip_address(header[16:20])
        protocol = header[9]
    else:
        header, rest = data[:40], data[40:]
        assert int.from_bytes(header[4:6]) == len(rest)
        source, destination = ip_address(header[8:24]), ip_address(header[24:40])
        protocol = header[6]
    pseudo = source.packed + destination.packed + struct.pack(">II", len(rest), protocol)
    assert words(pseudo + rest) == 0xFFFF
    if protocol == UDP:
        assert int.from_bytes(rest[4:6]) == len(rest)
        assert rest[6:8] != b"\0\0"
        start = 8
    else:
        start = (rest[12] >> 4) * 4
    ports = struct.unpack(">HH", rest[:4])
    return Packet(str(source), str(destination), protocol, ports, rest[start:], rest)


def words(data: bytes) -> int:
    """The ones' complement sum of RFC 1071, a word at a time."""
    total = 0
    for (word,) in struct.iter_unpack(">H", data + b"\0" * (len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


def tags(record: bytes) -> tuple[dict[int, bytes], bytes]:
    """Tags of an exported PDU, and what is behind them."""
    found: dict[int, bytes] = {}
    place = 0
    while True:
        number, length = struct.unpack(">HH", record[place : place + 4])
        found[number] = record[place + 4 : place + 4 + length]
        place += 4 + length
        if number == 0:
            return found, record[place:]


def packets(messages: list[CapturedMessage], **options: LinkType) -> list[Packet]:
    link, found = records(pcap_of(messages, **options))
    assert link == 101
    return [packet_of(data) for _, data in found]


@pytest.mark.parametrize("way", [V4, V6], ids=["IPv4", "IPv6"])
def test_a_datagram_is_a_packet_with_its_moment_and_addresses(way: Way) -> None:
    messages = challenged_call(way)

    link, found = records(pcap_of(messages))

    assert link == 101
    assert [at for at, _ in found] == [message.at for message in messages]
    for message, (_, data) in zip(messages, found, strict=True):
        packet = packet_of(data)
        assert packet.protocol == UDP
        assert (packet.source, packet.ports[0]) == message.source
        assert (packet.destination, packet.ports[1]) == message.destination
        assert len(packet.payload) == len(message.data)


@pytest.mark.parametrize("way", [V4, V6], ids=["IPv4", "IPv6"])
def test_a_connection_is_one_stream_from_its_handshake_on(way: Way) -> None:
    messages = challenged_call(replace(way, transport="TCP"))

    found = packets(messages)

    assert [packet.flags for packet in found[:3]] == [0x02, 0x12, 0x10]
    assert {packet.protocol for packet in found} == {TCP}
    next_number = {found[0].source: 1, found[0].destination: 1}
    for packet in found[3:]:
        assert packet.numbers == (next_number[packet.source], next_number[packet.destination])
        next_number[packet.source] += len(packet.payload)
    sent = [packet for packet in found if packet.payload]
    assert [len(packet.payload) for packet in sent] == [len(message.data) for message in messages]


def test_each_connection_is_a_stream_of_its_own() -> None:
    first = Way(transport="TCP")
    second = Way(transport="TCP", local=("192.0.2.10", 50505))
    messages = [first.sent(0, request("INVITE")), second.sent(1, request("INVITE"))]

    opened = [packet for packet in packets(messages) if packet.flags == 0x02]

    assert [packet.ports[0] for packet in opened] == [40404, 50505]


def test_whoever_spoke_first_opened_the_connection() -> None:
    found = packets([Way(transport="TCP").received(0, request("OPTIONS"))])

    assert (found[0].source, found[0].flags) == ("203.0.113.5", 0x02)


def test_a_message_too_long_for_a_segment_takes_several() -> None:
    body = "x" * 130_000
    data = request("INVITE", body=body)

    found = [packet for packet in packets([Way(transport="TCP").sent(0, data)]) if packet.payload]

    assert len(found) == 2
    assert b"".join(packet.payload for packet in found) == data


@given(st.binary(max_size=64), st.booleans())
@settings(max_examples=100)
def test_checksums_are_right_for_any_payload(payload: bytes, v6: bool) -> None:
    size = 16 if v6 else 4
    ends = Endpoints(bytes(range(size)), 5060, bytes(range(1, size + 1)), 40404)

    assert packet_of(udp_packet(ends, payload)).payload == payload
    for data in TcpStream(ends).packets(ends, payload):
        packet_of(data)


def test_a_checksum_of_zero_is_sent_as_all_ones() -> None:
    ends = Endpoints(bytes(4), 0, bytes(4), 0)
    # 17 for UDP, and twice the length, 10: the payload makes the sum all ones.
    packet = udp_packet(ends, (0xFFFF - 17 - 2 * 10).to_bytes(2))

    assert packet[26:28] == b"\xff\xff"
    packet_of(packet)


@pytest.mark.parametrize(
    "way",
    [
        Way(transport="TLS", remote=("203.0.113.5", 5061)),
        Way(transport="TLS", remote=("203.0.113.5", 5060)),
        Way(remote=("203.0.113.5", 5353)),
        Way(transport="TCP", local=V6.local, remote=(V6.remote[0], 6060)),
    ],
    ids=["TLS", "TLS on 5060", "UDP elsewhere", "TCP elsewhere"],
)
def test_what_no_port_tells_to_be_sip_is_exported_as_sip(way: Way) -> None:
    messages = challenged_call(way)

    link, found = records(pcap_of(messages))

    assert link == 252
    assert [at for at, _ in found] == [message.at for message in messages]
    for message, (_, record) in zip(messages, found, strict=True):
        known, data = tags(record)
        assert known[12].rstrip(b"\0") == b"sip"
        address = IPv4Address if 20 in known else IPv6Address
        source, destination = (20, 21) if 20 in known else (22, 23)
        ports = [int.from_bytes(known[number]) for number in (25, 26)]
        assert (str(address(known[source])), ports[0]) == message.source
        assert (str(address(known[destination])), ports[1]) == message.destination
        assert int.from_bytes(known[24]) == (3 if way.transport == "UDP" else 2)
        assert len(data) == len(message.data)


def test_one_message_over_tls_makes_the_whole_file_one_of_messages() -> None:
    messages = [*challenged_call(), Way(transport="TLS").sent(8000, request("OPTIONS"))]

    assert records(pcap_of(messages))[0] == 252


def test_packets_can_be_asked_for_whatever_the_transport() -> None:
    way = Way(transport="TLS", remote=("203.0.113.5", 5061))

    found = packets(challenged_call(way), link=LinkType.IP)

    assert {packet.protocol for packet in found} == {TCP}


def test_a_masked_key_stands_there_as_base64() -> None:
    message = V4.sent(0, request("INVITE", body=sdp(secure=True))).masked()

    (packet,) = packets([message])

    assert b"inline:" + b"A" * 40 + b"\r\n" in packet.payload
    assert b"*" not in packet.payload
    assert len(packet.payload) == len(message.data)


def test_a_file_of_nothing_is_a_file() -> None:
    assert records(pcap_of([])) == (101, [])


def test_a_zone_stands_in_no_packet() -> None:
    way = Way(local=("fe80::1%eth0", 5060), remote=("fe80::2%eth0", 5060))

    (packet,) = packets([way.sent(0, request("OPTIONS"))])

    assert (packet.source, packet.destination) == ("fe80::1", "fe80::2")


@pytest.mark.parametrize(
    ("way", "data"),
    [
        (Way(local=("2001:db8::1", 5060)), b"x"),
        (Way(), b"x" * 65_508),
        (Way(local=("somewhere.example.com", 5060)), b"x"),
    ],
    ids=["two families", "too long", "no address"],
)
def test_what_no_packet_can_hold_is_refused(way: Way, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"family|fit|address"):
        pcap_of([way.sent(0, data)], link=LinkType.IP)


def test_what_no_packet_can_hold_is_exported_when_no_packets_were_asked_for() -> None:
    mixed = Way(local=("2001:db8::1", 5060)).sent(0, b"x")
    long = Way().sent(0, b"x" * 65_508)

    for message in (mixed, long):
        link, found = records(pcap_of([message]))
        assert (link, len(found)) == (252, 1)


def test_a_wire_record_becomes_a_captured_message() -> None:
    flow = Flow("TLS", ("192.0.2.1", 40000), ("203.0.113.5", 5061), 7)

    message = CapturedMessage.on_flow(START, "in", flow, b"x", retransmission=True)

    assert message.direction is WireDirection.IN
    assert (message.source, message.destination) == (flow.remote, flow.local)
    assert message.retransmission
    with pytest.raises(ValueError, match="sideways"):
        CapturedMessage.on_flow(START, "sideways", flow, b"x")
