"""The Via header field: the way a request came and its response goes back (RFC 3261 section 20.42)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sip.errors import RemoteProtocolError
from sip.grammar import (
    HOST,
    IPV6_REFERENCE,
    MAX_PORT,
    PLAIN_PARAMS,
    QUOTED,
    TOKEN,
    ParamCheck,
    Params,
    W,
    after_comma,
    bounded_int,
    bracketed,
    format_params,
    host_of,
    is_ipv4,
    is_ipv6,
    is_token_param,
    param_value,
    plain_params,
    scan_params,
    shown,
)

MAGIC_COOKIE: Final = "z9hG4bK"  # section 8.1.1.7

_VIA = re.compile(
    rf"{W}[Ss][Ii][Pp]{W}/{W}2\.0{W}/{W}({TOKEN})[ \t]++({HOST})(?>(?:{W}:{W}([0-9]++))?)"
    + PLAIN_PARAMS
)
# RFC 5118 section 4.5: `received` carries an IPv6 address with or without brackets.
_PARAM = re.compile(
    rf"{W};{W}({TOKEN})"
    rf"(?>(?:{W}={W}([0-9A-Fa-f]{{0,4}}:[0-9A-Fa-f:.]*+|{TOKEN}|{QUOTED}|{IPV6_REFERENCE}))?)"
)
_PORT = re.compile(r"[0-9]{1,5}")


def _is_received(value: str | None) -> bool:
    return value is not None and (is_ipv4(value) or is_ipv6(value.strip("[]")))


def _is_rport(value: str | None) -> bool:
    return value is None or (_PORT.fullmatch(value) is not None and 0 < int(value) <= MAX_PORT)


_CHECKS: Mapping[str, ParamCheck] = {
    "branch": is_token_param,
    "received": _is_received,
    "rport": _is_rport,
}


@dataclass(frozen=True, slots=True)
class Via:
    """One Via value. `transport` is upper-case, `host` lower-case, IPv6 without brackets."""

    transport: str
    host: str
    port: int | None = None
    params: Params = ()

    def param(self, name: str) -> str | None:
        """Return a parameter's value, "" for a flag, None when absent."""
        return param_value(self.params, name)

    @property
    def branch(self) -> str | None:
        return self.param("branch")

    @property
    def has_rfc3261_branch(self) -> bool:
        """Whether the branch identifies the transaction; if not, RFC 2543 matching applies.

        The bare magic cookie identifies nothing (RFC 4475 section 3.2.1).
        """
        branch = self.branch
        return (
            branch is not None
            and len(branch) > len(MAGIC_COOKIE)
            and branch[:7].lower() == MAGIC_COOKIE.lower()
        )

    @property
    def received(self) -> str | None:
        """The IP address the request came from, as its receiver saw it; IPv6 without brackets."""
        value = self.param("received")
        return None if value is None else value.strip("[]")

    @property
    def rport(self) -> int | None:
        """The source port the receiver saw (RFC 3581); None when absent or not filled in."""
        value = self.param("rport")
        return int(value) if value else None

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {bracketed(self.host)}{port}{format_params(self.params)}"


def parse_via(value: str) -> tuple[Via, ...]:
    """Parse a Via value, which may hold several comma-separated hops, top first."""
    vias: list[Via] = []
    position = 0
    while True:
        found = _VIA.match(value, position)
        if found is None:
            raise RemoteProtocolError(f"{shown(value)} is not a SIP/2.0 Via")
        transport, host, port, plain = found.groups()
        position = found.end()
        if position == len(value) or value[position] == ",":
            params = plain_params(plain, _CHECKS)
        else:
            params, position = scan_params(value, found.start(4), _CHECKS, _PARAM)
        vias.append(
            Via(
                transport.upper(),
                host_of(host),
                None if port is None else bounded_int(port, MAX_PORT, "port"),
                params,
            )
        )
        if position == len(value) or (position := after_comma(value, position)) < 0:
            return tuple(vias)
