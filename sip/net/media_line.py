"""The media of one call on its sockets: pacing, what arrives, and where packets may go.

Packets leave when the media session says, by the loop's clock. Each address is put to the address
guard before the first packet to it, whether SDP, a re-INVITE or the peer's own packets named it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from sip.media_agreement import SrtpKeys
from sip.media_session import MediaDatagram, MediaSession
from sip.media_settings import Address, MediaSettings
from sip.media_verdict import MediaVerdict, flow_of
from sip.net.guard import AddressGuard
from sip.net.media_port import MediaPorts
from sip.rtp import is_rtcp
from sip.srtp import SrtpSession, SrtpSuite

__all__ = ["MediaLine"]

MAX_WAITING = 64
"""Packets kept until the description comes that explains them."""

OVERTAKING_SECONDS = 0.5
"""Media that much earlier than its description has overtaken it."""

GRID_SECONDS = 0.005
"""Sessions begin at whole multiples, so that the packets of many calls leave in one wake-up: four in a
packet time, however many calls there are."""

MAX_JUDGED = 64
"""Addresses whose judgement is kept: a call has a handful, and the peer names them."""

MAX_NOTES = 16


class _Arrival(NamedTuple):
    data: bytes
    source: Address
    at: float


class MediaLine:
    """The ports of a call, and the session that has them now. ``note`` gets sentences about it."""

    def __init__(
        self, host: str, ports: range, guard: AddressGuard, *, note: Callable[[str], None]
    ) -> None:
        """Bind the ports. Raises OSError, `NoMediaPort` for a range that is used up."""
        self._guard, self._tell = guard, note
        self._noted: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._permitted: dict[str, bool] = {}
        self._session: MediaSession | None = None
        self._keys: SrtpKeys | None = None
        self._held = False
        self._unsent = 0
        self._waiting: deque[_Arrival] = deque(maxlen=MAX_WAITING)
        self._timer: asyncio.TimerHandle | None = None
        self._ports = MediaPorts.open(
            host,
            ports,
            on_rtp=self._rtp_arrived,
            on_rtcp=self._rtcp_arrived,
            on_refused=self._refused,
        )

    @property
    def rtp_port(self) -> int:
        return self._ports.rtp_port

    def begin(self, settings: MediaSettings, keys: SrtpKeys | None) -> int:
        """Give the ports to a new session; how many packets came for the one before."""
        before, now = self._session, self._loop.time()
        start = math.ceil(now / GRID_SECONDS) * GRID_SECONDS
        session = MediaSession(replace(settings, srtp=_srtp_session(keys)), start)
        self._session, self._keys, self._held = session, keys, False
        self._take_waiting(session, now)
        self._run()
        return 0 if before is None else before.packets_in

    def move(
        self, remote: Address, remote_rtcp: Address | None, keys: SrtpKeys | None, *, held: bool
    ) -> None:
        """Send elsewhere, with other keys if they changed; nothing but RTCP while ``held``."""
        if self._session is None:
            return
        srtp = None if keys == self._keys else _srtp_session(keys)
        self._keys, self._held = keys, held
        self._session.retarget(remote, remote_rtcp, srtp)

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
        """What the last session proved. Some milliseconds of work: for any thread, once closed."""
        if self._session is None:
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
        data, address = datagram.data, datagram.address
        control = datagram.from_rtcp_port or is_rtcp(data)
        if not self._permits(address[0]) or (self._held and not control):
            self._unsent += not control
        elif datagram.from_rtcp_port:
            self._ports.send_rtcp(data, address)
        else:
            self._ports.send_rtp(data, address)

    def _permits(self, host: str) -> bool:
        permitted = self._permitted.get(host)
        if permitted is None:
            if len(self._permitted) >= MAX_JUDGED:
                self._permitted.clear()
            permitted = self._permitted[host] = self._guard.permits(host)
        return permitted

    def _note(self, text: str) -> None:
        """Tell a sentence, once and within limits: the peer decides how often there is a reason."""
        if text not in self._noted and len(self._noted) < MAX_NOTES:
            self._noted.add(text)
            self._tell(text)

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
