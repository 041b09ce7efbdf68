"""Session descriptions: read and write (RFC 8866; RFC 3605, 4568, 5761 for their attributes).

Strict about structure, tolerant about content: an unknown attribute is kept, an unknown line type
refuses the description (RFC 8866 section 5). Three liberties, for peers that exist: `t=` may be
missing, the lines of one section may come in any order behind `v=`, and a rejected stream (port 0)
may name no format. `k=` is read and dropped (RFC 8866 section 5.12).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self, TypeVar

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.grammar import MAX_PORT, bounded_int, is_token, shown
from sip.sdes import CryptoAttribute, CryptoRefusal, parse_crypto
from sip.sdp_attributes import (
    STATIC_FORMATS,
    Direction,
    RtcpAttribute,
    RtpMap,
    parse_fmtp,
    parse_packet_time,
    parse_rtpmap,
    payload_type_of,
)
from sip.sdp_grammar import (
    MAX_FORMATS,
    MAX_MEDIA,
    Attribute,
    Bandwidth,
    Connection,
    Origin,
    fields,
    sdp_lines,
)

__all__ = ["Media", "SessionDescription", "parse_sdp"]

_DIRECTIONS = frozenset(Direction)
_MAX_PORT_COUNT = 65_536


@dataclass(frozen=True, slots=True)
class Media:
    """One `m=` line and the lines that belong to it.

    `kind` is "audio", "video", "image" ..., `port` 0 a stream that is refused or ended. The readers
    (`rtpmaps`, `crypto` ...) raise RemoteProtocolError only for a description that did not come
    from `parse_sdp`.
    """

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    port_count: int = 1
    title: str | None = None
    connections: tuple[Connection, ...] = ()
    bandwidths: tuple[Bandwidth, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    @classmethod
    def parse_line(cls, value: str) -> Self:
        """Read the value of `m=`. Raises RemoteProtocolError."""
        parts = fields(value)
        if len(parts) < 3 or not is_token(parts[0]):
            raise RemoteProtocolError(f"media line {shown(value)} is not media, port, protocol")
        port_text, slash, count = parts[1].partition("/")
        port = bounded_int(port_text, MAX_PORT, "media port")
        formats = tuple(dict.fromkeys(parts[3:]))
        if (not formats and port) or len(formats) > MAX_FORMATS:
            raise RemoteProtocolError("a media line has no format, or too many")
        return cls(
            parts[0].lower(),
            port,
            parts[2],
            formats,
            bounded_int(count, _MAX_PORT_COUNT, "number of ports") if slash else 1,
        )

    def values(self, name: str) -> Iterator[str]:
        """The values of an attribute, in order; "" for a flag."""
        return values_of(self.attributes, name)

    def has(self, name: str) -> bool:
        """Whether the attribute is there."""
        return any(True for _ in self.values(name))

    @property
    def is_rtp(self) -> bool:
        """Whether the formats are RTP payload types."""
        return "RTP/" in self.protocol.upper()

    @property
    def rtpmaps(self) -> tuple[RtpMap, ...]:
        """The payload formats in order of preference.

        A static payload type needs no rtpmap (RFC 3551 section 6); a dynamic one without is left out.
        """
        if not self.is_rtp:
            return ()
        known = dict(STATIC_FORMATS) | {
            entry.payload_type: entry for entry in map(parse_rtpmap, self.values("rtpmap"))
        }
        numbers = dict.fromkeys(map(payload_type_of, self.formats))
        return tuple(known[number] for number in numbers if number in known)

    def fmtp(self, payload_type: int) -> str | None:
        """The format parameters of a payload type."""
        parameters = dict(map(parse_fmtp, self.values("fmtp")))
        return parameters.get(str(payload_type))

    @property
    def ptime(self) -> timedelta | None:
        """Audio that one packet should hold, as the describing side wants to receive it."""
        return _first(parse_packet_time(value) for value in self.values("ptime"))

    @property
    def maxptime(self) -> timedelta | None:
        """Audio that one packet may hold at most."""
        return _first(parse_packet_time(value) for value in self.values("maxptime"))

    @property
    def rtcp(self) -> RtcpAttribute | None:
        """Where RTCP goes when not to the next higher port (RFC 3605)."""
        return _first(RtcpAttribute.parse(value) for value in self.values("rtcp"))

    @property
    def rtcp_mux(self) -> bool:
        """Whether RTP and RTCP share a port (RFC 5761)."""
        return self.has("rtcp-mux")

    @property
    def crypto(self) -> tuple[CryptoAttribute | CryptoRefusal, ...]:
        """The SDES attributes in order of preference (RFC 4568)."""
        return tuple(map(parse_crypto, self.values("crypto")))

    def check(self) -> None:
        """Raise RemoteProtocolError when an attribute that is understood here is malformed."""
        _ = self.rtpmaps, self.fmtp(0), self.ptime, self.maxptime, self.rtcp, self.crypto

    def lines(self) -> Iterator[str]:
        """The section as lines without their ends."""
        count = f"/{self.port_count}" if self.port_count != 1 else ""
        yield " ".join([f"m={self.kind} {self.port}{count} {self.protocol}", *self.formats])
        if self.title is not None:
            yield f"i={self.title}"
        yield from (f"c={connection}" for connection in self.connections)
        yield from (f"b={bandwidth}" for bandwidth in self.bandwidths)
        yield from (f"a={attribute}" for attribute in self.attributes)


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description. `information` holds the `i= u= e= p=` lines, `timing` `t= r= z=`."""

    origin: Origin
    name: str = "-"
    connection: Connection | None = None
    information: tuple[tuple[str, str], ...] = ()
    bandwidths: tuple[Bandwidth, ...] = ()
    timing: tuple[tuple[str, str], ...] = (("t", "0 0"),)
    attributes: tuple[Attribute, ...] = ()
    media: tuple[Media, ...] = ()

    def connection_of(self, media: Media) -> Connection | None:
        """Where a stream goes: its own `c=`, else the session's; `None` breaks RFC 8866 section 5.7."""
        return media.connections[0] if media.connections else self.connection

    def direction_of(self, media: Media) -> Direction:
        """A stream's direction: its own, else the session's, else sendrecv (RFC 8866 section 6.7)."""
        for attribute in (*media.attributes, *self.attributes):
            if attribute.name.lower() in _DIRECTIONS:
                return Direction(attribute.name.lower())
        return Direction.SENDRECV

    def serialize(self) -> bytes:
        """The body. Raises LocalProtocolError when a value holds a line break or NUL."""
        lines = list(self._lines())
        if any(character in line for line in lines for character in "\r\n\0"):
            raise LocalProtocolError("a line of a session description cannot hold CR, LF or NUL")
        return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")

    def _lines(self) -> Iterator[str]:
        yield from ("v=0", f"o={self.origin}", f"s={self.name}")
        yield from (f"{kind}={value}" for kind, value in self.information)
        if self.connection is not None:
            yield f"c={self.connection}"
        yield from (f"b={bandwidth}" for bandwidth in self.bandwidths)
        yield from (f"{kind}={value}" for kind, value in self.timing)
        yield from (f"a={attribute}" for attribute in self.attributes)
        for media in self.media:
            yield from media.lines()


_Value = TypeVar("_Value")


def _first(values: Iterator[_Value]) -> _Value | None:
    return next(values, None)


def values_of(attributes: tuple[Attribute, ...], name: str) -> Iterator[str]:
    """The values of the attributes with a name in lower case."""
    return (a.value or "" for a in attributes if a.name.lower() == name)


@dataclass(slots=True)
class _Section:
    """The lines of one section while they are read."""

    single: dict[str, str] = field(default_factory=dict)
    information: list[tuple[str, str]] = field(default_factory=list)
    timing: list[tuple[str, str]] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    bandwidths: list[Bandwidth] = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)

    def add(self, kind: str, value: str, allowed: str) -> None:
        if kind not in allowed:
            raise RemoteProtocolError(f"line {kind}= is unknown or out of place")
        if kind == "c":
            self.connections.append(Connection.parse(value))
        elif kind == "b":
            self.bandwidths.append(Bandwidth.parse(value))
        elif kind == "a":
            self.attributes.append(Attribute.parse(value))
        elif kind in "trz":
            self.timing.append((kind, value))
        elif kind in "uep":
            self.information.append((kind, value))
        elif kind in self.single:
            raise RemoteProtocolError(f"line {kind}= is repeated")
        elif kind != "k":
            self.single[kind] = value


def parse_sdp(data: bytes) -> SessionDescription:
    """Read a session description.

    Raises RemoteProtocolError, and nothing else, whatever the bytes are.
    """
    (kind, version), *lines = sdp_lines(data)
    if (kind, version.rstrip(" \t")) != ("v", "0"):
        raise RemoteProtocolError("a session description begins with v=0")
    session = _Section()
    sections: list[tuple[Media, _Section]] = []
    for kind, value in lines:
        if kind == "m":
            sections.append((Media.parse_line(value), _Section()))
        elif sections:
            sections[-1][1].add(kind, value, "icbka")
        else:
            session.add(kind, value, "osiuepcbtrzka")
    if len(sections) > MAX_MEDIA:
        raise RemoteProtocolError(f"session description has more than {MAX_MEDIA} media lines")
    if len(session.connections) > 1 or not {"o", "s"} <= session.single.keys():
        raise RemoteProtocolError("a session has one o= and s= line, and at most one c= line")
    title = session.single.get("i")
    return SessionDescription(
        origin=Origin.parse(session.single["o"]),
        name=session.single["s"],
        connection=session.connections[0] if session.connections else None,
        information=tuple(([("i", title)] if title is not None else []) + session.information),
        bandwidths=tuple(session.bandwidths),
        timing=tuple(session.timing) or (("t", "0 0"),),
        attributes=tuple(session.attributes),
        media=tuple(_media(media, section) for media, section in sections),
    )


def _media(line: Media, section: _Section) -> Media:
    media = Media(
        line.kind,
        line.port,
        line.protocol,
        line.formats,
        line.port_count,
        section.single.get("i"),
        tuple(section.connections),
        tuple(section.bandwidths),
        tuple(section.attributes),
    )
    media.check()
    return media
