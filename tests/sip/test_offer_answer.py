"""Offers and answers that this side makes (RFC 3264, RFC 4568)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from sip.errors import LocalProtocolError
from sip.media_agreement import ProblemKind
from sip.offer_answer import Answer, MediaCapabilities, SrtpPolicy, answer_to, build_offer
from sip.sdes import CryptoAttribute, CryptoSuite, new_crypto_attributes
from sip.sdp import Media, SessionDescription, parse_sdp
from sip.sdp_attributes import AUDIO_CODECS, G722, G729, OPUS, PCMA, PCMU, AudioCodec, Direction

SHA1_80 = CryptoSuite.AES_CM_128_HMAC_SHA1_80
SHA1_32 = CryptoSuite.AES_CM_128_HMAC_SHA1_32
OURS = new_crypto_attributes((SHA1_80, SHA1_32), lambda octets: b"o" * octets)
THEIRS = CryptoAttribute(7, SHA1_32, b"t" * 30).wire_value()
UNKNOWN = "3 AEAD_AES_128_GCM inline:AAAA"


def capable(*codecs: AudioCodec, **more: Any) -> MediaCapabilities:
    return MediaCapabilities(
        **{"codecs": codecs or (PCMU, PCMA), "address": "192.0.2.1", "rtp_port": 10000, **more}
    )


def offer_of(*codecs: AudioCodec, **more: Any) -> SessionDescription:
    return build_offer(capable(*codecs, **more), session_id=7, session_version=1)


def described(
    *lines: str, session: Sequence[str] = ("c=IN IP4 198.51.100.9",)
) -> SessionDescription:
    head = ("v=0", "o=- 5 6 IN IP4 198.51.100.9", "s=-", *session, "t=0 0")
    return parse_sdp("".join(f"{line}\r\n" for line in (*head, *lines)).encode())


def answered(offer: SessionDescription, *codecs: AudioCodec, **more: Any) -> Answer:
    answer = answer_to(offer, capable(*codecs, **more), session_id=7, session_version=2)
    assert parse_sdp(answer.description.serialize()) == answer.description
    assert len(answer.description.media) == len(offer.media)
    return answer


def stream(answer: Answer) -> Media:
    assert answer.is_acceptable
    (media,) = (media for media in answer.description.media if media.port)
    return media


def refusal(answer: Answer) -> list[ProblemKind]:
    assert not answer.is_acceptable
    assert all(media.port == 0 for media in answer.description.media)
    return [problem.kind for problem in answer.problems]


class TestOffer:
    def test_the_whole_body(self) -> None:
        offer = offer_of(PCMU, PCMA, OPUS, G722, G729, rtcp_mux=True)
        assert offer.serialize().decode().split("\r\n") == [
            "v=0",
            "o=- 7 1 IN IP4 192.0.2.1",
            "s=-",
            "c=IN IP4 192.0.2.1",
            "t=0 0",
            "m=audio 10000 RTP/AVP 0 8 111 9 18 101 110",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:111 opus/48000/2",
            "a=rtpmap:9 G722/8000",
            "a=rtpmap:18 G729/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=rtpmap:110 telephone-event/48000",
            "a=fmtp:18 annexb=no",
            "a=fmtp:101 0-15",
            "a=fmtp:110 0-15",
            "a=ptime:20",
            "a=rtcp-mux",
            "a=sendrecv",
            "",
        ]

    def test_the_order_of_codecs_is_kept_and_dtmf_can_be_left_out(self) -> None:
        assert offer_of(PCMA, PCMU, dtmf=False).media[0].formats == ("8", "0")

    def test_codecs_are_found_by_their_encoding(self) -> None:
        assert [AUDIO_CODECS[name] for name in ("opus", "g729")] == [OPUS, G729]

    @pytest.mark.parametrize(
        ("policy", "profile"),
        [(SrtpPolicy.REQUIRED, "RTP/SAVP"), (SrtpPolicy.OPTIONAL, "RTP/AVP")],
    )
    def test_srtp_is_offered_with_our_keys(self, policy: SrtpPolicy, profile: str) -> None:
        media = offer_of(srtp=policy, crypto=OURS).media[0]
        assert (media.protocol, media.crypto) == (profile, OURS)

    def test_an_ipv6_address_an_odd_packet_time_and_a_direction(self) -> None:
        offer = offer_of(
            address="2001:db8::1",
            packet_time=timedelta(milliseconds=22.5),
            direction=Direction.SENDONLY,
        )
        assert str(offer.connection) == str(offer.origin.connection) == "IN IP6 2001:db8::1"
        assert b"a=ptime:22.5\r\na=sendonly\r\n" in offer.serialize()

    def test_a_codec_of_an_unusual_clock_gets_dtmf_on_it(self) -> None:
        speex = AudioCodec("speex", 16000, 97)
        maps = offer_of(PCMU, speex).media[0].rtpmaps
        assert [str(entry) for entry in maps[2:]] == [
            "101 telephone-event/8000",
            "127 telephone-event/16000",
        ]

    @pytest.mark.parametrize(
        "settings",
        [
            {"codecs": ()},
            {"codecs": (PCMU, PCMU)},
            {"rtp_port": 10001},
            {"rtp_port": 0},
            {"rtp_port": 65536},
            {"rtp_port": -2},
            {"address": "pbx.example.com"},
            {"srtp": SrtpPolicy.REQUIRED},
            {"crypto": OURS},
            {"srtp": SrtpPolicy.OPTIONAL, "crypto": (OURS[0], OURS[0])},
        ],
    )
    def test_impossible_capabilities_are_refused(self, settings: dict[str, Any]) -> None:
        with pytest.raises(LocalProtocolError):
            capable(**settings)


class TestLaterOffer:
    def later(self, previous: SessionDescription, *codecs: AudioCodec) -> SessionDescription:
        return build_offer(capable(*codecs), session_id=7, session_version=2, previous=previous)

    def test_it_keeps_lines_and_payload_types(self) -> None:
        peer = described(
            "m=video 6000 RTP/AVP 99",
            "m=audio 4000 RTP/AVP 111 96",
            "a=rtpmap:111 telephone-event/8000",
            "a=rtpmap:96 opus/48000/2",
        )
        first = answered(peer, OPUS).description
        video, audio = self.later(first, OPUS, PCMU).media
        assert (video.kind, video.port, video.formats) == ("video", 0, ("99",))
        assert [str(entry) for entry in audio.rtpmaps] == [
            "96 opus/48000/2",
            "0 PCMU/8000",
            "110 telephone-event/48000",
            "111 telephone-event/8000",
        ]

    def test_a_number_that_means_something_else_is_not_taken(self) -> None:
        previous = described("m=audio 4000 RTP/AVP 111", "a=rtpmap:111 PCMA/8000")
        maps = self.later(previous, OPUS).media[0].rtpmaps
        assert str(maps[0]) == "127 opus/48000/2"

    def test_the_stream_in_use_is_offered_again(self) -> None:
        previous = described("m=audio 0 RTP/AVP 8", "m=audio 4000 RTP/AVP 0")
        assert [media.port for media in self.later(previous).media] == [0, 10000]

    def test_a_refused_stream_is_offered_again(self) -> None:
        previous = described("m=audio 0 RTP/AVP 8", "m=video 0 RTP/AVP 99")
        assert [media.port for media in self.later(previous).media] == [10000, 0]

    def test_audio_comes_behind_what_was_there(self) -> None:
        later = self.later(described("m=image 0 udptl t38"))
        assert [media.kind for media in later.media] == ["image", "audio"]


class TestAnswer:
    def test_the_offers_first_codec_that_is_ours_under_its_number(self) -> None:
        offer = described(
            "m=audio 4000 RTP/AVP 3 96 0 97 98",
            "a=rtpmap:96 OPUS/48000/2",
            "a=rtpmap:97 telephone-event/8000",
            "a=rtpmap:98 telephone-event/48000",
            "a=rtcp-mux",
        )
        media = stream(answered(offer, PCMU, OPUS))
        assert media.formats == ("96", "98")
        assert media.rtcp_mux
        assert stream(answered(offer, PCMU)).formats == ("0", "97")
        assert stream(answered(offer, PCMU, dtmf=False)).formats == ("0",)

    def test_an_answer_repeats_the_timing(self) -> None:
        timed = described("m=audio 4000 RTP/AVP 0", session=("c=IN IP4 198.51.100.9", "t=1 2"))
        assert answered(timed).description.timing == (("t", "1 2"), ("t", "0 0"))

    @pytest.mark.parametrize(
        ("theirs", "ours", "answer"),
        [
            ("sendrecv", Direction.SENDRECV, Direction.SENDRECV),
            ("sendonly", Direction.SENDRECV, Direction.RECVONLY),
            ("recvonly", Direction.SENDRECV, Direction.SENDONLY),
            ("inactive", Direction.SENDRECV, Direction.INACTIVE),
            ("sendrecv", Direction.SENDONLY, Direction.SENDONLY),
            ("sendonly", Direction.SENDONLY, Direction.INACTIVE),
        ],
    )
    def test_hold_is_answered(self, theirs: str, ours: Direction, answer: Direction) -> None:
        result = answered(described("m=audio 4000 RTP/AVP 0", f"a={theirs}"), direction=ours)
        assert result.description.direction_of(stream(result)) is answer

    def test_hold_by_the_unspecified_address_is_answered(self) -> None:
        held = described("m=audio 4000 RTP/AVP 0", session=("c=IN IP4 0.0.0.0",))
        result = answered(held)
        assert result.description.direction_of(stream(result)) is Direction.RECVONLY

    def test_only_the_first_stream_that_works_is_taken(self) -> None:
        offer = described(
            "m=video 6000 RTP/AVP 99",
            "m=audio 0 RTP/AVP 0",
            "m=audio 4000 RTP/SAVP 0",
            f"a=crypto:{THEIRS}",
            "m=audio 4002 RTP/AVP 0",
            "m=audio 4004 RTP/AVP 0",
            "m=image 6002 udptl t38",
        )
        media = answered(offer).description.media
        assert [each.port for each in media] == [0, 0, 0, 10000, 0, 0]
        assert [each.protocol for each in media] == [each.protocol for each in offer.media]

    @pytest.mark.parametrize("profile", ["RTP/SAVP", "RTP/SAVPF", "RTP/AVP"])
    @pytest.mark.parametrize("policy", [SrtpPolicy.OPTIONAL, SrtpPolicy.REQUIRED])
    def test_srtp_is_answered_under_the_offers_tag(self, profile: str, policy: SrtpPolicy) -> None:
        offer = described(f"m=audio 4000 {profile} 0", f"a=crypto:{UNKNOWN}", f"a=crypto:{THEIRS}")
        media = stream(answered(offer, srtp=policy, crypto=OURS))
        assert media.protocol == profile
        assert media.crypto == (CryptoAttribute(7, SHA1_32, OURS[1].key),)

    @pytest.mark.parametrize("settings", [{}, {"srtp": SrtpPolicy.OPTIONAL, "crypto": OURS}])
    def test_a_plain_offer_is_answered_plainly(self, settings: dict[str, Any]) -> None:
        media = stream(answered(described("m=audio 4000 RTP/AVP 0"), **settings))
        assert (media.protocol, media.crypto) == ("RTP/AVP", ())

    def test_keys_are_passed_over_when_srtp_is_off(self) -> None:
        offer = described("m=audio 4000 RTP/AVP 0", f"a=crypto:{THEIRS}")
        assert stream(answered(offer)).crypto == ()

    @pytest.mark.parametrize(
        ("lines", "policy", "kind"),
        [
            (["m=audio 4000 RTP/SAVP 0", f"a=crypto:{THEIRS}"], "off", ProblemKind.SRTP_REFUSED),
            (["m=audio 4000 RTP/SAVP 0"], "optional", ProblemKind.SRTP_MISSING),
            (
                ["m=audio 4000 RTP/SAVP 0", f"a=crypto:{UNKNOWN}"],
                "required",
                ProblemKind.SRTP_MISSING,
            ),
            (["m=audio 4000 RTP/AVP 0"], "required", ProblemKind.SRTP_MISSING),
            (["m=audio 4000 UDP/TLS/RTP/SAVP 0"], "off", ProblemKind.PROFILE_UNSUPPORTED),
            (["m=audio 4000 RTP/AVP 18 3"], "off", ProblemKind.NO_COMMON_CODEC),
            (["m=audio 4000 RTP/AVP 13"], "off", ProblemKind.NO_COMMON_CODEC),
            (["m=video 4000 RTP/AVP 99", "m=audio 0 RTP/AVP 0"], "off", ProblemKind.NO_AUDIO),
            ([], "off", ProblemKind.NO_AUDIO),
        ],
    )
    def test_what_cannot_be_answered_is_refused_with_its_reason(
        self, lines: list[str], policy: str, kind: ProblemKind
    ) -> None:
        crypto = () if policy == "off" else OURS
        assert refusal(answered(described(*lines), srtp=SrtpPolicy(policy), crypto=crypto)) == [
            kind
        ]

    def test_an_offer_without_an_address_is_refused(self) -> None:
        offer = described("m=audio 4000 RTP/AVP 0", session=())
        assert refusal(answered(offer)) == [ProblemKind.NO_ADDRESS]
