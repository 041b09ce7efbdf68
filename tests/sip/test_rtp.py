"""RTP packets and the accounting of a stream (RFC 3550 section 5, appendix A)."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.rtp import (
    MAX_BUILT_PACKET,
    MAX_PACKET,
    HeaderExtension,
    RtpPacket,
    is_rtcp,
    is_stun,
    parse_rtp,
)
from sip.rtp_reception import Arrival, Reception

words = st.integers(0, 0xFFFFFFFF)
packets = st.builds(
    RtpPacket,
    # 64 to 95 with a marker is RTCP on the wire (RFC 5761 section 4).
    payload_type=st.integers(0, 63) | st.integers(96, 127),
    sequence_number=st.integers(0, 0xFFFF),
    timestamp=words,
    ssrc=words,
    payload=st.binary(max_size=200),
    marker=st.booleans(),
    csrcs=st.lists(words, max_size=15).map(tuple),
    extension=st.none()
    | st.builds(
        HeaderExtension,
        st.integers(0, 0xFFFF),
        st.binary(max_size=16).map(lambda data: data[: len(data) // 4 * 4]),
    ),
    padding=st.integers(0, 255),
)
PLAIN = RtpPacket(0, 1, 160, 0xCAFEBABE, b"\xff" * 160)


def test_a_known_packet_has_its_octets() -> None:
    packet = RtpPacket(8, 0x1234, 0xDECAFBAD, 0xCAFEBABE, b"\xab\xcd", marker=True)
    assert packet.serialize() == bytes.fromhex("80881234decafbadcafebabeabcd")


def test_every_optional_part_is_on_the_wire() -> None:
    packet = RtpPacket(
        0, 1, 2, 3, b"x", csrcs=(7,), extension=HeaderExtension(0xBEDE, b"abcd"), padding=3
    )
    expected = "b1 00 0001 00000002 00000003 00000007 bede0001 61626364 78 000003"
    assert packet.serialize() == bytes.fromhex(expected)


@given(packets)
def test_what_is_built_is_parsed_back(packet: RtpPacket) -> None:
    assert parse_rtp(packet.serialize()) == packet


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"\x9f\x00" + tail))
def test_any_octets_are_a_packet_or_a_remote_error(data: bytes) -> None:
    try:
        packet = parse_rtp(data)
    except RemoteProtocolError:
        return
    # The octets of padding are free, so only what they pad has to come back.
    assert parse_rtp(packet.serialize()) == packet


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(PLAIN.serialize()[:11], id="short of a header"),
        pytest.param(bytes(20), id="version 0"),
        pytest.param(b"\x80\xc8" + bytes(20), id="RTCP"),
        pytest.param(b"\x8f\x00" + bytes(69), id="CSRC list cut"),
        pytest.param(b"\x90\x00" + bytes(13), id="extension header cut"),
        pytest.param(b"\x90\x00" + bytes(12) + b"\x00\x02" + bytes(4), id="extension cut"),
        pytest.param(b"\xa0\x00" + bytes(10), id="no padding count"),
        pytest.param(b"\xa0\x00" + bytes(12) + b"\x00\x00", id="padding of zero"),
        pytest.param(b"\xa0\x00" + bytes(12) + b"\x00\x05", id="padding longer than the payload"),
        pytest.param(b"\x80\x00" + bytes(MAX_PACKET), id="too long"),
    ],
)
def test_a_malformed_packet_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_rtp(data)


def test_the_longest_packet_is_accepted() -> None:
    assert len(parse_rtp(b"\x80\x00" + bytes(MAX_PACKET - 2)).payload) == MAX_PACKET - 12


@pytest.mark.parametrize(
    "packet",
    [
        RtpPacket(128, 0, 0, 0, b""),
        RtpPacket(-1, 0, 0, 0, b""),
        RtpPacket(0, 0x10000, 0, 0, b""),
        RtpPacket(0, 0, -1, 0, b""),
        RtpPacket(0, 0, 0, 1 << 32, b""),
        RtpPacket(0, 0, 0, 0, b"", csrcs=(1,) * 16),
        RtpPacket(0, 0, 0, 0, b"", csrcs=(-1,)),
        RtpPacket(0, 0, 0, 0, b"", padding=256),
        RtpPacket(0, 0, 0, 0, b"", extension=HeaderExtension(0, b"abc")),
        RtpPacket(0, 0, 0, 0, b"", extension=HeaderExtension(0x10000, b"")),
        RtpPacket(0, 0, 0, 0, bytes(MAX_BUILT_PACKET - 11)),
    ],
)
def test_a_field_out_of_its_range_is_not_sent(packet: RtpPacket) -> None:
    with pytest.raises(LocalProtocolError):
        packet.serialize()


def test_what_shares_a_port_is_told_apart() -> None:
    assert is_rtcp(b"\x80\xc8")
    assert not is_rtcp(b"\x80")
    assert not is_rtcp(b"\x00\xc8")
    assert not is_rtcp(PLAIN.serialize())
    assert is_stun(b"\x00\x01")
    assert not is_stun(b"")
    assert not is_stun(PLAIN.serialize())


def stream(min_sequential: int = 1) -> Reception:
    return Reception(8000, min_sequential=min_sequential)


def arrivals(reception: Reception, *sequence_numbers: int) -> list[Arrival]:
    return [
        reception.receive(number & 0xFFFF, number * 160 & 0xFFFFFFFF, index * 0.02)
        for index, number in enumerate(sequence_numbers)
    ]


def test_an_untouched_stream_expects_nothing() -> None:
    reception = stream()
    assert (reception.expected, reception.lost, reception.extended_highest) == (0, 0, 0)
    assert reception.report(1, last_sr=0, delay_since_last_sr=0).fraction_lost == 0


def test_a_source_is_on_probation_until_two_packets_follow_each_other() -> None:
    reception = stream(2)
    seen = arrivals(reception, 10, 50, 51, 52)
    assert seen == [Arrival.PROBATION, Arrival.PROBATION, Arrival.IN_ORDER, Arrival.IN_ORDER]
    assert (reception.received, reception.expected) == (2, 2)


def test_a_source_on_probation_expects_nothing() -> None:
    reception = stream(2)
    arrivals(reception, 10)
    assert reception.expected == 0


def test_sequence_numbers_are_extended_over_their_wrap() -> None:
    reception = stream()
    arrivals(reception, *range(65530, 65546))
    assert reception.extended_highest == 1 << 16 | 9
    assert (reception.expected, reception.lost) == (16, 0)


def test_loss_counts_what_never_came() -> None:
    reception = stream()
    arrivals(reception, 1, 2, 5, 6)
    assert (reception.expected, reception.lost, reception.cumulative_lost) == (6, 2, 2)


def test_a_duplicate_makes_up_for_no_loss_but_rtcp_counts_it_as_received() -> None:
    reception = stream()
    seen = arrivals(reception, 1, 2, 2, 4, 1)
    assert seen[2] is seen[4] is Arrival.DUPLICATE
    assert (reception.duplicates, reception.lost, reception.cumulative_lost) == (2, 1, -1)


def test_a_late_packet_is_reordered_not_lost() -> None:
    reception = stream()
    assert arrivals(reception, 1, 3, 2)[-1] is Arrival.REORDERED
    assert (reception.reordered, reception.lost) == (1, 0)


def test_a_packet_from_before_the_first_widens_what_was_expected() -> None:
    reception = stream()
    arrivals(reception, 65536, 65535, 65538)
    assert (reception.expected, reception.lost) == (4, 1)


def test_one_wild_sequence_number_is_ignored() -> None:
    reception = stream()
    assert arrivals(reception, 1, 30000, 2)[1] is Arrival.JUMPED
    assert (reception.expected, reception.received, reception.restarts) == (2, 2, 0)


def test_two_wild_numbers_in_a_row_are_a_restart_that_keeps_the_old_loss() -> None:
    reception = stream()
    seen = arrivals(reception, 1, 3, 30000, 30001, 30002)
    assert seen[3] is Arrival.RESTARTED
    assert (reception.restarts, reception.expected, reception.lost) == (1, 5, 1)


def test_jitter_follows_the_rfc_estimator() -> None:
    reception = stream()
    estimate = 0.0
    late = [0.0, 0.005, 0.0, 0.012, 0.001]
    for index, delay in enumerate(late):
        reception.receive(index, index * 160, 5 + index * 0.02 + delay)
    for before, after in itertools.pairwise(late):
        estimate += (abs(after - before) - estimate) / 16
    assert reception.jitter_seconds == pytest.approx(estimate)
    assert reception.jitter == int(estimate * 8000)


def test_steady_packets_have_no_jitter_even_over_the_timestamp_wrap() -> None:
    reception = stream()
    for index in range(100):
        reception.receive(index, (0xFFFFFF00 + index * 160) & 0xFFFFFFFF, index * 0.02)
    assert reception.jitter_seconds == pytest.approx(0, abs=1e-9)
    assert reception.timestamp_jumps == 0


def test_a_timestamp_set_anew_is_a_jump_not_jitter() -> None:
    reception = stream()
    arrivals(reception, 1, 2)
    reception.receive(3, 0x70000000, 0.04)
    reception.receive(4, 0x70000000 + 160, 0.06)
    assert reception.timestamp_jumps == 1
    assert reception.jitter == 0


def test_an_untimed_packet_is_counted_without_jitter() -> None:
    reception = stream()
    arrivals(reception, 1, 2)
    reception.receive(3, 0, 0.3, timed=False)
    assert (reception.received, reception.jitter) == (3, 0)


def test_the_fraction_lost_covers_the_interval_since_the_last_report() -> None:
    reception = stream()
    arrivals(reception, 1, 2, 3, 5)
    first = reception.report(9, last_sr=5, delay_since_last_sr=6)
    assert (first.ssrc, first.fraction_lost, first.cumulative_lost) == (9, 256 // 5, 1)
    assert (first.highest_sequence, first.last_sr, first.delay_since_last_sr) == (5, 5, 6)
    arrivals(reception, 6, 7)
    assert reception.report(9, last_sr=0, delay_since_last_sr=0).fraction_lost == 0
    arrivals(reception, 7, 7)
    assert reception.report(9, last_sr=0, delay_since_last_sr=0).fraction_lost == 0


def test_a_cumulative_loss_is_clamped_to_24_bits() -> None:
    reception = stream()
    arrivals(reception, 1)
    reception.received = 0x900000
    assert reception.cumulative_lost == -0x800000


@given(st.lists(st.integers(0, 0xFFFF), max_size=60), st.integers(1, 2))
def test_counters_agree_whatever_comes(numbers: list[int], min_sequential: int) -> None:
    reception = stream(min_sequential)
    for index, number in enumerate(numbers):
        reception.receive(number, number * 7919, index * 0.02)
    assert reception.received == reception.unique + reception.duplicates <= len(numbers)
    assert 0 <= reception.lost <= reception.expected
    block = reception.report(1, last_sr=0, delay_since_last_sr=0)
    assert 0 <= block.fraction_lost <= 255


@given(st.integers(0, 0xFFFF), st.integers(0, 10**6))
def test_a_shaken_stream_is_accounted_exactly(first: int, seed: int) -> None:
    chance = random.Random(seed)
    sent = list(range(first, first + 300))
    kept = [n for n in sent if n in (sent[0], sent[-1]) or chance.random() > 0.1]
    doubled = [n for n in kept for _ in range(1 + (chance.random() < 0.05))]
    order = sorted(range(len(doubled)), key=lambda i: i + chance.uniform(0, 8))
    reception = stream()
    for index in order:
        reception.receive(doubled[index] & 0xFFFF, 0, 0.0, timed=False)
    assert reception.expected == 300
    assert reception.lost == 300 - len(kept)
    assert reception.duplicates == len(doubled) - len(kept)
