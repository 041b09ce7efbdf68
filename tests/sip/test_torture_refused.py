"""The malformed messages of RFC 4475 section 3.1.2: refused with the right status, or dropped."""

from __future__ import annotations

import pytest

from sip.errors import RemoteProtocolError
from sip.message import parse_message
from sip.stream import StreamFramer
from sip.uas import refusal_of_malformed
from tests.sip.corpora import expectations, raw

# Status and the header field at fault; None for the start line or the framing.
REFUSED: dict[str, tuple[int, str | None]] = {
    "badinv01.dat": (400, "Via"),
    "clerr.dat": (400, "Content-Length"),
    "ncl.dat": (400, "Content-Length"),
    "scalar02.dat": (400, "CSeq"),
    "scalarlg.dat": (400, "CSeq"),
    "quotbal.dat": (400, "To"),
    "ltgtruri.dat": (400, None),
    "lwsruri.dat": (400, None),
    "lwsstart.dat": (400, None),
    "trws.dat": (400, None),
    "escruri.dat": (400, None),
    "baddate.dat": (400, "Date"),
    "regbadct.dat": (400, "Contact"),
    "badaspec.dat": (400, "To"),
    "baddn.dat": (400, None),
    "badvers.dat": (505, None),
    "mismatch01.dat": (400, "CSeq"),
    "mismatch02.dat": (400, "CSeq"),
    "bigcode.dat": (400, None),
    # Listed as well-formed by the RFC, but what section 3.3 asks for is a 400 all the same.
    "insuf.dat": (400, "From"),
    "multi01.dat": (400, "CSeq"),
    "mcl01.dat": (400, "Content-Length"),
}
DROPPED = {"scalarlg.dat", "bigcode.dat"}

# Faults that stand beside others in their message, each on its own: the right value and the wrong.
FAULTS = [
    ("badinv01.dat", b"Via: SIP/2.0/UDP 192.0.2.15;;,;,,", b"Via: SIP/2.0/UDP 192.0.2.15", "Contact"),
    ("badinv01.dat", b"<sip:joe@example.org>;;;;", b"<sip:joe@example.org>", "Via"),
    ("scalar02.dat", b"36893488147419103232 ", b"1 ", "Max-Forwards"),
    ("scalarlg.dat", b"9292394834772304023312 ", b"1 ", "Retry-After"),
]  # fmt: skip


def _refusal(data: bytes) -> RemoteProtocolError:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(data)
    return caught.value


def test_every_malformed_message_is_listed() -> None:
    assert {row.file for row in expectations("rfc4475", "invalid")} <= REFUSED.keys()


@pytest.mark.parametrize(("file", "status", "header"), [(f, *r) for f, r in REFUSED.items()])
def test_a_malformed_message_is_refused_with_status_and_header(
    file: str, status: int, header: str | None
) -> None:
    error = _refusal(raw(file))
    assert (error.status_hint, error.header) == (status, header)


@pytest.mark.parametrize("file", sorted(REFUSED.keys() - DROPPED))
def test_a_malformed_request_can_be_answered(file: str) -> None:
    data = raw(file)
    error = _refusal(data)
    answer = refusal_of_malformed(data, error, to_tag="here")
    assert answer is not None
    assert answer.status == REFUSED[file][0]
    wire = answer.serialize()
    head = data.partition(b"\r\n\r\n")[0]
    call_id = next(
        (line for line in head.split(b"\r\n") if line.lower().startswith(b"call-id")), None
    )
    assert (call_id is None) == (file == "insuf.dat")
    if call_id is not None:
        assert call_id.partition(b":")[2].strip() in wire
    assert wire.startswith(b"SIP/2.0 %d " % answer.status)


@pytest.mark.parametrize("file", sorted(DROPPED))
def test_a_malformed_response_is_dropped(file: str) -> None:
    assert refusal_of_malformed(raw(file), _refusal(raw(file))) is None


@pytest.mark.parametrize(("file", "wrong", "right", "header"), FAULTS)
def test_each_fault_of_a_message_is_refused_on_its_own(
    file: str, wrong: bytes, right: bytes, header: str
) -> None:
    data = raw(file)
    assert wrong in data
    assert _refusal(data.replace(wrong, right)).header == header


@pytest.mark.parametrize(
    ("repaired", "header"),
    [
        ([(b"36893488147419103232 ", b"1 "), (b": 300", b": 70")], "Expires"),
        ([(b"36893488147419103232 ", b"1 "), (b": 300", b": 70"), (b"Expires: 1" + b"0" * 100, b"Expires: 1")], "Contact"),
    ],
)  # fmt: skip
def test_each_scalar_of_a_request_has_its_range(
    repaired: list[tuple[bytes, bytes]], header: str
) -> None:
    data = raw("scalar02.dat")
    for wrong, right in repaired:
        assert wrong in data
        data = data.replace(wrong, right)
    assert _refusal(data).header == header


def test_a_warning_code_has_three_digits() -> None:
    data = raw("scalarlg.dat").replace(b"9292394834772304023312 ", b"1 ")
    data = data.replace(b"949302838503028349304023988", b"9")
    assert _refusal(data).header == "Warning"
    assert parse_message(data.replace(b"1812 ", b"181 "))


def test_an_unquoted_display_name_with_a_comma_is_refused() -> None:
    data = raw("baddn.dat") + b"\r\n"
    assert _refusal(data).header == "From"
    from_quoted = data.replace(b"Bell, Alexander", b'"Bell, Alexander"')
    assert _refusal(from_quoted).header == "To"
    both_quoted = from_quoted.replace(b"Watson, Thomas", b'"Watson, Thomas"')
    assert parse_message(both_quoted).to.display_name == "Watson, Thomas"


def test_the_505_answers_a_request_of_another_version() -> None:
    data = raw("badvers.dat")
    answer = refusal_of_malformed(data, _refusal(data))
    assert answer is not None
    assert (answer.status, answer.reason) == (505, "Version Not Supported")
    assert answer.headers.get("Via") == "SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw"


def test_an_answer_to_repeated_fields_holds_the_first_of_each() -> None:
    data = raw("multi01.dat")
    answer = refusal_of_malformed(data, _refusal(data), to_tag="here")
    assert answer is not None
    assert answer.headers.items() == (
        ("Via", "SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw"),
        ("From", "sip:caller@example.com;tag=3413415"),
        ("To", "sip:user@example.com;tag=here"),
        ("Call-ID", "multi01.98asdh@192.0.2.1"),
        ("CSeq", "5 INVITE"),
    )


def test_on_a_stream_a_content_length_beyond_the_bytes_waits_for_them() -> None:
    framer = StreamFramer()
    framer.receive_data(raw("clerr.dat"))
    assert framer.next_message() is None
    framer.receive_eof()
    with pytest.raises(RemoteProtocolError):
        framer.next_message()


@pytest.mark.parametrize("file", ["ncl.dat", "mcl01.dat"])
def test_on_a_stream_an_impossible_content_length_ends_the_connection(file: str) -> None:
    framer = StreamFramer()
    framer.receive_data(raw(file))
    with pytest.raises(RemoteProtocolError) as caught:
        framer.next_message()
    assert caught.value.header == "Content-Length"
