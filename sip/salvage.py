"""Save enough of a malformed request to refuse it (RFC 4475 asks for a 400 where it can be sent)."""

from __future__ import annotations

from sip.errors import RemoteProtocolError
from sip.grammar import controls_are_quoted, is_token
from sip.header_map import canonical_name
from sip.message import MAX_HEADER_BYTES, MAX_HEADERS, Headers, Request
from sip.uri import OtherUri, Uri, parse_uri

_SAVED_ONCE = frozenset({"From", "To", "Call-ID", "CSeq"})


def parse_refusable(data: bytes) -> Request | None:
    """Return a skeleton of a request that `parse_message` refused, for `response_to` only.

    It holds every Via and the first From, To, Call-ID and CSeq, as far as they are there, with
    their raw values unchecked: the typed accessors may raise. A Request-URI that cannot be parsed
    comes out as OtherUri with an empty scheme. None when no answer is possible or allowed: a
    response, an ACK, no request line, or no Via.
    """
    head = data[:MAX_HEADER_BYTES].lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    text = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    start_line, *lines = text.split(b"\r\n")
    method, _, target = start_line.decode("utf-8", "replace").strip().partition(" ")
    if not is_token(method) or method == "ACK" or " " not in target:
        return None
    items: list[tuple[str, str]] = []
    saved: set[str] = set()
    for line in lines[:MAX_HEADERS]:
        field = _field(line)
        if field is None or field[0] in saved:
            continue
        items.append(field)
        if field[0] in _SAVED_ONCE:
            saved.add(field[0])
    if not any(name == "Via" for name, _ in items):
        return None
    return Request(method, _target(target), Headers.of_canonical(tuple(items)))


def _field(line: bytes) -> tuple[str, str] | None:
    try:
        name, colon, value = line.decode().partition(":")
    except UnicodeDecodeError:
        return None
    name = canonical_name(name.rstrip(" \t"))
    if not colon or (name not in _SAVED_ONCE and name != "Via"):
        return None
    if "\r" in value or "\n" in value or not controls_are_quoted(value):
        return None
    return name, value.strip(" \t")


def _target(text: str) -> Uri:
    text = text.rpartition(" ")[0].strip()
    try:
        return parse_uri(text)
    except RemoteProtocolError:
        return OtherUri("", text)
