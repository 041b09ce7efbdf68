"""The header fields with structure: Via, the name-addr family and CSeq (RFC 3261 section 20).

Each `parse_` function takes the unfolded value of a header field and raises RemoteProtocolError
when the value breaks the grammar of section 25.1. Parameter values are kept as on the wire, quotes
included; `param()` unquotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from sip.errors import RemoteProtocolError
from sip.grammar import (
    MAX_CSEQ,
    MAX_UINT32,
    PLAIN_PARAMS,
    QUOTED,
    TOKEN,
    ParamCheck,
    Params,
    W,
    after_comma,
    bounded_int,
    format_params,
    is_token,
    is_token_param,
    param_value,
    plain_params,
    quote,
    scan_params,
    shown,
    skip_white,
    unquote,
)
from sip.uri import Uri, parse_uri
from sip.via import MAGIC_COOKIE, Via, parse_via

__all__ = [
    "MAGIC_COOKIE",
    "STAR",
    "CSeq",
    "NameAddr",
    "Star",
    "Via",
    "parse_addresses",
    "parse_contacts",
    "parse_cseq",
    "parse_name_addr",
    "parse_token_list",
    "parse_via",
    "split_commas",
]


class Star(Enum):
    """The `*` of a Contact header field that removes every binding (RFC 3261 section 10.2.2)."""

    STAR = "*"


STAR: Final = Star.STAR

_NAME_ADDR = re.compile(
    rf"{W}(?:({QUOTED}){W}|({TOKEN}(?>(?:[ \t]++{TOKEN})*)){W})?<([^<>\"\x00-\x20\x7f]*+)>"
    + PLAIN_PARAMS
)
# Without angle brackets a comma, question mark or semicolon does not belong to the URI
# (RFC 3261 section 20.10).
_ADDR_SPEC = re.compile(rf"{W}([^;?,<>\"\x00-\x20\x7f]++)")
_CSEQ = re.compile(rf"([0-9]++)[ \t]++({TOKEN})")
_QVALUE = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_LIST_PART = re.compile(rf'{QUOTED}|<[^<>]*+>|[^",<]++')


def _is_uint32(value: str | None) -> bool:
    if value is None or not (value.isascii() and value.isdigit()):
        return False
    digits = value.lstrip("0")
    return len(digits) <= 10 and int(digits or "0") <= MAX_UINT32


def _is_qvalue(value: str | None) -> bool:
    return value is not None and _QVALUE.fullmatch(value) is not None


_ADDRESS_CHECKS: Mapping[str, ParamCheck] = {"tag": is_token_param}
_CONTACT_CHECKS: Mapping[str, ParamCheck] = {"q": _is_qvalue, "expires": _is_uint32}


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The value of From, To, Contact, Route and their like: a URI, a name and parameters.

    `display_name` is unquoted; it may hold any character a quoted pair can carry, NUL included.
    """

    uri: Uri
    display_name: str | None = None
    params: Params = field(default=())

    @property
    def tag(self) -> str | None:
        return self.param("tag")

    def param(self, name: str) -> str | None:
        """Return a header parameter's unquoted value, "" for a flag, None when absent."""
        return param_value(self.params, name)

    def __str__(self) -> str:
        name = "" if self.display_name is None else quote(self.display_name) + " "
        return f"{name}<{self.uri}>{format_params(self.params)}"


@dataclass(frozen=True, slots=True)
class CSeq:
    """A sequence number below 2**31 and the method it numbers."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def parse_name_addr(value: str) -> NameAddr:
    """Parse the one name-addr or addr-spec that fills `value` (From, To, Refer-To, ...)."""
    address, position = _scan_name_addr(value, 0, _ADDRESS_CHECKS)
    if position != len(value) and skip_white(value, position) != len(value):
        raise RemoteProtocolError(f"unexpected {shown(value[position:])} after the address")
    return address


def parse_contacts(value: str) -> tuple[NameAddr, ...] | Star:
    """Parse a Contact value: comma-separated addresses, or STAR for `*`."""
    if value.strip(" \t") == "*":
        return STAR
    return parse_addresses(value, _CONTACT_CHECKS)


def parse_addresses(
    value: str, checks: Mapping[str, ParamCheck] = _ADDRESS_CHECKS
) -> tuple[NameAddr, ...]:
    """Parse a comma-separated list of addresses (Contact, Route, P-Asserted-Identity, ...)."""
    addresses: list[NameAddr] = []
    position = 0
    while True:
        address, position = _scan_name_addr(value, position, checks)
        addresses.append(address)
        if position == len(value) or (position := after_comma(value, position)) < 0:
            return tuple(addresses)


def _scan_name_addr(
    value: str, position: int, checks: Mapping[str, ParamCheck]
) -> tuple[NameAddr, int]:
    found = _NAME_ADDR.match(value, position)
    if found is None:
        found = _ADDR_SPEC.match(value, position)
        if found is None:
            raise RemoteProtocolError(f"{shown(value)} is not an address")
        params, end = scan_params(value, found.end(), checks)
        return NameAddr(parse_uri(found[1]), None, params), end
    quoted, tokens, uri, plain = found.groups()
    name = tokens if quoted is None else unquote(quoted)
    end = found.end()
    if end == len(value) or value[end] == ",":
        params = plain_params(plain, checks)
    else:
        params, end = scan_params(value, found.start(4), checks)
    return NameAddr(parse_uri(uri), name, params), end


def parse_cseq(value: str) -> CSeq:
    """Parse a CSeq value such as `314159 INVITE` (RFC 3261 section 20.16)."""
    found = _CSEQ.fullmatch(value.strip(" \t"))
    if found is None:
        raise RemoteProtocolError(f"{shown(value)} is not a sequence number and a method")
    return CSeq(bounded_int(found[1], MAX_CSEQ, "sequence number"), found[2])


def split_commas(value: str) -> tuple[str, ...]:
    """Split a header value at the commas outside quoted strings and angle brackets.

    Parts are stripped and never empty. Raises RemoteProtocolError on an unterminated quoted string
    or angle bracket.
    """
    parts: list[str] = []
    start = position = 0
    while position <= len(value):
        if position == len(value) or value[position] == ",":
            if part := value[start:position].strip(" \t"):
                parts.append(part)
            start = position = position + 1
            continue
        found = _LIST_PART.match(value, position)
        if found is None:
            raise RemoteProtocolError(f"{shown(value)} has an unterminated part")
        position = found.end()
    return tuple(parts)


def parse_token_list(value: str) -> tuple[str, ...]:
    """Parse a comma-separated list of tokens (Allow, Supported, Require, ...).

    Empty elements are skipped: a trailing comma is common there and means nothing.
    """
    tokens = tuple(part for raw in value.split(",") if (part := raw.strip(" \t")))
    for token in tokens:
        if not is_token(token):
            raise RemoteProtocolError(f"{shown(token)} is not a token")
    return tokens
