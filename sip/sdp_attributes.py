"""The attributes of an audio stream that have a meaning here: payload formats, packet time, direction.

Sources: RFC 8866 section 6 (rtpmap, fmtp, ptime, maxptime, direction), RFC 3605 (rtcp), RFC 3551
section 6 (static payload types), RFC 4733 (telephone-event), RFC 7587 section 7 (Opus).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from sip.errors import RemoteProtocolError
from sip.grammar import MAX_PORT, MAX_UINT32, TOKEN, bounded_int, shown
from sip.sdp_grammar import Connection

__all__ = [
    "AUDIO_CODECS",
    "G722",
    "G729",
    "OPUS",
    "PCMA",
    "PCMU",
    "STATIC_FORMATS",
    "TELEPHONE_EVENT",
    "AudioCodec",
    "Direction",
    "RtcpAttribute",
    "RtpMap",
    "parse_fmtp",
    "parse_packet_time",
    "parse_rtpmap",
    "payload_type_of",
]

MAX_PAYLOAD_TYPE = 127
TELEPHONE_EVENT = "telephone-event"

_RTPMAP = re.compile(rf"[ \t]*+([0-9]++)[ \t]++({TOKEN})/([0-9]++)(?>(?:/([0-9]++))?)[ \t]*+")
_FMTP = re.compile(r"[ \t]*+([^ \t]++)[ \t]++(.++)")
# A real number since RFC 8866 section 6.4; five digits are more than a minute.
_MILLISECONDS = re.compile(r"[ \t]*+([0-9]{1,5}(?:\.[0-9]{1,9})?)[ \t]*+")


class Direction(StrEnum):
    """Which way media flows, seen from the side whose description holds it (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        """The direction of a side that sends, receives, both or neither."""
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE

    @property
    def sends(self) -> bool:
        """Whether this side may send."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether this side wants to receive."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    def meeting(self, remote: Direction) -> Direction:
        """What is left of this side's direction beside the peer's (RFC 3264 section 6.1)."""
        return Direction.of(
            sends=self.sends and remote.receives, receives=self.receives and remote.sends
        )


@dataclass(frozen=True, slots=True)
class RtpMap:
    """A payload type and what it stands for. `clock_rate` is the RTP clock in Hz."""

    payload_type: int
    encoding: str
    clock_rate: int
    channels: int = 1

    @property
    def format(self) -> tuple[str, int, int]:
        """What two sides compare, whatever their numbers; the encoding's case does not matter."""
        return self.encoding.lower(), self.clock_rate, self.channels

    @property
    def is_telephone_event(self) -> bool:
        """Whether it carries DTMF (RFC 4733)."""
        return self.encoding.lower() == TELEPHONE_EVENT

    def __str__(self) -> str:
        channels = f"/{self.channels}" if self.channels != 1 else ""
        return f"{self.payload_type} {self.encoding}/{self.clock_rate}{channels}"


@dataclass(frozen=True, slots=True)
class AudioCodec:
    """A codec as an offer of ours names it.

    `payload_type` is the static one (RFC 3551 section 6), or the number that we prefer.
    """

    encoding: str
    clock_rate: int
    payload_type: int
    channels: int = 1
    fmtp: str | None = None

    @property
    def rtpmap(self) -> RtpMap:
        """The codec under its own payload type."""
        return RtpMap(self.payload_type, self.encoding, self.clock_rate, self.channels)


PCMU: Final = AudioCodec("PCMU", 8000, 0)
PCMA: Final = AudioCodec("PCMA", 8000, 8)
G722: Final = AudioCodec("G722", 8000, 9)  # samples at 16 kHz all the same, RFC 3551 section 4.5.2
G729: Final = AudioCodec("G729", 8000, 18, fmtp="annexb=no")
OPUS: Final = AudioCodec("opus", 48000, 111, channels=2)

# By encoding name in lower case.
AUDIO_CODECS = MappingProxyType({c.encoding.lower(): c for c in (PCMU, PCMA, OPUS, G722, G729)})

STATIC_FORMATS = MappingProxyType(
    {
        entry.payload_type: entry
        for entry in (
            RtpMap(0, "PCMU", 8000),
            RtpMap(3, "GSM", 8000),
            RtpMap(4, "G723", 8000),
            RtpMap(5, "DVI4", 8000),
            RtpMap(6, "DVI4", 16000),
            RtpMap(7, "LPC", 8000),
            RtpMap(8, "PCMA", 8000),
            RtpMap(9, "G722", 8000),
            RtpMap(10, "L16", 44100, 2),
            RtpMap(11, "L16", 44100),
            RtpMap(12, "QCELP", 8000),
            RtpMap(13, "CN", 8000),
            RtpMap(14, "MPA", 90000),
            RtpMap(15, "G728", 8000),
            RtpMap(16, "DVI4", 11025),
            RtpMap(17, "DVI4", 22050),
            RtpMap(18, "G729", 8000),
        )
    }
)


@dataclass(frozen=True, slots=True)
class RtcpAttribute:
    """`a=rtcp`: the port, and the address when it differs from the stream's (RFC 3605)."""

    port: int
    connection: Connection | None = None

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read `53020` or `53020 IN IP4 192.0.2.1`. Raises RemoteProtocolError."""
        port, _, connection = value.strip(" \t").partition(" ")
        return cls(
            bounded_int(port, MAX_PORT, "RTCP port"),
            Connection.parse(connection) if connection else None,
        )


def payload_type_of(text: str) -> int:
    """Read an RTP payload type, 0 to 127. Raises RemoteProtocolError."""
    return bounded_int(text, MAX_PAYLOAD_TYPE, "payload type")


def parse_rtpmap(value: str) -> RtpMap:
    """Read `111 opus/48000/2`. Raises RemoteProtocolError."""
    found = _RTPMAP.fullmatch(value)
    if found is None:
        raise RemoteProtocolError(f"rtpmap {shown(value)} is not payload type and encoding")
    return RtpMap(
        payload_type_of(found[1]),
        found[2],
        bounded_int(found[3], MAX_UINT32, "clock rate"),
        bounded_int(found[4], 255, "number of channels") if found[4] else 1,
    )


def parse_fmtp(value: str) -> tuple[str, str]:
    """Read a format and its parameters; no parameters are let pass. Raises RemoteProtocolError."""
    found = _FMTP.fullmatch(value)
    if found is not None:
        return found[1], found[2].strip(" \t")
    if name := value.strip(" \t"):
        return name, ""
    raise RemoteProtocolError("an fmtp attribute names no format")


def parse_packet_time(value: str) -> timedelta:
    """Read the milliseconds of ptime or maxptime. Raises RemoteProtocolError."""
    found = _MILLISECONDS.fullmatch(value)
    if found is None:
        raise RemoteProtocolError(f"packet time {shown(value)} is not a number of milliseconds")
    return timedelta(milliseconds=float(found[1]))
