"""Session descriptions as bytes and as values (RFC 8866, RFC 3605, RFC 4733, RFC 5761)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.sdp import Media, SessionDescription, parse_sdp
from sip.sdp_attributes import (
    Direction,
    RtcpAttribute,
    RtpMap,
    parse_fmtp,
    parse_packet_time,
    parse_rtpmap,
)
from sip.sdp_grammar import (
    Attribute,
    Bandwidth,
    Connection,
    Origin,
)

HEAD = b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"

# The description of RFC 4566 section 5, with what a telephone adds.
FULL = (
    b"v=0\r\n"
    b"o=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\r\n"
    b"s=SDP Seminar\r\n"
    b"i=A Seminar on the session description protocol\r\n"
    b"u=http://www.example.com/seminars/sdp.pdf\r\n"
    b"e=j.doe@example.com (Jane Doe)\r\n"
    b"c=IN IP4 224.2.17.12/127\r\n"
    b"b=AS:128\r\n"
    b"t=2873397496 2873404696\r\n"
    b"a=recvonly\r\n"
    b"m=audio 49170 RTP/AVP 0 101 96\r\n"
    b"i=Main audio\r\n"
    b"c=IN IP6 2001:db8::7\r\n"
    b"b=TIAS:64000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-16\r\n"
    b"a=ptime:30\r\n"
    b"a=maxptime:150\r\n"
    b"a=rtcp:53020 IN IP4 126.16.64.4\r\n"
    b"a=rtcp-mux\r\n"
    b"a=x-vendor:anything at all\r\n"
    b"m=video 51372/2 RTP/AVP 99\r\n"
    b"a=rtpmap:99 h263-1998/90000\r\n"
    b"a=sendonly\r\n"
    b"m=image 0 udptl t38\r\n"
)


def described(*lines: str) -> SessionDescription:
    return parse_sdp(HEAD + "".join(f"{line}\r\n" for line in lines).encode())


def audio(*lines: str, formats: str = "0") -> Media:
    return described(f"m=audio 4000 RTP/AVP {formats}", *lines).media[0]


def test_a_whole_description_is_read_and_written_unchanged() -> None:
    description = parse_sdp(FULL)
    assert description.serialize() == FULL
    assert description.origin == Origin(
        2890844526, 2890842807, Connection("10.47.16.5"), username="jdoe"
    )
    assert description.name == "SDP Seminar"
    assert description.connection == Connection("224.2.17.12", ttl=127)
    assert description.bandwidths == (Bandwidth("AS", 128),)
    assert [kind for kind, _ in description.information] == ["i", "u", "e"]
    assert [media.kind for media in description.media] == ["audio", "video", "image"]


def test_a_stream_has_typed_attributes() -> None:
    description = parse_sdp(FULL)
    stream, video, image = description.media
    assert stream.rtpmaps == (RtpMap(0, "PCMU", 8000), RtpMap(101, "telephone-event", 8000))
    assert stream.rtpmaps[1].is_telephone_event
    assert (stream.fmtp(101), stream.fmtp(0)) == ("0-16", None)
    assert stream.ptime == timedelta(milliseconds=30)
    assert stream.maxptime == timedelta(milliseconds=150)
    assert stream.rtcp == RtcpAttribute(53020, Connection("126.16.64.4"))
    assert stream.rtcp_mux
    assert not video.rtcp_mux
    assert (video.port_count, image.port, image.rtpmaps) == (2, 0, ())
    assert (video.ptime, video.rtcp, video.crypto) == (None, None, ())


def test_a_stream_takes_from_the_session_what_it_does_not_say() -> None:
    description = parse_sdp(FULL)
    stream, video, _ = description.media
    assert description.connection_of(stream) == Connection("2001:db8::7", 6)
    assert description.connection_of(video) == Connection("224.2.17.12", ttl=127)
    assert description.direction_of(stream) is Direction.RECVONLY
    assert description.direction_of(video) is Direction.SENDONLY
    bare = described("m=audio 4000 RTP/AVP 0")
    assert bare.connection_of(bare.media[0]) is None
    assert bare.direction_of(bare.media[0]) is Direction.SENDRECV


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r\n\r\n"])
def test_other_line_ends_are_read(ending: bytes) -> None:
    assert parse_sdp(HEAD.rstrip() + ending) == parse_sdp(HEAD)


def test_static_payload_types_need_no_rtpmap_and_dynamic_ones_do() -> None:
    stream = audio("a=rtpmap:96 opus/48000/2", "a=rtpmap:8 L16/44100", formats="18 97 96 8 10 18")
    assert stream.rtpmaps == (
        RtpMap(18, "G729", 8000),
        RtpMap(96, "opus", 48000, 2),
        RtpMap(8, "L16", 44100),
        RtpMap(10, "L16", 44100, 2),
    )
    assert [str(entry) for entry in stream.rtpmaps[1:3]] == ["96 opus/48000/2", "8 L16/44100"]


def test_what_peers_really_send_is_let_pass() -> None:
    stream = described(
        "m=Audio  4000 RTP/AVP 0 ", "a=SendOnly ", "a=ptime:20 ", "m=video 0 RTP/AVP"
    )
    assert stream.media[0].kind == "audio"
    assert stream.direction_of(stream.media[0]) is Direction.SENDONLY
    assert stream.media[0].ptime == timedelta(milliseconds=20)
    assert stream.media[1].formats == ()
    assert stream.timing == (("t", "0 0"),)


def test_text_that_is_not_utf_8_is_replaced() -> None:
    assert parse_sdp(HEAD.replace(b"s=-", b"s=caf\xe9")).name == "caf\ufffd"


def test_a_key_line_is_dropped() -> None:
    description = described("k=clear:secret", "m=audio 4000 RTP/AVP 0", "k=prompt", "k=prompt")
    assert b"k=" not in description.serialize()


@pytest.mark.parametrize(
    ("value", "connection"),
    [
        ("IN IP4 192.0.2.1", Connection("192.0.2.1")),
        ("in ip6 2001:DB8::1", Connection("2001:db8::1", 6)),
        ("IN IP6 ff15::101/3", Connection("ff15::101", 6, count=3)),
        ("IN IP4 224.2.1.1/127/3", Connection("224.2.1.1", ttl=127, count=3)),
        ("IN IP4 Media.Example.com", Connection("media.example.com")),
        ("IN IP6 media.example.com", Connection("media.example.com", 6)),
    ],
)
def test_connections_are_read(value: str, connection: Connection) -> None:
    assert Connection.parse(value) == connection
    assert Connection.parse(str(connection)) == connection


@pytest.mark.parametrize(
    "value",
    [
        "",
        "IN IP4",
        "ATM IP4 192.0.2.1",
        "IN IP5 192.0.2.1",
        "IN IP4 2001:db8::1",
        "IN IP6 192.0.2.1",
        "IN IP6 2001:db8::g",
        "IN IP6 fe80::1%eth0",
        "IN IP4 [::1]",
        "IN IP4 300.1.1.1",
        "IN IP4 /127",
        "IN IP4 224.2.1.1/1/2/3",
        "IN IP6 ff15::101/1/2",
        "IN IP4 224.2.1.1/x",
        "IN IP4 a\x01b",
    ],
)
def test_impossible_connections_are_refused(value: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Connection.parse(value)


def test_a_connection_knows_its_address() -> None:
    assert Connection.at("2001:DB8::1") == Connection("2001:db8::1", 6)
    assert Connection("192.0.2.1").ip == ip_address("192.0.2.1")
    assert Connection("example.com").ip is None
    unspecified = [Connection("0.0.0.0"), Connection("::", 6), Connection("192.0.2.1")]
    assert [each.is_unspecified for each in unspecified] == [True, True, False]
    with pytest.raises(LocalProtocolError):
        Connection.at("example.com")


def test_small_values_are_read() -> None:
    assert parse_fmtp("18 annexb=no ") == ("18", "annexb=no")
    assert parse_fmtp("18") == ("18", "")
    assert parse_packet_time("22.5") == timedelta(milliseconds=22.5)
    assert parse_rtpmap("96  G722/8000/1") == RtpMap(96, "G722", 8000)
    assert RtcpAttribute.parse("53020") == RtcpAttribute(53020)


@pytest.mark.parametrize("text", ["a\r\nm=audio 1 RTP/AVP 0", "a\0b"])
def test_no_line_can_be_smuggled_into_a_description(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        replace(described(), attributes=(Attribute("x", text),)).serialize()


def test_an_attribute_shows_no_key() -> None:
    stream = audio("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40, "a=x:y")
    assert "AAAA" not in repr(stream)
    assert "inline:***" in repr(stream)
    assert repr(stream.attributes[1]) == "Attribute('x:y')"
