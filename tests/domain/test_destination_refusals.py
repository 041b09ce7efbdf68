"""Destinations: what is refused, with a problem for programs and help for people."""

from __future__ import annotations

import pytest

from domain.destination import DestinationProblem, parse_destination
from sip.transports import Transport


def refused(text: str) -> tuple[DestinationProblem, str, str]:
    answer = parse_destination(text)
    assert not answer.valid
    assert answer.parsed is None
    assert answer.problem is not None
    assert answer.message
    assert answer.suggestion
    return answer.problem, answer.message, answer.suggestion


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", DestinationProblem.EMPTY),
        (" \u200b\n", DestinationProblem.EMPTY),
        ("sip:", DestinationProblem.EMPTY),
        (".", DestinationProblem.EMPTY),
        (":5060", DestinationProblem.EMPTY),
        ("sip:5060", DestinationProblem.EMPTY),
        ("tls:5061", DestinationProblem.EMPTY),
        ("sip:alice@", DestinationProblem.EMPTY),
        ("https://", DestinationProblem.EMPTY),
        ("x" * 1025, DestinationProblem.TOO_LONG),
        ("a." * 130 + "example", DestinationProblem.TOO_LONG),
        ("a" * 64 + ".example", DestinationProblem.TOO_LONG),
        ("sip:" + "u" * 257 + "@host.example", DestinationProblem.TOO_LONG),
        ("one.example, two.example", DestinationProblem.SEVERAL),
        ("one.example\ntwo.example", DestinationProblem.SEVERAL),
        ("<sip:one.example>, <sip:two.example>", DestinationProblem.SEVERAL),
        ("<sip:one.example>,sip:two.example", DestinationProblem.SEVERAL),
        ("one.example;two.example", DestinationProblem.SEVERAL),
        ("+14155550100", DestinationProblem.PHONE_NUMBER),
        ("+1 (415) 555-0100", DestinationProblem.PHONE_NUMBER),
        ("(415) 555-0100", DestinationProblem.PHONE_NUMBER),
        ("415-555-0100", DestinationProblem.PHONE_NUMBER),
        ("415.555.0100", DestinationProblem.PHONE_NUMBER),
        ("1.415.555.0100", DestinationProblem.PHONE_NUMBER),
        ("14155550100", DestinationProblem.PHONE_NUMBER),
        ("tel:+14155550100", DestinationProblem.PHONE_NUMBER),
        ("sip:+14155550100", DestinationProblem.PHONE_NUMBER),
        ("mailto:joe@host.example", DestinationProblem.EMAIL_ADDRESS),
        ("joe@gmail.com", DestinationProblem.EMAIL_ADDRESS),
        ("203.0.113.0/24", DestinationProblem.NETWORK),
        ("[2001:db8::]/48", DestinationProblem.NETWORK),
        ("_sip._udp.example.com", DestinationProblem.SRV_NAME),
        ("sip:_sips._tcp.example.com:5061", DestinationProblem.SRV_NAME),
        ("fe80::1%eth0", DestinationProblem.ZONE_ID),
        ("sip:[fe80::1%25eth0]:5060", DestinationProblem.ZONE_ID),
        ("[no-address:%eth0]", DestinationProblem.ZONE_ID),
        ("2130706433", DestinationProblem.DISGUISED_ADDRESS),
        ("0x7f.1", DestinationProblem.DISGUISED_ADDRESS),
        ("0x7f000001:5060", DestinationProblem.DISGUISED_ADDRESS),
        ("0177.0.0.1", DestinationProblem.DISGUISED_ADDRESS),
        ("sip:127.1", DestinationProblem.DISGUISED_ADDRESS),
        ("http://010.0.0.1/", DestinationProblem.DISGUISED_ADDRESS),
        ("\uff12130706433", DestinationProblem.DISGUISED_ADDRESS),
        ("host.example:0", DestinationProblem.PORT),
        ("host.example:65536", DestinationProblem.PORT),
        ("host.example:" + "9" * 300, DestinationProblem.PORT),
        ("host.example:sip", DestinationProblem.PORT),
        ("host.example:-1", DestinationProblem.PORT),
        ("host.example:\u0665\u0660\u0666\u0660", DestinationProblem.PORT),
        ("ftp://host.example", DestinationProblem.UNSUPPORTED_SCHEME),
        ("foo://host.example", DestinationProblem.UNSUPPORTED_SCHEME),
        ("h323:host.example", DestinationProblem.UNSUPPORTED_SCHEME),
        ("wss://host.example", DestinationProblem.UNSUPPORTED_TRANSPORT),
        ("host.example;transport=sctp", DestinationProblem.UNSUPPORTED_TRANSPORT),
        ("host.example;transport=", DestinationProblem.UNSUPPORTED_TRANSPORT),
        ("host.example:5060/ws", DestinationProblem.UNSUPPORTED_TRANSPORT),
        ("sips:host.example;transport=udp", DestinationProblem.TRANSPORT_CONFLICT),
        ("tls://host.example;transport=udp", DestinationProblem.TRANSPORT_CONFLICT),
        ("tcp://host.example;transport=tls", DestinationProblem.TRANSPORT_CONFLICT),
        ("host.example;transport=udp;transport=tcp", DestinationProblem.TRANSPORT_CONFLICT),
        ("tls://host.example/tcp", DestinationProblem.TRANSPORT_CONFLICT),
        ("sip:a@b@host.example", DestinationProblem.MALFORMED),
        ("my pbx", DestinationProblem.MALFORMED),
        ("ho\x00st.example", DestinationProblem.MALFORMED),
        ("ho\ud800st.example", DestinationProblem.MALFORMED),
        ("my_pbx.example", DestinationProblem.MALFORMED),
        ("-a.example", DestinationProblem.MALFORMED),
        ("a..example", DestinationProblem.MALFORMED),
        (".a.example", DestinationProblem.MALFORMED),
        ("1.2.3.4.5", DestinationProblem.MALFORMED),
        ("256.1.1.1", DestinationProblem.MALFORMED),
        ("[203.0.113.1]", DestinationProblem.MALFORMED),
        ("[2001:db8::1", DestinationProblem.MALFORMED),
        ("[2001:db8::1]5060", DestinationProblem.MALFORMED),
        ("2001:db8:::1", DestinationProblem.MALFORMED),
        ("2001:db8:1:2:3:4:5:6:5060", DestinationProblem.MALFORMED),
        ("a.example:5060:5061", DestinationProblem.MALFORMED),
        ("${SIP_HOST}", DestinationProblem.MALFORMED),
        ("xn--zzzz.example", DestinationProblem.MALFORMED),
        ("\u2603.example", DestinationProblem.MALFORMED),
        ("ab\u2100c.example", DestinationProblem.MALFORMED),
    ],
)
def test_what_is_no_destination_is_refused_with_help(
    text: str, problem: DestinationProblem
) -> None:
    assert refused(text)[0] is problem


@pytest.mark.parametrize(
    ("text", "replacement"),
    [
        ("2130706433", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("_sip._udp.example.com", "example.com"),
        ("_sip._tcp.b\u00fccher.example", "xn--bcher-kva.example"),
        ("one.example, two.example", "one.example"),
        ("host.example port 5061 over TLS", "host.example:5061;transport=tls"),
        ("host.example 5060", "host.example:5060"),
        ("host.example (UDP)", "host.example;transport=udp"),
        ("sip:joe@corp.example@host.example", "sip:joe%40corp.example@host.example"),
        ("2001:db8::1%eth0", "[2001:db8::1]"),
    ],
)
def test_a_replacement_is_offered_that_can_be_entered(text: str, replacement: str) -> None:
    answer = parse_destination(text)

    assert answer.replacement == replacement
    assert parse_destination(replacement).valid


def test_a_disguised_address_is_named_in_dotted_form() -> None:
    _, message, suggestion = refused("0x7f.1")

    assert "127.0.0.1" in message
    assert "127.0.0.1" in suggestion


def test_a_ten_digit_number_is_not_only_taken_for_an_address() -> None:
    problem, _, suggestion = refused("4155550100")

    assert problem is DestinationProblem.DISGUISED_ADDRESS
    assert "phone number" in suggestion


def test_an_unsupported_transport_is_answered_with_the_supported_ones() -> None:
    _, message, _ = refused("host.example;transport=ws")

    assert all(transport.value in message for transport in Transport)


def test_hostile_text_is_not_repeated_whole() -> None:
    _, message, _ = refused("host.example:" + "x" * 900)

    assert len(message) < 200


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice:opensesame@a.example, sip:bob@b.example",
        "sip:bob@b.example, alice:opensesame@a.example",
        "sip:sip:opensesame@a.example, sip:b.example",
        "alice:open,sesame@a.example",
        "alice:opensesame@a.example\nb.example",
        "<sip:alice:opensesame@a.example>, <sip:b.example>",
        "alice:opensesame@a.example <sip:b.example>",
        "alice:opensesame@a.example 5061 TLS",
        "alice:opensesame@a.exam\x07ple",
        "alice:open@sesame@a.example",
        "mailto:alice:opensesame@a.example",
        "tel:1:opensesame@a.example",
        "sip:alice:opensesame@a.example",
        "https://alice:opensesame@a.example/",
    ],
)
def test_a_pasted_password_is_not_repeated(text: str) -> None:
    said = parse_destination(text).model_dump_json()
    assert "open" not in said
    assert "sesame" not in said
