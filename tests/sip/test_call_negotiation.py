"""Our side of a call's offers and answers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sip.call_negotiation import MAX_OFFERS, CallNegotiation, payload_format, voice_format
from sip.media_agreement import ProblemKind
from sip.offer_answer import MediaCapabilities
from sip.sdp import parse_sdp
from sip.sdp_attributes import OPUS, PCMA, PCMU, AudioCodec

ADDRESS = "192.0.2.1"


def negotiation(*codecs: AudioCodec) -> CallNegotiation:
    return CallNegotiation(MediaCapabilities(codecs or (PCMU, PCMA), ADDRESS, 10000), 7)


def sdp(port: int = 4000, formats: str = "0 101", *extra: str, version: int = 1) -> bytes:
    lines = [
        "v=0", f"o=- 1 {version} IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0",
        f"m=audio {port} RTP/AVP {formats}", "a=rtpmap:101 telephone-event/8000", *extra,
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines).encode()


def test_an_answer_becomes_facts() -> None:
    facts = negotiation().agree(sdp(4000, "8 0 101", "a=ptime:30")).facts
    assert (facts.codec, facts.codecs) == ("PCMA", ("PCMA", "PCMU"))
    assert (facts.address, facts.port) == ("192.0.2.9", 4000)
    assert (facts.packet_time_ms, facts.dtmf_payload_type) == (30.0, 101)
    assert (facts.direction, facts.suite, facts.fatal) == ("sendrecv", None, False)


def test_no_answer_and_no_description_are_fatal() -> None:
    for body in (None, b"", b"hello"):
        agreement = negotiation().agree(body)
        assert agreement.facts.fatal
        assert agreement.negotiation is None
        assert len(agreement.facts.problems) == 1


def test_a_refused_stream_is_fatal_and_says_so() -> None:
    facts = negotiation().agree(sdp(0)).facts
    assert facts.fatal
    assert facts.problem_kinds == (ProblemKind.STREAM_REJECTED,)
    assert facts.port is None
    assert facts.address == "192.0.2.9"


def test_the_codec_that_can_be_encoded_is_sent_whatever_stands_first() -> None:
    agreed = negotiation(OPUS, PCMU).agree(sdp(4000, "111 0", "a=rtpmap:111 opus/48000/2"))
    assert agreed.facts.codec == "PCMU"
    assert agreed.facts.codecs == ("opus", "PCMU")


def test_a_format_has_the_number_of_each_side() -> None:
    agreed = negotiation(OPUS).agree(sdp(4000, "96", "a=rtpmap:96 OPUS/48000/2")).negotiation
    assert agreed is not None
    voice = voice_format(agreed)
    assert voice is not None
    found = payload_format(voice)
    assert (found.payload_type, found.received_as, found.encoding) == (96, 111, "OPUS")


def test_an_offer_of_the_peer_is_answered_and_noted() -> None:
    ours = negotiation()
    answer = ours.answer_offer(sdp(5000, "8", version=2))
    assert answer is not None
    assert parse_sdp(answer).media[0].formats == ("8",)
    assert ours.moved is not None
    assert ours.moved.remote_rtp is not None
    assert ours.moved.remote_rtp.port == 5000


def test_the_version_goes_up_only_when_something_changes() -> None:
    ours = negotiation()
    versions = [
        parse_sdp(body).origin.session_version
        for offer in (None, sdp(4000, "0 8 101"), sdp(4000, "8"), sdp(4002, "8"), None)
        if (body := ours.answer_offer(offer)) is not None
    ]
    # The first is the offer of the INVITE again, the last goes back to it.
    assert versions == [1, 2, 3, 3, 4]


def test_an_offer_that_does_not_fit_is_refused_and_moves_nothing() -> None:
    ours = negotiation()
    for offer in (b"", b"hello", sdp(4000, "18"), sdp(0)):
        assert ours.answer_offer(offer) is None
    assert ours.moved is None


def test_endless_offers_are_refused_in_the_end() -> None:
    ours = negotiation()
    answers = [ours.answer_offer(sdp()) for _ in range(MAX_OFFERS + 5)]
    assert sum(answer is None for answer in answers) == 5


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                "v=0", "o=- 1 1 IN IP4 1.2.3.4", "s=-", "t=0 0", "c=IN IP4 0.0.0.0",
                "c=IN IP6 ::1", "c=IN IP4 host.example", "m=audio 4000 RTP/AVP 0",
                "m=audio 0 RTP/AVP 0", "m=video 1 RTP/AVP 9", "m=audio 4000 RTP/SAVP 8 101",
                "a=rtpmap:101 telephone-event/48000", "a=sendonly", "a=rtcp:1", "a=rtcp-mux",
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", "a=ptime:0", "a=maxptime:5",
            ]
        ),
        max_size=14,
    ),
    st.binary(max_size=20),
)  # fmt: skip
def test_whatever_a_peer_writes_has_an_outcome(lines: list[str], noise: bytes) -> None:
    head = "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\n"
    for body in (noise, (head + "".join(f"{line}\r\n" for line in lines)).encode()):
        ours = negotiation()
        agreement = ours.agree(body)
        assert agreement.facts.fatal is (
            agreement.negotiation is None or not agreement.negotiation.is_usable
        )
        ours.answer_offer(body)
