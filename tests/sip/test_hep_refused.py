"""HEP version 3: what is refused and how that is said, and what garbage can do."""

from __future__ import annotations

import gzip
import random
import time
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.hep import decode_hep, encode_hep
from sip.hep_packet import MAX_HEP_PAYLOAD, HepError
from tests.sip.hep import INVITE, USUAL, chunk, fixed_chunks, framed, packet_of, reversed_order


class TestRefusing:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "begins with HEP3"),
            (b"HEP", "begins with HEP3"),
            (b"INVITE sip:a SIP/2.0\r\n\r\n", "begins with HEP3"),
            (b"\x01", "begins with HEP3"),
            (b"\x01\x10\x03" + bytes(20), "begins with HEP3"),
            (b"HEP3\x00", "ends inside its header"),
            (framed(b"", length=5), "5 octets, less than its header"),
            (framed(b"", length=7), "says that it has 7 octets, but 6 arrived"),
            (framed(b"abc", length=7), "says that it has 7 octets, but 9 arrived"),
            (framed(b"\0\0\0\x01\0"), "inside the header of a chunk"),
            (framed(chunk(0x000F, b"", length=5)), "0x000f says 5 octets"),
            (framed(chunk(0x000F, b"", length=0)), "0x000f says 0 octets"),
            (framed(chunk(0x000F, b"abc", length=10)), "0x000f says 10 octets"),
            (framed(b""), "no source address"),
        ],
    )
    def test_what_is_not_framed(self, data: bytes, said: str) -> None:
        with pytest.raises(HepError, match=said):
            decode_hep(data)

    @pytest.mark.parametrize("version", [1, 2])
    @pytest.mark.parametrize("family", [2, 10])
    def test_older_versions_are_named_with_the_cure(self, version: int, family: int) -> None:
        with pytest.raises(HepError, match=rf"version {version}; .*hep_version\", 3"):
            decode_hep(bytes((version, 16, family, 17)) + bytes(40))

    @pytest.mark.parametrize("order", [packet_of, reversed_order])
    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            (0x0002, "no IP protocol .chunk 0x0002"),
            (0x0003, "no source address"),
            (0x0004, "no destination address"),
            (0x0007, "no source port"),
            (0x0008, "no destination port"),
            (0x0009, "no time"),
            (0x000B, "no protocol type"),
            (0x000F, "no payload .chunk 0x000f"),
        ],
    )
    def test_what_a_message_cannot_do_without(
        self,
        order: Callable[[dict[int, bytes]], bytes],
        kind: int,
        said: str,
    ) -> None:
        with pytest.raises(HepError, match=said):
            decode_hep(order(fixed_chunks(leaving_out=(kind,))))

    @pytest.mark.parametrize("kind", [0x0002, 0x0003, 0x0007, 0x0009, 0x000B, 0x000C])
    def test_a_number_or_an_address_of_another_size(self, kind: int) -> None:
        with pytest.raises(HepError, match=rf"{kind:#06x} has 9 octets instead of"):
            decode_hep(packet_of(fixed_chunks(instead={kind: b"abc"})))

    @pytest.mark.parametrize("kind", [0x0003, 0x0009, 0x000E, 0x000F])
    @pytest.mark.parametrize("order", ["usual", "other"])
    def test_a_chunk_that_stands_there_twice(self, kind: int, order: str) -> None:
        chunks = fixed_chunks()
        both = b"".join(chunks.values()) + chunks[kind]
        if order == "other":
            both = chunk(0x0029, b"") + both
        with pytest.raises(HepError, match=f"{kind:#06x} stands in the packet twice"):
            decode_hep(framed(both))

    @pytest.mark.parametrize("missing", [(), (0x0003,), (0x0004,)])
    def test_addresses_of_two_families(self, missing: tuple[int, ...]) -> None:
        chunks = fixed_chunks(leaving_out=missing) | {0x0005: chunk(0x0005, bytes(16))}
        with pytest.raises(HepError, match="both IPv4 and IPv6"):
            decode_hep(reversed_order(chunks))

    @pytest.mark.parametrize("there", [0x0005, 0x0006])
    def test_one_address_of_ipv6(self, there: int) -> None:
        chunks = fixed_chunks(leaving_out=(3, 4)) | {there: chunk(there, bytes(16))}
        with pytest.raises(HepError, match=r"no (source|destination) address"):
            decode_hep(packet_of(chunks))

    @pytest.mark.parametrize("kind", [0x000E, 0x0011, 0x0013])
    def test_a_text_beyond_the_limit(self, kind: int) -> None:
        decode_hep(packet_of(fixed_chunks(instead={kind: bytes(1024)})))
        with pytest.raises(HepError, match=f"{kind:#06x} has more than 1024"):
            decode_hep(packet_of(fixed_chunks(instead={kind: bytes(1025)})))

    @pytest.mark.parametrize(
        ("packed", "said"),
        [
            (zlib.compress(bytes(MAX_HEP_PAYLOAD + 1)), "more than 65535 octets inside"),
            (gzip.compress(bytes(30_000_000)), "more than 65535 octets inside"),
            (zlib.compress(INVITE)[:-1], "cut short"),
            (b"", "cut short"),
            (INVITE, "neither zlib nor gzip"),
        ],
    )
    def test_a_compressed_payload_that_is_too_long_or_none(self, packed: bytes, said: str) -> None:
        chunks = fixed_chunks(leaving_out=(0x000F,)) | {0x0010: chunk(0x0010, packed)}
        with pytest.raises(HepError, match=said):
            decode_hep(packet_of(chunks))

    def test_two_payloads(self) -> None:
        both = fixed_chunks() | {0x0010: chunk(0x0010, zlib.compress(INVITE))}
        with pytest.raises(HepError, match="a payload and a compressed one"):
            decode_hep(packet_of(both))


class TestGarbage:
    @given(st.binary(max_size=200))
    def test_octets_are_a_packet_or_an_error(self, data: bytes) -> None:
        for each in (data, framed(data)):
            try:
                decode_hep(each)
            except HepError:
                continue

    def test_twenty_thousand_mutations_end_soon(self) -> None:
        chance = random.Random(4)
        compressed = fixed_chunks(leaving_out=(0x000F,)) | {
            0x0010: chunk(0x0010, zlib.compress(INVITE * 100))
        }
        seeds = (encode_hep(USUAL), reversed_order(fixed_chunks()), packet_of(compressed))
        read = 0
        began = time.process_time()
        for number in range(20_000):
            data = bytearray(seeds[number % 3])
            for _ in range(chance.randrange(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            if number % 5 == 0:
                del data[chance.randrange(len(data)) :]
            try:
                packet = decode_hep(bytes(data))
            except HepError:
                continue
            read += 1
            assert len(packet.payload) <= MAX_HEP_PAYLOAD
        assert 1000 < read < 19_000
        assert time.process_time() - began < 8
