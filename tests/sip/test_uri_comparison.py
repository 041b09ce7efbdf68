"""Which URIs name the same resource (RFC 3261 section 19.1.4)."""

from __future__ import annotations

import pytest
from hypothesis import given

from sip.uri import SipUri, Uri, parse_uri
from tests.sip import strategies as sip

# The examples of section 19.1.4 first.
EQUIVALENT = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"),
    ("sip:a%3bb@c", "sip:a%3Bb@c"),
    ("sip:a@b;lr", "sip:a@b;%6cr"),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ("sip:a@b", "sips:a@b"),
    ("sip:a@b", "sip:b"),
    ("sip:a@b", "sip:a:@b"),
    ("sip:a:x@b", "sip:a:X@b"),
    ("sip:a%3Bb@c", "sip:a;b@c"),
    ("sip:a@b;user=ip", "sip:a@b"),
    ("sip:a@b;ttl=1", "sip:a@b"),
    ("sip:a@b;maddr=192.0.2.1", "sip:a@b"),
    ("sip:a@b;method=INVITE", "sip:a@b"),
    ("sip:a@b;lr", "sip:a@b;lr=on"),
    ("sip:%2541@b", "sip:A@b"),
    ("sip:%C3@b", "sip:%C4@b"),
]


def _sip(text: str) -> SipUri:
    uri = parse_uri(text)
    assert isinstance(uri, SipUri)
    return uri


@pytest.mark.parametrize(("one", "other"), EQUIVALENT)
def test_equivalent_uris_match(one: str, other: str) -> None:
    assert _sip(one).equivalent(_sip(other))
    assert _sip(other).equivalent(_sip(one))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_uris_do_not_match(one: str, other: str) -> None:
    assert not _sip(one).equivalent(_sip(other))
    assert not _sip(other).equivalent(_sip(one))


def test_equivalence_is_not_transitive() -> None:
    on, off, neither = (_sip(f"sip:carol@chicago.com{p}") for p in (";s=on", ";s=off", ""))
    assert on.equivalent(neither)
    assert neither.equivalent(off)
    assert not on.equivalent(off)


@sip.PARTS
@given(sip.sip_uris())
def test_every_uri_is_equivalent_to_itself(uri: SipUri) -> None:
    assert uri.equivalent(uri)
    assert uri.equivalent(_sip(str(uri)))


@sip.PARTS
@given(sip.sip_uris(), sip.uris())
def test_equivalence_is_symmetric(one: SipUri, other: Uri) -> None:
    if isinstance(other, SipUri):
        assert one.equivalent(other) == other.equivalent(one)
    else:
        assert not one.equivalent(other)


@sip.PARTS
@given(sip.sip_uris())
def test_escaping_an_unreserved_character_keeps_a_uri_equivalent(uri: SipUri) -> None:
    escaped = str(uri).replace("@", ".@", 1) if uri.user else str(uri)
    hidden = escaped.replace(".@", "%2E@", 1)
    assert _sip(escaped).equivalent(_sip(hidden))
