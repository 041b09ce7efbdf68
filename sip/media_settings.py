"""What one media stream of a test call was agreed to be."""

from __future__ import annotations

from dataclasses import dataclass

from sip.dtmf import DIGITS
from sip.errors import LocalProtocolError
from sip.g711 import SAMPLE_RATE, Law
from sip.srtp import SrtpSession
from sip.tone import TEST_FREQUENCY

Address = tuple[str, int]

TELEPHONE_EVENT = "TELEPHONE-EVENT"
COMFORT_NOISE = "CN"

# RFC 3551 table 4: a static payload type that a peer may send unasked.
COMFORT_NOISE_PAYLOAD_TYPE = 13

_LAWS = {(law.value, SAMPLE_RATE): law for law in Law}


@dataclass(frozen=True, slots=True)
class PayloadFormat:
    """One format of the agreed session: `encoding` in upper case, `clock_rate` in Hz.

    `payload_type` is what is sent; `received_as` is what comes when the two sides number the format
    differently (RFC 3264 section 5.1).
    """

    payload_type: int
    encoding: str
    clock_rate: int
    received_as: int | None = None

    @property
    def law(self) -> Law | None:
        """The G.711 law, or None for what can be neither sent nor heard here."""
        return _LAWS.get((self.encoding, self.clock_rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSettings:
    """Where and what to send, and what to expect.

    `audio` is what is sent, or, when it is not G.711, only received; `accepted` are all other agreed
    formats, telephone-event and comfort noise among them. `remote` is the address of the peer's SDP, `remote_rtcp` None
    when RTCP shares its port. `ssrc`, `first_sequence` and `first_timestamp` are random numbers of
    32, 16 and 32 bits. Durations are seconds. `wall_clock_offset` is Unix time minus the clock of
    `now`, for NTP timestamps. Without `may_send` (a direction of recvonly or inactive) only RTCP goes
    out. With `follow_source` media goes to where the peer's media comes from
    (symmetric RTP): the owner must ask its address guard before each address that it sends to.
    Raises LocalProtocolError when the values do not fit each other.
    """

    audio: PayloadFormat
    accepted: tuple[PayloadFormat, ...] = ()
    remote: Address
    remote_rtcp: Address | None
    ssrc: int
    first_sequence: int
    first_timestamp: int
    cname: str
    srtp: SrtpSession | None = None
    digit: str | None = "1"
    may_send: bool = True
    follow_source: bool = False
    wall_clock_offset: float = 0.0
    tone_seconds: float = 1.0
    tone_hertz: float = TEST_FREQUENCY
    digit_after_seconds: float = 1.2
    limit_seconds: float = 120.0
    rtcp_interval_seconds: float = 5.0

    def __post_init__(self) -> None:
        formats = (self.audio, *self.accepted)
        if any(not 0 <= f.payload_type <= 127 or f.clock_rate < 50 for f in formats):
            raise LocalProtocolError("a payload type or clock rate is out of its range")
        if self.digit is not None and (len(self.digit) != 1 or self.digit.upper() not in DIGITS):
            raise LocalProtocolError("a DTMF digit is one of 0-9, *, #, A-D")
        if not (0 <= self.ssrc < 1 << 32 and 0 <= self.first_timestamp < 1 << 32):
            raise LocalProtocolError("SSRC and first timestamp have 32 bits")
        if not 0 <= self.first_sequence < 1 << 16 or not 0 < len(self.cname.encode()) <= 255:
            raise LocalProtocolError("the first sequence number or the CNAME is out of its range")
        if (
            not 0 <= self.tone_seconds <= self.digit_after_seconds
            or self.rtcp_interval_seconds <= 0
        ):
            raise LocalProtocolError("the tone must end before the digit begins")

    @property
    def event(self) -> PayloadFormat | None:
        """The telephone-event format that shares the audio's clock (RFC 4733 section 2.6.1.1)."""
        for candidate in self.accepted:
            if (
                candidate.encoding == TELEPHONE_EVENT
                and candidate.clock_rate == self.audio.clock_rate
            ):
                return candidate
        return None
