"""Messages and addresses read without judging them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import RemoteProtocolError
from sip.loose_address import MAX_USERS, MAX_VALUE, branch_of, tag_of, user_of, users_of
from sip.loose_message import LooseMessage
from sip.message import MAX_HEADERS, Request, parse_message
from tests.sip.corpora import Expectation, expectations, raw


def read(text: str) -> LooseMessage:
    return LooseMessage.of(text.encode())


def test_a_request_is_taken_apart() -> None:
    message = read("\r\nINVITE  sip:a@b  SIP/2.0\r\ni: 1\r\nCSeq:  7 INVITE\r\n\r\nbody")

    assert (message.method, message.request_uri) == ("INVITE", "sip:a@b")
    assert (message.status, message.reason, message.cseq) == (None, None, (7, "INVITE"))
    assert message.headers.get("Call-ID") == "1"
    assert message.body == b"body"


def test_a_response_is_taken_apart() -> None:
    message = read("sip/2.0 486 Busy Here\r\nCSeq: x\r\n\r\n")

    assert (message.method, message.request_uri) == (None, None)
    assert (message.status, message.reason, message.cseq) == (486, "Busy Here", None)
    assert read("SIP/2.0 4866 Busy").status is None
    assert read("SIP/2.0 180").reason == ""


@pytest.mark.parametrize("text", ["", "\r\n\r\n", "hello", "GET / HTTP/1.1", "(a) sip:b SIP/2.0"])
def test_what_is_no_sip_has_no_start_line(text: str) -> None:
    message = read(text)

    assert (message.method, message.status) == (None, None)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    lines = ["BYE sip:a@b SIP/2.0", "Subject: one", f"X-A: two{end}\tthree", "", "body"]

    message = read(end.join(lines))

    assert message.headers.items() == (("Subject", "one"), ("X-A", "two three"))
    assert message.body == b"body"


def test_the_first_empty_line_ends_the_head() -> None:
    assert read("BYE sip:a SIP/2.0\n\na\r\n\r\nb").body == b"a\r\n\r\nb"
    assert read("BYE sip:a SIP/2.0\r\r\n\r\nb").body == b"\n\r\nb"
    assert read("BYE sip:a SIP/2.0\r\n\r\nb\n\nc").body == b"b\n\nc"


def test_lines_that_are_no_header_fields_and_too_many_are_left_out() -> None:
    lines = ["no field"] + ["X-A: 1"] * (MAX_HEADERS + 5)

    message = read("BYE sip:a SIP/2.0\r\n" + "\r\n".join(lines))

    assert len(message.headers) == MAX_HEADERS - 1


@given(st.binary(max_size=300))
def test_any_octets_can_be_read(octets: bytes) -> None:
    assert isinstance(LooseMessage.of(octets), LooseMessage)


@pytest.mark.parametrize(
    "case", [*expectations("rfc4475"), *expectations("rfc5118")], ids=lambda case: case.file
)
def test_what_the_strict_reader_accepts_is_read_alike(case: Expectation) -> None:
    data = raw(case.file, case.corpus)
    loose = LooseMessage.of(data)
    try:
        strict = parse_message(data)
    except RemoteProtocolError:
        return
    assert loose.cseq == (strict.cseq.number, strict.cseq.method)
    assert loose.headers.get("Call-ID") == strict.call_id
    assert tag_of(loose.headers.get("From") or "") == (strict.from_.tag or "")
    assert tag_of(loose.headers.get("To") or "") == (strict.to.tag or "")
    assert branch_of(loose.headers.get("Via") or "") == (strict.via.branch or "")
    if isinstance(strict, Request):
        assert loose.method == strict.method
    else:
        assert loose.status == strict.status


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("<sip:a@b>;tag=x1", "x1"),
        ("sip:a@b ; TAG = x1;q=1", "x1"),
        ("<sip:a@b;tag=no>", ""),
        ('"<;tag=no>" <sip:a@b>;tag=x1', "x1"),
        ("", ""),
        ("<sip:a@b>;tag=" + "x" * MAX_VALUE, "x" * (MAX_VALUE - 14)),
    ],
)
def test_a_tag_is_found_behind_the_uri(value: str, tag: str) -> None:
    assert tag_of(value) == tag


def test_the_branch_is_the_topmost() -> None:
    via = "SIP/2.0/UDP h;rport;branch=z9hG4bK1, SIP/2.0/UDP i;branch=z9hG4bK2"

    assert branch_of(via) == "z9hG4bK1"
    assert branch_of("SIP/2.0/UDP h") == ""


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:+14155550100@h", "+14155550100"),
        ("SIPS:alice:secret@h;transport=tls", "alice"),
        ("sip:+1-415-555-0100;npdi@h;user=phone", "+14155550100"),
        ("sip:%2B14155550100@h", "+14155550100"),
        ("sip:ext-100@h", "ext-100"),
        ("tel:+1(415)555.0100;phone-context=x", "+14155550100"),
        ("tel:2001", "2001"),
        ("sip:h", None),
        ("sip:@h", None),
        ("sip:h;user=a", None),
        ("mailto:a@h", None),
        ("", None),
    ],
)
def test_the_user_of_a_uri(uri: str, user: str | None) -> None:
    assert user_of(uri) == user


def test_the_users_of_a_list() -> None:
    assert users_of('"A, <sip:no@h>" <sip:a@h>, <tel:+1>, <sip:h>') == ("a", "+1")
    assert users_of("sip:a@h;tag=1") == ("a",)
    assert users_of("nonsense") == ()
    assert len(users_of("<sip:a@h>," * 50)) == MAX_USERS


@pytest.mark.parametrize(
    "part", ['"', '"\\', "<", ";tag=", ";branch", "+-", "%", " ", "sip:", "\r "]
)
def test_hostile_repetition_takes_linear_time(part: str) -> None:
    text = part * (60_000 // len(part))

    LooseMessage.of(f"BYE sip:a SIP/2.0\r\nFrom: {text}".encode())
    tag_of(text)
    branch_of(text)
    user_of(text)
    users_of(text)
