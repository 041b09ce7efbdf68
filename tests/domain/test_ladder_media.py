"""The media of a call as a band of its ladder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.ladder_media import MediaState, media_band
from sip.media_verdict import Heard, MediaFlow, SrtpOutcome
from tests.domain.calls import AGREED, MEDIA


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, MediaState.GOOD, "both ways"),
        ({"heard": Heard.OUR_TONE}, MediaState.GOOD, "both ways"),
        ({"heard": Heard.SILENCE}, MediaState.POOR, "both ways, but silence came back"),
        ({"heard": Heard.NOTHING}, MediaState.POOR, "both ways, but no audio came back"),
        ({"loss_percent": 9.0, "packets_lost": 14}, MediaState.POOR, "both ways, with loss"),
        ({"loss_percent": 9.0, "packets_lost": 1}, MediaState.GOOD, "both ways"),
        (
            {"srtp": SrtpOutcome.PARTLY},
            MediaState.POOR,
            "both ways, some packets do not authenticate",
        ),
        ({"srtp": SrtpOutcome.FAILED}, MediaState.BAD, "unusable: no packet authenticates"),
        ({"flow": MediaFlow.OUT_ONLY}, MediaState.BAD, "one way: nothing came back"),
        ({"flow": MediaFlow.IN_ONLY}, MediaState.BAD, "one way: nothing was sent"),
        (
            {"flow": MediaFlow.IN_ONLY, "encodable": False},
            MediaState.POOR,
            "one way: nothing was sent",
        ),
        ({"flow": MediaFlow.NONE}, MediaState.BAD, "neither way"),
    ],
)
def test_media_is_judged(changes: dict[str, Any], state: MediaState, words: str) -> None:
    band = media_band(replace(MEDIA, **changes), AGREED)

    assert (band.state, band.words) == (state, words)


def test_media_is_told_with_its_numbers() -> None:
    media = replace(
        MEDIA,
        srtp=SrtpOutcome.AUTHENTICATED,
        packets_in=149,
        loss_percent=0.7,
        expected_source=("10.0.0.5", 30000),
        dtmf_received="5",
        srtp_failed=1,
    )

    band = media_band(media, replace(AGREED, suite="AES_CM_128_HMAC_SHA1_80"))

    assert band.title == "SRTP PCMU 20 ms AES_CM_128_HMAC_SHA1_80"
    assert band.outgoing == "150 packets to 198.51.100.7:20000, peer reports 0.0 % loss"
    assert band.incoming == "149 packets from 198.51.100.7:20000, 0.7 % loss, jitter 1.5 ms, audio"
    assert band.other == (
        "round trip 20 ms",
        "DTMF 1 sent",
        "DTMF 5 received",
        "the SDP said 10.0.0.5:30000",
        "1 packet failed authentication",
    )
    plain = media_band(replace(MEDIA, source=None), None)
    assert (plain.title, plain.incoming) == ("RTP PCMU", "no packets")
