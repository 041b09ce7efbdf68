"""Accounting of what comes in on a media port. Every table is bounded: the peer fills them."""

from __future__ import annotations

from collections import Counter

from sip.dtmf import DigitReceiver
from sip.errors import RemoteProtocolError
from sip.media_settings import (
    COMFORT_NOISE,
    COMFORT_NOISE_PAYLOAD_TYPE,
    TELEPHONE_EVENT,
    Address,
    PayloadFormat,
)
from sip.rtp import RtpPacket, is_stun, parse_rtp
from sip.rtp_reception import Arrival, Reception
from sip.sound import Listener

# A forked or transferred call may bring a few streams and addresses; no real one brings more.
MAX_STREAMS = 16
MAX_ADDRESSES = 16


class MediaReceiver:
    """Counts and judges one packet at a time; packets are already decrypted."""

    def __init__(self, formats: tuple[PayloadFormat, ...], own_ssrc: int, start: float) -> None:
        self.packets = 0
        self.octets = 0
        self.malformed = 0
        self.stun = 0
        self.reflected = 0
        self.streams_refused = 0
        self.ssrc_changes = 0
        self.comfort_noise = 0
        self.audio_packets = 0
        self.unexpected_payload_types: Counter[int] = Counter()
        self.payload_types: Counter[int] = Counter()
        self.streams: dict[int, Reception] = {}
        self.addresses: dict[Address, int] = {}
        self.first_address: Address | None = None
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.listener = Listener()
        self.digits = DigitReceiver()
        self._formats = {
            f.payload_type if f.received_as is None else f.received_as: f for f in formats
        }
        self._formats.setdefault(
            COMFORT_NOISE_PAYLOAD_TYPE,
            PayloadFormat(COMFORT_NOISE_PAYLOAD_TYPE, COMFORT_NOISE, 8000),
        )
        self._default_clock_rate = formats[0].clock_rate
        self._own_ssrc = own_ssrc
        self._current_ssrc: int | None = None
        self._start = start

    @property
    def first_packet_delay(self) -> float | None:
        """Seconds from the start to the first packet."""
        return None if self.first_at is None else max(0.0, self.first_at - self._start)

    def receive(self, data: bytes, address: Address, now: float) -> bool:
        """Counts one datagram; False when it is no RTP packet or one stream too many."""
        try:
            packet = parse_rtp(data)
        except RemoteProtocolError:
            if is_stun(data):
                self.stun += 1
            else:
                self.malformed += 1
            return False
        payload_format = self._formats.get(packet.payload_type)
        clock_rate = payload_format.clock_rate if payload_format else self._default_clock_rate
        stream = self.streams.get(packet.ssrc)
        if stream is None:
            if len(self.streams) >= MAX_STREAMS:
                self.streams_refused += 1
                return False
            # Of a stream of some seconds every packet is evidence, so there is no probation.
            stream = self.streams[packet.ssrc] = Reception(clock_rate, min_sequential=1)
        self._note(packet, address, now)
        timed = (
            clock_rate == stream.clock_rate
            and payload_format is not None
            and payload_format.encoding != TELEPHONE_EVENT
        )
        arrival = stream.receive(packet.sequence_number, packet.timestamp, now, timed=timed)
        if arrival not in (Arrival.DUPLICATE, Arrival.JUMPED):
            self._take(packet, payload_format)
        return True

    def _note(self, packet: RtpPacket, address: Address, now: float) -> None:
        self.packets += 1
        self.octets += len(packet.payload)
        self.payload_types[packet.payload_type] += 1
        if self.first_address is None:
            self.first_address = address
            self.first_at = now
        self.last_at = now
        if address in self.addresses or len(self.addresses) < MAX_ADDRESSES:
            self.addresses[address] = self.addresses.get(address, 0) + 1
        if packet.ssrc == self._own_ssrc:
            self.reflected += 1
        if packet.ssrc != self._current_ssrc:
            self.ssrc_changes += self._current_ssrc is not None
            self._current_ssrc = packet.ssrc

    def _take(self, packet: RtpPacket, payload_format: PayloadFormat | None) -> None:
        if payload_format is None:
            self.unexpected_payload_types[packet.payload_type] += 1
        elif payload_format.encoding == TELEPHONE_EVENT:
            self.digits.receive(packet.payload, packet.timestamp, marker=packet.marker)
        elif payload_format.encoding == COMFORT_NOISE:
            self.comfort_noise += 1
        else:
            self.audio_packets += 1
            law = payload_format.law
            if law is not None:
                self.listener.receive(law, packet.payload)
