"""The messages of RFC 5118: IPv6 addresses wherever SIP can carry them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sip.errors import RemoteProtocolError
from sip.message import Request, parse_message
from sip.uri import SipUri
from tests.sip.corpora import expectations, raw
from tests.sip.corpora import request as request_of

REGISTRAR = SipUri("sip", "2001:db8::10")


def request(file: str) -> Request:
    return request_of(file, "rfc5118")


def good() -> None:
    message = request("ipv6-good.dat")
    assert message.uri == REGISTRAR
    assert (message.via.host, message.via.port) == ("2001:db8::9:1", None)
    (contact,) = message.contacts
    assert contact.display_name == "Caller"
    assert contact.uri == SipUri("sip", "2001:db8::1", "caller")


def port_ambiguous() -> None:
    assert request("port-ambiguous.dat").uri == SipUri("sip", "2001:db8::10:5070")


def port_unambiguous() -> None:
    message = request("port-unambiguous.dat")
    assert message.uri == SipUri("sip", "2001:db8::10", port=5070)
    assert str(message.uri) == "sip:[2001:db8::10]:5070"


def received_with_brackets() -> None:
    via = request("via-received-param-with-delim.dat").via
    assert via.param("received") == "[2001:db8::9:255]"
    assert via.received == "2001:db8::9:255"
    assert via.branch == "z9hG4bKas3-111"


def received_without_brackets() -> None:
    via = request("via-received-param-no-delim.dat").via
    assert via.received == via.param("received") == "2001:db8::9:255"
    assert via.branch == "z9hG4bKas3"


def in_sdp() -> None:
    message = request("ipv6-in-sdp.dat")
    assert "c=IN IP6 2001:db8::20\r\n" in message.text_body
    assert message.via.host == "2001:db8::20"


def in_header() -> None:
    vias = request("mult-ip-in-header.dat").vias
    assert [(via.transport, via.host, via.port) for via in vias] == [
        ("UDP", "2001:db8::9:1", 6050),
        ("UDP", "192.0.2.1", None),
        ("TCP", "2001:db8::9:255", None),
    ]
    assert vias[2].received == "192.0.2.200"


def both_in_sdp() -> None:
    body = request("mult-ip-in-sdp.dat").text_body
    assert "c=IN IP4 192.0.2.1\r\n" in body
    assert "c=IN IP6 2001:db8::1\r\n" in body


def mapped() -> None:
    message = request("ipv4-mapped-ipv6.dat")
    assert [(via.host, via.port) for via in message.vias] == [
        ("::ffff:192.0.2.10", 19823),
        ("::ffff:192.0.2.2", None),
    ]
    (contact,) = message.contacts
    assert contact.display_name == "T. desk phone"
    assert contact.uri == SipUri("sip", "::ffff:192.0.2.2", "ted")


def embedded() -> None:
    two = request("ipv6-correct-abnf-2-colons.dat")
    three = request("ipv6-bug-abnf-3-colons.dat")
    assert two.uri == three.uri == SipUri("sip", "2001:db8::192.0.2.1", "user")
    assert ":::" not in str(three.uri)


VALID: dict[str, Callable[[], None]] = {
    "ipv6-good.dat": good,
    "port-ambiguous.dat": port_ambiguous,
    "port-unambiguous.dat": port_unambiguous,
    "via-received-param-with-delim.dat": received_with_brackets,
    "via-received-param-no-delim.dat": received_without_brackets,
    "ipv6-in-sdp.dat": in_sdp,
    "mult-ip-in-header.dat": in_header,
    "mult-ip-in-sdp.dat": both_in_sdp,
    "ipv4-mapped-ipv6.dat": mapped,
    "ipv6-bug-abnf-3-colons.dat": embedded,
    "ipv6-correct-abnf-2-colons.dat": embedded,
}


@pytest.mark.parametrize("file", [row.file for row in expectations("rfc5118", "valid")])
def test_an_ipv6_message_comes_out_with_the_fields_the_rfc_names(file: str) -> None:
    VALID[file]()
    message = request(file)
    assert parse_message(message.serialize()).vias == message.vias


@pytest.mark.parametrize("file", [row.file for row in expectations("rfc5118", "invalid")])
def test_an_ipv6_address_without_brackets_is_refused(file: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(raw(file, "rfc5118"))
    assert caught.value.status_hint == 400
