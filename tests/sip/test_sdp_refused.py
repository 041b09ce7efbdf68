"""Session descriptions that are refused: broken lines, broken attributes, too much of anything."""

from __future__ import annotations

import pytest

from sip.errors import RemoteProtocolError
from sip.sdp import SessionDescription, parse_sdp
from sip.sdp_grammar import MAX_FORMATS, MAX_MEDIA, MAX_SDP, MAX_SDP_LINE, MAX_SDP_LINES

HEAD = b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"


def described(*lines: str) -> SessionDescription:
    return parse_sdp(HEAD + "".join(f"{line}\r\n" for line in lines).encode())


@pytest.mark.parametrize(
    "line",
    [
        "o=- 1 2 IN IP4 192.0.2.1",
        "s=again",
        "x=1",
        "V=0",
        "novalue",
        "",
        "=x",
        "a=",
        "a=:1",
        "a=b d",
        "b=AS",
        "b=:64",
        "b=AS:much",
        "c=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2",
        "m=audio",
        "m=audio 4000",
        "m=au:dio 4000 RTP/AVP 0",
        "m=audio 70000 RTP/AVP 0",
        "m=audio x RTP/AVP 0",
        "m=audio 4000/x RTP/AVP 0",
        "m=audio 4000 RTP/AVP",
        "m=audio 4000 RTP/AVP 128",
        "m=audio 4000 RTP/AVP x",
        "m=audio 0 RTP/AVP 0\r\nt=0 0",
        "m=audio 0 RTP/AVP 0\r\ni=a\r\ni=b",
        "s=a\0b",
        "a=a\rb",
    ],
)
def test_broken_lines_are_refused(line: str) -> None:
    with pytest.raises(RemoteProtocolError):
        described(line, "a=x")


@pytest.mark.parametrize(
    "attribute",
    [
        "rtpmap:96",
        "rtpmap:x PCMU/8000",
        "rtpmap:128 PCMU/8000",
        "rtpmap:96 PCMU",
        "rtpmap:96 PCMU/fast",
        "rtpmap:96 L16/8000/256",
        "rtpmap:96 L16/99999999999",
        "fmtp",
        "fmtp: ",
        "ptime:",
        "ptime:-20",
        "ptime:123456",
        "maxptime:long",
        "rtcp:",
        "rtcp:70000",
        "rtcp:53020 IN IP4",
        "crypto:x",
    ],
)
def test_broken_attributes_that_are_understood_are_refused(attribute: str) -> None:
    with pytest.raises(RemoteProtocolError):
        described("m=audio 4000 RTP/AVP 0", f"a={attribute}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        HEAD.replace(b"v=0\r\n", b""),
        HEAD.replace(b"v=0", b"v=1"),
        HEAD.replace(b"s=-\r\n", b""),
        HEAD.replace(b"o=- 1 2 IN IP4 192.0.2.1\r\n", b""),
        HEAD.replace(b"- 1 2", b"- 1"),
        HEAD.replace(b"- 1 2", b"- one 2"),
        HEAD.replace(b"- 1 2", b"- 1 " + b"2" * 21),
    ],
)
def test_a_description_without_its_head_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_sdp(body)


@pytest.mark.parametrize(
    ("at_the_limit", "one_more"),
    [
        (b"a=" + b"x" * (MAX_SDP_LINE - 2) + b"\r\n", b"a=" + b"x" * (MAX_SDP_LINE - 1)),
        (b"a=x\r\n" * (MAX_SDP_LINES - 3), b"a=x\r\n" * (MAX_SDP_LINES - 2)),
        (b"m=audio 0 RTP/AVP 0\r\n" * MAX_MEDIA, b"m=audio 0 RTP/AVP 0\r\n" * (MAX_MEDIA + 1)),
        (
            b"m=image 1 udptl " + b" ".join(b"%d" % n for n in range(MAX_FORMATS)),
            b"m=image 1 udptl " + b" ".join(b"%d" % n for n in range(MAX_FORMATS + 1)),
        ),
        (b"\r\n" * ((MAX_SDP - len(HEAD)) // 2), b"\r\n" * (MAX_SDP // 2)),
    ],
)
def test_limits_hold(at_the_limit: bytes, one_more: bytes) -> None:
    parse_sdp(HEAD + at_the_limit)
    with pytest.raises(RemoteProtocolError):
        parse_sdp(HEAD + one_more)
