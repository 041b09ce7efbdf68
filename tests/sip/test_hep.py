"""HEP version 3: what is read, whose key is right, and what is written."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from sip.capture import CapturedMessage, WireDirection
from sip.errors import LocalProtocolError
from sip.hep import decode_hep, encode_hep
from sip.hep_packet import (
    MAX_HEP_PACKET,
    HepPacket,
    HepProtocol,
    HepWrongKey,
    IpProtocol,
    hep_of,
)
from tests.sip.hep import (
    AT,
    INVITE,
    USUAL,
    any_packets,
    chunk,
    fixed_chunks,
    framed,
    packet_of,
    reversed_order,
)

# The packet that the specification takes apart (revision 37, "Example HEP3 packet").
EXAMPLE = bytes.fromhex(
    "48455033 0071 00000001 0007 02 00000002 0007 11 00000003 000a d4ca0001"
    "00000004 000a 527400d3 00000007 0008 2eea 00000008 0008 13c4"
    "00000009 000a 4e4982cb 0000000a 000a 0001d4c0 0000000b 0007 01"
    "0000000c 000a 000000e4 0000000f 0014 494e56495445207369703a626f62"
)


class TestReading:
    def test_the_specification_s_example(self) -> None:
        assert decode_hep(EXAMPLE) == HepPacket(
            ip_protocol=IpProtocol.UDP,
            source=("212.202.0.1", 12010),
            destination=("82.116.0.211", 5060),
            at=datetime(2011, 8, 15, 20, 34, 19, 120_000, tzinfo=UTC),
            protocol=HepProtocol.SIP,
            capture_id=228,
            payload=b"INVITE sip:bob",
        )

    def test_the_later_name_of_the_protocol_is_read_as_well(self) -> None:
        data = framed(b"".join(fixed_chunks().values()), magic=b"EEP3")
        assert decode_hep(data) == USUAL

    def test_the_order_of_chunks_does_not_matter(self) -> None:
        assert decode_hep(packet_of(fixed_chunks())) == USUAL
        assert decode_hep(reversed_order(fixed_chunks())) == USUAL

    def test_chunks_of_vendors_and_unknown_ones_are_skipped(self) -> None:
        extra = chunk(0x000F, b"another payload", vendor=3) + chunk(0x0029, b"group")
        assert decode_hep(framed(extra + b"".join(fixed_chunks().values()))) == USUAL
        assert decode_hep(framed(b"".join(fixed_chunks().values()) + extra)) == USUAL

    def test_what_says_nothing_of_the_message_may_be_left_out(self) -> None:
        optional = (0x0001, 0x000A, 0x000C, 0x000E, 0x0011, 0x0013)
        packet = decode_hep(packet_of(fixed_chunks(leaving_out=optional)))
        assert packet == replace(
            USUAL,
            at=AT.replace(microsecond=0),
            capture_id=0,
            auth_key=None,
            correlation_id=None,
            node=None,
        )

    def test_addresses_say_what_they_are_whatever_the_family_says(self) -> None:
        # 28 is AF_INET6 of FreeBSD.
        family = {0x0001: bytes((28,))}
        assert decode_hep(packet_of(fixed_chunks(instead=family))).source == USUAL.source

    def test_microseconds_beyond_a_second_are_added(self) -> None:
        late = {0x000A: (2_500_000).to_bytes(4)}
        packet = decode_hep(packet_of(fixed_chunks(instead=late)))
        assert packet.at == AT.replace(microsecond=0) + timedelta(seconds=2.5)

    @pytest.mark.parametrize("compress", [zlib.compress, gzip.compress], ids=["zlib", "gzip"])
    def test_a_compressed_payload_is_inflated(self, compress: Callable[[bytes], bytes]) -> None:
        packed = chunk(0x0010, compress(INVITE))
        chunks = fixed_chunks(leaving_out=(0x000F,)) | {0x0010: packed}
        assert decode_hep(packet_of(chunks)) == USUAL

    @pytest.mark.parametrize(
        ("octets", "text"),
        [
            (b"sbc-1\0\0", "sbc-1"),
            (b"sbc\0one", "sbc\ufffdone"),
            (b"sbc-\xff", "sbc-\ufffd"),
            (b"\0", None),
            (b"", None),
        ],
    )
    def test_a_text_becomes_one_that_can_be_stored(self, octets: bytes, text: str | None) -> None:
        chunks = fixed_chunks(instead={0x0013: octets, 0x0011: octets})
        packet = decode_hep(packet_of(chunks))
        assert packet.node == packet.correlation_id == text


class TestKey:
    def test_the_right_key_is_taken_off(self) -> None:
        packet = decode_hep(encode_hep(USUAL), key="open sesame")
        assert packet == replace(USUAL, auth_key=None)

    @pytest.mark.parametrize("presented", ["open sesam", "open sesame!", "\ufffd", None])
    def test_another_one_is_refused(self, presented: str | None) -> None:
        with pytest.raises(HepWrongKey, match="another key" if presented else "no key"):
            decode_hep(encode_hep(replace(USUAL, auth_key=presented)), key="open sesame")

    def test_octets_that_are_no_text_stay_what_they_are(self) -> None:
        packet = decode_hep(packet_of(fixed_chunks(instead={0x000E: b"\xff\xfe"})))
        assert encode_hep(packet) == encode_hep(replace(packet, auth_key="\udcff\udcfe"))
        assert packet.auth_key != "\ufffd\ufffd"

    def test_a_wrong_key_is_known_before_anything_is_inflated(self) -> None:
        bomb = fixed_chunks(leaving_out=(0x000F,)) | {0x0010: chunk(0x0010, b"no zlib")}
        with pytest.raises(HepWrongKey):
            decode_hep(packet_of(bomb), key="another")

    def test_no_key_is_shown(self) -> None:
        assert "sesame" not in repr(USUAL)


class TestWriting:
    @given(any_packets())
    def test_what_is_written_is_read_again(self, packet: HepPacket) -> None:
        assert decode_hep(encode_hep(packet)) == packet

    def test_the_specification_s_example(self) -> None:
        assert encode_hep(decode_hep(EXAMPLE)) == EXAMPLE

    def test_empty_texts_are_left_out(self) -> None:
        empty = replace(USUAL, auth_key="", correlation_id="", node="")
        assert encode_hep(empty) == encode_hep(
            replace(USUAL, auth_key=None, correlation_id=None, node=None)
        )

    def test_a_zone_is_left_out(self) -> None:
        packet = replace(USUAL, source=("fe80::1%eth0", 1), destination=("fe80::2%eth0", 2))
        assert decode_hep(encode_hep(packet)).source == ("fe80::1", 1)

    @pytest.mark.parametrize(
        "change",
        [
            {"source": ("sbc.example", 5060)},
            {"source": ("2001:db8::1", 5060)},
            {"source": ("192.0.2.1", 65_536)},
            {"destination": ("192.0.2.1", -1)},
            {"at": datetime(2026, 1, 1)},  # noqa: DTZ001 - the zone is what is missing
            {"at": datetime(1969, 12, 31, tzinfo=UTC)},
            {"at": datetime(2107, 1, 1, tzinfo=UTC)},
            {"capture_id": 1 << 32},
            {"protocol": 256},
            {"ip_protocol": 256},
            {"node": "n" * 1025},
            {"correlation_id": "a\0b"},
            {"node": "\udcff"},
            {"payload": bytes(MAX_HEP_PACKET)},
            {"payload": bytes(MAX_HEP_PACKET - 100)},
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(LocalProtocolError, match=r"does not fit|are possible"):
            encode_hep(replace(USUAL, **change))  # type: ignore[arg-type]


class TestPacket:
    @pytest.mark.parametrize(
        ("number", "name"), [(6, "TCP"), (17, "UDP"), (22, "TLS"), (132, "SCTP"), (1, "IP-1")]
    )
    def test_the_transport_has_a_name(self, number: int, name: str) -> None:
        assert replace(USUAL, ip_protocol=number).transport == name

    def test_the_type_of_the_payload_says_whether_it_is_sip(self) -> None:
        assert USUAL.is_sip
        assert not replace(USUAL, protocol=HepProtocol.RTCP_JSON).is_sip

    def message(self, transport: str) -> CapturedMessage:
        return CapturedMessage(
            at=AT,
            direction=WireDirection.OUT,
            transport=transport,
            local=("192.0.2.1", 40404),
            remote=("192.0.2.5", 5060),
            data=INVITE,
        )

    def test_a_message_of_ours_becomes_a_packet(self) -> None:
        made = hep_of(self.message("TLS"), correlation_id="a84b4c76e66710")
        assert made == replace(
            USUAL, ip_protocol=IpProtocol.TLS, capture_id=0, auth_key=None, node=None
        )

    def test_a_transport_without_a_number_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'WSS' is no transport"):
            hep_of(self.message("WSS"))
