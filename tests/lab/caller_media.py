"""The media of a caller for tests of the lab: a port pair, an offer, and one `MediaSession`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from ipaddress import ip_network

from sip.media_agreement import AgreedFormat, Negotiation, SrtpKeys
from sip.media_session import MediaSession
from sip.media_settings import Address, MediaSettings, PayloadFormat
from sip.media_verdict import MediaVerdict
from sip.negotiation import negotiated
from sip.net.guard import AddressGuard
from sip.net.udp import UdpSocket
from sip.offer_answer import MediaCapabilities, SrtpPolicy, answer_to, build_offer
from sip.sdes import CryptoSuite, new_crypto_attributes
from sip.sdp import parse_sdp
from sip.sdp_attributes import AudioCodec
from sip.srtp import SrtpSession, SrtpSuite

__all__ = ["GUARD", "CallerMedia"]

GUARD = AddressGuard((ip_network("127.0.0.0/8"),))
US = "127.0.0.1"


class CallerMedia:
    """`offer` is the body of the INVITE, `agreed` what the answer of the peer came to."""

    def __init__(self, codecs: tuple[AudioCodec, ...], srtp: SrtpPolicy) -> None:
        self.agreed: Negotiation | None = None
        self._loop = asyncio.get_running_loop()
        self._rtp, self._rtcp = _port_pair(self._rtp_arrived, self._rtcp_arrived)
        crypto = (
            new_crypto_attributes(tuple(CryptoSuite), secrets.token_bytes)
            if srtp is not SrtpPolicy.OFF
            else ()
        )
        self._capabilities = MediaCapabilities(
            codecs, US, self._rtp.local[1], srtp=srtp, crypto=crypto
        )
        self._described = build_offer(self._capabilities, session_id=1, session_version=1)
        self.offer = self._described.serialize()
        self._session: MediaSession | None = None
        self._timer: asyncio.TimerHandle | None = None

    def answer_offer(self, offer: bytes | None) -> bytes | None:
        """Answer an offer of the peer, or make one."""
        if offer is None:
            return self.offer
        answer = answer_to(parse_sdp(offer), self._capabilities, session_id=1, session_version=2)
        return answer.description.serialize() if answer.is_acceptable else None

    def begin(self, answer: bytes) -> None:
        """Send and judge media by an answer of the peer, when it can be used."""
        self.agreed = negotiated(self._described, parse_sdp(answer))
        codec, remote, rtcp = self.agreed.codec, self.agreed.remote_rtp, self.agreed.remote_rtcp
        if not self.agreed.is_usable or codec is None or remote is None or rtcp is None:
            return
        keys, dtmf = self.agreed.srtp, self.agreed.dtmf
        settings = MediaSettings(
            audio=_format(codec),
            accepted=() if dtmf is None else (_format(dtmf),),
            remote=(remote.address, remote.port),
            remote_rtcp=(rtcp.address, rtcp.port),
            ssrc=1,
            first_sequence=1,
            first_timestamp=1,
            cname="caller",
            srtp=None if keys is None else _srtp_session(keys),
            tone_seconds=0.3,
            digit_after_seconds=0.4,
            follow_source=True,
        )
        self._session = MediaSession(settings, self._loop.time())
        self._pump()

    def verdict(self) -> MediaVerdict:
        """What the media proved so far."""
        assert self._session is not None
        return self._session.summary()

    def throw(self, data: bytes, there: Address) -> None:
        """Send anything from the RTP port."""
        self._rtp.send(data, there)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rtp.close()
        self._rtcp.close()

    def _pump(self) -> None:
        assert self._session is not None
        if self._timer is not None:
            self._timer.cancel()
        for datagram in self._session.packets_to_send(self._loop.time()):
            sending = self._rtcp if datagram.from_rtcp_port else self._rtp
            # A private address has no route on loopback: the peer is heard before it is told.
            if GUARD.permits(datagram.address[0]):
                sending.send(datagram.data, datagram.address)
        due = self._session.get_timer()
        self._timer = None if due is None else self._loop.call_at(due, self._pump)

    def _rtp_arrived(self, _socket: UdpSocket, data: bytes, remote: Address) -> None:
        if self._session is not None:
            self._session.receive_rtp(data, remote, self._loop.time())

    def _rtcp_arrived(self, _socket: UdpSocket, data: bytes, remote: Address) -> None:
        if self._session is not None:
            self._session.receive_rtcp(data, remote, self._loop.time())


def _format(agreed: AgreedFormat) -> PayloadFormat:
    return PayloadFormat(
        agreed.send_payload_type,
        agreed.encoding.upper(),
        agreed.clock_rate,
        agreed.receive_payload_type,
    )


def _srtp_session(keys: SrtpKeys) -> SrtpSession:
    suite = SrtpSuite(keys.suite.value)
    return SrtpSession(suite, local_key=keys.local.key, remote_key=keys.remote.key)


def _port_pair(
    rtp: Callable[[UdpSocket, bytes, Address], None],
    rtcp: Callable[[UdpSocket, bytes, Address], None],
) -> tuple[UdpSocket, UdpSocket]:
    for _ in range(50):
        first = UdpSocket.bind((US, 0), rtp, lambda *_: None)
        if first.local[1] % 2 == 0:
            try:
                return first, UdpSocket.bind((US, first.local[1] + 1), rtcp, lambda *_: None)
            except OSError:
                pass
        first.close()
    raise AssertionError("no pair of free ports")
