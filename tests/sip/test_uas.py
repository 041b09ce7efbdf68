"""What a user agent refuses, and which responses it takes for its own."""

from __future__ import annotations

import pytest

from sip.build import with_received
from sip.errors import RemoteProtocolError
from sip.message import Request, Response, parse_message
from sip.salvage import parse_refusable
from sip.uas import is_ours, merge_key, refusal_of, refusal_of_malformed
from sip.uri import OtherUri, SipUri
from tests.sip.wire import FIELDS, refusal, wire

METHODS = ("INVITE", "OPTIONS", "CANCEL", "BYE", "REGISTER", "ACK")
SDP = ("Content-Type: application/sdp",)


def request(
    *lines: str, method: str = "OPTIONS", uri: str = "sip:b@h", body: bytes = b""
) -> Request:
    data = wire(*lines, start=f"{method} {uri} SIP/2.0", without="CSeq")
    data = data.replace(b"Call-ID", f"CSeq: 1 {method}\r\nCall-ID".encode()) + body
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def status_of(message: Request) -> int | None:
    answer = refusal_of(message, allowed_methods=METHODS, supported=("100rel", "Timer"))
    return None if answer is None else answer.status


def answer_to(message: Request) -> Response:
    answer = refusal_of(message, allowed_methods=METHODS, to_tag="x")
    assert answer is not None
    return answer


class TestRefusal:
    @pytest.mark.parametrize(
        "message",
        [
            request(),
            request("Max-Forwards: 0"),
            request("Accept: text/plain"),
            request("Require: 100REL, timer"),
            request(*SDP, method="INVITE", body=b"v=0"),
            request(method="INVITE"),
            request("Accept: text/plain, application/*;q=0.1", method="INVITE"),
            request("Accept: */*", method="INVITE"),
            request("Accept: Application / SDP".replace(" ", ""), method="INVITE"),
            request("Content-Encoding: identity", *SDP, method="INVITE", body=b"v=0"),
            request("e:", *SDP, method="INVITE", body=b"v=0"),
            request("c: a/b", "Content-Disposition: x; Handling=Optional", body=b"x"),
            request("Require: unknown", method="CANCEL"),
            request("Require: unknown", method="ACK", uri="tel:1"),
        ],
    )
    def test_what_can_be_served_is_not_refused(self, message: Request) -> None:
        assert status_of(message) is None

    @pytest.mark.parametrize(
        ("message", "status"),
        [
            (request(method="SUBSCRIBE"), 405),
            (request(method="FROBNICATE"), 501),
            (request(method="options"), 501),
            (request(uri="tel:+1"), 416),
            (request(uri="urn:service:sos"), 416),
            (request("Require: timer, unknown"), 420),
            (request("Content-Length: 1", body=b"x"), 400),
            (request("c: text/plain", body=b"x"), 415),
            (request("c: text/plain", "Content-Disposition: x;handling=required", body=b"x"), 415),
            (request("Content-Encoding: gzip", *SDP, body=b"x"), 415),
            (request("Accept: text/plain", method="INVITE"), 406),
            (request("Accept:", method="INVITE"), 406),
            (request("Accept: application/sdp;q=0.00", method="INVITE"), 406),
            (request("Accept: application/sdp; q = 0 ;x=y", method="INVITE"), 406),
            (request('Accept: "open', method="INVITE"), 400),
        ],
    )
    def test_what_cannot_be_served_is_refused(self, message: Request, status: int) -> None:
        assert status_of(message) == status
        assert parse_message(answer_to(message).serialize()).to.tag == "x"

    def test_a_refusal_says_what_would_be_accepted(self) -> None:
        assert answer_to(request(method="REFER")).headers.get("Allow") == ", ".join(METHODS)
        refused = answer_to(request("Require: a,b", "Require: c"))
        assert refused.headers.get("Unsupported") == "a, b, c"
        body = answer_to(request("c: text/plain", body=b"x"))
        assert body.headers.get("Accept") == "application/sdp"
        packed = answer_to(request("e: gzip", *SDP, body=b"x"))
        assert packed.headers.get("Accept-Encoding") == "identity"

    def test_the_method_is_looked_at_before_everything_else(self) -> None:
        assert status_of(request("Require: unknown", method="PUBLISH", uri="tel:1")) == 405
        assert status_of(request("Require: unknown", uri="tel:1")) == 416

    def test_a_registration_for_another_scheme_is_refused(self) -> None:
        data = wire(start="REGISTER sip:h SIP/2.0", without="To")
        data = data.replace(b"1 OPTIONS", b"1 REGISTER\r\nTo: <isbn:1>")
        message = parse_message(data)
        assert isinstance(message, Request)
        assert status_of(message) == 416
        assert status_of(request(method="REGISTER")) is None

    def test_a_request_that_came_twice_is_a_loop(self) -> None:
        merged = refusal_of(request(), allowed_methods=METHODS, merged=True)
        assert merged is not None
        assert (merged.status, merged.reason) == (482, "Loop Detected")


class TestMerged:
    def test_copies_by_different_paths_share_a_key(self) -> None:
        one = request()
        other = with_received(request("Max-Forwards: 3"), "192.0.2.77", 5060)
        assert merge_key(one) == merge_key(other) == ("1", "c@example.com", 1, "OPTIONS")

    def test_a_request_within_a_dialog_has_none(self) -> None:
        data = wire().replace(b"<sip:b@example.com>", b"<sip:b@example.com>;tag=2")
        message = parse_message(data)
        assert isinstance(message, Request)
        assert merge_key(message) is None


class TestMalformed:
    def test_the_answer_names_the_field_at_fault(self) -> None:
        data = wire("Max-Forwards: x")
        answer = refusal_of_malformed(data, refusal(data), to_tag="x")
        assert answer is not None
        assert answer.serialize() == (
            b"SIP/2.0 400 Bad Max-Forwards\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
            b"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=x\r\n"
            b"Call-ID: c@example.com\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )

    @pytest.mark.parametrize(
        ("line", "status", "reason"),
        [
            ("Subject: " + "x" * 9000, 513, "Message Too Large"),
            ("l: 70000", 413, "Request Entity Too Large"),
        ],
    )
    def test_the_answer_has_the_status_the_error_asks_for(
        self, line: str, status: int, reason: str
    ) -> None:
        data = wire(line)
        answer = refusal_of_malformed(data, refusal(data))
        assert answer is not None
        assert (answer.status, answer.reason) == (status, reason)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\r\n\r\n",
            b"\0\0\0",
            b"OPTIONS",
            b"OPTIONS sip:b",
            wire("Max-Forwards: x", start="SIP/2.0 200 OK"),
            wire("Max-Forwards: x", start="ACK sip:b SIP/2.0"),
            wire(without="Via"),
            wire(start="(OPTIONS sip:b SIP/2.0"),
            wire(without="Via").replace(b"From", b"Via: a\0b\r\nFrom"),
            wire(without="Via").replace(b"From", b"Via: a\xff\r\nFrom"),
            wire(without="Via").replace(b"From", b"Via: a\rb\r\nFrom"),
            wire(without="Via").replace(b"From", b"Via\r\nFrom"),
        ],
    )
    def test_what_cannot_be_answered_is_not(self, data: bytes) -> None:
        assert parse_refusable(data) is None
        assert refusal_of_malformed(data, RemoteProtocolError("x")) is None

    def test_a_broken_line_is_left_out_and_the_rest_saved(self) -> None:
        data = wire("f: <sip:second@x>").replace(b"To: ", b"\xff: \r\nTo :\r\n ")
        saved = parse_refusable(b"\r\n" + data)
        assert saved is not None
        assert saved.headers.items() == tuple(FIELDS.items())
        assert saved.uri == SipUri("sip", "example.com", "b")

    def test_a_request_uri_that_cannot_be_read_is_kept_as_text(self) -> None:
        saved = parse_refusable(wire(start="OPTIONS <sip:b> SIP/2.0"))
        assert saved is not None
        assert saved.uri == OtherUri("", "<sip:b>")

    def test_a_to_that_cannot_be_read_gets_the_tag_all_the_same(self) -> None:
        data = wire(without="To").replace(b"Call-ID", b'To: "open <sip:b>\r\nCall-ID')
        answer = refusal_of_malformed(data, refusal(data), to_tag="x")
        assert answer is not None
        assert answer.headers.get("To") == '"open <sip:b>;tag=x'


class TestOurs:
    def response(self, *vias: str) -> Response:
        data = wire(*[f"Via: {via}" for via in vias], start="SIP/2.0 200 OK", without="Via")
        message = parse_message(data)
        assert isinstance(message, Response)
        return message

    @pytest.mark.parametrize(
        ("via", "ours"),
        [
            ("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa", True),
            ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa", False),
            ("SIP/2.0/UDP 192.0.2.2:5070", False),
            ("SIP/2.0/TCP HOST.example", True),
            ("SIP/2.0/TLS host.example", False),
            ("SIP/2.0/TLS secure.example", True),
            ("SIP/2.0/UDP [2001:DB8::1]:5060", True),
            ("SIP/2.0/UDP 255.255.255.255:5070", False),
        ],
    )
    def test_the_top_via_tells(self, via: str, ours: bool) -> None:
        sent_by = {("192.0.2.1", 5070), ("Host.example", 5060), ("secure.example", 5061),
                   ("2001:db8::1", 5060)}  # fmt: skip
        assert is_ours(self.response(via), sent_by) is ours

    def test_a_second_via_means_it_is_for_somebody_else(self) -> None:
        via = "SIP/2.0/UDP 192.0.2.1"
        assert is_ours(self.response(via), {("192.0.2.1", 5060)})
        assert not is_ours(self.response(via, via), {("192.0.2.1", 5060)})
