"""Cut a byte stream into SIP messages (RFC 3261 section 18.3) and keep-alives (RFC 5626 section 4.4.1).

The framer looks at line lengths, the shape of the start line and Content-Length, no further: what
it hands out still has to go through `parse_message`. Work is linear in the bytes received, however
they are chunked, and what it holds is bounded by one message plus what was received since.
"""

from __future__ import annotations

import re
from enum import Enum

from sip.errors import RemoteProtocolError
from sip.grammar import MAX_UINT32, bounded_int
from sip.message import MAX_BODY, MAX_HEADER_BYTES, MAX_LINE


class KeepAlive(Enum):
    """What a peer sends to keep a connection open when there is nothing to say."""

    PING = b"\r\n\r\n"
    """To be answered with the bytes of PONG."""
    PONG = b"\r\n"


_CONTENT_LENGTH = re.compile(rb"(?:content-length|l)[ \t]*+:", re.IGNORECASE)
_FIRST_BYTES = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~\r"
)


class StreamFramer:
    """Frames one connection. Feed it with `receive_data`, drain it with `next_message`.

    Once framing is lost every further call to `next_message` raises the same error, and the
    connection has to be closed.
    """

    def __init__(self, *, accepted: bool = False) -> None:
        """`accepted` says that the peer opened the connection.

        Only the opener sends pings, so there a lone CRLF may be half of one and waits for the rest;
        on a connection opened here it is the pong.
        """
        self._accepted = accepted
        self._buffer = bytearray()
        self._error: RemoteProtocolError | None = None
        self._ended = False
        self._start_over()

    def _start_over(self) -> None:
        self._line_start = 0  # of the first line not read yet
        self._scanned = 0  # where to go on looking for its end
        self._length_text: str | None = None  # a Content-Length that may go on in a folded line
        self._content_length: int | None = None
        self._message_end: int | None = None  # known once the head is complete

    @property
    def pending(self) -> bytes:
        """The bytes that no returned message holds, e.g. for the trace after an error."""
        return bytes(self._buffer)

    def receive_data(self, data: bytes) -> None:
        """Take bytes off the connection. Never raises: `next_message` judges them."""
        if self._error is None:
            self._buffer += data

    def receive_eof(self) -> None:
        """Note that the peer closed its side: an unfinished message is an error from now on."""
        self._ended = True

    def next_message(self) -> bytes | KeepAlive | None:
        """Return the raw bytes of the next message, a keep-alive, or None when more is needed.

        Raises RemoteProtocolError when framing is lost: no SIP start line, a line or head beyond
        the limits of `sip.message`, Content-Length missing, malformed, contradicting itself or too
        large, or the end of the stream inside a message.
        """
        if self._error is not None:
            raise self._error
        try:
            return self._next()
        except RemoteProtocolError as error:
            self._error = error
            raise

    def _next(self) -> bytes | KeepAlive | None:
        if self._line_start == 0:
            if self._buffer.startswith(KeepAlive.PING.value):
                del self._buffer[:4]
                return KeepAlive.PING
            if self._buffer.startswith(KeepAlive.PONG.value):
                if not self._accepted:
                    del self._buffer[:2]
                    return KeepAlive.PONG
                if KeepAlive.PING.value.startswith(self._buffer):
                    return None
                del self._buffer[:2]
            if not self._buffer:
                return None
        if self._message_end is None:
            self._read_head()
        if self._message_end is None or len(self._buffer) < self._message_end:
            if self._ended:
                raise RemoteProtocolError("the stream ended inside a message")
            return None
        message = bytes(self._buffer[: self._message_end])
        del self._buffer[: self._message_end]
        self._start_over()
        return message

    def _read_head(self) -> None:
        if self._buffer[0] not in _FIRST_BYTES:
            raise RemoteProtocolError("the stream does not start with a SIP message")
        while self._message_end is None:
            end = self._buffer.find(b"\r\n", self._scanned)
            if end < 0:
                self._check_limits(len(self._buffer) - 1, len(self._buffer) - 3)
                self._scanned = max(self._line_start, len(self._buffer) - 1)
                return
            if end == self._line_start:
                self._end_head(end + 2)
            else:
                self._check_limits(end, end)
                self._read_line(end)
                self._line_start = self._scanned = end + 2

    def _check_limits(self, line_end: int, head_end: int) -> None:
        if line_end - self._line_start > MAX_LINE or head_end > MAX_HEADER_BYTES:
            raise RemoteProtocolError("line or head is too long", status_hint=513)

    def _read_line(self, end: int) -> None:
        if self._line_start == 0:
            start_line = self._buffer[:end].upper()
            if not start_line.startswith(b"SIP/") and b" SIP/" not in start_line:
                raise RemoteProtocolError("the stream does not start with a SIP message")
        elif self._buffer[self._line_start] in b" \t":
            if self._length_text is not None:
                self._length_text += self._buffer[self._line_start : end].decode("latin-1")
        else:
            self._end_content_length()
            found = _CONTENT_LENGTH.match(self._buffer, self._line_start, end)
            if found is not None:
                self._length_text = self._buffer[found.end() : end].decode("latin-1")

    def _end_content_length(self) -> None:
        if self._length_text is None:
            return
        try:
            length = bounded_int(self._length_text.strip(" \t"), MAX_UINT32, "number")
        except RemoteProtocolError as error:
            error.header = "Content-Length"
            raise
        if self._content_length not in (None, length):
            raise RemoteProtocolError("two values contradict", header="Content-Length")
        self._content_length = length
        self._length_text = None

    def _end_head(self, body_start: int) -> None:
        self._end_content_length()
        if self._content_length is None:
            raise RemoteProtocolError("a stream cannot do without it", header="Content-Length")
        if self._content_length > MAX_BODY:
            raise RemoteProtocolError(
                f"more than {MAX_BODY} bytes", status_hint=413, header="Content-Length"
            )
        self._message_end = body_start + self._content_length
