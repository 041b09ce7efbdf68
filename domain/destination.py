"""What a customer enters as the destination of a trunk, read as host, port, user and transport.

Source: public contract 4.1; RFC 3261 19.1 and 25.1 (SIP URI), RFC 5630 (``sips``).
"""

from __future__ import annotations

import re
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from domain.destination_text import (
    SHOWN_PARAMETERS,
    Pieces,
    split_destination,
)
from domain.host_names import (
    DestinationProblem,
    Host,
    HostKind,
    InvalidDestination,
    parse_host,
    quoted,
)
from domain.pasted_text import UNSUPPORTED_TRANSPORTS, email_address
from sip.transports import Transport

__all__ = ["Destination", "DestinationProblem", "ParsedDestination", "parse_destination"]

MAX_PORT: Final = 65535
MAX_USER: Final = 256  # characters, escapes included

# RFC 3261 25.1: unreserved and user-unreserved, less the comma, which separates destinations here.
_USER_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$;?/"
)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_NETWORK_PATH = re.compile(r"/[0-9]{1,3}")

# Mailbox providers whose domains take no calls from a trunk.
_MAIL_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com"}
    | {"yahoo.com", "icloud.com", "aol.com", "gmx.de", "gmx.net", "proton.me", "protonmail.com"}
)

_TRANSPORT_NAMES = frozenset(transport.value for transport in Transport)
_SCHEME_TRANSPORTS = {
    "sips": Transport.TLS,
    "tls": Transport.TLS,
    "tcp": Transport.TCP,
    "udp": Transport.UDP,
}


class Destination(BaseModel):
    """A destination as it was understood. Default ports and transports are not filled in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = Field(description="Lower case, A-labels; an IPv6 address without brackets.")
    port: int | None = Field(default=None, ge=1, le=MAX_PORT, exclude_if=lambda port: port is None)
    user: str | None = Field(default=None, exclude_if=lambda user: user is None)
    transport: Transport | None = Field(
        default=None, exclude_if=lambda transport: transport is None
    )
    is_private_ip: bool = Field(description="The address only has a meaning inside a network.")
    normalized: str = Field(description="The destination as a SIP URI; reads back as itself.")
    kind: HostKind
    notes: tuple[str, ...] = Field(default=(), description="What was ignored or changed, and why.")


class ParsedDestination(BaseModel):
    """Answer to any input: the destination, or why there is none and what to enter instead."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    valid: bool
    parsed: Destination | None
    problem: DestinationProblem | None = Field(default=None, exclude_if=lambda text: text is None)
    message: str | None = Field(default=None, exclude_if=lambda text: text is None)
    suggestion: str | None = Field(default=None, exclude_if=lambda text: text is None)
    replacement: str | None = Field(
        default=None,
        exclude_if=lambda text: text is None,
        description="A text that was probably meant and can be entered in its place.",
    )


def parse_destination(text: str) -> ParsedDestination:
    """Reads any text; never raises. See contract 4.1 for the accepted forms."""
    try:
        return ParsedDestination(valid=True, parsed=_read(split_destination(text)))
    except InvalidDestination as refusal:
        return ParsedDestination(
            valid=False,
            parsed=None,
            problem=refusal.problem,
            message=refusal.message,
            suggestion=refusal.suggestion,
            replacement=refusal.replacement,
        )


def _read(pieces: Pieces) -> Destination:
    notes = list(pieces.notes)
    transport = _transport(pieces, notes)
    host = _host(pieces, notes)
    port = _port(pieces.port, notes)
    user = _user(pieces.user, notes)
    _note_ignored(pieces, host, notes)
    if user is not None and pieces.scheme is None:
        if host.text in _MAIL_DOMAINS:
            raise email_address(f"{user}@{host.text}")
        notes.append(f"Read as the user {quoted(user)} at {host.text}.")
    return Destination(
        host=host.text,
        port=port,
        user=user,
        transport=transport,
        is_private_ip=host.is_private_ip,
        normalized=_normalized(user, host, port, transport),
        kind=host.kind,
        notes=tuple(notes),
    )


def _normalized(user: str | None, host: Host, port: int | None, transport: Transport | None) -> str:
    return "".join(
        (
            "sip:",
            f"{user}@" if user is not None else "",
            host.in_uri,
            f":{port}" if port is not None else "",
            f";transport={transport}" if transport is not None else "",
        )
    )


def _host(pieces: Pieces, notes: list[str]) -> Host:
    written = pieces.host
    if not written or (pieces.port is None and len(written) <= 5 and written.isdecimal()):
        port = written or pieces.port
        raise InvalidDestination(
            DestinationProblem.EMPTY,
            f"There is no host, only the port {quoted(port)}." if port else "There is no host.",
        )
    try:
        host = parse_host(written)
    except InvalidDestination as refusal:
        if refusal.problem is DestinationProblem.DISGUISED_ADDRESS and written.isdecimal():
            refusal.suggestion = (
                f"{refusal.suggestion} A phone number is attached to the trunk afterwards."
            )
        raise
    notes.extend(host.notes)
    if host.kind is HostKind.IPV6 and not written.startswith("["):
        last = written.rpartition(":")[2]
        if last in ("5060", "5061", "5080"):
            notes.append(
                f"Read as an address without a port. If {last} is the port, put the address "
                "before it in brackets."
            )
    elif host.kind is HostKind.HOSTNAME and "." not in host.text and host.text != "localhost":
        notes.append(f"{host.text} is a short name: it resolves in some networks only.")
    return host


def _port(text: str | None, notes: list[str]) -> int | None:
    if text is None:
        return None
    if not text:
        notes.append("There is no port behind the colon.")
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidDestination(
            DestinationProblem.PORT,
            f"The port {quoted(text)} is not a number.",
            suggestion="Write a number behind the colon, such as :5061.",
        )
    number = text.lstrip("0")
    if not number or len(number) > 5 or int(number) > MAX_PORT:
        raise InvalidDestination(
            DestinationProblem.PORT,
            f"The port {quoted(text)} does not exist: ports go from 1 to {MAX_PORT}.",
            suggestion="SIP usually is at 5060, over TLS at 5061.",
        )
    return int(number)


def _user(text: str | None, notes: list[str]) -> str | None:
    if text is None:
        return None
    escaped = "".join(
        character
        if character in _USER_CHARACTERS
        or (character == "%" and _ESCAPE.match(text, index) is not None)
        else "".join(f"%{octet:02X}" for octet in character.encode())
        for index, character in enumerate(text)
    )
    if len(escaped) > MAX_USER:
        raise InvalidDestination(
            DestinationProblem.TOO_LONG, f"A user name has at most {MAX_USER} characters here."
        )
    if escaped != text:
        notes.append(f"The user name is written as {quoted(escaped)} in a URI.")
    return escaped


def _transport(pieces: Pieces, notes: list[str]) -> Transport | None:
    """The one transport that scheme, parameter and path agree on (RFC 3261 26.2.2 for sips)."""
    claims: dict[str, Transport] = {}
    if pieces.scheme in _SCHEME_TRANSPORTS:
        claims[f"{pieces.scheme}:"] = _SCHEME_TRANSPORTS[pieces.scheme]
    for name, value in pieces.parameters:
        if name == "transport":
            claims[f"transport={value or ''}"] = _named_transport(value or "")
    path = (pieces.path or "").strip("/").lower()
    if path in _TRANSPORT_NAMES or path in UNSUPPORTED_TRANSPORTS:
        claims[f"/{path}"] = _named_transport(path)
    if pieces.scheme == "sips":
        # RFC 5630 3.1.3: sips with transport=tcp is TLS over TCP.
        claims = {
            claim: Transport.TLS if named is Transport.TCP else named
            for claim, named in claims.items()
        }
        notes.append("sips: is written as sip: with transport=tls.")
    if len(set(claims.values())) > 1:
        (first, one), (second, other) = _contradiction(claims)
        raise InvalidDestination(
            DestinationProblem.TRANSPORT_CONFLICT,
            f"{quoted(first)} means {one.upper()}, but {quoted(second)} means {other.upper()}.",
            suggestion="Leave out one of them, or leave out both to let discovery find out.",
        )
    return next(iter(claims.values()), None)


def _contradiction(
    claims: dict[str, Transport],
) -> tuple[tuple[str, Transport], tuple[str, Transport]]:
    first, *others = claims.items()
    return first, next(claim for claim in others if claim[1] is not first[1])


def _named_transport(text: str) -> Transport:
    name = text.lower()
    if name in _TRANSPORT_NAMES:
        return Transport(name)
    raise InvalidDestination(
        DestinationProblem.UNSUPPORTED_TRANSPORT,
        f"SIP is spoken here over udp, tcp or tls, not over {quoted(text)}.",
        suggestion="Write transport=udp, transport=tcp or transport=tls, or leave it out.",
    )


def _note_ignored(pieces: Pieces, host: Host, notes: list[str]) -> None:
    path = pieces.path or ""
    if host.kind is not HostKind.HOSTNAME and _NETWORK_PATH.fullmatch(path):
        raise InvalidDestination(
            DestinationProblem.NETWORK,
            f"{quoted(host.text + path)} is a network, not one server.",
            suggestion=f"Enter one address, such as {host.text}.",
        )
    if path.strip("/") and path.strip("/").lower() not in _TRANSPORT_NAMES:
        notes.append(f"The path {quoted(path)} was ignored.")
    names = [name for name, _ in pieces.parameters if name != "transport"]
    if any("." in name for name in names):
        raise InvalidDestination(
            DestinationProblem.SEVERAL,
            "There is more than one destination. Paste one at a time.",
            suggestion=f"Start with {quoted(host.text)}.",
            replacement=host.text,
        )
    if names:
        shown = ", ".join(quoted(name) for name in names[:SHOWN_PARAMETERS])
        more = " and others" if len(names) > SHOWN_PARAMETERS else ""
        notes.append(f"Ignored parameters: {shown}{more}.")
