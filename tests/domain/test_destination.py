"""Destinations: every form of the contract, and what people paste."""

from __future__ import annotations

import pytest

from domain.destination import Destination, parse_destination
from domain.host_names import HostKind


def accepted(text: str) -> Destination:
    answer = parse_destination(text)
    assert answer.valid, answer.message
    assert answer.parsed is not None
    return answer.parsed


def test_the_contracts_example_comes_out_exactly() -> None:
    parsed = accepted("sip:your.provider.com:5061;transport=tls")

    assert parsed.model_dump(mode="json", exclude={"kind", "notes"}) == {
        "host": "your.provider.com",
        "port": 5061,
        "transport": "tls",
        "is_private_ip": False,
        "normalized": "sip:your.provider.com:5061;transport=tls",
    }


def test_port_user_and_transport_appear_only_when_they_were_given() -> None:
    bare = accepted("sip.example.com").model_dump(mode="json")
    full = accepted("sip:alice@sip.example.com:5060;transport=udp").model_dump(mode="json")

    assert {"port", "user", "transport"}.isdisjoint(bare)
    assert (full["port"], full["user"], full["transport"]) == (5060, "alice", "udp")


def test_an_invalid_answer_has_the_contracts_shape_and_help_beside_it() -> None:
    shown = parse_destination("").model_dump(mode="json")

    assert shown["valid"] is False
    assert shown["parsed"] is None
    assert shown["problem"] == "empty"
    assert set(parse_destination("a.example").model_dump(mode="json")) == {"valid", "parsed"}


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("sip.example.com", "sip:sip.example.com"),
        ("203.0.113.10", "sip:203.0.113.10"),
        ("sip:user@host:5061;transport=tls", "sip:user@host:5061;transport=tls"),
        ("tls://host", "sip:host;transport=tls"),
        ("host:5061", "sip:host:5061"),
        ("SIP:Host.Example.COM", "sip:host.example.com"),
        ("sips:host.example", "sip:host.example;transport=tls"),
        ("sips:host.example;transport=tcp", "sip:host.example;transport=tls"),
        ("tcp://host.example:5060", "sip:host.example:5060;transport=tcp"),
        ("udp:host.example", "sip:host.example;transport=udp"),
        ("sip://host.example", "sip:host.example"),
        ("//host.example", "sip:host.example"),
        ("<sip:host.example>", "sip:host.example"),
        ('"Acme, Inc." <sip:a@host.example>;tag=1', "sip:a@host.example"),
        ("Acme <host.example", "sip:host.example"),
        ("Contact: <sip:host.example>", "sip:host.example"),
        ("SIP server: host.example", "sip:host.example"),
        ("sip: host.example", "sip:host.example"),
        ("host.example : 5061", "sip:host.example:5061"),
        ("host.example ; transport = TLS", "sip:host.example;transport=tls"),
        ("\u201chost.example\u201d.", "sip:host.example"),
        ("'host.example',", "sip:host.example"),
        ("host.example.", "sip:host.example"),
        ("\ufeffhost\u200b.example\u00a0", "sip:host.example"),
        ("\n  host.example\t\n", "sip:host.example"),
        ("host.example:5060/tcp", "sip:host.example:5060;transport=tcp"),
        ("host.example/TLS", "sip:host.example;transport=tls"),
        ("host.example;transport=udp;lr;user=phone", "sip:host.example;transport=udp"),
        ("sip:host.example?subject=x&to=y", "sip:host.example"),
        ("https://user:pw@pbx.example:8443/admin?x=1", "sip:pbx.example"),
        ("host.example:", "sip:host.example"),
        ("host.example:05060", "sip:host.example:5060"),
        ("sip:@host.example", "sip:host.example"),
        ("sip:1234#5@host.example", "sip:1234%235@host.example"),
        ("sip:a%20b%zz@host.example", "sip:a%20b%25zz@host.example"),
        ("sip:\u00e9@host.example", "sip:%C3%A9@host.example"),
        ("2001:DB8::1", "sip:[2001:db8::1]"),
        ("[2001:db8:0:0:0:0:0:1]:5061", "sip:[2001:db8::1]:5061"),
        ("sip:[2001:db8::1]:5061;transport=tls", "sip:[2001:db8::1]:5061;transport=tls"),
        ("b\u00fccher.example", "sip:xn--bcher-kva.example"),
        ("B\u00dcCHER.example:5060", "sip:xn--bcher-kva.example:5060"),
        ("fa\u00df.example", "sip:xn--fa-hia.example"),
        ("\u4f8b\u3048\u3002\u30c6\u30b9\u30c8", "sip:xn--r8jz45g.xn--zckzah"),
        ("r3---sn.example", "sip:r3---sn.example"),
        ("tls:5061.example", "sip:5061.example;transport=tls"),
        ("3cx", "sip:3cx"),
    ],
)
def test_what_people_paste_is_understood(text: str, normalized: str) -> None:
    assert accepted(text).normalized == normalized


@pytest.mark.parametrize(
    ("text", "kind", "private"),
    [
        ("sip.example.com", HostKind.HOSTNAME, False),
        ("localhost", HostKind.HOSTNAME, False),
        ("203.0.113.10", HostKind.IPV4, False),
        ("10.1.2.3", HostKind.IPV4, True),
        ("172.16.0.1", HostKind.IPV4, True),
        ("172.32.0.1", HostKind.IPV4, False),
        ("192.168.1.1:5060", HostKind.IPV4, True),
        ("127.0.0.2", HostKind.IPV4, True),
        ("169.254.1.1", HostKind.IPV4, True),
        ("100.64.0.1", HostKind.IPV4, True),
        ("100.128.0.1", HostKind.IPV4, False),
        ("\uff11\uff12\uff17.0.0.1", HostKind.IPV4, True),
        ("2001:db8::1", HostKind.IPV6, False),
        ("[::1]", HostKind.IPV6, True),
        ("fe80::1", HostKind.IPV6, True),
        ("fd12::1", HostKind.IPV6, True),
        ("::ffff:10.0.0.1", HostKind.IPV6, True),
        ("64:ff9b::10.0.0.1", HostKind.IPV6, True),
        ("::ffff:203.0.113.1", HostKind.IPV6, False),
    ],
)
def test_the_kind_of_host_and_private_addresses_are_told(
    text: str, kind: HostKind, private: bool
) -> None:
    parsed = accepted(text)

    assert (parsed.kind, parsed.is_private_ip) == (kind, private)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("host.example/foo", 'The path "/foo" was ignored.'),
        ("https://host.example/foo", "Of the web address only the host was taken."),
        ("https://host.example:8443", 'The port "8443" of the web address was ignored.'),
        ("sip:host.example?x=y", "The headers behind the ? were ignored."),
        ("host.example#top", "The part behind the # was ignored."),
        ("host.example;lr;maddr=1", 'Ignored parameters: "lr", "maddr".'),
        ("Acme <sip:host.example>", '"Acme" before the address was ignored.'),
        ("sips:host.example", "sips: is written as sip: with transport=tls."),
        ("b\u00fccher.example", "The name is looked up as xn--bcher-kva.example."),
        ("\u200bhost.example", "Invisible characters were removed."),
        ("host.example : 5060", "Spaces were removed."),
        ("bob@host.example", 'Read as the user "bob" at host.example.'),
        ("pbx", "pbx is a short name: it resolves in some networks only."),
        ("::ffff:203.0.113.1", "The address is 203.0.113.1, written as IPv6."),
    ],
)
def test_what_was_ignored_or_changed_is_said(text: str, note: str) -> None:
    assert note in accepted(text).notes


def test_a_clean_destination_has_no_notes() -> None:
    assert accepted("sip:bob@host.example:5061;transport=tls").notes == ()


def test_a_zero_width_joiner_stays_where_a_script_needs_it() -> None:
    joined = parse_destination("\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example")
    stray = accepted("host\u200d.example")

    assert joined.parsed is not None
    assert joined.parsed.host != accepted("\u0646\u0627\u0645\u0647\u0627\u06cc.example").host
    assert stray.host == "host.example"


def test_a_password_is_dropped_and_never_repeated() -> None:
    parsed = accepted("sip:alice:s3cret@host.example")

    assert parsed.user == "alice"
    assert "s3cret" not in parsed.model_dump_json()
    assert any("password" in note for note in parsed.notes)


def test_an_unbracketed_ipv6_address_that_seems_to_end_in_a_port_is_pointed_out() -> None:
    parsed = accepted("2001:db8::1:5061")

    assert parsed.port is None
    assert any("brackets" in note for note in parsed.notes)
