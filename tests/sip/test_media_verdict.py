"""The words of a media verdict."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sip.errors import LocalProtocolError
from sip.g711 import Law
from sip.media_session import MediaSession
from sip.media_settings import MediaSettings, PayloadFormat
from sip.media_verdict import (
    Heard,
    MediaFlow,
    MediaVerdict,
    SrtpOutcome,
    flow_of,
    heard_of,
    srtp_outcome,
)

PEER = ("192.0.2.7", 4000)
PCMU = PayloadFormat(0, "PCMU", 8000)
EVENT = PayloadFormat(101, "TELEPHONE-EVENT", 8000)


def settings(**changes: Any) -> MediaSettings:
    plain = MediaSettings(
        audio=PCMU,
        accepted=(EVENT,),
        remote=PEER,
        remote_rtcp=None,
        ssrc=1,
        first_sequence=0,
        first_timestamp=0,
        cname="a@example.com",
    )
    return dataclasses.replace(plain, **changes)


def verdict(**changes: Any) -> MediaVerdict:
    empty = MediaSession(settings(), 0.0).summary()
    return dataclasses.replace(empty, **changes)


@pytest.mark.parametrize(
    ("packets_out", "packets_in", "flow"),
    [
        (5, 5, MediaFlow.BOTH_WAYS),
        (5, 0, MediaFlow.OUT_ONLY),
        (0, 5, MediaFlow.IN_ONLY),
        (0, 0, MediaFlow.NONE),
    ],
)
def test_the_flow_follows_the_packets(packets_out: int, packets_in: int, flow: MediaFlow) -> None:
    assert flow_of(packets_out, packets_in) is flow


def heard(
    *,
    audio: int = 50,
    noise: int = 0,
    decoded: float = 1000,
    loud: float = 0,
    tone: float = 0,
    sent: float = 1000,
) -> Heard:
    return heard_of(
        audio_packets=audio,
        comfort_noise=noise,
        decoded_ms=decoded,
        loud_ms=loud,
        tone_ms=tone,
        sent_tone_ms=sent,
    )


@pytest.mark.parametrize(
    ("was", "expected"),
    [
        (heard(audio=0), Heard.NOTHING),
        (heard(audio=0, noise=3), Heard.SILENCE),
        (heard(decoded=0), Heard.UNDECODED),
        (heard(), Heard.SILENCE),
        (heard(loud=80), Heard.SILENCE),
        (heard(loud=800), Heard.AUDIO),
        (heard(loud=1000, tone=980), Heard.OUR_TONE),
        (heard(loud=1000, tone=400), Heard.AUDIO),
        (heard(loud=100, tone=80), Heard.AUDIO),
        pytest.param(heard(loud=2000, tone=2000), Heard.AUDIO, id="a line that plays 1004 Hz"),
        pytest.param(heard(loud=900, tone=900, sent=0), Heard.AUDIO, id="no tone was sent"),
    ],
)
def test_what_was_heard(was: Heard, expected: Heard) -> None:
    assert was is expected


@pytest.mark.parametrize(
    ("used", "authenticated", "failed", "outcome"),
    [
        (False, 0, 0, SrtpOutcome.NOT_USED),
        (True, 5, 0, SrtpOutcome.AUTHENTICATED),
        (True, 5, 1, SrtpOutcome.PARTLY),
        (True, 0, 1, SrtpOutcome.FAILED),
        (True, 0, 0, SrtpOutcome.UNPROVEN),
    ],
)
def test_what_srtp_proved(
    used: bool, authenticated: int, failed: int, outcome: SrtpOutcome
) -> None:
    assert srtp_outcome(used=used, authenticated=authenticated, failed=failed) is outcome


def test_one_way_is_one_direction_of_two_possible() -> None:
    assert verdict(flow=MediaFlow.OUT_ONLY).one_way
    assert verdict(flow=MediaFlow.IN_ONLY).one_way
    assert not verdict(flow=MediaFlow.IN_ONLY, encodable=False).one_way
    assert not verdict(flow=MediaFlow.IN_ONLY, may_send=False).one_way
    assert not verdict(flow=MediaFlow.BOTH_WAYS).one_way
    assert not verdict(flow=MediaFlow.NONE).one_way


def test_another_source_than_the_sdp_said_is_seen() -> None:
    assert not verdict(source=None).source_differs
    assert not verdict(source=PEER).source_differs
    assert verdict(source=("192.0.2.7", 4001)).source_differs


def test_a_session_that_did_nothing_proves_nothing() -> None:
    empty = verdict()
    assert (empty.flow, empty.heard, empty.srtp) == (
        MediaFlow.NONE,
        Heard.NOTHING,
        SrtpOutcome.NOT_USED,
    )
    assert (empty.loss_percent, empty.jitter_ms, empty.first_packet_delay_ms) == (0.0, None, None)
    assert (empty.level_dbov, empty.round_trip_ms, empty.remote_loss_percent) == (None, None, None)


def test_g711_is_known_by_its_name_and_clock() -> None:
    assert PCMU.law is Law.PCMU
    assert PayloadFormat(8, "PCMA", 8000).law is Law.PCMA
    assert PayloadFormat(96, "PCMU", 16000).law is None
    assert PayloadFormat(18, "G729", 8000).law is None


def test_a_telephone_event_must_share_the_clock_of_the_audio() -> None:
    opus = PayloadFormat(111, "OPUS", 48000)
    assert settings().event == EVENT
    assert settings(audio=opus).event is None
    fitting = PayloadFormat(110, "TELEPHONE-EVENT", 48000)
    assert settings(audio=opus, accepted=(EVENT, fitting)).event == fitting
    assert settings(accepted=(PayloadFormat(13, "CN", 8000),)).event is None


@pytest.mark.parametrize(
    "changes",
    [
        {"audio": PayloadFormat(128, "PCMU", 8000)},
        {"accepted": (PayloadFormat(101, "TELEPHONE-EVENT", 49),)},
        {"digit": "12"},
        {"digit": "x"},
        {"ssrc": 1 << 32},
        {"first_timestamp": -1},
        {"first_sequence": 1 << 16},
        {"cname": ""},
        {"cname": "é" * 128},
        {"tone_seconds": 2.0},
        {"rtcp_interval_seconds": 0.0},
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError):
        settings(**changes)
