"""A SIP message taken apart without judging it: whatever the bytes are, as much as can be read.

For messages that were captured and not received: nobody refuses them, they are only shown, counted
and put in order. The strict reader is `sip.message`. Time is linear in the size of the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sip.grammar import is_token
from sip.header_map import KNOWN_SPELLINGS, Headers, canonical_name
from sip.message_parser import MAX_HEADERS

__all__ = ["LooseMessage"]

_FOLD = re.compile(r"(?:\r\n|\r|\n)[ \t]++")
_LINE_END = re.compile(r"\r\n|\r|\n")
_STATUS = re.compile(r"SIP/[0-9.]++[ \t]++([1-6][0-9][0-9])(?![0-9])[ \t]*+(.*+)", re.IGNORECASE)
_CSEQ = re.compile(r"[ \t]*+([0-9]{1,10})[ \t]++([^ \t]++)")


@dataclass(frozen=True, slots=True)
class LooseMessage:
    """Start line and header fields as on the wire, unfolded; octets that are no UTF-8 are U+FFFD.

    ``method`` and ``request_uri`` are those of a request line, ``status`` and ``reason`` those of a
    status line; all four are None when the start line is neither. ``cseq`` is the number and the
    method of CSeq, None when it cannot be read. ``first`` is the first value under each name, names
    in their registered spelling and unknown ones as written. Values are unbounded text of the peer.
    """

    method: str | None
    request_uri: str | None
    status: int | None
    reason: str | None
    cseq: tuple[int, str] | None
    headers: Headers
    first: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Read any bytes; never raises."""
        head, body = _split(data.lstrip(b"\r\n"))
        start_line, *lines = _lines(head.decode("utf-8", "replace"))
        headers, first = _headers(lines)
        numbered = _CSEQ.match(first.get("CSeq", ""))
        cseq = (int(numbered[1]), numbered[2]) if numbered is not None else None
        found = _STATUS.match(start_line)
        if found is not None:
            return cls(None, None, int(found[1]), found[2], cseq, headers, first, body)
        method, uri = _request_line(start_line)
        return cls(method, uri, None, None, cseq, headers, first, body)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Head and body; the first empty line parts them, whatever its line ends are."""
    end = data.find(b"\r\n\r\n")
    # With the first octet of the end, which may be the second one of an earlier lone pair.
    head = data if end < 0 else data[: end + 1]
    lone = [at for pair in (b"\n\n", b"\r\r") if (at := head.find(pair)) >= 0]
    if lone:
        return data[: min(lone)], data[min(lone) + 2 :]
    return (data, b"") if end < 0 else (data[:end], data[end + 4 :])


def _lines(text: str) -> list[str]:
    if "\n " in text or "\n\t" in text or "\r " in text or "\r\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if text.count("\r") == text.count("\n") == len(lines) - 1:
        return lines
    return _LINE_END.split(text)


def _request_line(line: str) -> tuple[str | None, str | None]:
    method, _, rest = line.partition(" ")
    uri, _, version = rest.strip(" \t").rpartition(" ")
    if not is_token(method) or not version.upper().startswith("SIP/"):
        return None, None
    return method, uri.strip(" \t")


def _headers(lines: list[str]) -> tuple[Headers, dict[str, str]]:
    pairs = []
    first: dict[str, str] = {}
    for line in lines[:MAX_HEADERS]:
        name, colon, value = line.partition(":")
        if colon:
            known = KNOWN_SPELLINGS.get(name) or canonical_name(name.strip(" \t"))
            value = value.strip(" \t")
            pairs.append((known, value))
            first.setdefault(known, value)
    return Headers.of_canonical(tuple(pairs)), first
