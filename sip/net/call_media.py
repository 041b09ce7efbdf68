"""The media of one call on real sockets: ports, pacing, and where packets may go.

Packets leave when the media session says, by the loop's clock. Each address is put to the address
guard before the first packet to it, whether SDP, a re-INVITE or the peer's own packets named it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from sip.call_addresses import AddressNotes
from sip.call_facts import AddressPlace
from sip.call_negotiation import payload_format, voice_format
from sip.call_plan import CallPlan
from sip.media_agreement import Endpoint, Negotiation, SrtpKeys
from sip.media_session import MediaDatagram, MediaSession
from sip.media_settings import Address, MediaSettings
from sip.media_verdict import MediaVerdict, flow_of
from sip.net.media_port import MediaPorts
from sip.net.resolver import Resolver
from sip.rtp import is_rtcp
from sip.srtp import SrtpSession, SrtpSuite

__all__ = ["CallMedia"]

NOWHERE: Address = ("0.0.0.0", 0)
"""Stands for an address that the peer did not give; the guard lets nothing go there."""

PAUSE_SECONDS = 0.2
"""Silence between tone and digit."""

RESOLVE_SECONDS = 1.5

MAX_WAITING = 64
"""Packets kept until the description comes that explains them."""

OVERTAKING_SECONDS = 0.5
"""Media that much earlier than its description has overtaken it."""


class _Arrival(NamedTuple):
    data: bytes
    source: Address
    at: float


class CallMedia:
    """One stream: first what comes before the answer, then the call's own."""

    def __init__(
        self,
        plan: CallPlan,
        local: str,
        ports: range,
        *,
        resolver: Resolver,
        addresses: AddressNotes,
        permits: Callable[[str], bool],
        note: Callable[[str], None],
        cname: str,
    ) -> None:
        """Bind the ports. Raises OSError, `NoMediaPort` for a range that is used up."""
        self._plan, self._resolver, self._addresses = plan, resolver, addresses
        self._permits, self._note, self._cname = permits, note, cname
        self._loop = asyncio.get_running_loop()
        self._session: MediaSession | None = None
        self._keys: SrtpKeys | None = None
        self._early = False
        self._held = False
        self._unsent = 0
        self._waiting: deque[_Arrival] = deque(maxlen=MAX_WAITING)
        self._timer: asyncio.TimerHandle | None = None
        self._ports = MediaPorts.open(
            local,
            ports,
            on_rtp=self._rtp_arrived,
            on_rtcp=self._rtcp_arrived,
            on_refused=self._refused,
        )

    @property
    def rtp_port(self) -> int:
        return self._ports.rtp_port

    async def start(self, negotiation: Negotiation, *, early: bool) -> None:
        """Begin with what was agreed; before the answer it only listens."""
        voice = voice_format(negotiation)
        if voice is None:
            return
        remote, remote_rtcp = await self._remote(negotiation)
        self._finish_early()
        plan = self._plan
        others = [entry for entry in negotiation.formats if entry is not voice]
        if negotiation.dtmf is not None:
            others.append(negotiation.dtmf)
        now = self._loop.time()
        settings = MediaSettings(
            audio=payload_format(voice),
            accepted=tuple(payload_format(entry) for entry in others),
            remote=remote,
            remote_rtcp=remote_rtcp,
            ssrc=secrets.randbits(32),
            # The first half, so that it does not wrap before the peer has seen a packet
            # (RFC 3711 section 3.3.1).
            first_sequence=secrets.randbits(15),
            first_timestamp=secrets.randbits(32),
            cname=self._cname,
            srtp=_srtp_session(negotiation.srtp),
            digit=plan.digit,
            may_send=not early and negotiation.direction.sends,
            follow_source=True,
            wall_clock_offset=time.time() - now,
            tone_seconds=plan.tone_seconds,
            digit_after_seconds=plan.tone_seconds + PAUSE_SECONDS,
            limit_seconds=plan.limit_seconds,
        )
        self._keys, self._early, self._held = negotiation.srtp, early, False
        self._session = session = MediaSession(settings, now)
        self._take_waiting(session, now)
        self._run()

    async def move(self, negotiation: Negotiation) -> None:
        """Follow an offer of the peer that was accepted."""
        session = self._session
        if session is None:
            return
        remote, remote_rtcp = await self._remote(negotiation)
        keys = negotiation.srtp
        srtp = None if keys is None or keys == self._keys else _srtp_session(keys)
        self._keys = keys
        self._held = not negotiation.direction.sends
        session.retarget(remote, remote_rtcp, srtp)

    def stop(self) -> None:
        """Say goodbye by RTCP and send nothing more; what comes is still counted."""
        if self._session is not None:
            self._session.close(self._loop.time())
            self._run()

    def close(self) -> None:
        """Close the ports; idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        self._ports.close()

    def verdict(self) -> MediaVerdict | None:
        """What the call's media proved, None without an answer that made any."""
        if self._session is None or self._early:
            return None
        verdict = self._session.summary()
        if not self._unsent:
            return verdict
        packets_out = max(verdict.packets_out - self._unsent, 0)
        return replace(
            verdict,
            packets_out=packets_out,
            flow=flow_of(packets_out, verdict.packets_in),
            dtmf_sent=verdict.dtmf_sent if packets_out else None,
        )

    async def _remote(self, negotiation: Negotiation) -> tuple[Address, Address | None]:
        """Where media and RTCP go; None for RTCP that shares the port."""
        remote = await self._address(negotiation.remote_rtp)
        if negotiation.rtcp_mux:
            return remote, None
        rtcp = negotiation.remote_rtcp
        if rtcp is not None and rtcp.address == getattr(negotiation.remote_rtp, "address", None):
            return remote, (remote[0], rtcp.port)
        return remote, await self._address(rtcp)

    async def _address(self, endpoint: Endpoint | None) -> Address:
        if endpoint is None:
            return NOWHERE
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await self._resolver.resolve(
                    endpoint.address, port=endpoint.port, transport="udp"
                )
        except TimeoutError:
            found = None
        if found is None or not found.targets:
            self._note(f"the media address {endpoint.address} cannot be resolved")
            return NOWHERE
        address = found.targets[0].address
        self._addresses.note(AddressPlace.SDP, address, blocked=True)
        return address, endpoint.port

    def _finish_early(self) -> None:
        if self._session is not None and self._early:
            self._session.close(self._loop.time())
            count = self._session.summary().packets_in
            self._note(f"{count} media packets came before the answer (early media)")

    def _take_waiting(self, session: MediaSession, now: float) -> None:
        """Hear what overtook the answer; what came long before it belongs to no description."""
        waiting = [arrival for arrival in self._waiting if arrival.at >= now - OVERTAKING_SECONDS]
        if early := len(self._waiting) - len(waiting):
            self._note(f"{early} media packets came before any session description")
        self._waiting.clear()
        for data, source, at in waiting:
            session.receive_rtp(data, source, at)

    def _run(self) -> None:
        """Send what is due and come back when more is."""
        session = self._session
        if session is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        for datagram in session.packets_to_send(self._loop.time()):
            self._send(datagram)
        due = session.get_timer()
        self._timer = None if due is None else self._loop.call_at(due, self._run)

    def _send(self, datagram: MediaDatagram) -> None:
        if datagram.from_rtcp_port:
            if self._permits(datagram.address[0]):
                self._ports.send_rtcp(datagram.data, datagram.address)
        elif is_rtcp(datagram.data):
            if self._permits(datagram.address[0]):
                self._ports.send_rtp(datagram.data, datagram.address)
        elif self._held or not self._permits(datagram.address[0]):
            self._unsent += 1
        else:
            self._ports.send_rtp(datagram.data, datagram.address)

    def _rtp_arrived(self, data: bytes, source: Address) -> None:
        now = self._loop.time()
        if self._session is None:
            self._waiting.append(_Arrival(data, source, now))
        else:
            self._session.receive_rtp(data, source, now)

    def _rtcp_arrived(self, data: bytes, source: Address) -> None:
        if self._session is not None:
            self._session.receive_rtcp(data, source, self._loop.time())

    def _refused(self, remote: Address, number: int) -> None:
        self._note(f"media to {remote[0]} port {remote[1]} was refused (ICMP, errno {number})")


def _srtp_session(keys: SrtpKeys | None) -> SrtpSession | None:
    if keys is None:
        return None
    return SrtpSession(
        SrtpSuite(keys.suite.value), local_key=keys.local.key, remote_key=keys.remote.key
    )
