"""What a process and its media process say to each other, and how it crosses.

Each value is one frame on a private socket pair: its length, then its pickle. Both ends are the same
program, and nobody else can write there.
"""

from __future__ import annotations

import pickle
import struct
from asyncio import IncompleteReadError, StreamReader
from dataclasses import dataclass
from typing import Any

from sip.media_agreement import SrtpKeys
from sip.media_settings import Address, MediaSettings
from sip.net.guard import AddressGuard

__all__ = [
    "Answer",
    "Begin",
    "Close",
    "Command",
    "Judge",
    "MediaLost",
    "Move",
    "Note",
    "Open",
    "Order",
    "Raised",
    "Stop",
    "frame_of",
    "read_frame",
]

_LENGTH = struct.Struct("!I")


class MediaLost(ConnectionError):
    """The media process ended, and the media of this call with it."""


@dataclass(frozen=True, slots=True)
class Open:
    """Bind a pair of ports; the answer is the port of RTP, or OSError."""

    host: str
    ports: range
    guard: AddressGuard


@dataclass(frozen=True, slots=True)
class Begin:
    """Let a new session have the ports; the answer is how many packets came for the one before.

    ``settings`` are without SRTP, ``keys`` bring it.
    """

    settings: MediaSettings
    keys: SrtpKeys | None


@dataclass(frozen=True, slots=True)
class Move:
    """Send elsewhere, with other keys if there are some; nothing but RTCP while ``held``."""

    remote: Address
    remote_rtcp: Address | None
    keys: SrtpKeys | None
    held: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """Say goodbye by RTCP and send nothing more; what comes is still counted."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Close the ports; the answer is the `MediaVerdict` on the last session, if there was one."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the ports."""


Command = Open | Begin | Move | Stop | Judge | Close


@dataclass(frozen=True, slots=True)
class Order:
    """A command for one line. With a ``number`` it is answered."""

    line: int
    command: Command
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an order came to: ``error`` is raised by whoever waits for it."""

    number: int
    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for the notes of the call that has this line."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Raised:
    """What a callback of the media process raised: a bug of ours."""

    text: str


def frame_of(value: Order | Answer | Note | Raised) -> bytes:
    """One value as it crosses."""
    data = pickle.dumps(value)
    return _LENGTH.pack(len(data)) + data


async def read_frame(reader: StreamReader) -> Any:
    """The next value; None when the other side is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return pickle.loads(await reader.readexactly(length))
    except (IncompleteReadError, ConnectionError):
        return None
