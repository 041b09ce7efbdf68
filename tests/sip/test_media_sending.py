"""What a media session sends, and when."""

from __future__ import annotations

import random

from sip.dtmf import parse_event
from sip.media_sender import MAX_BURST
from sip.media_verdict import MediaFlow
from sip.rtcp import (
    Goodbye,
    ReceiverReport,
    parse_rtcp,
)
from sip.rtp import RtpPacket
from tests.sip.media import (
    G729,
    PCMA,
    START,
    rtp_of,
    sent_by,
    session,
)


def test_packets_are_20_ms_apart_in_time_number_and_timestamp() -> None:
    ours = session(digit=None)
    times: list[float] = []
    packets: list[RtpPacket] = []
    while len(packets) < 200:
        now = ours.get_timer()
        assert now is not None
        made = rtp_of(ours.packets_to_send(now))
        packets += made
        times += [now] * len(made)
    assert times == [START + n * 0.02 for n in range(200)]
    for n, packet in enumerate(packets):
        assert packet.sequence_number == (65500 + n) % 65536
        assert packet.timestamp == (0xFFFFFF00 + 160 * n) % 2**32
        assert packet.marker == (n == 0)
        assert (packet.ssrc, packet.payload_type) == (0x11111111, 0)


def test_a_late_owner_makes_no_drift() -> None:
    ours = session(digit=None)
    chance = random.Random(3)
    packets = 0
    for n in range(1000):
        now = START + n * 0.02 + chance.uniform(0, 0.015)
        packets += len(rtp_of(ours.packets_to_send(now)))
    assert packets == 1000
    assert ours.get_timer() == START + 1000 * 0.02


def test_after_a_long_stall_old_frames_are_left_out() -> None:
    ours = session(digit=None)
    ours.packets_to_send(START)
    late = rtp_of(ours.packets_to_send(START + 1.001))
    assert len(late) == MAX_BURST
    assert late[0].sequence_number == 65501
    assert late[-1].timestamp == (0xFFFFFF00 + 160 * 49) % 2**32
    assert rtp_of(ours.packets_to_send(START + 1.002))[0].timestamp == (
        (0xFFFFFF00 + 160 * 50) % 2**32
    )
    assert ours.summary().frames_skipped == 44


def test_the_tone_is_followed_by_silence_and_a_digit_between() -> None:
    packets = rtp_of(sent_by(session(), 3))
    assert len({p.payload for p in packets[:50]}) > 10
    assert {p.payload for p in packets[50:60]} == {b"\xff" * 160}
    digit = packets[60:70]
    assert {p.payload_type for p in digit} == {101}
    assert [p.marker for p in digit] == [True] + [False] * 9
    assert len({p.timestamp for p in digit}) == 1
    durations = [parse_event(p.payload).duration for p in digit]
    assert durations == [160 * n for n in (1, 2, 3, 4, 5, 6, 7, 8, 8, 8)]
    assert digit[0].timestamp == (0xFFFFFF00 + 160 * 60) % 2**32
    assert {p.payload for p in packets[70:]} == {b"\xff" * 160}
    numbers = [p.sequence_number for p in packets]
    assert numbers == [(65500 + n) % 65536 for n in range(len(packets))]


def test_a_law_silence_is_its_own() -> None:
    packets = rtp_of(sent_by(session(audio=PCMA, digit=None), 2))
    assert packets[-1].payload == b"\xd5" * 160


def test_a_digit_that_a_stall_cuts_still_ends() -> None:
    ours = session()
    sent_by(ours, 1.24)
    packets = [p for p in rtp_of(sent_by(ours, 3)) if p.payload_type == 101]
    assert packets[-1].payload[1] & 0x80
    assert ours.summary().dtmf_sent == "1"


def test_a_codec_that_cannot_be_encoded_sends_only_the_digit() -> None:
    ours = session(audio=G729)
    packets = rtp_of(sent_by(ours, 3))
    assert [p.payload_type for p in packets] == [101] * 10
    verdict = ours.summary()
    assert (verdict.encodable, verdict.codec, verdict.dtmf_sent) == (False, "G729", "1")


def test_a_codec_that_cannot_be_encoded_without_a_digit_sends_reports_only() -> None:
    ours = session(audio=G729, accepted=())
    sent = sent_by(ours, 3)
    assert [d.from_rtcp_port for d in sent] == [True]
    assert isinstance(parse_rtcp(sent[0].data)[0], ReceiverReport)
    assert ours.summary().flow is MediaFlow.NONE


def test_sending_ends_at_the_limit_with_a_bye() -> None:
    ours = session(limit_seconds=2.0)
    sent = sent_by(ours, 4)
    assert len(rtp_of(sent)) == 100
    assert isinstance(parse_rtcp(sent[-1].data)[-1], Goodbye)
    assert ours.get_timer() is None


def test_the_timer_names_the_limit_when_nothing_else_is_left() -> None:
    ours = session(audio=G729, accepted=(), limit_seconds=1.0)
    assert ours.get_timer() == START + 1.0


def test_closing_twice_says_bye_once() -> None:
    ours = session()
    ours.close(START)
    ours.close(START)
    assert len(ours.packets_to_send(START)) == 1
    assert ours.packets_to_send(START + 5) == []


def test_a_direction_that_forbids_sending_leaves_rtcp_only() -> None:
    ours = session(may_send=False)
    sent = sent_by(ours, 3)
    assert [d.from_rtcp_port for d in sent] == [True]
    verdict = ours.summary()
    assert (verdict.may_send, verdict.packets_out, verdict.dtmf_sent) == (False, 0, None)
