"""RTCP of one media stream: reports out every few seconds, reports in, round trip, BYE."""

from __future__ import annotations

from sip.errors import RemoteProtocolError
from sip.media_receiver import MAX_STREAMS, MediaReceiver
from sip.media_sender import MediaSender
from sip.media_settings import MediaSettings
from sip.rtcp import (
    CNAME,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    build_rtcp,
    middle_of_ntp,
    ntp_timestamp,
    parse_rtcp,
    round_trip_seconds,
)

# Half the interval before the first report (RFC 3550 section 6.2), so a short call has one too.
_FIRST_REPORT = 0.5


class MediaControl:
    """The RTCP side; the owner encrypts, addresses and sends what it builds."""

    def __init__(
        self, settings: MediaSettings, sender: MediaSender, receiver: MediaReceiver, start: float
    ) -> None:
        self.packets_out = 0
        self.packets_in = 0
        self.malformed = 0
        self.bye_received = False
        self.remote_fraction_lost: float | None = None
        self.remote_lost: int | None = None
        self.remote_jitter_seconds: float | None = None
        self.round_trip: float | None = None
        self._settings = settings
        self._clock_rate = settings.audio.clock_rate
        self._sender = sender
        self._receiver = receiver
        self._start = start
        self._reports = 0
        self._reported_packets = 0
        self._reported_received: dict[int, int] = {}
        self._last_sr: dict[int, tuple[int, float]] = {}

    @property
    def next_due(self) -> float:
        """When the next report is due."""
        interval = self._settings.rtcp_interval_seconds
        return self._start + (self._reports + _FIRST_REPORT) * interval

    def due_report(self, now: float) -> bytes | None:
        """The compound report when one is due; reports that a late wake-up missed are left out."""
        if now < self.next_due:
            return None
        interval = self._settings.rtcp_interval_seconds
        self._reports = int((now - self._start) / interval - _FIRST_REPORT) + 1
        while self.next_due <= now:
            self._reports += 1
        return self._build(now)

    def goodbye(self, now: float) -> bytes:
        """The last compound packet: report, CNAME and BYE (section 6.6)."""
        return self._build(now, Goodbye((self._settings.ssrc,)))

    def receive(self, data: bytes, now: float) -> None:
        """Takes one decrypted RTCP datagram."""
        try:
            packets = parse_rtcp(data)
        except RemoteProtocolError:
            self.malformed += 1
            return
        self.packets_in += 1
        for packet in packets:
            match packet:
                case SenderReport():
                    if packet.ssrc in self._last_sr or len(self._last_sr) < MAX_STREAMS:
                        self._last_sr[packet.ssrc] = (middle_of_ntp(packet.ntp), now)
                    self._read(packet.reports, now)
                case ReceiverReport():
                    self._read(packet.reports, now)
                case Goodbye():
                    self.bye_received = True
                case _:
                    continue

    def _read(self, reports: tuple[ReportBlock, ...], now: float) -> None:
        for report in reports:
            if report.ssrc != self._settings.ssrc:
                continue
            self.remote_fraction_lost = report.fraction_lost / 256
            self.remote_lost = report.cumulative_lost
            self.remote_jitter_seconds = report.jitter / self._clock_rate
            round_trip = round_trip_seconds(report, self._ntp(now))
            if round_trip is not None:
                self.round_trip = round_trip

    def _build(self, now: float, *last: RtcpPacket) -> bytes:
        self.packets_out += 1
        settings, sender = self._settings, self._sender
        blocks = self._blocks(now)
        report: RtcpPacket
        # A sender report until nothing was sent for one interval (section 6.4).
        if sender.packets > self._reported_packets:
            report = SenderReport(
                ssrc=settings.ssrc,
                ntp=self._ntp(now),
                rtp_timestamp=sender.timestamp_at(now),
                packet_count=sender.packets,
                octet_count=sender.octets,
                reports=blocks,
            )
        else:
            report = ReceiverReport(settings.ssrc, blocks)
        self._reported_packets = sender.packets
        name = SourceDescription(((settings.ssrc, ((CNAME, settings.cname.encode()),)),))
        return build_rtcp((report, name, *last))

    def _blocks(self, now: float) -> tuple[ReportBlock, ...]:
        blocks = []
        for ssrc, stream in self._receiver.streams.items():
            if stream.received == self._reported_received.get(ssrc):
                continue
            self._reported_received[ssrc] = stream.received
            last_sr, arrived = self._last_sr.get(ssrc, (0, now))
            delay = min(round((now - arrived) * 65536), 0xFFFFFFFF)
            blocks.append(stream.report(ssrc, last_sr=last_sr, delay_since_last_sr=delay))
        return tuple(blocks)

    def _ntp(self, now: float) -> int:
        return ntp_timestamp(now + self._settings.wall_clock_offset)
