"""SIP requests and responses: parsed strictly, immutable, typed on access, serialized safely.

A message that `parse_message` returned has every mandatory header field once and every known header
field within its grammar, so its typed accessors never raise. On a message built here they raise
RemoteProtocolError when the header field is missing or malformed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.grammar import LINE_BREAK, controls_are_quoted, controls_in, is_token, shown
from sip.header_map import Headers
from sip.header_rules import LISTS, SINGLE
from sip.headers import STAR, CSeq, NameAddr, Star, Via, parse_token_list
from sip.message_parser import (
    MAX_BODY,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_LINE,
    body_of,
    is_status_line,
    parse_headers,
    parse_request_line,
    parse_status_line,
    split_message,
)
from sip.uri import Uri

__all__ = [
    "MAX_BODY",
    "MAX_HEADERS",
    "MAX_HEADER_BYTES",
    "MAX_LINE",
    "Headers",
    "Message",
    "Request",
    "Response",
    "parse_message",
]


class _Fields:
    """The typed view of the header fields that requests and responses share."""

    headers: Headers
    body: bytes

    def _typed(self, name: str) -> object:
        """Return the parsed value of a single header field, None when absent."""
        value = self.headers.get(name)
        return None if value is None else _ruled(name, value)

    def _required(self, name: str) -> object:
        value = self._typed(name)
        if value is None:
            raise RemoteProtocolError("header field is missing", header=name)
        return value

    def _listed(self, name: str) -> tuple[object, ...]:
        return tuple(
            item for value in self.headers.get_all(name) for item in _ruled_list(name, value)
        )

    @cached_property
    def vias(self) -> tuple[Via, ...]:
        """Every hop, top first; at least one."""
        vias = cast(tuple[Via, ...], self._listed("Via"))
        if not vias:
            raise RemoteProtocolError("header field is missing", header="Via")
        return vias

    @property
    def via(self) -> Via:
        """The top hop: who sent this request, or who is to read this response."""
        return self.vias[0]

    @cached_property
    def from_(self) -> NameAddr:
        return cast(NameAddr, self._required("From"))

    @cached_property
    def to(self) -> NameAddr:
        return cast(NameAddr, self._required("To"))

    @cached_property
    def call_id(self) -> str:
        return cast(str, self._required("Call-ID"))

    @cached_property
    def cseq(self) -> CSeq:
        return cast(CSeq, self._required("CSeq"))

    @cached_property
    def _contact_values(self) -> tuple[NameAddr | Star, ...]:
        return cast(tuple[NameAddr | Star, ...], self._listed("Contact"))

    @property
    def contacts(self) -> tuple[NameAddr, ...]:
        """Every Contact address in order; empty for `*`."""
        return tuple(value for value in self._contact_values if value is not STAR)

    @property
    def contact_is_star(self) -> bool:
        """Whether the Contact is `*` (RFC 3261 section 10.2.2)."""
        return self._contact_values == (STAR,)

    @cached_property
    def max_forwards(self) -> int | None:
        return cast(int | None, self._typed("Max-Forwards"))

    @cached_property
    def content_type(self) -> str | None:
        """The media type in lower case, without parameters, e.g. `application/sdp`."""
        return cast(str | None, self._typed("Content-Type"))

    def tokens(self, name: str) -> tuple[str, ...]:
        """Return the elements of a list of tokens over all its header fields, as on the wire.

        Raises RemoteProtocolError for an element that is no token, which a parsed message cannot
        have in Allow, Supported, Unsupported, Require and Proxy-Require.
        """
        return tuple(
            token for value in self.headers.get_all(name) for token in parse_token_list(value)
        )

    @property
    def text_body(self) -> str:
        """The body as UTF-8; bytes that are none become U+FFFD."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Request(_Fields):
    """A SIP request (RFC 3261 section 7.1)."""

    method: str
    uri: Uri
    headers: Headers
    body: bytes = b""

    def serialize(self) -> bytes:
        """Return the message as it goes on the wire, Content-Length set from the body.

        Raises LocalProtocolError when a part would break out of its line.
        """
        uri = str(self.uri)
        if not is_token(self.method):
            raise LocalProtocolError(f"{shown(self.method)} is not a method")
        if " " in uri or "\t" in uri or not uri:
            raise LocalProtocolError(f"{shown(uri)} cannot stand in a request line")
        return _serialize(f"{self.method} {uri} SIP/2.0", self.headers, self.body)


@dataclass(frozen=True)
class Response(_Fields):
    """A SIP response (RFC 3261 section 7.2). `status` is 100 to 699."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""

    def serialize(self) -> bytes:
        """Return the message as it goes on the wire, Content-Length set from the body.

        Raises LocalProtocolError when a part would break out of its line.
        """
        if not 100 <= self.status <= 699:
            raise LocalProtocolError(f"{self.status} is not a status code")
        return _serialize(f"SIP/2.0 {self.status} {self.reason}", self.headers, self.body)


Message = Request | Response


def _serialize(start_line: str, headers: Headers, body: bytes) -> bytes:
    lines = [start_line]
    length = f"Content-Length: {len(body)}"
    for name, value in headers.items():
        if name != "Content-Length":
            lines.append(f"{name}: {value}")
        elif length:
            lines.append(length)
            length = ""
    if length:
        lines.append(length)
    lines.append("\r\n")
    text = "\r\n".join(lines)
    try:
        head = text.encode()
    except UnicodeEncodeError as error:
        raise LocalProtocolError("a header field cannot be written as UTF-8") from error
    if controls_in(head) != b"\r\n" * len(lines):
        _refuse_injection(lines[:-1])
    return head + body


def _refuse_injection(lines: list[str]) -> None:
    for line in lines:
        if LINE_BREAK.search(line):
            raise LocalProtocolError(f"line break inside {shown(line)}")
        if not controls_are_quoted(line):
            raise LocalProtocolError(f"control character inside {shown(line)}")


def _ruled(name: str, value: str) -> object:
    try:
        return SINGLE[name](value)
    except RemoteProtocolError as error:
        raise _naming(error, name) from error


def _ruled_list(name: str, value: str) -> tuple[object, ...]:
    try:
        return LISTS[name](value)
    except RemoteProtocolError as error:
        raise _naming(error, name) from error


def _naming(error: RemoteProtocolError, header: str) -> RemoteProtocolError:
    return RemoteProtocolError(error.message, status_hint=error.status_hint, header=header)


def parse_message(data: bytes) -> Message:
    """Parse one whole message: a datagram, or what `StreamFramer` cut out of a stream.

    Bytes beyond Content-Length are ignored; without Content-Length the body runs to the end
    (RFC 3261 section 18.3). Raises RemoteProtocolError, with the status that refuses it, for
    everything that is not a well-formed SIP/2.0 message within the limits above.
    """
    lines, rest = split_message(data)
    message: Message
    if is_status_line(lines[0]):
        status, reason = parse_status_line(lines[0])
        headers, typed = parse_headers(lines)
        body = body_of(rest, cast(int | None, typed.get("Content-Length")))
        message = Response(status, reason, headers, body)
    else:
        method, uri = parse_request_line(lines[0])
        headers, typed = parse_headers(lines)
        numbered = cast(CSeq, typed["CSeq"]).method
        if numbered != method:
            raise RemoteProtocolError(
                f"numbers {shown(numbered)}, but the method is {shown(method)}", header="CSeq"
            )
        body = body_of(rest, cast(int | None, typed.get("Content-Length")))
        message = Request(method, uri, headers, body)
    # The typed accessors are cached properties: what was parsed to be checked is not parsed again.
    message.__dict__.update(
        vias=typed["Via"],
        from_=typed["From"],
        to=typed["To"],
        call_id=typed["Call-ID"],
        cseq=typed["CSeq"],
        _contact_values=typed.get("Contact", ()),
        max_forwards=typed.get("Max-Forwards"),
        content_type=typed.get("Content-Type"),
    )
    return message
