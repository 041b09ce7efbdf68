"""A telephone that says back what it hears, packet by packet."""

from __future__ import annotations

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.media_session import MediaDatagram
from sip.media_settings import Address, MediaSettings
from sip.rtp import RtpPacket, parse_rtp

__all__ = ["Echo"]

MAX_WAITING = 64
"""Packets that wait to be sent; a flood's rest is dropped."""


class Echo:
    """Returns the payloads of a stream under its own SSRC, sequence and formats, to their source."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._srtp = settings.srtp
        self._sequence = settings.first_sequence
        self._sent_as = {
            f.payload_type if f.received_as is None else f.received_as: f.payload_type
            for f in (settings.audio, *settings.accepted)
        }
        self._waiting: list[MediaDatagram] = []

    def receive_rtp(self, data: bytes, address: Address, now: float) -> None:
        """Take a datagram of the RTP port; what is no RTP of an agreed format is dropped."""
        try:
            packet = parse_rtp(data if self._srtp is None else self._srtp.unprotect_rtp(data))
        except RemoteProtocolError:
            return
        payload_type = self._sent_as.get(packet.payload_type)
        if payload_type is None or not self._settings.may_send or len(self._waiting) >= MAX_WAITING:
            return
        answer = RtpPacket(
            payload_type,
            self._sequence,
            packet.timestamp,
            self._settings.ssrc,
            packet.payload,
            packet.marker,
        )
        try:
            back = answer.serialize()
            if self._srtp is not None:
                back = self._srtp.protect_rtp(back)
        except LocalProtocolError:
            # What was received may be longer than what is built here.
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._waiting.append(MediaDatagram(back, address))

    def receive_rtcp(self, data: bytes, address: Address, now: float) -> None:
        """Say nothing to reports: an echo keeps no account."""

    def packets_to_send(self, now: float) -> list[MediaDatagram]:
        """What was heard since the last call."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def get_timer(self) -> float | None:
        """An echo waits for nothing."""
        return None

    def close(self, now: float) -> None:
        """Drop what waits."""
        self._waiting.clear()
