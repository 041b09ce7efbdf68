"""Takes a pasted text apart into the pieces of a SIP URI (RFC 3261 19.1.1), without judging them.

What can be understood only one way is understood and noted; the rest is refused with what to enter
instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from domain.host_names import DestinationProblem, InvalidDestination, quoted
from domain.pasted_text import (
    SIP_SCHEMES,
    UNSUPPORTED_TRANSPORTS,
    URI_SCHEMES,
    WEB_SCHEMES,
    email_address,
    one_line,
)

__all__ = [
    "SHOWN_PARAMETERS",
    "Pieces",
    "split_destination",
]

SHOWN_PARAMETERS = 5

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_TAIL = re.compile(r"[;/?#]")


@dataclass(slots=True)
class Pieces:
    """The parts of one destination as they were written; absent parts are None."""

    scheme: str | None = None
    user: str | None = None
    host: str = ""
    port: str | None = None
    path: str | None = None
    parameters: list[tuple[str, str | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def split_destination(text: str) -> Pieces:
    """The pieces of the one destination in ``text``. Raises InvalidDestination."""
    pieces = Pieces()
    rest = _take_scheme(one_line(text, pieces.notes), pieces)
    if pieces.scheme in WEB_SCHEMES:
        _split_web_address(rest, pieces)
    else:
        _split_uri(rest, pieces)
    return pieces


def _take_scheme(text: str, pieces: Pieces) -> str:
    match = _SCHEME.match(text)
    if match is None:
        return text.lstrip("/")
    name, rest = match[1].lower(), text[match.end() :]
    slashes = rest.startswith("//")
    if name in SIP_SCHEMES or name in WEB_SCHEMES:
        pieces.scheme = name
        return rest.lstrip("/")
    looks_like_port = rest.isascii() and rest.isdigit() and len(rest) <= 5
    if not slashes and (name not in URI_SCHEMES or looks_like_port):
        return text
    if name in UNSUPPORTED_TRANSPORTS:
        raise InvalidDestination(
            DestinationProblem.UNSUPPORTED_TRANSPORT,
            f"SIP is spoken here over udp, tcp or tls, not over {name}.",
            suggestion="Ask the provider for an address for SIP over TLS, TCP or UDP.",
        )
    if name == "mailto":
        raise email_address(rest)
    raise InvalidDestination(
        DestinationProblem.UNSUPPORTED_SCHEME,
        f"{quoted(name + ':')} is not an address for SIP.",
        suggestion="Enter a host name, an IP address or a URI that begins with sip:.",
    )


def _split_web_address(rest: str, pieces: Pieces) -> None:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    pieces.notes.append("Of the web address only the host was taken.")
    _split_host(authority.split(";")[0], pieces)
    if pieces.port is not None:
        pieces.notes.append(f"The port {quoted(pieces.port)} of the web address was ignored.")
        pieces.port = None


def _split_uri(rest: str, pieces: Pieces) -> None:
    userinfo, at, host_and_tail = rest.rpartition("@")
    if "@" in userinfo:
        meant = userinfo.replace("@", "%40") + at + host_and_tail
        raise InvalidDestination(
            DestinationProblem.MALFORMED,
            "There is more than one @.",
            suggestion="Write an @ inside the user name as %40.",
            replacement=f"{pieces.scheme or 'sip'}:{meant}" if ":" not in userinfo else None,
        )
    if at:
        user, colon, _ = userinfo.partition(":")
        if colon:
            pieces.notes.append("The password was left out; it belongs to the authentication.")
        if not user:
            pieces.notes.append("The empty user name before the @ was left out.")
        pieces.user = user or None
    bracket = host_and_tail.find("]") if host_and_tail.startswith("[") else 0
    end = _TAIL.search(host_and_tail, max(bracket, 0))
    cut = end.start() if end else len(host_and_tail)
    _split_host(host_and_tail[:cut], pieces)
    _split_tail(host_and_tail[cut:], pieces)


def _split_host(text: str, pieces: Pieces) -> None:
    if text.startswith("["):
        host, bracket, after = text.partition("]")
        pieces.host = host + bracket
        if not bracket or (after and not after.startswith(":")):
            raise InvalidDestination(
                DestinationProblem.MALFORMED,
                f"{quoted(text)} is not an IPv6 address in brackets.",
                suggestion="With a port it is written [2001:db8::1]:5060.",
            )
        pieces.port = after[1:] if after else None
    elif text.count(":") > 1:
        pieces.host = text
    else:
        pieces.host, colon, port = text.partition(":")
        pieces.port = port if colon else None


def _split_tail(tail: str, pieces: Pieces) -> None:
    """Path, parameters and headers behind the host (RFC 3261 19.1.1); headers end everything."""
    while tail:
        kind, rest = tail[0], tail[1:]
        if kind in "?#":
            pieces.notes.append(
                "The headers behind the ? were ignored."
                if kind == "?"
                else "The part behind the # was ignored."
            )
            return
        end = re.search(r"[;?#]", rest)
        cut = end.start() if end else len(rest)
        part, tail = rest[:cut], rest[cut:]
        if kind == "/":
            pieces.path = f"/{part}"
        elif part:
            name, equals, value = part.partition("=")
            pieces.parameters.append((name.lower(), value if equals else None))
