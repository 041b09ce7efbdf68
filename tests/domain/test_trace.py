"""Recorded messages, read for people: what each says, when, and what is wrong with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.trace import EntryKind, TraceEntry, TraceReader, trace_of
from sip.capture import WireDirection
from tests.domain.traces import (
    KEY,
    RESPONSE_DIGEST,
    START,
    UDP,
    Way,
    challenged_call,
    request,
    response,
    sdp,
)
from tests.sip.corpora import Expectation, expectations, raw


def entry(data: bytes, *, hide_numbers: bool = False) -> TraceEntry:
    """The one entry of a trace of one received message."""
    (only,) = trace_of([UDP.received(0, data)], hide_numbers=hide_numbers)
    return only


def with_sdp(body: str, content_type: str = "application/sdp") -> bytes:
    head = response(200, "OK").decode().replace("Content-Length: 0\r\n\r\n", "")
    return f"{head}c: {content_type}\r\nl: {len(body)}\r\n\r\n{body}".encode()


def test_a_request_is_read() -> None:
    (read,) = trace_of([UDP.sent(0, request("INVITE", body=sdp()))])

    assert (read.kind, read.method, read.status) == (EntryKind.REQUEST, "INVITE", None)
    assert read.request_uri == "sip:+14155550100@sip.example.com"
    assert (read.cseq, read.call_id) == (1, "7f3a@192.0.2.10")
    assert (read.direction, read.transport) == (WireDirection.OUT, "UDP")
    assert (read.source_text, read.destination_text) == ("192.0.2.10:40404", "203.0.113.5:5060")
    assert read.body == sdp()
    assert read.raw.startswith("INVITE sip:+14155550100@sip.example.com SIP/2.0\r\nVia: ")
    assert read.size == len(read.raw)
    assert read.problem is None
    assert read.label == "INVITE"
    assert read.summary == "INVITE sip:+14155550100@sip.example.com, SDP PCMU PCMA"


@pytest.mark.parametrize(
    ("status", "reason", "method", "kind", "label"),
    [
        (100, "Trying", "INVITE", EntryKind.PROVISIONAL, "100 Trying"),
        (200, "OK", "BYE", EntryKind.SUCCESS, "200 OK (BYE)"),
        (302, "Moved Temporarily", "INVITE", EntryKind.REDIRECTION, "302 Moved Temporarily"),
        (486, "Busy Here", "INVITE", EntryKind.FAILURE, "486 Busy Here"),
        (503, "", "OPTIONS", EntryKind.FAILURE, "503 (OPTIONS)"),
        (603, "Decline", "INVITE", EntryKind.FAILURE, "603 Decline"),
    ],
)
def test_a_response_is_read(
    status: int, reason: str, method: str, kind: EntryKind, label: str
) -> None:
    read = entry(response(status, reason, method=method, cseq=7))

    assert (read.kind, read.status, read.reason) == (kind, status, reason)
    assert (read.method, read.cseq, read.label) == (method, 7, label)
    assert read.software == "Asterisk PBX 20.9.2"
    assert read.source == ("203.0.113.5", 5060)


def test_the_summary_is_the_message_in_a_line() -> None:
    refused = entry(response(486, "Busy Here", headers=["Reason: Q.850;cause=17"]))

    assert refused.summary == "486 Busy Here, Reason: Q.850;cause=17"
    assert entry(request("BYE", headers=["Reason: SIP;cause=200"])).summary == (
        "BYE sip:+14155550100@sip.example.com, SIP;cause=200"
    )


def test_times_count_from_the_first_message_and_from_the_one_before() -> None:
    read = trace_of([UDP.sent(0, b"a"), UDP.sent(31.5, b"b"), UDP.received(32, b"c")])

    assert [each.index for each in read] == [0, 1, 2]
    assert [each.elapsed_ms for each in read] == [0.0, 31.5, 32.0]
    assert [each.delta_ms for each in read] == [0.0, 31.5, 0.5]
    assert read[1].at == START + timedelta(milliseconds=31.5)


def test_a_reader_goes_on_where_it_was() -> None:
    messages = challenged_call()
    reader = TraceReader()

    assert tuple(reader.read(each) for each in messages) == trace_of(messages)


def test_a_repetition_names_what_it_repeats() -> None:
    ringing = response(180, "Ringing")
    read = trace_of(
        [
            UDP.sent(0, request("INVITE")),
            UDP.received(1, ringing),
            UDP.sent(500, request("INVITE"), retransmission=True),
            UDP.received(900, ringing),
            Way(remote=("203.0.113.6", 5060)).received(901, ringing),
            UDP.sent(1000, request("BYE"), retransmission=True),
        ]
    )

    assert [each.repeats for each in read] == [None, None, 0, 1, None, None]
    assert [each.retransmission for each in read] == [False, False, True, True, False, True]


def test_nothing_secret_is_read() -> None:
    read = trace_of(challenged_call())

    for each in read:
        text = repr(each)
        assert RESPONSE_DIGEST not in text
        assert KEY not in text
        assert "f00d" not in text
        assert each.problem is None
    assert read[4].header("Authorization") == (
        'Digest username="acme", realm="asterisk", nonce="***************", '
        'uri="sip:+14155550100@sip.example.com", '
        f'response="{"*" * 32}", algorithm=MD5, cnonce="********", opaque="********", '
        "qop=auth, nc=00000001"
    )


def test_numbers_are_hidden_everywhere_when_they_are_to_be() -> None:
    read = trace_of(challenged_call(), hide_numbers=True)

    assert not [each for each in read if "1415555" in repr(each)]
    assert read[0].summary.startswith("INVITE sip:+*******0100@sip.example.com")


def test_header_fields_are_named_in_full_and_unfolded() -> None:
    read = entry(
        b"OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bKx\r\nSUBJECT: one\r\n\ttwo\r\n"
        b"X-Own:\r\nno colon\r\nf: <sip:a@b>;tag=1\r\n\r\n"
    )

    assert read.header_fields == (
        ("Via", "SIP/2.0/UDP a;branch=z9hG4bKx"),
        ("Subject", "one two"),
        ("X-Own", ""),
        ("From", "<sip:a@b>;tag=1"),
    )
    assert read.header("To") is None
    assert read.problem is not None


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_a_message_with_other_line_ends_is_read_all_the_same(line_end: bytes) -> None:
    data = line_end.join([b"BYE sip:a@b SIP/2.0", b"CSeq: 3 BYE", b"i: x", b"", b"body"])

    read = entry(data)

    assert (read.method, read.cseq, read.call_id, read.body) == ("BYE", 3, "x", "body")
    assert read.problem is not None


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"HTTP/1.1 200 OK\r\n\r\n", b"a b c\r\n\r\n"],
)
def test_what_is_no_sip_is_told_to_be_none(data: bytes) -> None:
    read = entry(data)

    assert read.kind is EntryKind.UNREADABLE
    assert read.label == "not SIP"
    assert read.problem is not None
    assert read.size == len(data)


@pytest.mark.parametrize(
    "case", expectations("rfc4475"), ids=lambda case: f"{case.kind}-{case.file}"
)
def test_torture_messages_are_read_as_far_as_they_can_be(case: Expectation) -> None:
    data = raw(case.file)

    read = entry(data)

    # Its status is no number of three digits, so nothing tells what the message is.
    assert (read.kind is EntryKind.UNREADABLE) == (case.file == "bigcode.dat")
    assert read.header_fields
    assert read.size == len(data)


@given(st.binary(max_size=300))
@settings(max_examples=150)
def test_any_bytes_make_an_entry(data: bytes) -> None:
    for read in (entry(data), entry(b"SIP/2.0 407 x\r\n" + data), entry(with_sdp("") + data)):
        assert read.summary
        assert read.summary.isprintable()


@pytest.mark.parametrize(
    ("body", "badge"),
    [
        (sdp(), "SDP PCMU PCMA"),
        (sdp(secure=True), "SDP PCMU PCMA SRTP"),
        (sdp(secure=True).replace("SAVP", "AVP"), "SDP PCMU PCMA SRTP optional"),
        (sdp().replace("RTP/AVP", "UDP/TLS/RTP/SAVPF"), "SDP PCMU PCMA DTLS-SRTP"),
        (sdp(extra="a=sendonly\r\n"), "SDP PCMU PCMA sendonly"),
        (sdp(address="0.0.0.0"), "SDP PCMU PCMA sendonly"),
        (sdp().replace(" 10000 ", " 0 "), "SDP audio refused"),
        (sdp().replace("m=audio", "m=image"), "SDP without audio"),
        (sdp().replace("0 8 101", "0 8 9 18 3"), "SDP PCMU PCMA G.722 +2"),
        ("v=0\r\nnonsense", "SDP unreadable"),
    ],
)
def test_a_session_description_is_told_in_a_few_words(body: str, badge: str) -> None:
    assert entry(with_sdp(body)).sdp == badge


def test_a_session_description_among_several_parts_is_found() -> None:
    body = (
        "--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        f"--x\r\nContent-Type: application/sdp\r\n\r\n{sdp()}\r\n--x--\r\n"
    )

    assert entry(with_sdp(body, "multipart/mixed;boundary=x")).sdp == "SDP PCMU PCMA"
    assert entry(with_sdp("--x--", "multipart/mixed;boundary=x")).sdp is None


@pytest.mark.parametrize(
    ("content_type", "body"), [("text/plain", sdp()), ("application/sdp", "\r\n")]
)
def test_other_bodies_are_no_session_description(content_type: str, body: str) -> None:
    assert entry(with_sdp(body, content_type)).sdp is None


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (
            response(
                401,
                "Unauthorized",
                headers=[
                    'WWW-Authenticate: Digest realm="pbx", nonce="n", algorithm=SHA-256, stale=true',
                    'WWW-Authenticate: Digest realm="pbx", nonce="n"',
                ],
            ),
            'SHA-256 for realm "pbx", stale nonce · MD5 for realm "pbx"',
        ),
        (
            response(407, "x", headers=['Proxy-Authenticate: Digest realm="p"']),
            "Proxy-Authenticate unreadable",
        ),
        (response(420, "Bad Extension", headers=["Unsupported: 100rel"]), "Unsupported: 100rel"),
        (response(422, "x", headers=["Min-SE: 3600"]), "Min-SE: 3600"),
        (response(302, "x", headers=["Contact: <sip:a@b>"]), "<sip:a@b>"),
        (response(180, "Ringing", headers=["RSeq: 5"]), "reliable, RSeq 5"),
        (
            response(
                503,
                "x",
                headers=["Retry-After: 30", 'Warning: 399 a "b"', "Reason: Q.850;cause=41"],
            ),
            'Warning: 399 a "b" · Retry-After: 30 · Reason: Q.850;cause=41',
        ),
        (request("PRACK", headers=["RAck: 5 1 INVITE"]), "RAck 5 1 INVITE"),
        (request("REFER", headers=["Refer-To: <sip:c@d>"]), "to <sip:c@d>"),
        (request("CANCEL", headers=["Reason: SIP;cause=487"]), "SIP;cause=487"),
        (response(200, "OK"), None),
        (request("ACK"), None),
    ],
)
def test_a_note_says_what_else_a_message_tells(data: bytes, note: str | None) -> None:
    assert entry(data).note == note
