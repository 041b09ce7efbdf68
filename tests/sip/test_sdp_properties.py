"""Session descriptions: what is written is read again, and no input makes anything but a protocol error."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import RemoteProtocolError
from sip.negotiation import Side, negotiated
from sip.offer_answer import MediaCapabilities, SrtpPolicy, answer_to, build_offer
from sip.sdes import CryptoSuite, mask_keys, new_crypto_attributes
from sip.sdp import Media, SessionDescription, parse_sdp
from sip.sdp_attributes import AUDIO_CODECS, Direction
from sip.sdp_grammar import Attribute, Bandwidth, Connection, Origin
from tests.sip.strategies import PARTS, WHOLE_MESSAGES, host_names, tokens

KEYS = new_crypto_attributes(tuple(CryptoSuite), lambda octets: b"s" * octets)
KEY_TEXT = "c3Nz" * 10

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=10)
words = st.text("abcXYZ019-/.", min_size=1, max_size=6)
multicast_numbers = st.none() | st.integers(0, 255)
connections = st.one_of(
    st.builds(Connection, st.ip_addresses(v=4).map(str)),
    st.builds(Connection, st.ip_addresses(v=6).map(str), st.just(6), count=multicast_numbers),
    st.builds(Connection, host_names, st.sampled_from([4, 6])),
    st.builds(Connection, st.just("224.2.1.1"), ttl=st.integers(0, 255), count=multicast_numbers),
)
attributes = st.one_of(
    st.builds(Attribute, tokens.map("x{}".format), st.none() | texts),
    st.sampled_from(
        [
            Attribute("sendonly"),
            Attribute("rtcp-mux"),
            Attribute("rtpmap", "96 opus/48000/2"),
            Attribute("fmtp", "96 useinbandfec=1"),
            Attribute("ptime", "20"),
            Attribute("rtcp", "5001 IN IP6 2001:db8::1"),
            Attribute("crypto", KEYS[0].wire_value()),
        ]
    ),
)
bandwidths = st.builds(Bandwidth, tokens, st.integers(0, 2**32 - 1))


def some(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


media = st.builds(
    Media,
    kind=st.sampled_from(["audio", "video"]),
    port=st.integers(0, 65535),
    protocol=st.sampled_from(["RTP/AVP", "RTP/SAVP", "udptl"]),
    formats=st.lists(st.integers(0, 127).map(str), min_size=1, max_size=4, unique=True).map(tuple),
    port_count=st.integers(0, 65536),
    title=st.none() | texts,
    connections=some(connections),
    bandwidths=some(bandwidths),
    attributes=some(attributes),
)
descriptions = st.builds(
    SessionDescription,
    origin=st.builds(
        Origin, st.integers(0, 2**63), st.integers(0, 2**63), connections, username=words
    ),
    name=texts,
    connection=st.none() | connections,
    information=some(st.tuples(st.sampled_from("uep"), texts)),
    bandwidths=some(bandwidths),
    timing=st.lists(st.tuples(st.sampled_from("trz"), texts), min_size=1, max_size=3).map(tuple),
    attributes=some(attributes),
    media=some(media),
)
capabilities = st.builds(
    MediaCapabilities,
    codecs=st.permutations(list(AUDIO_CODECS.values())).flatmap(
        lambda codecs: st.integers(1, len(codecs)).map(lambda count: codecs[:count])
    ),
    address=st.ip_addresses(v=4).filter(lambda address: not address.is_unspecified).map(str),
    rtp_port=st.integers(1, 32767).map(lambda half: 2 * half),
    srtp=st.sampled_from([SrtpPolicy.OPTIONAL, SrtpPolicy.REQUIRED]),
    crypto=st.just(KEYS) | st.just(KEYS[1:]),
    dtmf=st.booleans(),
    direction=st.sampled_from(Direction),
    rtcp_mux=st.booleans(),
)

TELEPHONE = (
    b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/SAVP 0 96 101\r\na=rtpmap:96 opus/48000/2\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:150\r\n"
    b"a=rtcp:4001 IN IP4 192.0.2.1\r\na=rtcp-mux\r\na=sendrecv\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY_TEXT.encode() + b"|2^31\r\n"
    b"m=video 4002 RTP/AVP 99\r\nc=IN IP6 2001:db8::1\r\nb=AS:64\r\na=inactive\r\n"
)
STOCK = [
    b"\r\n", b"\r", b"\n", b"\0", b"\xff", b" ", b":", b"/", b"|", b";", b"=", b"-1", b"0", b"65536",
    b"9" * 30, b"IN IP6", b"0.0.0.0", b"::", b"%1", b"[", b"m=", b"m=audio 0 RTP/AVP\r\n", b"a=", b"k=x",
    b"inline:", b"|1:4", b"2^99", b"RTP/AVP", b"UDP/TLS/RTP/SAVP", "\u0660\u2028".encode(),
]  # fmt: skip


@WHOLE_MESSAGES
@given(descriptions)
def test_what_is_written_is_read_again(description: SessionDescription) -> None:
    assert parse_sdp(description.serialize()) == description


@PARTS
@given(connections | bandwidths)
def test_lines_are_read_again(value: Connection | Bandwidth) -> None:
    assert type(value).parse(str(value)) == value


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = TELEPHONE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        data = data[:start] + draw(st.sampled_from(STOCK) | st.binary(max_size=4)) + data[end:]
    return data


def parsed(data: bytes) -> SessionDescription | RemoteProtocolError:
    try:
        return parse_sdp(data)
    except RemoteProtocolError as refused:
        return refused


# Lines that are fine by themselves, in any order and number.
recombined = st.lists(
    st.sampled_from(
        [
            *TELEPHONE.splitlines()[3:],
            b"m=audio 4000 RTP/AVP 0 8 111",
            b"m=audio 4000 RTP/AVP 111 110 0",
            b"m=audio 0 RTP/AVP",
            b"a=rtpmap:0 telephone-event/48000",
            b"a=rtpmap:111 PCMA/8000",
            b"a=rtpmap:110 opus/48000/2",
            b"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" + KEY_TEXT.encode(),
            b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY_TEXT.encode() + b"|1:4",
            b"a=sendonly",
            b"c=IN IP4 0.0.0.0",
        ]
    ),
    max_size=12,
).map(lambda lines: b"\r\n".join([*TELEPHONE.splitlines()[:3], *lines]))


@settings(PARTS, max_examples=200)
@given(mutated() | recombined | st.binary(max_size=200), capabilities)
def test_hostile_descriptions_make_protocol_errors_only(
    data: bytes, ours: MediaCapabilities
) -> None:
    theirs = parsed(data)
    if isinstance(theirs, RemoteProtocolError):
        assert KEY_TEXT not in str(theirs)
        return
    assert parse_sdp(theirs.serialize()) == theirs
    assert KEY_TEXT not in repr(theirs)
    offer = build_offer(ours, session_id=1, session_version=1)
    answer = answer_to(theirs, ours, session_id=1, session_version=1)
    assert parse_sdp(answer.description.serialize()) == answer.description
    agreed = negotiated(theirs, answer.description, local=Side.ANSWERER)
    assert agreed.is_usable is answer.is_acceptable
    assert KEY_TEXT not in f"{agreed} {answer} {negotiated(offer, theirs)}"
    later = build_offer(ours, session_id=1, session_version=2, previous=answer.description)
    assert len(later.media) >= len(answer.description.media)
    assert len(set(later.media[0].formats)) == len(later.media[0].formats)


@PARTS
@given(capabilities, capabilities)
def test_both_sides_agree_on_the_same(one: MediaCapabilities, other: MediaCapabilities) -> None:
    offer = parse_sdp(build_offer(one, session_id=1, session_version=1).serialize())
    answer = answer_to(offer, other, session_id=2, session_version=1)
    here = negotiated(offer, answer.description)
    there = negotiated(offer, answer.description, local=Side.ANSWERER)
    assert here.is_usable is there.is_usable is answer.is_acceptable
    assert [each.encoding for each in here.formats] == [each.encoding for each in there.formats]
    assert (here.direction.sends, here.direction.receives) == (
        there.direction.receives,
        there.direction.sends,
    )
    if here.srtp is not None and there.srtp is not None:
        assert (here.srtp.local, here.srtp.remote) == (there.srtp.remote, there.srtp.local)
    for mine, theirs in zip(here.formats, there.formats, strict=True):
        assert mine.send_payload_type == theirs.receive_payload_type
        assert mine.receive_payload_type == theirs.send_payload_type


@PARTS
@given(mutated())
def test_masking_leaves_everything_but_keys(data: bytes) -> None:
    assert len(mask_keys(data, keep_length=True)) == len(data)
    assert mask_keys(TELEPHONE) == TELEPHONE.replace(KEY_TEXT.encode(), b"***")
