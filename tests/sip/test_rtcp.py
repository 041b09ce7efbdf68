"""RTCP packets (RFC 3550 section 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.rtcp import (
    CNAME,
    Goodbye,
    OtherRtcp,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    build_rtcp,
    middle_of_ntp,
    ntp_timestamp,
    parse_rtcp,
    round_trip_seconds,
)

words = st.integers(0, 0xFFFFFFFF)
blocks = st.builds(
    ReportBlock,
    ssrc=words,
    fraction_lost=st.integers(0, 255),
    cumulative_lost=st.integers(-0x800000, 0x7FFFFF),
    highest_sequence=words,
    jitter=words,
    last_sr=words,
    delay_since_last_sr=words,
)
reports = st.lists(blocks, max_size=3).map(tuple)
items = st.tuples(st.integers(1, 255), st.binary(max_size=20))
compounds = st.lists(
    st.builds(
        SenderReport,
        ssrc=words,
        ntp=st.integers(0, 2**64 - 1),
        rtp_timestamp=words,
        packet_count=words,
        octet_count=words,
        reports=reports,
    )
    | st.builds(ReceiverReport, words, reports)
    | st.builds(
        SourceDescription,
        st.lists(st.tuples(words, st.lists(items, max_size=3).map(tuple)), max_size=3).map(tuple),
    )
    | st.builds(Goodbye, st.lists(words, max_size=3).map(tuple), st.binary(max_size=20))
    | st.builds(
        OtherRtcp,
        st.integers(204, 255),
        st.integers(0, 31),
        st.binary(max_size=16).map(lambda body: body[: len(body) // 4 * 4]),
    ),
    min_size=1,
    max_size=3,
)


def block(*, last_sr: int = 0, delay: int = 0, lost: int = 0, fraction: int = 0) -> ReportBlock:
    return ReportBlock(
        ssrc=2,
        fraction_lost=fraction,
        cumulative_lost=lost,
        highest_sequence=3,
        jitter=4,
        last_sr=last_sr,
        delay_since_last_sr=delay,
    )


@given(compounds)
def test_what_is_built_is_parsed_back(packets: list[RtcpPacket]) -> None:
    assert parse_rtcp(build_rtcp(packets)) == tuple(packets)


@given(st.binary(max_size=120))
def test_any_octets_are_rtcp_or_a_remote_error(data: bytes) -> None:
    framed = b"".join(
        bytes((0x80 | data[0] & 0x3F, 200 + data[0] % 5)) + (len(data) // 4).to_bytes(2, "big")
        for _ in range(1)
        if data
    )
    for candidate in (data, framed + data[: len(data) // 4 * 4]):
        try:
            packets = parse_rtcp(candidate)
        except RemoteProtocolError:
            continue
        assert packets


def test_a_known_report_has_its_octets() -> None:
    report = ReceiverReport(1, (block(lost=-2, fraction=5, last_sr=6, delay=7),))
    expected = "81c90007 00000001 00000002 05fffffe 00000003 00000004 00000006 00000007"
    assert build_rtcp([report]) == bytes.fromhex(expected)


def test_a_known_compound_has_its_octets() -> None:
    name = SourceDescription(((1, ((CNAME, b"ab"),)),))
    data = build_rtcp([ReceiverReport(1), name, Goodbye((1,), b"end")])
    assert data == bytes.fromhex(
        "80c90001 00000001 81ca0003 00000001 01026162 00000000 81cb0002 00000001 03656e64"
    )


def test_the_counters_of_a_sender_wrap() -> None:
    report = SenderReport(
        ssrc=1, ntp=0, rtp_timestamp=0, packet_count=(1 << 32) + 5, octet_count=(1 << 32) + 6
    )
    (parsed,) = parse_rtcp(build_rtcp([report]))
    assert isinstance(parsed, SenderReport)
    assert (parsed.packet_count, parsed.octet_count) == (5, 6)


def test_padding_of_the_last_packet_is_taken_off() -> None:
    data = bytes.fromhex("a0c90002 00000001 00000004")
    assert parse_rtcp(data) == (ReceiverReport(1),)


def test_what_follows_the_report_blocks_is_left_to_its_profile() -> None:
    assert parse_rtcp(bytes.fromhex("80c90002 00000001 deadbeef")) == (ReceiverReport(1),)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="nothing"),
        pytest.param("80c900", id="short of a header"),
        pytest.param("80c90001 00000001 00", id="not whole words"),
        pytest.param("40c90001 00000001", id="version 1"),
        pytest.param("80c90002 00000001", id="longer than the datagram"),
        pytest.param("80c90000", id="no SSRC"),
        pytest.param("81c90001 00000001", id="no report block"),
        pytest.param("80c80001 00000001", id="no sender info"),
        pytest.param("a0c90002 00000001 00000004 80c90001 00000001", id="padding not last"),
        pytest.param("a0c90000", id="padding of nothing"),
        pytest.param("a0c90001 00000000", id="padding of zero"),
        pytest.param("a0c90001 00000008", id="padding longer than the packet"),
        pytest.param("a0c90002 00000001 00000003", id="padding of no whole word"),
        pytest.param("81ca0000", id="chunk without SSRC"),
        pytest.param("81ca0002 00000001 01026162", id="chunk without end"),
        pytest.param("81ca0002 00000001 01096162", id="item cut"),
        pytest.param("81cb0000", id="BYE without SSRC"),
        pytest.param("81cb0002 00000001 09656e64", id="reason cut"),
    ],
)
def test_a_malformed_packet_is_refused(data: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_rtcp(bytes.fromhex(data))


def test_an_item_that_stops_before_its_length_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        parse_rtcp(bytes.fromhex("81ca0002 00000001 01016101"))


@pytest.mark.parametrize(
    "packet",
    [
        ReceiverReport(1 << 32),
        ReceiverReport(1, (block(),) * 32),
        ReceiverReport(1, (block(lost=1 << 23),)),
        ReceiverReport(1, (block(fraction=256),)),
        SourceDescription(((1, ((0, b""),)),)),
        SourceDescription(((1, ((CNAME, bytes(256)),)),)),
        Goodbye((1,), bytes(256)),
        Goodbye((1,) * 32),
        OtherRtcp(204, 0, b"abc"),
        OtherRtcp(204, 0, bytes(1400)),
    ],
)
def test_what_does_not_fit_is_not_sent(packet: RtcpPacket) -> None:
    with pytest.raises(LocalProtocolError):
        build_rtcp([packet])


def test_an_empty_compound_is_not_sent() -> None:
    with pytest.raises(LocalProtocolError):
        build_rtcp([])


def test_an_ntp_timestamp_counts_from_1900() -> None:
    assert ntp_timestamp(0) >> 32 == 2_208_988_800
    assert ntp_timestamp(0.5) & 0xFFFFFFFF == 0x80000000


def test_the_round_trip_of_the_rfc_example() -> None:
    """RFC 3550 figure 2: A = b710:8000, LSR = b705:2000, DLSR = 0005:4000, 6.125 s."""
    report = block(last_sr=0xB7052000, delay=0x00054000)
    assert round_trip_seconds(report, 0xB7108000 << 16) == 6.125


def test_no_sender_report_seen_means_no_round_trip() -> None:
    assert round_trip_seconds(block(last_sr=0, delay=5), 1 << 40) is None


def test_a_negative_round_trip_is_zero() -> None:
    assert round_trip_seconds(block(last_sr=5, delay=100), 50 << 16) == 0.0


def test_a_round_trip_survives_the_wrap_of_the_middle_bits() -> None:
    sent = ntp_timestamp(65535.9 - 2_208_988_800 % 65536)
    assert middle_of_ntp(sent) > 0xFFFF0000
    report = block(last_sr=middle_of_ntp(sent), delay=0)
    assert round_trip_seconds(report, sent + (1 << 31)) == 0.5
