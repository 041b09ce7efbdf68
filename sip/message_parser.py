"""The steps from bytes to a start line and checked header fields (RFC 3261 section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sip.errors import RemoteProtocolError
from sip.grammar import LINE_BREAK, controls_are_quoted, controls_in, is_token, shown
from sip.header_map import KNOWN_SPELLINGS, Headers, canonical_name
from sip.header_rules import LISTS, SINGLE
from sip.headers import STAR
from sip.uri import SipUri, Uri, parse_uri

# A datagram cannot be longer than 65,535 bytes, so nothing that fits UDP is refused for its size;
# real messages stay below 50 header fields and 1,000 bytes a line.
MAX_HEADERS: Final = 128
MAX_LINE: Final = 8192
MAX_HEADER_BYTES: Final = 65536
MAX_BODY: Final = 65536

_FOLD = re.compile(r"\r\n[ \t]++")
_VERSION = re.compile(r"[Ss][Ii][Pp]/[0-9]++\.[0-9]++")
_STATUS = re.compile(r"[1-6][0-9][0-9]")
# By spelling: the canonical name and the rule, which is the one or the other.
_Field = tuple[str, Callable[[str], object] | None, Callable[[str], tuple[object, ...]] | None]
_FIELDS: Final[dict[str, _Field]] = {
    spelling: (name, SINGLE.get(name), LISTS.get(name))
    for spelling, name in KNOWN_SPELLINGS.items()
}
_MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")


def split_message(data: bytes) -> tuple[list[str], bytes]:
    """Return the unfolded lines of the head, the start line first, and all bytes behind the head.

    Line breaks in front of the start line are skipped (section 7.5).
    """
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n", 0, MAX_HEADER_BYTES + 4)
    if end < 0:
        if len(data) > MAX_HEADER_BYTES:
            raise RemoteProtocolError(
                f"header fields are longer than {MAX_HEADER_BYTES} bytes", status_hint=513
            )
        raise RemoteProtocolError("no empty line ends the header fields")
    head = data[:end]
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        raise RemoteProtocolError("header fields are not UTF-8") from error
    lines = text.split("\r\n")
    if controls_in(head) != b"\r\n" * (len(lines) - 1):
        _check_controls(lines)
    if "\r\n " in text or "\r\n\t" in text:
        lines = _FOLD.sub(" ", text).split("\r\n")
    if end > MAX_LINE:
        _check_line_lengths(lines)
    if len(lines) > MAX_HEADERS + 1:
        raise RemoteProtocolError(f"more than {MAX_HEADERS} header fields", status_hint=513)
    return lines, data[end + 4 :]


def _check_controls(lines: list[str]) -> None:
    for line in lines:
        if LINE_BREAK.search(line):
            raise RemoteProtocolError("CR or LF stands alone in a header field")
        if not controls_are_quoted(line):
            raise RemoteProtocolError("control character in a header field")


def _check_line_lengths(lines: list[str]) -> None:
    if len(lines[0]) > MAX_LINE:
        raise RemoteProtocolError(f"start line is longer than {MAX_LINE}", status_hint=414)
    if max(map(len, lines)) > MAX_LINE:
        raise RemoteProtocolError(f"header field is longer than {MAX_LINE}", status_hint=513)


def is_status_line(start_line: str) -> bool:
    """Whether a start line opens a response: "/" cannot stand in a method."""
    return start_line[:4].upper() == "SIP/"


def parse_status_line(line: str) -> tuple[int, str]:
    """Return status code and reason phrase of a status line (section 7.2)."""
    version, _, rest = line.partition(" ")
    _check_version(version)
    status, space, reason = rest.partition(" ")
    if not space or _STATUS.fullmatch(status) is None:
        raise RemoteProtocolError(f"{shown(line)} is not a status line")
    return int(status), reason


def parse_request_line(line: str) -> tuple[str, Uri]:
    """Return method and Request-URI of a request line (section 7.1)."""
    parts = line.split(" ")
    if len(parts) != 3 or not is_token(parts[0]):
        raise RemoteProtocolError(f"{shown(line)} is not a request line")
    method, target, version = parts
    _check_version(version)
    try:
        uri = parse_uri(target)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"Request-URI: {error.message}") from error
    if isinstance(uri, SipUri) and uri.headers:
        raise RemoteProtocolError("Request-URI must not carry header fields")
    return method, uri


def _check_version(version: str) -> None:
    if version != "SIP/2.0" and version.upper() != "SIP/2.0":
        if _VERSION.fullmatch(version) is None:
            raise RemoteProtocolError(f"{shown(version)} is not a SIP version")
        raise RemoteProtocolError(f"{shown(version)} is not supported", status_hint=505)


def parse_headers(lines: list[str]) -> tuple[Headers, dict[str, object]]:
    """Return the header fields behind the start line, and what their rules made of them by name.

    Checks that every mandatory field is there and that no single one is repeated.
    """
    items: list[tuple[str, str]] = []
    typed: dict[str, object] = {}
    canonical = None
    try:
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            canonical, single, listed = _FIELDS.get(name) or _unusual_field(name)
            if not colon:
                raise RemoteProtocolError(f"{shown(line)} has no colon")
            value = value.strip(" \t")
            items.append((canonical, value))
            if single is not None:
                if canonical in typed:
                    raise RemoteProtocolError("header field is repeated")
                typed[canonical] = single(value)
            elif listed is not None:
                before = typed.get(canonical)
                values = listed(value)
                typed[canonical] = before + values if isinstance(before, tuple) else values
    except RemoteProtocolError as error:
        error.header = error.header or canonical
        raise
    for name in _MANDATORY:
        if name not in typed:
            raise RemoteProtocolError("header field is missing", header=name)
    contacts = typed.get("Contact")
    if isinstance(contacts, tuple) and len(contacts) > 1 and STAR in contacts:
        raise RemoteProtocolError("'*' stands beside other values", header="Contact")
    return Headers.of_canonical(tuple(items)), typed


def _unusual_field(name: str) -> _Field:
    """Return what is known of a name in unusual case, with trailing space or not registered."""
    stripped = name.rstrip(" \t")
    if not is_token(stripped):
        raise RemoteProtocolError(f"{shown(stripped)} is not a header name")
    canonical = canonical_name(stripped)
    return _FIELDS.get(canonical) or (canonical, None, None)


def body_of(rest: bytes, content_length: int | None) -> bytes:
    """Return the body among the bytes behind the head (section 18.3)."""
    if content_length is None:
        if len(rest) > MAX_BODY:
            raise RemoteProtocolError(f"body is longer than {MAX_BODY} bytes", status_hint=413)
        return rest
    if content_length > MAX_BODY:
        raise RemoteProtocolError(
            f"more than {MAX_BODY} bytes", status_hint=413, header="Content-Length"
        )
    if content_length > len(rest):
        raise RemoteProtocolError(
            f"{content_length} bytes promised, {len(rest)} arrived", header="Content-Length"
        )
    return rest[:content_length]
