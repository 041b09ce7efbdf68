"""The outgoing stream of a test call: the tone, then silence, one digit between.

Frame n is due at start + n * 20 ms, computed from the start each time, so nothing drifts. The
timestamp follows the frame number; the sequence number follows what is really sent.
"""

from __future__ import annotations

import math

from sip.dtmf import DigitSender
from sip.media_settings import MediaSettings
from sip.rtp import RtpPacket
from sip.tone import FRAME_SECONDS, FRAMES_PER_SECOND, frames_of_tone, silence_frame

# A late wake-up is made good by at most this many frames at once; older ones are left out, because
# a burst would overrun the peer's jitter buffer and look like its network's fault.
MAX_BURST = 5


class MediaSender:
    """Builds the RTP packets that are due. The owner encrypts, addresses and sends them."""

    def __init__(self, settings: MediaSettings, start: float) -> None:
        self.packets = 0
        self.octets = 0
        self.frames_skipped = 0
        self.tone_frames = 0
        self._settings = settings
        self._law = settings.audio.law if settings.may_send else None
        self._start = start
        self._step = settings.audio.clock_rate // FRAMES_PER_SECOND
        self._tone: tuple[bytes, ...] = ()
        self._silence = b""
        if self._law is not None:
            frames = round(settings.tone_seconds / FRAME_SECONDS)
            self._tone = frames_of_tone(self._law, frames, settings.tone_hertz)
            self._silence = silence_frame(self._law)
        self._event = settings.event if settings.may_send else None
        self._digit = (
            DigitSender(settings.digit)
            if settings.digit is not None and self._event is not None
            else None
        )
        self._digit_frame = math.ceil(settings.digit_after_seconds / FRAME_SECONDS)
        self._frames = math.ceil(settings.limit_seconds / FRAME_SECONDS)
        self._frame = 0 if self._law else self._digit_frame
        self._digit_began: int | None = None

    @property
    def digit_sent(self) -> str | None:
        """The digit, once its end has been sent at least once."""
        digit = self._digit
        return digit.digit if digit is not None and digit.ended else None

    @property
    def next_due(self) -> float | None:
        """When the next packet is due, or None when nothing is left to send."""
        if self._frame >= self._frames:
            return None
        if self._law is None and (self._digit is None or self._digit.done):
            return None
        return self._start + self._frame * FRAME_SECONDS

    def timestamp_at(self, now: float) -> int:
        """The RTP timestamp of this instant, for a sender report."""
        units = int((now - self._start) * self._settings.audio.clock_rate)
        return (self._settings.first_timestamp + units) & 0xFFFFFFFF

    def due_packets(self, now: float) -> list[bytes]:
        """Every packet due by `now`, at most MAX_BURST of them."""
        latest = int((now - self._start) / FRAME_SECONDS)
        if latest - self._frame > MAX_BURST:
            skipped = min(latest, self._frames) - MAX_BURST - self._frame
            self._frame += max(0, skipped)
            self.frames_skipped += max(0, skipped)
        packets: list[bytes] = []
        while len(packets) < MAX_BURST:
            due = self.next_due
            if due is None or due > now:
                break
            packets.append(self._packet().serialize())
            self._frame += 1
        return packets

    def _packet(self) -> RtpPacket:
        frame = self._frame
        digit, event = self._digit, self._event
        if (
            digit is not None
            and event is not None
            and frame >= self._digit_frame
            and not digit.done
        ):
            began = self._digit_began
            if began is None:
                began = self._digit_began = frame
            payload = digit.next_payload((frame - began + 1) * self._step)
            return self._numbered(event.payload_type, began, payload, marker=frame == began)
        payload = self._silence
        if frame < len(self._tone):
            payload = self._tone[frame]
            self.tone_frames += 1
        payload_type = self._settings.audio.payload_type
        return self._numbered(payload_type, frame, payload, marker=self.packets == 0)

    def _numbered(
        self, payload_type: int, frame: int, payload: bytes, *, marker: bool
    ) -> RtpPacket:
        settings = self._settings
        packet = RtpPacket(
            payload_type,
            (settings.first_sequence + self.packets) & 0xFFFF,
            (settings.first_timestamp + frame * self._step) & 0xFFFFFFFF,
            settings.ssrc,
            payload,
            marker,
        )
        self.packets += 1
        self.octets += len(payload)
        return packet
