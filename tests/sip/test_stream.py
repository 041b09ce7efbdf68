"""Messages cut out of a byte stream (RFC 3261 section 18.3, RFC 5626 section 4.4.1)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import RemoteProtocolError
from sip.message import MAX_BODY, MAX_HEADER_BYTES, MAX_LINE
from sip.stream import KeepAlive, StreamFramer
from tests.sip import strategies as sip

ONE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabc"
TWO = b"SIP/2.0 200 OK\r\nl:\r\n 0\r\n\r\n"


def everything(framer: StreamFramer) -> list[bytes | KeepAlive]:
    items = []
    while (item := framer.next_message()) is not None:
        items.append(item)
    return items


def fed(*chunks: bytes, accepted: bool = False) -> list[bytes | KeepAlive]:
    framer = StreamFramer(accepted=accepted)
    items = []
    for chunk in chunks:
        framer.receive_data(chunk)
        items += everything(framer)
    return items


def error_of(*chunks: bytes) -> RemoteProtocolError:
    with pytest.raises(RemoteProtocolError) as caught:
        fed(*chunks)
    return caught.value


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def test_messages_come_out_one_by_one() -> None:
    assert fed(ONE + TWO + ONE) == [ONE, TWO, ONE]


def test_messages_come_out_of_single_bytes() -> None:
    assert fed(*single_bytes(ONE + TWO + ONE)) == [ONE, TWO, ONE]


def test_a_message_comes_out_with_its_last_byte_and_not_before() -> None:
    framer = StreamFramer()
    framer.receive_data(ONE[:-1])
    assert framer.next_message() is None
    framer.receive_data(ONE[-1:])
    assert framer.next_message() == ONE
    assert framer.next_message() is None
    assert framer.pending == b""


FIELDS = [b"", b"Subject: a\r\n", b"X: a\r\n b\r\n", b"Subject: l: 7\r\n"]
LENGTHS = [
    b"l: %d",
    b"Content-Length:%d ",
    b"CONTENT-LENGTH\t:\r\n %d",
    b"l: %d\r\nContent-Length: %d",
]


@st.composite
def framed(draw: st.DrawFn) -> bytes:
    body = draw(st.binary(max_size=20) | st.sampled_from([b"\r\n\r\n", b"\r\n", ONE]))
    start = draw(st.sampled_from([b"OPTIONS sip:a SIP/2.0", b"SIP/2.0 200 OK"]))
    length = draw(st.sampled_from(LENGTHS)).replace(b"%d", b"%d" % len(body))
    before, after = draw(st.sampled_from(FIELDS)), draw(st.sampled_from(FIELDS))
    return start + b"\r\n" + before + length + b"\r\n" + after + b"\r\n" + body


@sip.PARTS
@given(
    st.lists(framed(), max_size=4),
    st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n"]),
    st.lists(st.integers(1, 100)),
)
def test_any_chunking_gives_the_same_messages(
    wire: list[bytes], between: bytes, sizes: list[int]
) -> None:
    stream = between.join(wire)
    chunks = []
    position = 0
    for size in [*sizes, len(stream)]:
        chunks.append(stream[position : position + size])
        position += size
    for accepted in (True, False):
        whole = fed(stream, accepted=accepted)
        assert [item for item in whole if isinstance(item, bytes)] == wire
        for cut in (chunks, single_bytes(stream)):
            items = fed(*cut, accepted=accepted)
            assert [item for item in items if isinstance(item, bytes)] == wire
            if accepted:
                assert items == whole


def test_a_double_line_break_is_a_ping() -> None:
    assert fed(b"\r\n\r\n") == [KeepAlive.PING]
    assert fed(b"\r\n\r\n" + ONE + b"\r\n\r\n\r\n\r\n") == [
        KeepAlive.PING, ONE, KeepAlive.PING, KeepAlive.PING,
    ]  # fmt: skip


def test_a_line_break_on_a_connection_opened_here_is_a_pong_at_once() -> None:
    assert fed(b"\r", b"\n") == [KeepAlive.PONG]
    assert fed(b"\r\n" + ONE) == [KeepAlive.PONG, ONE]
    assert fed(b"\r\n", b"\r\n") == [KeepAlive.PONG, KeepAlive.PONG]


def test_a_line_break_on_an_accepted_connection_waits_for_the_rest_of_a_ping() -> None:
    assert fed(b"\r\n", accepted=True) == []
    assert fed(*single_bytes(b"\r\n\r\n"), accepted=True) == [KeepAlive.PING]
    assert fed(*single_bytes(b"\r\n" + ONE), accepted=True) == [ONE]


def test_content_length_is_read_in_every_spelling() -> None:
    for field in (
        b"CONTENT-LENGTH\t:1",
        b"L :\r\n\t 01 ",
        b"content-length:1\r\nContent-Length: 1",
    ):
        message = b"OPTIONS sip:a SIP/2.0\r\nX: a\r\n\tfolded\r\n" + field + b"\r\n\r\nb"
        assert fed(message) == [message]
        assert fed(*single_bytes(message)) == [message]


def test_what_looks_like_content_length_is_not() -> None:
    head = b"OPTIONS sip:a SIP/2.0\r\nX-Content-Length: 9\r\nSubject: l: 9\r\n l: 9\r\nLx: 9\r\nl:0\r\n\r\n"
    assert fed(head) == [head]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"X: 1\r\n", 400),
        (b"l:\r\n", 400),
        (b"l: -1\r\n", 400),
        (b"l: +1\r\n", 400),
        (b"l: 1x\r\n", 400),
        (b"l: 1 1\r\n", 400),
        (b"l: 1\r\n 1\r\n", 400),
        (b"l: 1\r\nContent-Length: 2\r\n", 400),
        (b"l: " + b"9" * 5000 + b"\r\n", 400),
        (b"l: \xd9\xa1\r\n", 400),
        (b"l: %d\r\n" % (MAX_BODY + 1), 413),
    ],
)
def test_framing_is_lost_without_one_good_content_length(fields: bytes, status: int) -> None:
    data = b"OPTIONS sip:a SIP/2.0\r\n" + fields + b"\r\n"
    for error in (error_of(data), error_of(*single_bytes(data))):
        assert (error.status_hint, error.header) == (status, "Content-Length")


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"\x16\x03\x01\x02\x00",
        b"\n",
        b" ",
        b"\xff",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail.example.com ESMTP\r\n",
        b"\rx\r\n",
    ],
)
def test_a_peer_that_does_not_talk_sip_is_found_out_by_its_first_line(data: bytes) -> None:
    error_of(data)
    error_of(*single_bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        b"x" * (MAX_LINE + 1) + b"\r\n",
        b"x" * (MAX_LINE + 2),
        b"OPTIONS sip:a SIP/2.0\r\nX: " + b"x" * MAX_LINE,
        b"OPTIONS sip:a SIP/2.0\r\n" + b"X: y\r\n" * (MAX_HEADER_BYTES // 6),
        b"OPTIONS sip:a SIP/2.0\r\nl: 1" + b"\r\n 1" * (MAX_HEADER_BYTES // 4),
    ],
)
def test_a_head_beyond_the_limits_ends_the_connection(data: bytes) -> None:
    assert error_of(data).status_hint == 513
    assert error_of(*single_bytes(data)).status_hint == 513


def test_a_head_at_the_limits_is_framed() -> None:
    start = b"OPTIONS sip:a SIP/2.0\r\nl: 0\r\n"
    line = b"X: " + b"x" * (MAX_LINE - 3) + b"\r\n"
    head = start + line * 7
    head += b"X: " + b"x" * (MAX_HEADER_BYTES - len(head) - 3) + b"\r\n\r\n"
    assert head.index(b"\r\n\r\n") == MAX_HEADER_BYTES
    assert fed(head) == [head]
    assert fed(*single_bytes(head)) == [head]
    longer = head[:-4] + b"x\r\n\r\n"
    assert error_of(longer).status_hint == 513
    assert error_of(*single_bytes(longer)).status_hint == 513


def test_a_body_at_the_limit_is_framed() -> None:
    message = b"OPTIONS sip:a SIP/2.0\r\nl: %d\r\n\r\n" % MAX_BODY + b"x" * MAX_BODY
    assert fed(message) == [message]


def test_a_peer_that_never_ends_its_line_cannot_grow_the_buffer() -> None:
    framer = StreamFramer()
    for _ in range(MAX_LINE // 1000):
        framer.receive_data(b"x" * 1000)
        assert framer.next_message() is None
    framer.receive_data(b"x" * 1000)
    with pytest.raises(RemoteProtocolError):
        framer.next_message()
    assert len(framer.pending) <= MAX_LINE + 1000
    framer.receive_data(b"x" * 1_000_000)
    assert len(framer.pending) <= MAX_LINE + 1000


def test_every_call_after_an_error_raises_it_again() -> None:
    framer = StreamFramer()
    framer.receive_data(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(RemoteProtocolError) as first:
        framer.next_message()
    framer.receive_data(ONE)
    with pytest.raises(RemoteProtocolError) as second:
        framer.next_message()
    assert second.value is first.value
    assert framer.pending == b"HTTP/1.1 200 OK\r\n"


def test_messages_in_front_of_garbage_still_come_out() -> None:
    framer = StreamFramer()
    framer.receive_data(ONE + b"\0")
    assert framer.next_message() == ONE
    with pytest.raises(RemoteProtocolError):
        framer.next_message()


@pytest.mark.parametrize("cut", [1, 30, len(ONE) - 1])
def test_the_end_of_the_stream_inside_a_message_is_an_error(cut: int) -> None:
    framer = StreamFramer()
    framer.receive_data(ONE[:cut])
    assert framer.next_message() is None
    framer.receive_eof()
    with pytest.raises(RemoteProtocolError):
        framer.next_message()


@pytest.mark.parametrize("accepted", [True, False])
def test_the_end_of_the_stream_between_messages_is_none(accepted: bool) -> None:
    framer = StreamFramer(accepted=accepted)
    framer.receive_data(ONE + b"\r\n")
    framer.receive_eof()
    assert framer.next_message() == ONE
    items = everything(framer)
    assert items == ([] if accepted else [KeepAlive.PONG])


class _CountingBuffer(bytearray):
    """Counts the bytes that searches have to look at."""

    looked_at = 0

    def find(self, *arguments: Any) -> int:
        self.looked_at += len(self) - arguments[1]
        return super().find(*arguments)


def test_feeding_single_bytes_looks_at_each_byte_a_bounded_number_of_times() -> None:
    framer = StreamFramer()
    buffer = _CountingBuffer()
    framer._buffer = buffer
    data = b"OPTIONS sip:a SIP/2.0\r\nX: " + b"x" * 8000 + b"\r\nl: 60000\r\n\r\n" + b"y" * 60_000
    for byte in single_bytes(data):
        framer.receive_data(byte)
        item = framer.next_message()
    assert item == data
    assert buffer.looked_at < 3 * len(data)
