"""Destinations: what holds for every text."""

from __future__ import annotations

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.destination import ParsedDestination, parse_destination
from sip.transports import Transport
from sip.uri import SipUri, parse_uri

_LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(
    lambda label: not label.startswith("xn--")
)
_NAMES = st.lists(_LABELS, min_size=2, max_size=4).map(".".join)
_HOSTS = st.one_of(
    _NAMES,
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)
_USERS = st.text("abcxyzABC019-_.!~*'()&=+$;?/%# \u00e9", min_size=1, max_size=20)
_PIECES = st.sampled_from(
    [
        *("sip:", "sips:", "tls://", "https://", "tel:", "//", ":", "@", ";", "?", "#", "/", "<"),
        *(">", "[", "]", ",", "%", "=", " ", '"', "\n", "\u200b", "\u00a0", ".", "-", "_"),
        *("transport=tls", "transport=udp", ";transport=TCP", "lr", "host", "a.example", "5060"),
        *("203.0.113.1", "::1", "2001:db8::1", "0x7f.1", "b\u00fccher", "\uff11", "xn--", "+1415"),
    ]
)
_PASTED = st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=12).map("".join))


@settings(max_examples=200, deadline=None)
@given(_PASTED)
def test_every_text_gets_an_answer_and_normalized_is_a_fixed_point(text: str) -> None:
    answer = parse_destination(text)

    if not answer.valid:
        assert answer.parsed is None
        assert answer.message
        assert answer.suggestion
        return
    assert answer.parsed is not None
    again = parse_destination(answer.parsed.normalized)
    assert again.parsed is not None
    assert again.parsed.normalized == answer.parsed.normalized
    assert again.parsed.model_dump(exclude={"notes"}) == answer.parsed.model_dump(exclude={"notes"})


@settings(max_examples=150, deadline=None)
@given(_PASTED)
def test_a_normalized_destination_is_a_sip_uri_that_says_the_same(text: str) -> None:
    parsed = parse_destination(text).parsed
    if parsed is None:
        return

    uri = parse_uri(parsed.normalized)

    assert isinstance(uri, SipUri)
    assert (uri.host, uri.port, uri.user) == (parsed.host, parsed.port, parsed.user)
    assert uri.transport == parsed.transport


@settings(max_examples=100, deadline=None)
@given(
    host=_HOSTS,
    port=st.none() | st.integers(1, 65535),
    transport=st.none() | st.sampled_from(Transport),
    case=st.booleans(),
)
def test_the_parts_of_a_well_formed_destination_come_out(
    host: str, port: int | None, transport: Transport | None, case: bool
) -> None:
    text = f"sip:{host}" + (f":{port}" if port else "")
    text += f";transport={transport}" if transport else ""

    parsed = parse_destination(text.upper() if case else text).parsed

    assert parsed is not None
    assert (parsed.port, parsed.transport, parsed.user) == (port, transport, None)
    bare = host.strip("[]")
    assert parsed.host == (ipaddress.ip_address(bare).compressed if ":" in bare else bare)


@settings(max_examples=100, deadline=None)
@given(user=_USERS, host=_NAMES)
def test_a_user_part_survives_or_is_refused_but_never_changes_the_host(
    user: str, host: str
) -> None:
    parsed = parse_destination(f"sip:{user}@{host}").parsed

    assert parsed is None or parsed.host == host


@settings(max_examples=50, deadline=None)
@given(_PASTED)
def test_an_answer_survives_json(text: str) -> None:
    answer = parse_destination(text)

    assert ParsedDestination.model_validate_json(answer.model_dump_json()) == answer
