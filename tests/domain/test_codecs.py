"""Codec names, and the codecs that an SDP body advertises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.codecs import MAX_CODECS, Codec, codec_name, codecs_in_sdp, parse_codec

CRLF = "\r\n"


def sdp(*lines: str) -> str:
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
    return CRLF.join((*head, *lines)) + CRLF


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("PCMU", Codec.PCMU),
        ("pcmu/8000", Codec.PCMU),
        ("ulaw", Codec.PCMU),
        ("\u00b5-law", Codec.PCMU),
        ("G.711 u-law", Codec.PCMU),
        ("G711a", Codec.PCMA),
        ("alaw", Codec.PCMA),
        ("G.729", Codec.G729),
        ("G729", Codec.G729),
        ("g729A/8000", Codec.G729),
        ("G.722", Codec.G722),
        ("g722/8000", Codec.G722),
        ("Opus", Codec.OPUS),
        ("OPUS/48000/2", Codec.OPUS),
        ("G722.1", None),
        ("G7221", None),
        ("G726-32", None),
        ("iLBC", None),
        ("", None),
    ],
)
def test_aliases_of_the_contracts_codecs_are_known(text: str, codec: Codec | None) -> None:
    assert parse_codec(text) is codec


def test_the_contract_spells_codec_names_with_dots() -> None:
    assert [codec.value for codec in Codec] == ["PCMU", "PCMA", "G.729", "Opus", "G.722"]
    assert all(parse_codec(codec.value) is codec for codec in Codec)


@pytest.mark.parametrize(
    ("codec", "rtpmap"),
    [
        (Codec.PCMU, ("PCMU", 8000, 0)),
        (Codec.PCMA, ("PCMA", 8000, 8)),
        (Codec.G722, ("G722", 8000, 9)),
        (Codec.G729, ("G729", 8000, 18)),
        (Codec.OPUS, ("opus", 48000, None)),
    ],
)
def test_payload_types_and_clocks_are_those_of_the_rfcs(
    codec: Codec, rtpmap: tuple[str, int, int | None]
) -> None:
    assert (codec.encoding, codec.clock_rate, codec.payload_type) == rtpmap


def test_codecs_are_read_in_the_peers_order_with_and_without_rtpmap() -> None:
    body = sdp(
        "m=audio 4000 RTP/AVP 9 0 111 8 101 13",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:9 G722/8000",
    )

    assert codecs_in_sdp(body) == ("G.722", "PCMU", "Opus", "PCMA")


def test_a_rejected_stream_still_advertises() -> None:
    assert codecs_in_sdp(sdp("m=audio 0 RTP/AVP 18 3")) == ("G.729", "GSM")


def test_video_and_its_rtpmaps_are_left_out() -> None:
    body = sdp(
        "m=video 4002 RTP/AVP 96",
        "a=rtpmap:96 H264/90000",
        "m=audio 4000 RTP/SAVP 96",
        "a=rtpmap:96 AMR-WB/16000",
    )

    assert codecs_in_sdp(body) == ("AMR-WB",)


def test_an_rtpmap_wins_over_the_static_table() -> None:
    assert codecs_in_sdp(sdp("m=audio 4000 RTP/AVP 3", "a=rtpmap:3 iLBC/8000")) == ("ILBC",)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not SDP at all",
        "m=audio",
        sdp("m=audio 4000 RTP/AVP"),
        sdp("m=audio 4000 RTP/AVP 96"),
        sdp("m=audio 4000 RTP/AVP 9999 -1 x \u0663"),
        sdp("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 \x1b[31m/8000"),
        sdp("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 " + "x" * 33 + "/8000"),
    ],
)
def test_what_names_no_codec_yields_none(body: str) -> None:
    assert codecs_in_sdp(body) == ()


def test_a_body_cannot_flood_the_list() -> None:
    numbers = range(96, 128)
    line = "m=audio 4000 RTP/AVP " + " ".join(map(str, numbers))
    maps = [f"a=rtpmap:{number} X{number}/8000" for number in numbers]
    doubled = sdp(line, *maps) + sdp(line, *(m.replace("X", "Y") for m in maps))

    assert len(codecs_in_sdp(doubled)) == MAX_CODECS


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="m=audio 0189RTP/AVP\r\na=rtpmap:.x\u00e9", max_size=300))
def test_no_body_breaks_the_reader(body: str) -> None:
    names = codecs_in_sdp(body)

    assert len(set(names)) == len(names) <= MAX_CODECS


@given(st.sampled_from(Codec))
def test_a_known_encoding_is_shown_under_the_contracts_name(codec: Codec) -> None:
    assert codec_name(f"{codec.encoding.lower()}/{codec.clock_rate}") == codec.value
