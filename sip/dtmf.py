"""DTMF digits as telephone-events (RFC 4733): one digit out, any digits in."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sip.errors import LocalProtocolError, RemoteProtocolError

# Event codes 0 to 15 in their order (RFC 4733 section 3.2).
DIGITS = "0123456789*#ABCD"

MAX_DURATION = 0xFFFF

# -10 dBm0 is a usual level of a key; the field counts downwards from 0 dBm0 (section 2.3.4).
VOLUME = 10

# Receivers must accept 40 ms (ITU-T Q.24); some gateways ignore what is shorter than 80.
EVENT_PACKETS = 8
END_PACKETS = 3

MAX_DIGITS = 32

_EVENT = struct.Struct("!BBH")


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """One event payload (section 2.3). `volume` is in -dBm0, `duration` in timestamp units."""

    event: int
    end: bool
    volume: int
    duration: int

    @property
    def digit(self) -> str | None:
        """The key, or None for a code that is no DTMF digit."""
        return DIGITS[self.event] if self.event < len(DIGITS) else None

    def serialize(self) -> bytes:
        """The four octets; raises LocalProtocolError for a field that does not fit."""
        if not 0 <= self.volume <= 63:
            raise LocalProtocolError("the volume of a telephone-event has 6 bits")
        try:
            return _EVENT.pack(self.event, (0x80 if self.end else 0) | self.volume, self.duration)
        except struct.error:
            raise LocalProtocolError("a telephone-event field is out of its range") from None


def parse_event(payload: bytes) -> TelephoneEvent:
    """The first event of a payload; raises RemoteProtocolError when it is shorter than one."""
    if len(payload) < _EVENT.size:
        raise RemoteProtocolError("a telephone-event has four octets")
    event, flags, duration = _EVENT.unpack_from(payload)
    return TelephoneEvent(event, flags & 0x80 != 0, flags & 0x3F, duration)


class DigitSender:
    """The packets of one digit (section 2.5.1).

    All of them carry the timestamp of the first, the marker stands on the first, the duration grows
    to `EVENT_PACKETS` frames, and the end is sent three times. Raises LocalProtocolError for a
    digit that no key has.
    """

    def __init__(self, digit: str) -> None:
        if len(digit) != 1 or digit.upper() not in DIGITS:
            raise LocalProtocolError("a DTMF digit is one of 0-9, *, #, A-D")
        self.digit = digit.upper()
        self.sent = 0
        self._duration = 0

    @property
    def ended(self) -> bool:
        """Whether the end has been made at least once."""
        return self.sent >= EVENT_PACKETS

    @property
    def done(self) -> bool:
        """Whether every packet has been made."""
        return self.sent == EVENT_PACKETS + END_PACKETS - 1

    def next_payload(self, elapsed: int) -> bytes:
        """The next packet, `elapsed` timestamp units after the digit began."""
        self.sent += 1
        end = self.sent >= EVENT_PACKETS
        if self.sent <= EVENT_PACKETS:
            self._duration = min(elapsed, MAX_DURATION)
        return TelephoneEvent(DIGITS.index(self.digit), end, VOLUME, self._duration).serialize()


@dataclass(frozen=True, slots=True)
class ReceivedDigit:
    """One key press. `duration` is in timestamp units; `ended` is False when its end was lost."""

    digit: str
    timestamp: int
    duration: int
    ended: bool


class DigitReceiver:
    """Key presses out of event packets: each counted once, however often its packets repeat.

    An event is known by its timestamp (section 2.5.2.2). The first MAX_DIGITS presses are kept.
    """

    def __init__(self) -> None:
        self.digits: list[ReceivedDigit] = []
        self.malformed = 0
        self.other_events = 0

    def receive(self, payload: bytes, timestamp: int, *, marker: bool = False) -> None:
        """Takes the payload of one telephone-event packet."""
        try:
            event = parse_event(payload)
        except RemoteProtocolError:
            self.malformed += 1
            return
        digit = event.digit
        if digit is None:
            self.other_events += 1
            return
        for index in range(len(self.digits) - 1, -1, -1):
            known = self.digits[index]
            if known.timestamp == timestamp and known.digit == digit:
                self.digits[index] = ReceivedDigit(
                    digit,
                    timestamp,
                    max(known.duration, event.duration),
                    known.ended or event.end,
                )
                return
        pressed = ReceivedDigit(digit, timestamp, event.duration, event.end)
        if self.digits and not marker and _continues(self.digits[-1], pressed):
            self.digits[-1] = pressed
        elif len(self.digits) < MAX_DIGITS:
            self.digits.append(pressed)


def _continues(before: ReceivedDigit, after: ReceivedDigit) -> bool:
    """Whether a long event went on in a new segment (section 2.5.1.3)."""
    return (
        before.digit == after.digit
        and not before.ended
        and before.duration == MAX_DURATION
        and (after.timestamp - before.timestamp) & 0xFFFFFFFF == MAX_DURATION
    )
