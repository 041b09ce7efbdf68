"""What an offer and its answer agree on, and what is wrong with an answer (RFC 3264, RFC 4568)."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network

import pytest

from sip.negotiation import (
    AgreedFormat,
    Endpoint,
    Negotiation,
    ProblemKind,
    Side,
    address_problem,
    negotiated,
)
from sip.offer_answer import SrtpPolicy, answer_to
from sip.sdes import CryptoAttribute
from sip.sdp_attributes import G729, OPUS, PCMA, PCMU, Direction
from tests.sip.test_offer_answer import OURS, SHA1_32, SHA1_80, capable, described, offer_of

KEY = b"t" * 30
AUDIO = "m=audio 4000 RTP/AVP 0"


def crypto(tag: int, suite: object = SHA1_80) -> str:
    return "a=crypto:" + CryptoAttribute(tag, SHA1_80, KEY).wire_value().replace(
        SHA1_80, str(suite)
    )


def kinds(negotiation: Negotiation) -> list[ProblemKind]:
    return [problem.kind for problem in negotiation.problems]


def test_a_good_answer() -> None:
    agreed = negotiated(
        offer_of(PCMU, PCMA),
        described(
            "m=audio 4000 RTP/AVP 8 0 97",
            "a=rtpmap:97 telephone-event/8000",
            "a=fmtp:97 0-16",
            "a=ptime:30",
        ),
    )
    assert agreed == Negotiation(
        formats=(AgreedFormat("PCMA", 8000, 1, 8, 8), AgreedFormat("PCMU", 8000, 1, 0, 0)),
        dtmf=AgreedFormat("telephone-event", 8000, 1, 97, 101, "0-16"),
        packet_time=timedelta(milliseconds=30),
        direction=Direction.SENDRECV,
        remote_rtp=Endpoint("198.51.100.9", 4000),
        remote_rtcp=Endpoint("198.51.100.9", 4001),
    )
    assert agreed.is_usable
    assert agreed.codec == agreed.formats[0]
    assert Negotiation().codec is None
    assert not Negotiation().is_usable


def test_each_side_sends_under_the_others_payload_types() -> None:
    offer = offer_of(OPUS, PCMU)
    answer = described(
        "m=audio 4000 RTP/AVP 96 98 97",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 useinbandfec=1",
        "a=rtpmap:97 telephone-event/48000",
        "a=rtpmap:98 telephone-event/8000",
    )
    ours = negotiated(offer, answer)
    theirs = negotiated(offer, answer, local=Side.ANSWERER)
    assert ours.formats == (AgreedFormat("opus", 48000, 2, 96, 111, "useinbandfec=1"),)
    assert theirs.formats == (AgreedFormat("opus", 48000, 2, 111, 96),)
    assert ours.dtmf == AgreedFormat("telephone-event", 48000, 1, 97, 110)
    assert theirs.remote_rtp == Endpoint("192.0.2.1", 10000)


def test_a_format_that_was_offered_twice_keeps_its_number() -> None:
    offer = described("m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 PCMU/8000")
    answer = described("m=audio 5000 RTP/AVP 96", "a=rtpmap:96 PCMU/8000")
    assert negotiated(offer, answer).formats == (AgreedFormat("PCMU", 8000, 1, 96, 96),)


@pytest.mark.parametrize(
    ("lines", "kind", "fatal"),
    [
        (["m=audio 0 RTP/AVP 0"], ProblemKind.STREAM_REJECTED, True),
        ([AUDIO, "m=video 0 RTP/AVP 99"], ProblemKind.MORE_MEDIA_LINES, False),
        (["m=audio 4000 RTP/AVP 0 3"], ProblemKind.CODEC_NOT_OFFERED, False),
        (["m=audio 4000 RTP/AVP 13"], ProblemKind.NO_COMMON_CODEC, True),
        (["m=audio 4000 RTP/AVPF 0"], ProblemKind.PROFILE_CHANGED, False),
        (["m=audio 4000 RTP/SAVP 0", crypto(1)], ProblemKind.SRTP_NOT_OFFERED, True),
        (["m=audio 4000 UDP/TLS/RTP/SAVP 0"], ProblemKind.PROFILE_UNSUPPORTED, True),
        ([AUDIO, "a=rtcp-mux"], ProblemKind.RTCP_MUX_NOT_OFFERED, False),
        ([AUDIO, "c=IN IP6 2001:4860::1"], ProblemKind.ADDRESS_FAMILY_CHANGED, False),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(
    lines: list[str], kind: ProblemKind, fatal: bool
) -> None:
    agreed = negotiated(offer_of(PCMU), described(*lines))
    assert kind in kinds(agreed)
    assert agreed.is_usable is not fatal
    assert {problem.kind: problem.is_fatal for problem in agreed.problems}[kind] is fatal


def test_a_codec_that_was_not_offered_is_not_agreed() -> None:
    agreed = negotiated(offer_of(PCMU, G729), described("m=audio 4000 RTP/AVP 8"))
    assert kinds(agreed) == [ProblemKind.CODEC_NOT_OFFERED, ProblemKind.NO_COMMON_CODEC]
    assert agreed.problems[1].detail == "payload types 0, 18, 101 offered, 8 answered"
    assert agreed.dtmf is None


def test_audio_answered_with_something_else_or_nothing() -> None:
    changed = negotiated(offer_of(), described("m=image 4000 udptl t38"))
    assert kinds(changed) == [ProblemKind.MEDIA_CHANGED, ProblemKind.STREAM_REJECTED]
    nothing = negotiated(offer_of(), described())
    assert kinds(nothing) == [ProblemKind.FEWER_MEDIA_LINES, ProblemKind.NO_AUDIO]


def test_the_first_stream_that_nobody_refuses_is_the_one() -> None:
    offer = described("m=video 1 RTP/AVP 99", "m=audio 0 RTP/AVP 0", "m=audio 2 RTP/AVP 0", AUDIO)
    answer = described("m=video 0 RTP/AVP 99", "m=audio 0 RTP/AVP 0", "m=audio 0 RTP/AVP 0", AUDIO)
    agreed = negotiated(offer, answer, local=Side.ANSWERER)
    assert (agreed.problems, agreed.remote_rtp) == ((), Endpoint("198.51.100.9", 4000))


class TestSrtp:
    OFFER = offer_of(srtp=SrtpPolicy.REQUIRED, crypto=OURS)
    OPTIONAL = offer_of(srtp=SrtpPolicy.OPTIONAL, crypto=OURS)

    @pytest.mark.parametrize(("tag", "suite"), [(1, SHA1_80), (2, SHA1_32)])
    def test_keys_of_both_directions(self, tag: int, suite: object) -> None:
        answer = described("m=audio 4000 RTP/SAVP 0", crypto(3), crypto(tag, suite))
        agreed = negotiated(self.OFFER, answer)
        assert agreed.problems == ()
        assert agreed.srtp is not None
        assert (agreed.srtp.suite, agreed.srtp.local) == (suite, OURS[tag - 1])
        assert agreed.srtp.remote.key == KEY
        mirrored = negotiated(self.OFFER, answer, local=Side.ANSWERER)
        assert mirrored.srtp is not None
        assert (mirrored.srtp.local, mirrored.srtp.remote) == (
            agreed.srtp.remote,
            agreed.srtp.local,
        )
        for text in (repr(agreed), repr(answer)):
            assert repr(KEY)[2:-1] not in text

    @pytest.mark.parametrize(
        ("lines", "problems"),
        [
            (["m=audio 4000 RTP/AVP 0"], [ProblemKind.SRTP_REFUSED]),
            (["m=audio 4000 RTP/SAVP 0"], [ProblemKind.SRTP_MISSING]),
            (["m=audio 4000 RTP/SAVP 0", crypto(4)], [ProblemKind.CRYPTO_TAG_MISMATCH]),
            (["m=audio 4000 RTP/SAVP 0", crypto(2)], [ProblemKind.CRYPTO_SUITE_MISMATCH]),
            (["m=audio 4000 RTP/SAVP 0", crypto(1, "F8")], [ProblemKind.CRYPTO_UNUSABLE]),
            (["m=audio 4000 RTP/SAVP 0", crypto(1) + "|1:4"], [ProblemKind.CRYPTO_UNUSABLE]),
        ],
    )
    def test_a_broken_answer_has_no_keys(
        self, lines: list[str], problems: list[ProblemKind]
    ) -> None:
        agreed = negotiated(self.OFFER, described(*lines))
        assert kinds(agreed) == problems
        assert (agreed.srtp, agreed.is_usable) == (None, False)

    def test_keys_in_an_answer_of_another_profile_are_taken(self) -> None:
        agreed = negotiated(self.OFFER, described(AUDIO, crypto(1)))
        assert kinds(agreed) == [ProblemKind.PROFILE_CHANGED]
        assert agreed.srtp is not None
        assert agreed.is_usable

    def test_the_reason_why_keys_cannot_be_used_is_told(self) -> None:
        agreed = negotiated(self.OPTIONAL, described(AUDIO, crypto(1) + "|2^20|1:4"))
        assert kinds(agreed) == [ProblemKind.CRYPTO_UNUSABLE]
        assert agreed.problems[0].detail == f"{SHA1_80}: mki_not_supported"

    def test_optional_srtp(self) -> None:
        plain = negotiated(self.OPTIONAL, described(AUDIO))
        assert (plain.srtp, plain.is_usable) == (None, True)
        secure = negotiated(self.OPTIONAL, described(AUDIO, crypto(1)))
        assert secure.srtp is not None
        assert secure.problems == ()
        broken = negotiated(self.OPTIONAL, described("m=audio 4000 RTP/SAVP 0"))
        assert kinds(broken) == [ProblemKind.PROFILE_CHANGED, ProblemKind.SRTP_MISSING]

    def test_keys_that_nobody_asked_for_are_passed_over(self) -> None:
        agreed = negotiated(offer_of(), described(AUDIO, crypto(1)))
        assert (agreed.srtp, agreed.problems) == (None, ())

    def test_a_secure_offer_without_keys_agrees_on_nothing(self) -> None:
        offer = described("m=audio 4000 RTP/SAVP 0")
        answer = described("m=audio 5000 RTP/SAVP 0", crypto(1))
        assert kinds(negotiated(offer, answer)) == [ProblemKind.SRTP_MISSING]


class TestWhere:
    def agreed(self, *lines: str, **settings: bool) -> Negotiation:
        return negotiated(offer_of(PCMU, **settings), described(*lines))

    def test_rtcp_has_the_port_and_address_that_it_names(self) -> None:
        assert self.agreed(AUDIO, "a=rtcp:5000").remote_rtcp == Endpoint("198.51.100.9", 5000)
        named = self.agreed(AUDIO, "a=rtcp:5000 IN IP4 198.51.100.10")
        assert named.remote_rtcp == Endpoint("198.51.100.10", 5000)
        assert self.agreed(AUDIO, "a=rtcp:0").remote_rtcp is None
        assert self.agreed("m=audio 65535 RTP/AVP 0").remote_rtcp is None

    def test_a_shared_port(self) -> None:
        agreed = self.agreed(AUDIO, "a=rtcp-mux", "a=rtcp:5000", rtcp_mux=True)
        assert agreed.rtcp_mux
        assert agreed.remote_rtcp == agreed.remote_rtp == Endpoint("198.51.100.9", 4000)
        assert not self.agreed(AUDIO, rtcp_mux=True).rtcp_mux

    def test_nothing_is_sent_to_a_peer_that_holds_by_address(self) -> None:
        held = self.agreed(AUDIO, "c=IN IP4 0.0.0.0")
        assert (held.remote_rtp, held.remote_rtcp, held.problems) == (None, None, ())
        assert held.direction is Direction.RECVONLY

    def test_an_answer_without_an_address(self) -> None:
        agreed = negotiated(offer_of(), described(AUDIO, session=()))
        assert kinds(agreed) == [ProblemKind.NO_ADDRESS]
        assert not agreed.is_usable

    def test_a_host_name_is_left_to_be_resolved(self) -> None:
        agreed = self.agreed(AUDIO, "c=IN IP4 media.example.com")
        assert agreed.remote_rtp == Endpoint("media.example.com", 4000)

    @pytest.mark.parametrize(
        ("lines", "milliseconds"),
        [
            ([], 20),
            (["a=ptime:0"], 20),
            (["a=ptime:1"], 10),
            (["a=ptime:99999"], 120),
            (["a=ptime:60", "a=maxptime:30"], 30),
            (["a=maxptime:1"], 10),
        ],
    )
    def test_the_packet_time_stays_in_reason(self, lines: list[str], milliseconds: int) -> None:
        assert self.agreed(AUDIO, *lines).packet_time == timedelta(milliseconds=milliseconds)


def test_an_answer_that_contradicts_the_direction() -> None:
    agreed = negotiated(offer_of(direction=Direction.SENDONLY), described(AUDIO))
    assert kinds(agreed) == [ProblemKind.DIRECTION_CONFLICT]
    assert agreed.direction is Direction.SENDONLY
    held = negotiated(offer_of(), described(AUDIO, "a=recvonly"))
    assert (held.problems, held.direction) == ((), Direction.SENDONLY)


def test_a_delayed_offer_is_agreed_from_our_answer() -> None:
    offer = described("m=audio 4000 RTP/SAVP 8 0", crypto(5))
    capabilities = capable(PCMU, srtp=SrtpPolicy.REQUIRED, crypto=OURS)
    answer = answer_to(offer, capabilities, session_id=1, session_version=1)
    agreed = negotiated(offer, answer.description, local=Side.ANSWERER)
    assert agreed.problems == ()
    assert agreed.formats == (AgreedFormat("PCMU", 8000, 1, 0, 0),)
    assert agreed.srtp is not None
    assert (agreed.srtp.local.key, agreed.srtp.remote.key) == (OURS[0].key, KEY)
    assert agreed.remote_rtp == Endpoint("198.51.100.9", 4000)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("192.168.1.7", "192.168.1.7 is a private address (RFC 1918)"),
        ("fd00::7", "fd00::7 is a private address (unique local, RFC 4193)"),
        (
            "2002:c0a8:107::1",
            "2002:c0a8:107::1 is a 6to4 form (RFC 3056) of 192.168.1.7, "
            "a private address (RFC 1918)",
        ),
        ("9.9.9.9", None),
        ("2002:909:909::1", None),
        ("media.example.com", None),
    ],
)
def test_an_address_that_is_not_public_is_pointed_out(address: str, words: str | None) -> None:
    problem = address_problem(address)
    assert (problem.detail if problem else None) == words
    assert problem is None or not problem.is_fatal


def test_an_allowed_network_is_no_problem() -> None:
    assert address_problem("10.1.2.3", allowed=[ip_network("10.0.0.0/8")]) is None
    assert address_problem("10.1.2.3", allowed=[ip_network("fd00::/8")]) is not None
