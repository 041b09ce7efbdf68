"""URIs as text and as values (RFC 3261 section 19.1, RFC 3966)."""

from __future__ import annotations

import pytest

from sip.errors import RemoteProtocolError
from sip.uri import OtherUri, SipUri, TelUri, parse_uri

# From RFC 3261 section 19.1.3, and what people really send.
WELL_FORMED = {
    "sip:alice@atlanta.com": SipUri("sip", "atlanta.com", "alice"),
    "sip:alice:secretword@atlanta.com;transport=tcp": SipUri(
        "sip", "atlanta.com", "alice", "secretword", params=(("transport", "tcp"),)
    ),
    "sips:alice@atlanta.com?subject=project%20x&priority=urgent": SipUri(
        "sips",
        "atlanta.com",
        "alice",
        headers=(("subject", "project%20x"), ("priority", "urgent")),
    ),
    "sip:+1-212-555-1212:1234@gateway.com;user=phone": SipUri(
        "sip", "gateway.com", "+1-212-555-1212", "1234", params=(("user", "phone"),)
    ),
    "sips:1212@gateway.com": SipUri("sips", "gateway.com", "1212"),
    "sip:alice@192.0.2.4": SipUri("sip", "192.0.2.4", "alice"),
    "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com": SipUri(
        "sip",
        "atlanta.com",
        params=(("method", "REGISTER"),),
        headers=(("to", "alice%40atlanta.com"),),
    ),
    "sip:alice;day=tuesday@atlanta.com": SipUri("sip", "atlanta.com", "alice;day=tuesday"),
    "SIP:AtLanTa.CoM": SipUri("sip", "atlanta.com"),
    "sip:a@b?subject=": SipUri("sip", "b", "a", headers=(("subject", ""),)),
    "sip:a:@b": SipUri("sip", "b", "a", ""),
    "sip:[2001:DB8::1]:5060;lr": SipUri("sip", "2001:db8::1", port=5060, params=(("lr", None),)),
    "sip:pbx_1.example.": SipUri("sip", "pbx_1.example."),
    "sip:4f2a91bc": SipUri("sip", "4f2a91bc"),
    "sip:a@h;maddr=[2001:db8::9]": SipUri("sip", "h", "a", params=(("maddr", "[2001:db8::9]"),)),
    "sip:h:0": SipUri("sip", "h", port=0),
    "tel:+1-201-555-0123;ext=7": TelUri("+1-201-555-0123", (("ext", "7"),)),
    "TEL:911;phone-context=+1": TelUri("911", (("phone-context", "+1"),)),
    "tel:*67#": TelUri("*67#"),
    "urn:service:sos": OtherUri("urn", "service:sos"),
    "http://www.example.com/a?b#c": OtherUri("http", "//www.example.com/a?b#c"),
}

MALFORMED = [
    "",
    "alice",
    "sip:",
    "sip:@example.com",
    "sip::secret@example.com",
    "sip:a@b@c",
    "sip:a b@c",
    "sip:a@",
    "sip:a@b:",
    "sip:a@b:port",
    "sip:a@b:65536",
    "sip:a@b:" + "9" * 5000,
    "sip:a@b;",
    "sip:a@b;;lr",
    "sip:a@b;lr=",
    "sip:a@b;lr;LR",
    "sip:a@b?",
    "sip:a@b?subject",
    "sip:a@b?=x",
    "sip:a%4@b",
    "sip:a%GG@b",
    "sip:2001:db8::1",
    "sip:[2001:db8::1",
    "sip:[]",
    "sip:[1.2.3.4]",
    "sip:[2001:db8:::1]",
    "sip:[::1%25eth0]",
    "sip:[fe80::1%eth0]",
    "sip:256.1.1.1",
    "sip:1.2.3",
    "sip:1.2.3.4.5",
    "sip:127.0.0.01",
    "sip:10.0.0.1.",
    "sip:-a.example",
    "sip:a-.example",
    "sip:a..example",
    "sip:.example",
    "sip:" + "a" * 256,
    "sip:b\u00fccher.example",
    "sip:\u212aelvin.example",
    "sip:a@b\r\nX: y",
    "sip:a@b\0",
    "<sip:a@b>",
    "tel:",
    "tel:+",
    "tel:--",
    "tel:1;a;A",
    "tel:1x",
    "isbn:",
    "1a:b",
    "http://a b",
    'http://a"b',
]


@pytest.mark.parametrize("text", WELL_FORMED)
def test_a_uri_is_split_into_its_parts(text: str) -> None:
    assert parse_uri(text) == WELL_FORMED[text]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_uri_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_uri(text)
    assert len(caught.value.message) < 200


def test_a_long_uri_is_parsed_like_a_short_one() -> None:
    user = "a" * 5000
    assert parse_uri(f"sip:{user}@b") == SipUri("sip", "b", user)
    with pytest.raises(RemoteProtocolError):
        parse_uri(f"sip:{user}@b@c")


@pytest.mark.parametrize("text", [t for t in WELL_FORMED if t not in ("SIP:AtLanTa.CoM",)])
def test_a_uri_is_written_as_it_was_read(text: str) -> None:
    scheme, _, rest = text.partition(":")
    assert str(parse_uri(text)) == f"{scheme.lower()}:{rest}".replace("DB8", "db8")


def test_a_parameter_is_found_in_any_case_and_through_escapes() -> None:
    uri = parse_uri("sip:h;Transport=TCP;%6Cr;x=%41")
    assert isinstance(uri, SipUri)
    assert uri.param("TRANSPORT") == "TCP"
    assert uri.transport == "tcp"
    assert uri.param("lr") == ""
    assert uri.param("x") == "%41"
    assert uri.param("y") is None
    assert SipUri("sip", "h").transport is None


def test_the_host_and_port_of_an_ipv6_uri_have_brackets() -> None:
    assert SipUri("sip", "2001:db8::1", port=5061).hostport == "[2001:db8::1]:5061"
    assert SipUri("sip", "2001:db8::1").hostport == "[2001:db8::1]"
    assert SipUri("sip", "h", port=1).hostport == "h:1"
