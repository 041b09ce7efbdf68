"""What the parser asks of each known header field."""

from __future__ import annotations

import pytest

from sip.message import parse_message
from tests.sip.wire import FIELDS, refusal, wire

GOOD_AND_BAD = {
    "Max-Forwards": (["0", "255", "0070"], ["256", "-1", "", "7 0", "0x7", "9" * 6000]),
    "Content-Length": (["0", "00"], ["-1", "+0", "1", "0 0", "0,0", "9" * 6000, "4294967296"]),
    "Content-Type": (
        ["application/sdp", "text / plain ; charset = utf-8", 'a/b;c="d;e"'],
        ["", "text", "text/", "/plain", "text/plain,text/html", "text/plain;", "a b/c"],
    ),
    "Expires": (["0", "4294967295"], ["4294967296", "-1", "1h", ""]),
    "Min-Expires": (["60"], ["x"]),
    "Retry-After": (
        ["5", "18000;duration=3600", "120 (I am (still) in \\( a meeting) ;a=b"],
        ["", "soon", "5 seconds", "5 (open", "5 (a (b)", "4294967296", "5;"],
    ),
    "Date": (
        ["Sat, 13 Nov 2010 23:29:00 GMT"],
        ["Sat, 13 Nov 2010 23:29:00 UTC", "Sat, 13 Nov 2010 24:00:00 GMT", "13 Nov 2010",
         "sat, 13 Nov 2010 23:29:00 GMT", "Sat, 32 Nov 2010 23:29:00 GMT", ""],
    ),
    "Warning": (
        ['307 isi.edu "Session parameter \'foo\' not understood"', '301 a:1 "b" , 302 [::1]:5 "c"'],
        ["", "301", '301 a', '301 "b"', '1812 overture "x"', '099 a "b"', '301 a "b"x', '301 a "b",'],
    ),
    "WWW-Authenticate": (
        [
            'Digest realm="a", nonce="b", qop="auth,auth-int", stale=FALSE',
            "Bearer scope=x",
            'Digest realm="a, b", nonce="n", algorithm=SHA-256 , Digest realm="c", nonce="m"',
        ],
        ["Digest", 'Digest realm="a", Digest', 'Digest realm="a",', 'Digest realm="a" nonce="b"', 'Digest realm="a'],
    ),
    "Authorization": (
        ['Digest username="a",realm="b"', "Bearer abc._~+/=="],
        ["", "Digest ==", 'Digest a="b",,c="d"'],
    ),
    "Authentication-Info": (['nextnonce="x", qop=auth'], ["", "nextnonce"]),
    "Contact": (["*", "<sip:a@b>,<sip:c@d>"], ["", "* , *", "a@b", "<sip:a@b>;q=2"]),
    "Route": (["<sip:p;lr>"], ["", "<sip:p;lr>;", "p"]),
    "Record-Route": (["<sip:p;lr>,<sip:q;lr>"], ["<sip:p;lr>,,<sip:q;lr>"]),
    "Via": (["SIP/2.0/TCP b, SIP/2.0/UDP c"], ["SIP/2.0/TCP b,", ""]),
    "Require": (["100rel", "a , b", ""], ["a b", "<"]),
    "Allow": (["INVITE,ACK", "", "INVITE,"], ["INVITE ACK", "INVITE;ACK"]),
    "Refer-To": (["<sip:a@b?Replaces=x%40y>"], ["", "a", "<sip:a@b>,<sip:a@b>"]),
    "Session-Expires": (["1800;refresher=uac", "90"], ["", "x", "90 s", "4294967296"]),
    "Min-SE": (["90"], ["-90"]),
    "RSeq": (["1"], ["x"]),
    "RAck": (["1 2 INVITE"], ["1 INVITE", "1 2", "4294967296 1 INVITE", "1 4294967296 INVITE"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, (good, _) in GOOD_AND_BAD.items() for value in good]
)
def test_a_header_field_within_its_grammar_is_accepted(name: str, value: str) -> None:
    message = parse_message(wire(f"{name}: {value}"))
    assert message.headers.get_all(name)[-1] == value


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, (_, bad) in GOOD_AND_BAD.items() for value in bad]
)
def test_a_header_field_outside_its_grammar_is_refused_by_name(name: str, value: str) -> None:
    error = refusal(wire(f"{name}: {value}"))
    assert (error.status_hint, error.header) == (400, name)
    assert str(error).startswith(f"{name}: ")
    assert len(str(error)) < 200


@pytest.mark.parametrize("value", ["@a", "a@", "a@b@c", "a b", "a,b", "\u00fc", ""])
def test_a_malformed_call_id_is_refused(value: str) -> None:
    assert refusal(wire(f"Call-ID: {value}", without="Call-ID")).header == "Call-ID"


@pytest.mark.parametrize("name", FIELDS)
def test_every_mandatory_field_is_needed(name: str) -> None:
    error = refusal(wire(without=name))
    assert (error.status_hint, error.header) == (400, name)


@pytest.mark.parametrize(
    "line",
    ["f: <sip:a@example.com>;tag=1", "t: <sip:b@example.com>", "i: c@example.com",
     "cseq: 1 OPTIONS"],
)  # fmt: skip
def test_a_single_field_is_refused_when_repeated_under_any_name(line: str) -> None:
    assert "repeated" in refusal(wire(line)).message


@pytest.mark.parametrize(
    "name", ["Max-Forwards", "Content-Length", "Content-Type", "Expires", "Event", "Replaces"]
)
def test_other_single_fields_are_refused_when_repeated(name: str) -> None:
    value = "a/b" if name == "Content-Type" else "0"
    assert parse_message(wire(f"{name}: {value}"))
    error = refusal(wire(f"{name}: {value}", f"{name.lower()}: {value}"))
    assert error.header == name


def test_a_star_stands_alone() -> None:
    assert parse_message(wire("Contact: *")).contact_is_star
    assert parse_message(wire("Contact: *")).contacts == ()
    assert not parse_message(wire("Contact: <sip:a@b>")).contact_is_star
    for second in ("*", "<sip:a@b>"):
        assert refusal(wire("Contact: *", f"Contact: {second}")).header == "Contact"
    assert refusal(wire("Contact: <sip:a@b>", "Contact: *")).header == "Contact"
