"""What a media session makes of what comes in."""

from __future__ import annotations

import pytest

from sip.g711 import Law, encode
from sip.media_session import FOLLOW_AFTER_PACKETS, MediaDatagram
from sip.media_settings import PayloadFormat
from sip.media_verdict import Heard, MediaFlow
from sip.rtp import RtpPacket
from sip.tone import TEST_FREQUENCY, sine
from tests.sip.media import (
    G729,
    PEER,
    START,
    closed_at_once,
    feed,
    session,
)


def test_a_late_first_packet_has_its_delay() -> None:
    ours = session()
    ours.receive_rtp(RtpPacket(0, 1, 0, 7, b"\xff" * 160).serialize(), PEER, START + 2.5)
    assert ours.summary().first_packet_delay_ms == 2500


def test_silence_is_not_audio() -> None:
    ours = session()
    feed(ours, 50, b"\xff" * 160)
    assert ours.summary().heard is Heard.SILENCE


def test_other_sound_is_audio() -> None:
    ours = session()
    feed(ours, 50, encode(Law.PCMU, sine(440, 3000, 160)))
    verdict = ours.summary()
    assert (verdict.heard, verdict.tone_ms, verdict.loud_ms) == (Heard.AUDIO, 0, 1000)
    assert verdict.packets_reflected == 0


def test_a_peer_that_echoes_octets_reflects_our_stream() -> None:
    ours = session()
    for tick in range(100):
        now = START + tick * 0.02 + 1e-6
        for datagram in ours.packets_to_send(now):
            if not datagram.from_rtcp_port:
                ours.receive_rtp(datagram.data, PEER, now)
    verdict = ours.summary()
    assert verdict.packets_reflected == verdict.packets_in == 100
    assert (verdict.heard, verdict.dtmf_received) == (Heard.OUR_TONE, "1")


def test_our_own_tone_is_not_recognized_when_none_was_sent() -> None:
    ours = session()
    tone = encode(Law.PCMU, sine(TEST_FREQUENCY, 3000, 160))
    feed(ours, 40, tone)
    assert ours.summary().heard is Heard.AUDIO


def test_a_codec_that_cannot_be_decoded_is_named_so() -> None:
    ours = session(audio=G729)
    feed(ours, 50, bytes(20), 18)
    verdict = ours.summary()
    assert (verdict.heard, verdict.flow) == (Heard.UNDECODED, MediaFlow.IN_ONLY)
    assert not verdict.one_way


def test_comfort_noise_is_silence_even_when_not_offered() -> None:
    ours = session()
    feed(ours, 3, b"\x40", 13)
    verdict = ours.summary()
    assert (verdict.comfort_noise_packets, verdict.heard) == (3, Heard.SILENCE)
    assert verdict.unexpected_payload_types == ()


def test_payload_types_that_were_not_agreed_are_listed() -> None:
    ours = session()
    for payload_type in (111, 18, 111):
        feed(ours, 1, b"x", payload_type)
    ours.receive_rtp(RtpPacket(18, 1, 0, 7, b"").serialize(), PEER, START)
    verdict = ours.summary()
    assert (verdict.unexpected_payload_types, verdict.heard) == ((18, 111), Heard.NOTHING)


def test_a_duplicate_is_heard_once() -> None:
    ours = session()
    for _ in range(20):
        feed(ours, 5, encode(Law.PCMU, sine(440, 3000, 160)))
    verdict = ours.summary()
    assert (verdict.loud_ms, verdict.packets_duplicate) == (100, 95)


def test_a_changed_ssrc_is_counted_and_both_streams_are_accounted() -> None:
    ours = session()
    for n in range(10):
        ssrc = 7 if n < 5 else 8
        number = n if n < 5 else 40000 + n
        packet = RtpPacket(0, number, n * 160, ssrc, b"\xff" * 160)
        ours.receive_rtp(packet.serialize(), PEER, START + n * 0.02)
    verdict = ours.summary()
    assert (verdict.ssrc_changes, verdict.packets_expected, verdict.packets_lost) == (1, 10, 0)


def test_a_restarted_stream_is_counted() -> None:
    ours = session()
    for number in (1, 2, 30000, 30001):
        packet = RtpPacket(0, number, number * 160, 7, b"\xff" * 160)
        ours.receive_rtp(packet.serialize(), PEER, START)
    assert ours.summary().stream_restarts == 1


def test_another_source_than_the_sdp_said_is_noted_but_not_followed() -> None:
    ours = session()
    elsewhere = ("198.51.100.9", 5555)
    for n in range(10):
        packet = RtpPacket(0, n, n * 160, 7, b"\xff" * 160)
        ours.receive_rtp(packet.serialize(), elsewhere if n else PEER, START)
    verdict = ours.summary()
    assert (verdict.source, verdict.other_sources) == (PEER, (elsewhere,))
    assert {d.address for d in ours.packets_to_send(START)} == {PEER}


def test_symmetric_rtp_follows_the_first_source_once_it_has_proved_itself() -> None:
    ours = session(follow_source=True, remote_rtcp=None)
    elsewhere = ("198.51.100.9", 5555)
    targets = []
    for n in range(FOLLOW_AFTER_PACKETS):
        packet = RtpPacket(0, n, n * 160, 7, b"\xff" * 160)
        ours.receive_rtp(packet.serialize(), elsewhere, START)
        ours.receive_rtp(b"junk", PEER, START)
        targets.append(ours.summary().sent_to)
    assert targets == [PEER] * (FOLLOW_AFTER_PACKETS - 1) + [elsewhere]
    for n in range(10):
        packet = RtpPacket(0, n + 3, 0, 7, b"")
        ours.receive_rtp(packet.serialize(), ("203.0.113.5", 1), START)
    verdict = ours.summary()
    assert (verdict.sent_to, verdict.source_differs) == (elsewhere, True)
    assert {d.address for d in ours.packets_to_send(START)} == {elsewhere}


def test_a_peer_that_moves_its_media_is_followed_by_its_sdp() -> None:
    ours = session()
    elsewhere = ("198.51.100.9", 5555)
    ours.retarget(elsewhere, None)
    ours.close(START)
    assert ours.packets_to_send(START) == [
        MediaDatagram(ours_bye.data, elsewhere)
        for ours_bye in closed_at_once(session(remote=elsewhere, remote_rtcp=None))
    ]
    verdict = ours.summary()
    assert (verdict.expected_source, verdict.sent_to) == (elsewhere, elsewhere)


def test_a_format_of_another_clock_in_the_stream_is_no_jitter() -> None:
    opus = PayloadFormat(111, "OPUS", 48000)
    ours = session(accepted=(opus,))
    for n in range(20):
        packet = RtpPacket(111 if n % 2 else 0, n, n * (960 if n % 2 else 160), 7, b"\xff")
        ours.receive_rtp(packet.serialize(), PEER, START + n * 0.02)
    assert ours.summary().jitter_ms == pytest.approx(0, abs=1e-3)


def test_the_repetitions_of_a_digit_are_no_jitter() -> None:
    ours = session()
    feed(ours, 5, b"\xff" * 160)
    for n in range(5, 15):
        packet = RtpPacket(101, n, 5 * 160, 7, b"\x01\x0a\x03\x20")
        ours.receive_rtp(packet.serialize(), PEER, START + n * 0.02)
    verdict = ours.summary()
    assert verdict.jitter_ms == pytest.approx(0, abs=1e-3)
    assert verdict.dtmf_received == "1"


def test_a_format_that_the_peer_numbers_otherwise_is_known_by_its_number() -> None:
    ours = session(accepted=(PayloadFormat(101, "TELEPHONE-EVENT", 8000, received_as=96),))
    feed(ours, 1, b"\x05\x8a\x03\x20", 96)
    verdict = ours.summary()
    assert (verdict.dtmf_received, verdict.unexpected_payload_types) == ("5", ())
    feed(ours, 2, b"\x06\x8a\x03\x20", 101)
    verdict = ours.summary()
    assert (verdict.dtmf_received, verdict.unexpected_payload_types) == ("5", (101,))
