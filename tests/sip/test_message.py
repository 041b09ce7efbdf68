"""Messages as they arrive: what is accepted, what is refused and with which status."""

from __future__ import annotations

import pytest

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.headers import CSeq
from sip.message import Headers, Message, Request, Response, parse_message
from sip.uri import SipUri
from tests.sip.wire import refusal, wire

# The shape of what common systems answer to OPTIONS.
REPLIES = {
    "asterisk": (
        'Warning: 399 pbx "x"',
        "Server: Asterisk PBX 18.9.0",
        "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH, MESSAGE",
        "Supported: replaces, timer",
        "Contact: <sip:198.51.100.7:5060>",
        "Accept: application/sdp",
        "Content-Length: 0",
    ),
    "kamailio": (
        'Warning: 392 198.51.100.7:5060 "Noisy feedback tells:  pid=1 req_src_ip=192.0.2.1"',
        "Server: kamailio (5.7.4 (x86_64/linux))",
        "Content-Length: 0",
    ),
    "freeswitch": (
        "Contact: <sip:198.51.100.7:5060;transport=udp>",
        "User-Agent: FreeSWITCH-mod_sofia/1.10.9-release~64bit",
        "Accept: application/sdp",
        "Supported: timer, path, replaces",
        "Allow-Events: talk, hold, conference, presence, as-feature-event, dialog, line-seize",
        "Content-Length: 0",
    ),
    "3cx": (
        'Contact: "PBX" <sip:10000@198.51.100.7:5060>;+sip.instance="<urn:uuid:00000000-0000>"',
        "User-Agent: 3CXPhoneSystem 18.0.9.20 (20)",
        "Supported: replaces,",
        "Content-Length: 0",
    ),
    "cucm": (
        "Date: Tue, 04 Mar 2025 10:02:03 GMT",
        "Server: Cisco-CUCM14.0",
        'Warning: 399 cucm "Unable to find a device handler for the request received"',
        "Retry-After: 300 (in maintenance);duration=60",
        "Session-ID: 00000000000000000000000000000000;remote=1",
        "Content-Length: 0",
    ),
    "behind nat": (
        "Contact: <sip:b@10.0.0.1:5060;ob>;expires=3600;q=0.5",
        "Reason: Q.850;cause=16;text=\"Normal call clearing\"",
        "P-Asserted-Identity: B\u00f6b <not checked>",
        "Subject:",
    ),
}  # fmt: skip


@pytest.mark.parametrize("system", REPLIES)
def test_replies_of_common_systems_are_accepted(system: str) -> None:
    message = parse_message(wire(*REPLIES[system], start="SIP/2.0 200 OK"))
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (200, "OK")


START_LINES = {
    "OPTIONS sip:b@example.com SIP/3.0": 505,
    "OPTIONS sip:b@example.com SIP/2.01": 505,
    "OPTIONS sip:b@example.com HTTP/1.1": 400,
    "OPTIONS sip:b@example.com SIP/2": 400,
    "OPTIONS sip:b@example.com": 400,
    "OPTIONS  sip:b@example.com SIP/2.0": 400,
    "OPTIONS sip:b@example.com SIP/2.0 ": 400,
    "OPTIONS\tsip:b@example.com SIP/2.0": 400,
    "OPT(IONS sip:b@example.com SIP/2.0": 400,
    "OPTIONS b@example.com SIP/2.0": 400,
    "OPTIONS sip:b@example.com?Subject=x SIP/2.0": 400,
    "SIP/2.0 200": 400,
    "SIP/2.0 099 x": 400,
    "SIP/2.0 700 x": 400,
    "SIP/2.0 20 OK": 400,
    "SIP/2.0  200 OK": 400,
    "SIP/1.0 200 OK": 505,
    "SIP/two 200 OK": 400,
}  # fmt: skip


@pytest.mark.parametrize("start", START_LINES)
def test_a_malformed_start_line_is_refused(start: str) -> None:
    assert refusal(wire(start=start)).status_hint == START_LINES[start]


def test_the_version_is_read_in_any_case() -> None:
    assert isinstance(parse_message(wire(start="OPTIONS sip:b sip/2.0")), Request)
    assert isinstance(parse_message(wire(start="sip/2.0 200 OK")), Response)


BROKEN_LINES = {
    "no colon": b"Subject",
    "no name": b": x",
    "space in the name": b"Sub ject: x",
    "NUL": b"Subject: a\0b",
    "escape character": b"Subject: \x1b[31m",
    "DEL": b"Subject: \x7f",
    "NUL behind a backslash but not quoted": b"Subject: \\\0",
    "NUL in an open quoted string": b'Subject: "\\\0',
    "raw NUL in a quoted string": b'Subject: "\0"',
    "lone LF": b"Subject: a\nVia: b",
    "lone CR": b"Subject: a\rVia: b",
    "LF CR": b"Subject: a\n\rb",
    "Latin-1": b"Subject: \xfc",
    "overlong UTF-8": b"Subject: \xc0\x80",
    "surrogate": b"Subject: \xed\xa0\x80",
}


@pytest.mark.parametrize("line", BROKEN_LINES.values(), ids=BROKEN_LINES)
def test_a_broken_header_line_is_refused(line: bytes) -> None:
    data = wire("MARK").replace(b"MARK", line)
    assert refusal(data).status_hint == 400
    assert parse_message(wire("MARK").replace(b"MARK", b"Subject: ok"))


def test_a_control_character_may_be_a_quoted_pair() -> None:
    message = parse_message(wire('Subject: x "a\\\0b" y'))
    assert message.headers.get("Subject") == 'x "a\\\0b" y'


def test_a_folded_line_goes_on_behind_one_space() -> None:
    message = parse_message(wire("Subject: a\r\n \t b\r\n\tc", "Max-Forwards:\r\n 7"))
    assert message.headers.get("Subject") == "a b c"
    assert message.max_forwards == 7
    assert refusal(wire(start="OPTIONS sip:b SIP/2.0\r\n folded")).status_hint == 400


def test_line_breaks_in_front_of_the_start_line_are_skipped() -> None:
    assert parse_message(b"\r\n\r\n" + wire()) == parse_message(wire())


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0", wire()[:-2], wire()[:-4]])
def test_a_message_without_an_end_is_refused(data: bytes) -> None:
    refusal(data)


def test_the_body_is_what_content_length_says_or_everything() -> None:
    assert parse_message(wire("l: 3") + b"abcdef").body == b"abc"
    assert parse_message(wire() + b"abc\xff").body == b"abc\xff"
    assert parse_message(wire() + b"abc\xff").text_body == "abc\ufffd"
    assert refusal(wire("l: 4") + b"abc").header == "Content-Length"


def test_the_method_of_cseq_must_be_the_requests_in_the_same_case() -> None:
    assert refusal(wire(start="options sip:b SIP/2.0")).header == "CSeq"
    assert isinstance(parse_message(wire(start="SIP/2.0 200 OK")), Response)


class TestBuilt:
    def request(self, *fields: tuple[str, str]) -> Request:
        return Request("OPTIONS", SipUri("sip", "h"), Headers(fields))

    def test_content_length_is_set_once_and_in_place(self) -> None:
        headers = Headers([("l", "99"), ("Subject", "x"), ("Content-Length", "5")])
        assert Response(200, "OK", headers, b"ab").serialize() == (
            b"SIP/2.0 200 OK\r\nContent-Length: 2\r\nSubject: x\r\n\r\nab"
        )
        assert self.request().serialize() == (b"OPTIONS sip:h SIP/2.0\r\nContent-Length: 0\r\n\r\n")

    @pytest.mark.parametrize("name", ["vias", "via", "from_", "to", "call_id", "cseq"])
    def test_a_missing_mandatory_field_is_an_error_on_access(self, name: str) -> None:
        with pytest.raises(RemoteProtocolError, match="missing"):
            getattr(self.request(), name)

    def test_a_missing_optional_field_is_none_or_empty(self) -> None:
        message = self.request()
        assert message.max_forwards is None
        assert message.content_type is None
        assert message.contacts == ()
        assert message.tokens("Allow") == ()

    def test_a_malformed_field_is_an_error_on_access_that_names_it(self) -> None:
        message = self.request(("CSeq", "x"), ("Via", "x"))
        for name, header in (("cseq", "CSeq"), ("vias", "Via")):
            with pytest.raises(RemoteProtocolError) as caught:
                getattr(message, name)
            assert caught.value.header == header

    def test_typed_access_reads_the_raw_values(self) -> None:
        message = self.request(
            ("CSeq", "5 OPTIONS"), ("c", "Text/Plain;x=y"), ("k", "a, b"), ("Supported", "c")
        )
        assert message.cseq == CSeq(5, "OPTIONS")
        assert message.content_type == "text/plain"
        assert message.tokens("supported") == ("a", "b", "c")

    @pytest.mark.parametrize(
        "message",
        [
            Request("OPT IONS", SipUri("sip", "h"), Headers()),
            Request("", SipUri("sip", "h"), Headers()),
            Request("OPTIONS\r\n", SipUri("sip", "h"), Headers()),
            Request("OPTIONS", SipUri("sip", "h x"), Headers()),
            Request("OPTIONS", SipUri("sip", "h\tx"), Headers()),
            Request("OPTIONS", SipUri("sip", "h\r\nX: y"), Headers()),
            Request("OPTIONS", SipUri("sip", "h", user="a\0b"), Headers()),
            Request("OPTIONS", SipUri("sip", "h"), Headers([("X", "a\r\nVia: b")])),
            Request("OPTIONS", SipUri("sip", "h"), Headers([("X", "a\nb")])),
            Request("OPTIONS", SipUri("sip", "h"), Headers([("X", "a\rb")])),
            Request("OPTIONS", SipUri("sip", "h"), Headers([("X", "a\r\n b")])),
            Request("OPTIONS", SipUri("sip", "h"), Headers([("X", "a\0b")])),
            Request("OPTIONS", SipUri("sip", "h"), Headers([("X", "\ud800")])),
            Request("OPTIONS", SipUri("sip", "h"), Headers([("l", "0"), ("X", "a\r\nb")])),
            Response(200, "OK\r\nX: y", Headers()),
            Response(99, "x", Headers()),
            Response(700, "x", Headers()),
        ],
    )
    def test_what_would_break_out_of_its_line_is_refused(self, message: Message) -> None:
        with pytest.raises(LocalProtocolError):
            message.serialize()

    def test_a_quoted_control_character_is_written(self) -> None:
        data = self.request(("Y-X", '"a\\\0"')).serialize()
        assert b'Y-X: "a\\\0"\r\n' in data
