"""The media of one call, seen from the process that places it: what was agreed, and what came of it.

Sockets and pacing are a line of the media process. What has to be looked up is looked up here.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable

from sip.call_addresses import AddressNotes
from sip.call_facts import AddressPlace
from sip.call_negotiation import payload_format, voice_format
from sip.call_plan import CallPlan
from sip.media_agreement import AgreedFormat, Endpoint, Negotiation
from sip.media_settings import Address, MediaSettings
from sip.media_verdict import MediaVerdict
from sip.net.guard import AddressGuard
from sip.net.media_commands import Begin, Close, Judge, Move, Open, Stop
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver

__all__ = ["CallMedia"]

NOWHERE: Address = ("0.0.0.0", 0)
"""Stands for an address that the peer did not give; the guard lets nothing go there."""

PAUSE_SECONDS = 0.2
"""Silence between tone and digit."""

RESOLVE_SECONDS = 1.5


class CallMedia:
    """One stream: first what comes before the answer, then the call's own.

    Everything but `open` and `close` raises `MediaLost` when the media process died meanwhile.
    """

    def __init__(
        self,
        plan: CallPlan,
        process: MediaProcess,
        *,
        guard: AddressGuard,
        resolver: Resolver,
        addresses: AddressNotes,
        note: Callable[[str], None],
        cname: str,
    ) -> None:
        self.rtp_port = 0
        self._plan, self._guard, self._cname = plan, guard, cname
        self._resolver, self._addresses, self._note = resolver, addresses, note
        self._begun = self._early = False
        self._process = process
        self._line = process.add_line(note)

    async def open(self, local: str, ports: range) -> None:
        """Bind the ports. Raises OSError, `NoMediaPort` for a range that is used up."""
        try:
            self.rtp_port = await self._process.ask(self._line, Open(local, ports, self._guard))
        except BaseException:
            self.close()
            raise

    async def start(self, negotiation: Negotiation, *, early: bool) -> None:
        """Begin with what was agreed; before the answer it only listens."""
        voice = voice_format(negotiation)
        if voice is None:
            return
        settings = await self._settings(negotiation, voice, early=early)
        was_early, self._early, self._begun = self._early, early, True
        before = await self._process.ask(self._line, Begin(settings, negotiation.srtp))
        if was_early:
            self._note(f"{before} media packets came before the answer (early media)")

    async def move(self, negotiation: Negotiation) -> None:
        """Follow an offer of the peer that was accepted."""
        if self._begun:
            remote, remote_rtcp = await self._remote(negotiation)
            held = not negotiation.direction.sends
            self._process.post(self._line, Move(remote, remote_rtcp, negotiation.srtp, held))

    def stop(self) -> None:
        """Say goodbye by RTCP and send nothing more; what comes is still counted."""
        self._process.post(self._line, Stop())

    def close(self) -> None:
        """Have the ports closed, before any that are opened later; idempotent."""
        self._process.post(self._line, Close())

    async def verdict(self) -> MediaVerdict | None:
        """Close the ports and judge the call's media; None without an answer that made any."""
        verdict: MediaVerdict | None = await self._process.ask(self._line, Judge())
        return None if self._early else verdict

    async def _settings(
        self, negotiation: Negotiation, voice: AgreedFormat, *, early: bool
    ) -> MediaSettings:
        plan = self._plan
        remote, remote_rtcp = await self._remote(negotiation)
        others = [entry for entry in negotiation.formats if entry is not voice]
        if negotiation.dtmf is not None:
            others.append(negotiation.dtmf)
        return MediaSettings(
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
            digit=plan.digit,
            may_send=not early and negotiation.direction.sends,
            follow_source=True,
            # The monotonic clock is one for all processes of a machine.
            wall_clock_offset=time.time() - time.monotonic(),
            tone_seconds=plan.tone_seconds,
            digit_after_seconds=plan.tone_seconds + PAUSE_SECONDS,
            limit_seconds=plan.limit_seconds,
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
