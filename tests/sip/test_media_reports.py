"""RTCP of a media session: reports both ways, round trip, BYE."""

from __future__ import annotations

import dataclasses

import pytest

from sip.media_receiver import MAX_STREAMS
from sip.media_session import MediaSession
from sip.rtcp import (
    OtherRtcp,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    build_rtcp,
    parse_rtcp,
)
from tests.sip.media import (
    G729,
    PEER,
    START,
    feed,
    peer_settings,
    rtp_of,
    run,
    sent_by,
    session,
)


def test_a_report_goes_out_after_half_an_interval_and_then_every_five_seconds() -> None:
    ours = session()
    times = []
    while (now := ours.get_timer()) is not None and now < START + 13:
        if any(d.from_rtcp_port for d in ours.packets_to_send(now)):
            times.append(now - START)
    assert times == [2.5, 7.5, 12.5]


def test_reports_missed_in_a_stall_are_not_made_up() -> None:
    ours = session()
    sent = ours.packets_to_send(START + 12.6)
    assert len([d for d in sent if d.from_rtcp_port]) == 1
    assert ours.packets_to_send(START + 17.4) != []
    control = [d for d in ours.packets_to_send(START + 17.5) if d.from_rtcp_port]
    assert len(control) == 1


def test_a_stall_to_the_very_instant_of_a_report_sends_one() -> None:
    """0.3 is no binary fraction: the division may come out just below the report's number."""
    for interval in (0.1, 0.3, 0.7, 1.1):
        ours = session(rtcp_interval_seconds=interval, digit=None)
        for count in range(40):
            now = START + (count + 0.5) * interval
            control = [d for d in ours.packets_to_send(now) if d.from_rtcp_port]
            assert len(control) == 1
            following = [d for d in ours.packets_to_send(now) if d.from_rtcp_port]
            assert following == []


def test_a_compound_is_a_sender_report_and_the_name() -> None:
    ours = session(wall_clock_offset=1_700_000_000.0 - START)
    sent = sent_by(ours, 2.6)
    (control,) = [d for d in sent if d.from_rtcp_port]
    report, name = parse_rtcp(control.data)
    assert isinstance(report, SenderReport)
    assert report.packet_count == len(rtp_of(sent[: sent.index(control)]))
    assert report.ntp >> 32 == 1_700_000_002 + 2_208_988_800
    assert report.rtp_timestamp == (0xFFFFFF00 + 20000) % 2**32
    assert name == SourceDescription(((0x11111111, ((1, b"call@192.0.2.1"),)),))


def test_a_source_is_reported_only_while_it_sends() -> None:
    ours = session()
    feed(ours, 10, b"\xff" * 160)
    blocks = []
    for datagram in sent_by(ours, 8):
        if datagram.from_rtcp_port:
            report = parse_rtcp(datagram.data)[0]
            assert isinstance(report, SenderReport)
            blocks.append(report.reports)
    assert [[b.ssrc for b in seen] for seen in blocks] == [[7], []]


def test_the_round_trip_is_measured_both_ways() -> None:
    ours, theirs = session(), MediaSession(peer_settings(), START)
    run(ours, theirs, 9)
    for verdict in (ours.summary(), theirs.summary()):
        assert verdict.round_trip_ms == pytest.approx(60, abs=0.1)
        assert verdict.remote_loss_percent == 0
        assert verdict.remote_packets_lost == 0
        assert verdict.remote_jitter_ms == pytest.approx(0, abs=0.2)
        assert verdict.rtcp_bye_received
        assert (verdict.rtcp_out, verdict.rtcp_in) == (3, 3)


def test_a_report_about_another_stream_is_not_ours() -> None:
    ours = session()
    block = ReportBlock(
        ssrc=5,
        fraction_lost=128,
        cumulative_lost=3,
        highest_sequence=0,
        jitter=0,
        last_sr=0,
        delay_since_last_sr=0,
    )
    ours.receive_rtcp(build_rtcp([ReceiverReport(9, (block,))]), PEER, START)
    assert ours.summary().remote_loss_percent is None
    mine = dataclasses.replace(block, ssrc=0x11111111)
    ours.receive_rtcp(build_rtcp([ReceiverReport(9, (mine,))]), PEER, START)
    verdict = ours.summary()
    assert (verdict.remote_loss_percent, verdict.remote_packets_lost) == (50, 3)
    assert verdict.round_trip_ms is None


def test_what_is_no_report_is_counted_and_nothing_more() -> None:
    ours = session()
    ours.receive_rtcp(build_rtcp([OtherRtcp(205, 1, bytes(8))]), PEER, START)
    ours.receive_rtcp(b"\x80", PEER, START)
    verdict = ours.summary()
    assert (verdict.rtcp_in, verdict.rtcp_rejected) == (1, 1)


def test_a_shared_port_carries_both() -> None:
    ours = session(remote_rtcp=None)
    theirs = MediaSession(peer_settings(remote_rtcp=None), START)
    assert not any(d.from_rtcp_port for d in sent_by(session(remote_rtcp=None), 3))
    run(ours, theirs, 6)
    assert ours.summary().rtcp_in == theirs.summary().rtcp_out == 3 - 1


def test_sources_of_sender_reports_are_limited() -> None:
    ours = session()
    for ssrc in range(2 * MAX_STREAMS):
        report = SenderReport(
            ssrc=ssrc, ntp=ssrc << 16, rtp_timestamp=0, packet_count=0, octet_count=0
        )
        ours.receive_rtcp(build_rtcp([report]), PEER, START)
    assert len(ours._control._last_sr) == MAX_STREAMS


def test_who_sent_nothing_since_the_last_report_is_a_receiver() -> None:
    sent = sent_by(session(audio=G729), 13)
    first = [parse_rtcp(d.data)[0] for d in sent if d.from_rtcp_port]
    assert [type(report) for report in first] == [SenderReport, ReceiverReport, ReceiverReport]
