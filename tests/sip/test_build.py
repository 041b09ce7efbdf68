"""Responses, the OPTIONS probe, ACK and CANCEL as RFC 3261 puts them together."""

from __future__ import annotations

from typing import Any

import pytest

from sip.build import (
    REASON_PHRASES,
    ack_for_non_2xx,
    cancel_for,
    options_request,
    reason_phrase,
    response_to,
    with_received,
)
from sip.errors import LocalProtocolError
from sip.message import Request, parse_message
from sip.uri import SipUri

INVITE = (
    b"INVITE sip:bob@biloxi.example SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP pc33.example;branch=z9hG4bKa;rport\r\nVia: SIP/2.0/TCP p2;branch=z9hG4bKb\r\n"
    b"Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\nRecord-Route: <sip:r1;lr>, <sip:r2;lr>\r\n"
    b"Max-Forwards: 9\r\nFrom: Alice <sip:alice@atlanta.example>;tag=1928\r\n"
    b"To: Bob <sip:bob@biloxi.example>\r\nCall-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\n"
    b"Timestamp: 54\r\nRequire: 100rel\r\nContent-Length: 0\r\n\r\n"
)


def _request(data: bytes = INVITE) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


class TestResponse:
    def test_it_copies_what_identifies_the_request(self) -> None:
        response = response_to(_request(), 404, to_tag="x", headers=[("Server", "s")], body=b"b")
        assert response.serialize() == (
            b"SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP pc33.example;branch=z9hG4bKa;rport\r\n"
            b"Via: SIP/2.0/TCP p2;branch=z9hG4bKb\r\n"
            b"From: Alice <sip:alice@atlanta.example>;tag=1928\r\n"
            b"To: Bob <sip:bob@biloxi.example>;tag=x\r\nCall-ID: a84b4c76e66710\r\n"
            b"CSeq: 314159 INVITE\r\nServer: s\r\nContent-Length: 1\r\n\r\nb"
        )

    def test_a_trying_carries_the_timestamp_and_no_tag(self) -> None:
        response = response_to(_request(), 100, to_tag="x")
        assert response.headers.get("Timestamp") == "54"
        assert response.to.tag is None

    def test_a_tag_that_is_there_stays(self) -> None:
        request = _request(INVITE.replace(b"biloxi.example>\r\n", b"biloxi.example>;tag=here\r\n"))
        assert response_to(request, 200, to_tag="x").to.tag == "here"

    def test_a_tag_goes_behind_a_to_without_brackets(self) -> None:
        request = _request(
            INVITE.replace(b"Bob <sip:bob@biloxi.example>", b"sip:bob@biloxi.example")
        )
        assert parse_message(response_to(request, 200, to_tag="x").serialize()).to.tag == "x"

    @pytest.mark.parametrize(
        ("status", "count"), [(100, 0), (180, 1), (200, 1), (302, 0), (486, 0)]
    )
    def test_the_route_set_is_copied_when_a_dialog_may_come_of_it(
        self, status: int, count: int
    ) -> None:
        assert len(response_to(_request(), status).headers.get_all("Record-Route")) == count

    def test_the_route_set_is_not_copied_outside_dialog_makers(self) -> None:
        request = _request(INVITE.replace(b"INVITE", b"OPTIONS"))
        assert "Record-Route" not in response_to(request, 200).headers

    def test_a_tag_that_is_no_token_is_refused(self) -> None:
        with pytest.raises(LocalProtocolError):
            response_to(_request(), 200, to_tag="a\r\nb")

    def test_a_phrase_is_given_or_registered_or_that_of_the_class(self) -> None:
        assert response_to(_request(), 486, "Away").reason == "Away"
        assert response_to(_request(), 486, "").reason == ""
        assert response_to(_request(), 486).reason == "Busy Here"
        assert reason_phrase(499) == "Bad Request"
        assert reason_phrase(299) == "OK"
        assert reason_phrase(199) == "Early Dialog Terminated"
        assert reason_phrase(198) == "Trying"
        assert reason_phrase(799) == "Unknown"

    def test_every_code_of_rfc_3261_has_a_phrase(self) -> None:
        rfc3261 = {
            100, 180, 181, 182, 183, 200, 300, 301, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406,
            407, 408, 410, 413, 414, 415, 416, 420, 421, 423, 480, 481, 482, 483, 484, 485, 486, 487,
            488, 491, 493, 500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606,
        }  # fmt: skip
        assert rfc3261 <= REASON_PHRASES.keys()
        assert all(100 <= status <= 699 and phrase for status, phrase in REASON_PHRASES.items())


PROBE: dict[str, Any] = {
    "target_uri": SipUri("sip", "203.0.113.5", port=5080, params=(("transport", "tcp"),)),
    "from_uri": SipUri("sip", "192.0.2.1", "probe"),
    "from_tag": "ft",
    "call_id": "cid",
    "branch": "z9hG4bKbr",
    "cseq": 7,
    "via_transport": "TCP",
    "via_host": "192.0.2.1",
    "via_port": 5070,
    "contact": SipUri("sip", "192.0.2.1", port=5070),
    "user_agent": "Trunkline",
}


class TestOptions:
    def test_it_is_complete(self) -> None:
        assert options_request(**PROBE).serialize() == (
            b"OPTIONS sip:203.0.113.5:5080;transport=tcp SIP/2.0\r\n"
            b"Via: SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bKbr;rport\r\nMax-Forwards: 70\r\n"
            b"From: <sip:probe@192.0.2.1>;tag=ft\r\nTo: <sip:203.0.113.5>\r\nCall-ID: cid\r\n"
            b"CSeq: 7 OPTIONS\r\nContact: <sip:192.0.2.1:5070>\r\nAccept: application/sdp\r\n"
            b"User-Agent: Trunkline\r\nContent-Length: 0\r\n\r\n"
        )

    def test_everything_optional_can_be_set(self) -> None:
        request = options_request(
            **PROBE | {"via_host": "2001:db8::1", "via_port": None},
            to_uri=SipUri("sips", "b.example", "b"),
            max_forwards=1,
            accept=("a/b", "c/d"),
            headers=[("Subject", "x")],
        )
        parsed = parse_message(request.serialize())
        assert str(parsed.via) == "SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKbr;rport"
        assert str(parsed.to.uri) == "sips:b@b.example"
        assert parsed.max_forwards == 1
        assert parsed.headers.get("Accept") == "a/b, c/d"
        assert parsed.headers.get("Subject") == "x"

    @pytest.mark.parametrize("name", ["from_tag", "branch"])
    def test_a_tag_or_branch_that_is_no_token_is_refused(self, name: str) -> None:
        with pytest.raises(LocalProtocolError):
            options_request(**PROBE | {name: "a;b"})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("call_id", "a\r\nX: y"),
            ("user_agent", "a\r\nX: y"),
            ("user_agent", "a\0"),
            ("via_host", "a\nb"),
            ("from_uri", SipUri("sip", "h", "a\r\nb")),
            ("contact", SipUri("sip", "h", params=(("a", "\r"),))),
            ("target_uri", SipUri("sip", "h", "a b")),
        ],
    )
    def test_nothing_can_be_injected(self, name: str, value: object) -> None:
        with pytest.raises(LocalProtocolError):
            options_request(**PROBE | {name: value}).serialize()


class TestWithinTheTransaction:
    def test_an_ack_takes_to_from_the_response_and_the_rest_from_the_invite(self) -> None:
        invite = _request()
        ack = ack_for_non_2xx(invite, response_to(invite, 486, to_tag="x"))
        assert ack.serialize() == (
            b"ACK sip:bob@biloxi.example SIP/2.0\r\n"
            b"Via: SIP/2.0/UDP pc33.example;branch=z9hG4bKa;rport\r\nMax-Forwards: 70\r\n"
            b"From: Alice <sip:alice@atlanta.example>;tag=1928\r\n"
            b"To: Bob <sip:bob@biloxi.example>;tag=x\r\nCall-ID: a84b4c76e66710\r\n"
            b"CSeq: 314159 ACK\r\nRoute: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n"
            b"Content-Length: 0\r\n\r\n"
        )

    def test_a_cancel_is_the_invite_under_another_method(self) -> None:
        cancel = cancel_for(_request())
        assert cancel.method == "CANCEL"
        assert str(cancel.cseq) == "314159 CANCEL"
        assert [via.branch for via in cancel.vias] == ["z9hG4bKa"]
        assert cancel.to.tag is None
        assert cancel.headers.get_all("Route") == ("<sip:p1;lr>", "<sip:p2;lr>")
        assert "Require" not in cancel.headers


class TestReceived:
    def test_rport_is_filled_in_with_received(self) -> None:
        request = with_received(_request(), "192.0.2.9", 40000)
        assert [str(via) for via in request.vias] == [
            "SIP/2.0/UDP pc33.example;branch=z9hG4bKa;received=192.0.2.9;rport=40000",
            "SIP/2.0/TCP p2;branch=z9hG4bKb",
        ]
        assert (request.via.received, request.via.rport) == ("192.0.2.9", 40000)

    def test_without_rport_only_another_address_is_noted(self) -> None:
        plain = _request(INVITE.replace(b"pc33.example;branch=z9hG4bKa;rport", b"[2001:db8::1]"))
        assert with_received(plain, "2001:DB8::1", 5060) is plain
        assert str(with_received(plain, "2001:db8::2", 5060).via) == (
            "SIP/2.0/UDP [2001:db8::1];received=2001:db8::2"
        )

    def test_what_the_sender_claims_is_replaced(self) -> None:
        lying = _request(INVITE.replace(b";rport", b";received=203.0.113.66;rport=1"))
        via = with_received(lying, "192.0.2.9", 40000).via
        assert (via.received, via.rport) == ("192.0.2.9", 40000)
