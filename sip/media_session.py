"""The media of one test call, without I/O: RTP and RTCP, plain or SRTP, and a verdict.

Datagrams go in by `receive_rtp` and `receive_rtcp`, time by the argument `now` (seconds of a clock
that never runs back). The owner sends what `packets_to_send` returns, wakes at `get_timer`, calls
`close` when the call ends and sends once more, then reads `summary`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sip.media_control import MediaControl
from sip.media_receiver import MediaReceiver
from sip.media_sender import MediaSender
from sip.media_settings import Address, MediaSettings
from sip.media_verdict import MediaVerdict, flow_of, heard_of, srtp_outcome
from sip.rtp import is_rtcp, is_stun
from sip.rtp_reception import Reception
from sip.srtp import SrtpError, SrtpFailure, SrtpSession
from sip.tone import FRAME_SECONDS

# A single forged packet must not move where media goes.
FOLLOW_AFTER_PACKETS = 3


@dataclass(frozen=True, slots=True)
class MediaDatagram:
    """One datagram to send: from the RTCP socket when `from_rtcp_port`, else from the RTP one."""

    data: bytes
    address: Address
    from_rtcp_port: bool = False


class MediaSession:
    """One media stream in both directions, from `start` on."""

    def __init__(self, settings: MediaSettings, start: float) -> None:
        self._settings = settings
        self._srtp = settings.srtp
        self._sender = MediaSender(settings, start)
        self._receiver = MediaReceiver((settings.audio, *settings.accepted), settings.ssrc, start)
        self._control = MediaControl(settings, self._sender, self._receiver, start)
        self._end = start + settings.limit_seconds
        self._target = settings.remote
        self._outbox: list[MediaDatagram] = []
        self._closed = False

    @property
    def packets_in(self) -> int:
        """RTP packets that came, each counted that could be read."""
        return self._receiver.packets

    def receive_rtp(self, data: bytes, address: Address, now: float) -> None:
        """Takes one datagram of the RTP port; RTCP on it is taken for what it is (RFC 5761)."""
        if is_rtcp(data):
            self.receive_rtcp(data, address, now)
            return
        if self._srtp is not None and not is_stun(data):
            try:
                data = self._srtp.unprotect_rtp(data)
            except SrtpError:
                return
        if not self._receiver.receive(data, address, now) or not self._settings.follow_source:
            return
        first = address == self._receiver.first_address
        if first and self._receiver.addresses[address] >= FOLLOW_AFTER_PACKETS:
            self._target = address

    def receive_rtcp(self, data: bytes, address: Address, now: float) -> None:
        """Takes one datagram of the RTCP port; where it came from proves nothing and is unused."""
        if self._srtp is not None:
            try:
                data = self._srtp.unprotect_rtcp(data)
            except SrtpError:
                return
        self._control.receive(data, now)

    def retarget(
        self, remote: Address, remote_rtcp: Address | None, srtp: SrtpSession | None = None
    ) -> None:
        """The peer's SDP moved its media, e.g. by a re-INVITE; formats stay.

        `srtp` takes the place of the present keys, its counts go on from theirs.
        """
        self._settings = replace(self._settings, remote=remote, remote_rtcp=remote_rtcp)
        self._target = remote
        if srtp is not None and self._srtp is not None:
            srtp.authenticated += self._srtp.authenticated
            srtp.failures += self._srtp.failures
            self._srtp = srtp

    def packets_to_send(self, now: float) -> list[MediaDatagram]:
        """What is due by `now`, in order; each datagram is returned once."""
        self.handle_timer(now)
        outbox, self._outbox = self._outbox, []
        return outbox

    def get_timer(self) -> float | None:
        """When `packets_to_send` or `handle_timer` is to be called next; None once closed."""
        if self._closed:
            return None
        due = self._sender.next_due
        report = min(self._control.next_due, self._end)
        return report if due is None else min(due, report)

    def handle_timer(self, now: float) -> None:
        """Builds what is due by `now`; a session that reaches its limit closes itself."""
        if self._closed:
            return
        for packet in self._sender.due_packets(now):
            data = packet if self._srtp is None else self._srtp.protect_rtp(packet)
            self._outbox.append(MediaDatagram(data, self._target))
        report = self._control.due_report(now)
        if report is not None:
            self._send_control(report)
        if now >= self._end:
            self.close(now)

    def close(self, now: float) -> None:
        """Ends the sending with an RTCP BYE; what still arrives is counted. Twice is once."""
        if self._closed:
            return
        self._closed = True
        self._send_control(self._control.goodbye(now))

    def summary(self) -> MediaVerdict:
        """The verdict so far. It searches new sound for tones: some milliseconds of work at most."""
        settings, sender, receiver = self._settings, self._sender, self._receiver
        control, streams = self._control, list(receiver.streams.values())
        sound = receiver.listener.sound()
        expected = sum(stream.expected for stream in streams)
        lost = sum(stream.lost for stream in streams)
        main = max(streams, key=_unique, default=None)
        failures = self._srtp.failures if self._srtp else {}
        authenticated = self._srtp.authenticated if self._srtp else 0
        replayed = failures.get(SrtpFailure.REPLAY, 0)
        failed = failures.get(SrtpFailure.AUTHENTICATION, 0)
        unread = sum(failures.values()) - replayed - failed
        return MediaVerdict(
            codec=settings.audio.encoding,
            encodable=settings.audio.law is not None,
            may_send=settings.may_send,
            flow=flow_of(sender.packets, receiver.packets),
            heard=heard_of(
                audio_packets=receiver.audio_packets,
                comfort_noise=receiver.comfort_noise,
                decoded_ms=sound.heard_ms,
                loud_ms=sound.loud_ms,
                tone_ms=sound.tone_ms,
                sent_tone_ms=sender.tone_frames * FRAME_SECONDS * 1000,
            ),
            srtp=srtp_outcome(
                used=self._srtp is not None, authenticated=authenticated, failed=failed
            ),
            packets_out=sender.packets,
            packets_in=receiver.packets,
            frames_skipped=sender.frames_skipped,
            packets_expected=expected,
            packets_lost=lost,
            loss_percent=100 * lost / expected if expected else 0.0,
            packets_duplicate=sum(stream.duplicates for stream in streams),
            packets_reordered=sum(stream.reordered for stream in streams),
            packets_reflected=receiver.reflected,
            packets_rejected=receiver.malformed + receiver.streams_refused + unread,
            stun_packets=receiver.stun,
            jitter_ms=_milliseconds(main.jitter_seconds if main else None),
            first_packet_delay_ms=_milliseconds(receiver.first_packet_delay),
            expected_source=settings.remote,
            source=receiver.first_address,
            other_sources=tuple(receiver.addresses)[1:],
            sent_to=self._target,
            ssrc_changes=receiver.ssrc_changes,
            stream_restarts=sum(stream.restarts for stream in streams),
            unexpected_payload_types=tuple(sorted(receiver.unexpected_payload_types)),
            comfort_noise_packets=receiver.comfort_noise,
            level_dbov=sound.level_dbov,
            loud_ms=sound.loud_ms,
            tone_ms=sound.tone_ms,
            dtmf_sent=sender.digit_sent,
            dtmf_received="".join(pressed.digit for pressed in receiver.digits.digits),
            dtmf_inband=sound.inband_digits,
            srtp_authenticated=authenticated,
            srtp_failed=failed,
            srtp_replayed=replayed,
            rtcp_out=control.packets_out,
            rtcp_in=control.packets_in,
            rtcp_rejected=control.malformed,
            rtcp_bye_received=control.bye_received,
            remote_loss_percent=_percent(control.remote_fraction_lost),
            remote_packets_lost=control.remote_lost,
            remote_jitter_ms=_milliseconds(control.remote_jitter_seconds),
            round_trip_ms=_milliseconds(control.round_trip),
        )

    def _send_control(self, packet: bytes) -> None:
        data = packet if self._srtp is None else self._srtp.protect_rtcp(packet)
        address = self._settings.remote_rtcp
        if address is None:
            self._outbox.append(MediaDatagram(data, self._target))
        else:
            self._outbox.append(MediaDatagram(data, address, from_rtcp_port=True))


def _unique(stream: Reception) -> int:
    return stream.unique


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else fraction * 100
