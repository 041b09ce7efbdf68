"""The lines of a session description (RFC 8866 section 5), each as a value that reads and writes itself.

Errors name the kind of line; the text of an attribute that is not understood is never shown, since
it may hold a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Self

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.grammar import MAX_UINT32, bounded_int, host_of, is_ipv4, is_ipv6, is_token, shown
from sip.sdes import mask_key_text

__all__ = [
    "MAX_FORMATS",
    "MAX_MEDIA",
    "MAX_SDP",
    "MAX_SDP_LINE",
    "MAX_SDP_LINES",
    "Attribute",
    "Bandwidth",
    "Connection",
    "Origin",
    "fields",
    "sdp_lines",
]

MAX_SDP = 65_536  # octets; what the SIP parser lets through as a body
MAX_SDP_LINES = 1_000
MAX_SDP_LINE = 4_096  # octets; a crypto line has about 120, a long fmtp of video a few hundred
MAX_MEDIA = 32  # m= lines; browsers with many streams reach about ten
MAX_FORMATS = 128  # formats of one m= line; there are no more RTP payload types

_MAX_NUMBER_DIGITS = 20  # 64 bits, RFC 3264 section 5


def sdp_lines(data: bytes) -> list[tuple[str, str]]:
    """Split a body into (type, value), by CRLF or a lone LF (RFC 8866 section 5).

    Octets that are not UTF-8 become U+FFFD. Empty lines at the end are left out, since some peers
    end a body twice. Raises RemoteProtocolError beyond the limits and for a line of another shape.
    """
    if len(data) > MAX_SDP:
        raise RemoteProtocolError(f"session description is larger than {MAX_SDP} octets")
    lines = data.rstrip(b"\r\n").split(b"\n")
    if len(lines) > MAX_SDP_LINES:
        raise RemoteProtocolError(f"session description has more than {MAX_SDP_LINES} lines")
    return [_line(line.removesuffix(b"\r"), number) for number, line in enumerate(lines, start=1)]


def _line(line: bytes, number: int) -> tuple[str, str]:
    if len(line) > MAX_SDP_LINE:
        raise RemoteProtocolError(f"line {number} of the session description is too long")
    if b"\0" in line or b"\r" in line:
        raise RemoteProtocolError(f"line {number} of the session description holds NUL or CR")
    if line[1:2] != b"=" or not line[:1].isalpha():
        raise RemoteProtocolError(f"line {number} of the session description is not type=value")
    return chr(line[0]), line[2:].decode("utf-8", "replace")


def fields(value: str) -> list[str]:
    """The fields of a value; more than one space between them is let pass."""
    return [field for field in value.replace("\t", " ").split(" ") if field]


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_NUMBER_DIGITS):
        raise RemoteProtocolError(f"{what} {shown(text)} is not a number of 64 bits")
    return int(text)


def _address(text: str, version: int) -> str:
    if not text:
        raise RemoteProtocolError("a connection has no address")
    if ":" not in text and not is_ipv4(text):
        return host_of(text)
    if not (is_ipv4(text) if version == 4 else is_ipv6(text)):
        raise RemoteProtocolError(f"{shown(text)} is no IPv{version} address")
    return text.lower()


@dataclass(frozen=True, slots=True)
class Connection:
    """Where media goes: the value of `c=`, of `a=rtcp` after its port, and the end of `o=`.

    `address` is an IP address or a host name, in lower case; `version` is 4 or 6, which for a host
    name says what to look up. `ttl` and `count` belong to multicast groups only.
    """

    address: str
    version: int = 4
    ttl: int | None = None
    count: int | None = None

    @classmethod
    def at(cls, address: str) -> Self:
        """The connection at a local IP address. Raises LocalProtocolError for anything else."""
        try:
            return cls(str(ip_address(address)), ip_address(address).version)
        except ValueError:
            raise LocalProtocolError(f"{address!r} is not an IP address") from None

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read `IN IP4 192.0.2.1`. Raises RemoteProtocolError."""
        parts = fields(value)
        if len(parts) != 3 or parts[0].upper() != "IN":
            raise RemoteProtocolError(f"connection {shown(value)} is not IN, type and address")
        version = {"IP4": 4, "IP6": 6}.get(parts[1].upper())
        if version is None:
            raise RemoteProtocolError(f"address type {shown(parts[1])} is neither IP4 nor IP6")
        address, *numbers = parts[2].split("/")
        if len(numbers) > (2 if version == 4 else 1):
            raise RemoteProtocolError(f"connection {shown(value)} has too many numbers")
        counted = [bounded_int(number, MAX_UINT32, "multicast number") for number in numbers]
        ttl = counted.pop(0) if version == 4 and counted else None
        return cls(_address(address, version), version, ttl, counted[0] if counted else None)

    @property
    def ip(self) -> IPv4Address | IPv6Address | None:
        """The IP address; `None` for a host name."""
        try:
            return ip_address(self.address)
        except ValueError:
            return None

    @property
    def is_unspecified(self) -> bool:
        """Whether it is `0.0.0.0` or `::`, by which older peers hold a call (RFC 3264 section 8.4)."""
        return self.ip is not None and self.ip.is_unspecified

    def __str__(self) -> str:
        numbers = [number for number in (self.ttl, self.count) if number is not None]
        return "/".join([f"IN IP{self.version} {self.address}", *map(str, numbers)])


@dataclass(frozen=True, slots=True)
class Origin:
    """The `o=` line: `session_id` names the session, `session_version` grows by one per change."""

    session_id: int
    session_version: int
    connection: Connection
    username: str = "-"

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read an origin. Raises RemoteProtocolError."""
        parts = fields(value)
        if len(parts) != 6:
            raise RemoteProtocolError(f"origin {shown(value)} has not six fields")
        return cls(
            session_id=_number(parts[1], "session id"),
            session_version=_number(parts[2], "session version"),
            connection=Connection.parse(" ".join(parts[3:])),
            username=parts[0],
        )

    def __str__(self) -> str:
        return f"{self.username} {self.session_id} {self.session_version} {self.connection}"


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """A `b=` line: kilobits per second for `CT` and `AS`, bits per second for `TIAS`."""

    kind: str
    value: int

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read `AS:64`. Raises RemoteProtocolError."""
        kind, _, number = value.partition(":")
        if not is_token(kind):
            raise RemoteProtocolError(f"bandwidth {shown(value)} has no type")
        return cls(kind, bounded_int(number.strip(" \t"), MAX_UINT32, "bandwidth"))

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True, repr=False)
class Attribute:
    """An `a=` line: a flag when `value` is `None`. Keys do not stand in its repr."""

    name: str
    value: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name` or `name:value`. Raises RemoteProtocolError."""
        name, colon, value = text.partition(":")
        if not colon:
            name = name.rstrip(" \t")
        if not is_token(name):
            raise RemoteProtocolError("an attribute of the session description has no valid name")
        return cls(name, value if colon else None)

    def __repr__(self) -> str:
        return f"Attribute({mask_key_text(str(self))!r})"

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"
