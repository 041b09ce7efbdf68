"""The media of one telephone at a peer: two UDP ports, and what is said through them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Protocol

from lab.call_echo import Echo
from lab.call_manner import Sound
from lab.call_sdp import Agreement
from sip.media_agreement import AgreedFormat, Negotiation
from sip.media_session import MediaDatagram, MediaSession
from sip.media_settings import Address, MediaSettings, PayloadFormat
from sip.media_verdict import MediaVerdict
from sip.net.guard import AddressGuard
from sip.net.udp import UdpSocket

__all__ = ["GUARD", "MediaLine"]

GUARD = AddressGuard((ip_network("127.0.0.0/8"), ip_network("::1/128")))
"""The lab sends to loopback alone, whatever a session description says."""

FIRST_PORT = 16_384
PORT_PAIRS = 8_192
"""Even ports from 16384 to 32766: below those that Linux hands out itself."""
MAX_TRIES = 32

TONE_HERTZ = 425.0
"""The dial tone of most countries: no test call sends it, so what hears it hears the peer."""
DIGIT = "5"

MEDIA_SECONDS = 180.0


class _Stream(Protocol):
    def receive_rtp(self, data: bytes, address: Address, now: float) -> None: ...

    def receive_rtcp(self, data: bytes, address: Address, now: float) -> None: ...

    def packets_to_send(self, now: float) -> list[MediaDatagram]: ...

    def get_timer(self) -> float | None: ...

    def close(self, now: float) -> None: ...


class MediaLine:
    """RTP on an even port of the peer's address, RTCP on the next. Raises ``OSError``."""

    def __init__(self, address: str, sound: Sound) -> None:
        self._sound = sound
        self._rtp, self._rtcp = _port_pair(address, self._rtp_arrived, self._rtcp_arrived)
        self._loop = asyncio.get_running_loop()
        self._agreement: Agreement | None = None
        self._stream: _Stream | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.verdict: MediaVerdict | None = None
        """What the session that ended last says of the caller's media."""

    @property
    def port(self) -> int:
        """The port of RTP."""
        return self._rtp.local[1]

    def start(self, agreement: Agreement) -> None:
        """Talk as agreed. A refresh that changes nothing but addresses goes on with the stream."""
        if self._closed:
            return
        before, self._agreement = self._agreement, agreement
        if before is not None and _alike(before.negotiation, agreement.negotiation):
            remote = agreement.negotiation.remote_rtp
            if isinstance(self._stream, MediaSession) and remote is not None:
                self._stream.retarget((remote.address, remote.port), _rtcp_address(agreement))
            return
        self._end_stream()
        self._stream = _stream_of(agreement, self._sound, self._rtp.local[0], self._loop.time())
        self._pump()

    def close(self) -> None:
        """Say goodbye and close the ports; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._end_stream()
        self._rtp.close()
        self._rtcp.close()

    def _end_stream(self) -> None:
        if self._stream is None:
            return
        self._stream.close(self._loop.time())
        self._pump()
        if isinstance(self._stream, MediaSession):
            self.verdict = self._stream.summary()
        self._stream = None

    def _rtp_arrived(self, _socket: UdpSocket, data: bytes, remote: Address) -> None:
        if self._stream is not None:
            self._stream.receive_rtp(data, remote, self._loop.time())
            if isinstance(self._stream, Echo):
                self._pump()

    def _rtcp_arrived(self, _socket: UdpSocket, data: bytes, remote: Address) -> None:
        if self._stream is not None:
            self._stream.receive_rtcp(data, remote, self._loop.time())

    def _pump(self) -> None:
        if self._stream is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for datagram in self._stream.packets_to_send(self._loop.time()):
            if GUARD.permits(datagram.address[0]):
                sending = self._rtcp if datagram.from_rtcp_port else self._rtp
                sending.send(datagram.data, datagram.address)
        due = self._stream.get_timer()
        if due is not None:
            self._timer = self._loop.call_at(due, self._pump)


def _port_pair(
    address: str,
    rtp: Callable[[UdpSocket, bytes, Address], None],
    rtcp: Callable[[UdpSocket, bytes, Address], None],
) -> tuple[UdpSocket, UdpSocket]:
    for tries_left in reversed(range(MAX_TRIES)):
        port = FIRST_PORT + 2 * secrets.randbelow(PORT_PAIRS)
        first: UdpSocket | None = None
        try:
            first = UdpSocket.bind((address, port), rtp, _unreachable)
            return first, UdpSocket.bind((address, port + 1), rtcp, _unreachable)
        except OSError:
            if first is not None:
                first.close()
            if not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


def _unreachable(_socket: UdpSocket, _remote: Address, _number: int) -> None:
    """A caller whose port is closed is no reason to stop: it may open it yet."""


def _stream_of(agreement: Agreement, sound: Sound, address: str, now: float) -> _Stream:
    negotiation = agreement.negotiation
    codec, remote = negotiation.codec, negotiation.remote_rtp
    assert codec is not None
    assert remote is not None
    others = negotiation.formats[1:]
    if negotiation.dtmf is not None:
        others = (*others, negotiation.dtmf)
    settings = MediaSettings(
        audio=_payload_format(codec),
        accepted=tuple(map(_payload_format, others)),
        remote=(remote.address, remote.port),
        remote_rtcp=_rtcp_address(agreement),
        ssrc=secrets.randbits(32),
        first_sequence=secrets.randbits(16),
        first_timestamp=secrets.randbits(32),
        cname=f"lab@{address}",
        srtp=agreement.srtp,
        digit=DIGIT if sound is Sound.TONE else None,
        may_send=negotiation.direction.sends and sound is not Sound.NOTHING,
        follow_source=True,
        wall_clock_offset=time.time() - now,
        tone_seconds=1.0 if sound is Sound.TONE else 0.0,
        tone_hertz=TONE_HERTZ,
        limit_seconds=MEDIA_SECONDS,
    )
    return Echo(settings) if sound is Sound.ECHO else MediaSession(settings, now)


def _alike(one: Negotiation, other: Negotiation) -> bool:
    return _without_addresses(one) == _without_addresses(other)


def _without_addresses(negotiation: Negotiation) -> Negotiation:
    return replace(negotiation, remote_rtp=None, remote_rtcp=None, problems=())


def _rtcp_address(agreement: Agreement) -> Address | None:
    negotiation = agreement.negotiation
    rtp, rtcp = negotiation.remote_rtp, negotiation.remote_rtcp
    return None if rtcp is None or rtcp == rtp else (rtcp.address, rtcp.port)


def _payload_format(agreed: AgreedFormat) -> PayloadFormat:
    return PayloadFormat(
        agreed.send_payload_type,
        agreed.encoding.upper(),
        agreed.clock_rate,
        received_as=agreed.receive_payload_type,
    )
