"""One INVITE to one target: its session, its media, and what both find out."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sip.call_addresses import AddressNotes
from sip.call_facts import AgreedMedia
from sip.call_negotiation import Agreement, CallNegotiation
from sip.call_plan import CallPlan, capabilities_of, invite_plan_of, our_host
from sip.call_record import CallRecord
from sip.dialog_state import (
    Answered,
    Calling,
    EarlyMedia,
    Ended,
    Failed,
    FailureCause,
    SessionEvent,
)
from sip.invite_session import InviteSession
from sip.media_verdict import MediaVerdict
from sip.message import Message, Response
from sip.net.call_hops import NextHops
from sip.net.call_media import CallMedia
from sip.net.call_observer import CallObserver
from sip.net.call_pump import CallPump
from sip.net.call_targets import TargetReacher
from sip.net.guard import AddressGuard
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver
from sip.net.wire import utc_now
from sip.session_requests import invite_request
from sip.timers import Timers
from sip.transaction import Flow

__all__ = ["CallAttempt", "CallParts", "CallTags"]

LINGER_SECONDS: Final = 0.3
"""After the end of a call: for a 2xx of another fork that is on its way."""

FORK_LINGER_SECONDS: Final = 2.0
"""The same when several phones have been heard ringing."""


@dataclass(frozen=True, slots=True)
class CallTags:
    """What stays the same in all INVITEs of a call, and the number of the next one."""

    call_id: str
    from_tag: str
    first_cseq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallParts:
    """What all attempts of one call share."""

    plan: CallPlan
    pump: CallPump
    reacher: TargetReacher
    guard: AddressGuard
    resolver: Resolver
    media_process: MediaProcess
    media_ports: range
    new_token: Callable[[], str]
    observer: CallObserver
    addresses: AddressNotes
    timers: Timers


class CallAttempt:
    """A `CallPart` of the pump. Made by `open`; it sends nothing before `start`."""

    @classmethod
    async def open(cls, parts: CallParts, flow: Flow, tags: CallTags) -> CallAttempt:
        """The attempt, and its media ports.

        Raises OSError without media ports, LocalProtocolError for a plan that cannot be sent.
        """
        media = CallMedia(
            parts.plan,
            parts.media_process,
            guard=parts.guard,
            resolver=parts.resolver,
            addresses=parts.addresses,
            note=parts.pump.note,
            cname=parts.new_token(),
        )
        await media.open(flow.local[0], parts.media_ports)
        try:
            return cls(parts, flow, tags, media)
        except BaseException:
            media.close()
            raise

    def __init__(self, parts: CallParts, flow: Flow, tags: CallTags, media: CallMedia) -> None:
        """``media`` has its ports. Raises LocalProtocolError for a plan that cannot be sent."""
        plan, pump = parts.plan, parts.pump
        self.over_at: float | None = None
        self.answered_at: float | None = None
        self._parts, self._flow = parts, flow
        self._loop = asyncio.get_running_loop()
        self._pump = pump
        self._hops = NextHops(
            pump.transport,
            parts.resolver,
            flow,
            plan.host,
            addresses=parts.addresses,
            note=pump.note,
            profile_for=parts.reacher.profile_for,
        )
        self._media = media
        self._early: dict[str, bytes] = {}
        self._wanted: tuple[Agreement, bool] | None = None
        self._agreed: AgreedMedia | None = None
        self._negotiation = CallNegotiation(
            capabilities_of(
                plan,
                address=our_host(plan, flow),
                rtp_port=self._media.rtp_port,
                new_key=secrets.token_bytes,
            ),
            secrets.randbits(62),
        )
        invite_plan = invite_plan_of(
            plan,
            flow,
            call_id=tags.call_id,
            from_tag=tags.from_tag,
            first_cseq=tags.first_cseq,
            offer=self._negotiation.offer,
        )
        invite = invite_request(invite_plan, flow.transport, f"z9hG4bK{parts.new_token()}")
        self.size = len(invite.serialize())
        """Octets of the INVITE."""
        self._session = InviteSession(
            pump.layer,
            flow,
            invite_plan,
            new_token=parts.new_token,
            answer_offer=self._negotiation.answer_offer,
            save=pump.save,
            flow_to=self._hops.flow_to,
            timers=parts.timers,
        )
        self.next_cseq = tags.first_cseq + 1
        """The number of an INVITE to another target."""
        self.record = CallRecord(
            request_uri=str(invite.uri),
            from_uri=str(invite.from_.uri),
            sip_call_id=tags.call_id,
            started_at=utc_now(),
            started=self._pump.now(),
            offer=self._negotiation.offer_facts(self.size),
            credentials=plan.credentials,
        )

    @property
    def session(self) -> InviteSession:
        return self._session

    @property
    def media_is_fatal(self) -> bool:
        """Whether the answer made no media that could flow."""
        return self._agreed is not None and self._agreed.fatal

    @property
    def was_unavailable(self) -> bool:
        """Whether the target refused with 503, so that another may be called (RFC 3263 4.3)."""
        facts = self.record.facts
        return (
            facts.failure is FailureCause.REFUSED
            and facts.final is not None
            and facts.final.status == 503
        )

    @property
    def unreached_errno(self) -> int | None:
        """The ICMP error that answered the first datagram, when nothing else ever came.

        No later copy was sent either, so the INVITE is known not to have arrived.
        """
        facts = self.record.facts
        if facts.failure is not FailureCause.TRANSPORT or self._flow.transport != "UDP":
            return None
        kind, _, number = (facts.failure_reason or "").partition(":")
        untouched = not facts.retransmissions and not self.record.heard_anything
        return int(number) if kind == "errno" and untouched else None

    @property
    def handshake_alert(self) -> str | None:
        """The TLS alert that a peer sent instead of reading the INVITE (TLS 1.3 sends it late)."""
        facts = self.record.facts
        if facts.failure is not FailureCause.TRANSPORT or self.record.heard_anything:
            return None
        kind, _, alert = (facts.failure_reason or "").partition(":")
        return alert if kind == "tls" else None

    @property
    def lost_before(self) -> str | None:
        """Why the connection was gone before the INVITE could be put on it."""
        facts = self.record.facts
        gone = facts.failure is FailureCause.TRANSPORT and not self.record.invite_left
        return facts.failure_reason if gone else None

    @property
    def may_be_up(self) -> bool:
        """Whether the peer may hold the call although it is over here."""
        failures = (self.unreached_errno, self.handshake_alert, self.lost_before)
        return failures == (None, None, None) and not self._session.snapshot.is_over

    def start(self) -> None:
        """Put the INVITE out; the pump's next turn sends it."""
        self._pump.parts.append(self)
        self._session.start(self._pump.now())

    def hang_up(self) -> None:
        """End the call by BYE or CANCEL, media first."""
        self._media.stop()
        self._session.hang_up(self._pump.now())

    def is_done(self, now: float) -> bool:
        """Whether the call is over and its stragglers have had their time."""
        if self.over_at is None:
            return False
        if self._session.is_over:
            return True
        return now >= self.linger_until and self._session.snapshot.is_over

    @property
    def linger_until(self) -> float:
        """When a call that is over has waited long enough."""
        forked = len(self.record.tags) > 1
        return (self.over_at or 0.0) + (FORK_LINGER_SECONDS if forked else LINGER_SECONDS)

    async def prepare(self, message: Message) -> None:
        self.record.received(message)
        self._parts.addresses.read(message)
        seen_at = message.via.received if isinstance(message, Response) else None
        if seen_at is not None and seen_at != message.via.host:
            self._pump.note(f"the peer sees us at {seen_at}, not at {message.via.host}")
        await self._hops.prepare(message)

    def sent(self, message: Message, *, retransmission: bool, now: float) -> None:
        self.record.sent(message, retransmission=retransmission, now=now)

    def happened(self, event: SessionEvent) -> None:
        self.record.event(event)
        match event:
            case Calling(attempt=attempt):
                self.next_cseq += attempt > 1
            case EarlyMedia(_, sdp, tag):
                if tag not in self._early:
                    self._early[tag] = sdp
                    self._wanted = self._negotiation.agree(sdp), True
            case Answered(at, _, _, sdp, dialog):
                self.answered_at = at
                body = sdp if sdp is not None else self._early.get(dialog.remote_tag)
                agreement = self._negotiation.agree(body)
                self._wanted = agreement, False
                self._agreed = agreement.facts
                self.record.agreed(agreement.facts)
            case Ended() | Failed():
                self.over_at = self._loop.time()
                self._media.stop()
        self._parts.observer.event(event)

    async def reconnect(self) -> None:
        """Open connections again that the peer closed, for what ends the call."""
        if self.answered_at is not None:
            await self._hops.reconnect()

    async def settle(self) -> None:
        """Let the media follow what the last messages agreed on."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None and self.over_at is None:
            agreement, early = wanted
            negotiation = agreement.negotiation
            if negotiation is not None and negotiation.is_usable:
                await self._media.start(negotiation, early=early)
        moved, self._negotiation.moved = self._negotiation.moved, None
        if moved is not None and self.over_at is None:
            await self._media.move(moved)

    async def media_verdict(self) -> MediaVerdict | None:
        """Close the media ports and judge what went through them."""
        return await self._media.verdict()

    def close(self) -> None:
        """Have the media ports closed; idempotent."""
        self._media.close()
