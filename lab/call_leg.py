"""One telephone of a call: its dialog, its media and what it does until the call is over."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from lab.answers import SDP, SUPPORTED
from lab.call_manner import HeaderFields, Refresh, Step
from lab.call_premises import METHODS, CallEnd, Premises, contact_of, happens, state_at_uas
from lab.call_sdp import OfferRefused
from lab.call_session import MediaExchange
from sip.dialog import Dialog
from sip.errors import LocalProtocolError
from sip.message import Request, Response
from sip.net.stack import RequestFailed, RequestTimedOut
from sip.transaction import RequestReceived, ServerKey

__all__ = ["Leg"]

MAX_TALK = timedelta(seconds=180)
"""A call that lasts longer is ended by the peer."""

BETWEEN_REFRESHES = timedelta(seconds=0.5)


class Leg:
    """One dialog at its UAS (RFC 3261 section 12.1.1); ``end`` says how it ended, when it has."""

    def __init__(self, premises: Premises, event: RequestReceived) -> None:
        self.over = asyncio.Event()
        self.end: CallEnd | None = None
        self.answered = False
        self.exchange: MediaExchange | None = None
        self._premises, self._manner = premises, premises.behaviour.calls
        self._key, self._invite, self._flow = event.key, event.request, event.flow
        self.tag = premises.answers.new_tag()
        self._contact = contact_of(premises, event.flow)
        self._dialog = Dialog(state_at_uas(premises, event, self.tag, self._contact))
        self._answer = b""
        self._answered_reliably = False
        self._acks: dict[int, asyncio.Event] = {}
        self._pracked = asyncio.Event()
        self._rseq = 1 + secrets.randbelow(2**16)
        self._ack: Request | None = None

    def matches(self, request: Request) -> bool:
        """Whether a request of the caller is in this dialog."""
        return self._dialog.matches(request)

    def prepare(self) -> None:
        """Open media ports and decide about the offer.

        Raises ``OfferRefused``, and ``OSError`` when no port is free.
        """
        self.exchange = MediaExchange(self._manner.media, self._premises.address)
        offer = self._invite.body
        self._answer = self.exchange.answer(offer) if offer else self.exchange.offer()

    async def progress(self, step: Step) -> bool:
        """Send a provisional response; false when its PRACK never came (RFC 3262 section 3)."""
        fields: HeaderFields = (("Contact", self._contact), *step.header_fields)
        body = b""
        if step.media and self.exchange is not None:
            fields, body = (*fields, ("Content-Type", SDP)), self._answer
            self.exchange.begin()
        if not step.reliable:
            self._premises.stack.respond(self._key, self._response(step.status, fields, body))
            return True
        self._rseq += 1
        self._pracked.clear()
        self._answered_reliably = self._answered_reliably or bool(body)
        fields = (("Require", "100rel"), ("RSeq", str(self._rseq)), *fields)
        response = self._response(step.status, fields, body)
        return await self._repeat(self._key, response, self._pracked, longest=float("inf"))

    def expect_no_prack(self) -> None:
        """Repeat no provisional response any more: a final one is on its way."""
        self._pracked.set()

    async def talk(self, step: Step) -> None:
        """Answer the call and stay in it until it is over."""
        self.answered = True
        try:
            await self._talk(step)
        finally:
            self.finish(CallEnd.PEER)

    async def _talk(self, step: Step) -> None:
        fields: HeaderFields = (*self._about(), *self._session_timer("uas"), *step.header_fields)
        body = b""
        # RFC 6337 section 3.1: what a reliable provisional answered is not answered again.
        if not self._answered_reliably and self.exchange is not None:
            fields, body = (*fields, ("Content-Type", SDP)), self._answer
            self.exchange.begin()
        if not await self._until_ack(self._key, self._response(step.status, fields, body)):
            await self._hang_up(CallEnd.NO_ACK)
            return
        for refresh in self._manner.refreshes:
            if await happens(self.over, BETWEEN_REFRESHES):
                return
            await self._refresh(refresh)
        after = self._manner.hangs_up_after
        if not await happens(self.over, MAX_TALK if after is None else after):
            await self._hang_up(CallEnd.PEER)

    def finish(self, end: CallEnd) -> None:
        """The dialog is over; idempotent, the first end counts."""
        if self.end is None:
            self.end = end
        self.over.set()
        self._pracked.set()
        for acked in self._acks.values():
            acked.set()
        if self.exchange is not None:
            self.exchange.close()

    def receive(self, event: RequestReceived) -> None:
        """Answer a request of the caller in this dialog."""
        request = event.request
        if self.over.is_set():
            self._reply(event, 481)
        elif not self._dialog.takes_number_of(request):
            self._reply(event, 500)
        elif request.method == "BYE":
            self._receive_bye(event)
        elif request.method == "PRACK":
            self._receive_prack(event)
        elif request.method == "OPTIONS":
            self._premises.stack.respond(event.key, self._premises.answers.to_options(request))
        else:
            self._receive_refresh(event)

    def receive_ack(self, ack: Request) -> None:
        """Take the ACK to a 2xx of this dialog."""
        number = ack.cseq.number
        if self._manner.ignores_ack or number not in self._acks:
            return
        self._take_answer(ack)
        self._acks[number].set()

    def acknowledge_again(self, response: Response) -> None:
        """A repeated 2xx to a re-INVITE of this side: its ACK was lost."""
        if self._ack is not None and response.cseq.number == self._ack.cseq.number:
            self._premises.stack.send_without_transaction(self._ack, self._flow)

    def _receive_bye(self, event: RequestReceived) -> None:
        if self._manner.ignores_bye:
            return
        digest = self._premises.behaviour.digest
        if digest is not None and digest.within_calls:
            challenge = self._premises.answers.challenge(event.request)
            if challenge is not None:
                self._premises.stack.respond(event.key, challenge)
                return
        self._reply(event, 200)
        self.finish(CallEnd.CALLER)

    def _receive_prack(self, event: RequestReceived) -> None:
        wanted = f"{self._rseq} {self._invite.cseq}"
        acknowledged = " ".join((event.request.headers.get("RAck") or "").split())
        if self._pracked.is_set() or acknowledged != wanted:
            self._reply(event, 481)
            return
        self._take_answer(event.request)
        self._pracked.set()
        self._reply(event, 200)

    def _receive_refresh(self, event: RequestReceived) -> None:
        """A re-INVITE or an UPDATE (RFC 3261 section 14.2, RFC 3311 section 5.2)."""
        request, exchange = event.request, self.exchange
        fields: HeaderFields = (*self._about(), *self._session_timer("uas"))
        body = b""
        offers = request.method == "INVITE" or bool(request.body)
        if exchange is None or (offers and (self._acks or exchange.awaits_answer)):
            # Glare: an offer of this side, or a 2xx of it, is still open.
            self._reply(event, 491)
            return
        try:
            if request.body:
                body = exchange.answer(request.body)
                exchange.begin()
            elif request.method == "INVITE":
                body = exchange.offer()
        except OfferRefused as refused:
            self._reply(event, 488, refused.fields)
            return
        if body:
            fields = (*fields, ("Content-Type", SDP))
        self._dialog.refresh_target(request)
        response = self._premises.answers.response(request, 200, fields, body)
        if request.method == "INVITE":
            self._premises.spawn(self._until_ack(event.key, response))
        else:
            self._premises.stack.respond(event.key, response)

    def _take_answer(self, request: Request) -> None:
        """Take the SDP answer in an ACK or a PRACK, when one is owed."""
        if self.exchange is None or not (self.exchange.awaits_answer and request.body):
            return
        # Without a session description the call goes on in silence, as its caller wants it.
        with suppress(OfferRefused):
            self.exchange.accept(request.body)

    async def _refresh(self, refresh: Refresh) -> None:
        assert self.exchange is not None
        fields: HeaderFields = (("Supported", ", ".join(SUPPORTED)), *self._session_timer("uac"))
        body = self.exchange.offer() if refresh is Refresh.INVITE else b""
        response = await self._ask(
            self._dialog.request(refresh, self._premises.new_branch, headers=fields, body=body)
        )
        if refresh is Refresh.UPDATE or response is None or response.status >= 300:
            self.exchange.awaits_answer = False
            return
        state = replace(self._dialog.state, invite_cseq=response.cseq.number)
        self._ack = Dialog(state).ack(self._premises.new_branch)
        self._premises.stack.send_without_transaction(self._ack, self._flow)
        with suppress(OfferRefused):
            self.exchange.accept(response.body)

    async def _hang_up(self, end: CallEnd) -> None:
        self.finish(end)
        cause = ("Reason", 'Q.850;cause=16;text="Normal call clearing"')
        await self._ask(self._dialog.request("BYE", self._premises.new_branch, headers=(cause,)))

    async def _ask(self, request: Request) -> Response | None:
        seconds = self._premises.timers.f
        try:
            answer = await self._premises.stack.request(request, self._flow, seconds=seconds)
        except (RequestFailed, RequestTimedOut, LocalProtocolError):
            # Beside a peer that is gone: what it wrote into From may be too odd to be sent back.
            return None
        return answer.response

    async def _until_ack(self, key: ServerKey, response: Response) -> bool:
        """Send a 2xx until its ACK comes (RFC 3261 section 13.3.1.4); false when it does not."""
        number = response.cseq.number
        acked = self._acks[number] = asyncio.Event()
        try:
            return await self._repeat(key, response, acked, longest=self._premises.timers.t2)
        finally:
            del self._acks[number]

    async def _repeat(
        self, key: ServerKey, response: Response, until: asyncio.Event, *, longest: float
    ) -> bool:
        """Send a response until the event; the last interval ends after 64*T1."""
        timers = self._premises.timers
        interval, left = timers.t1, 64 * timers.t1
        while left > 0:
            self._premises.stack.respond(key, response)
            if await happens(until, timedelta(seconds=min(interval, left))):
                return True
            left -= interval
            interval = min(2 * interval, longest)
        return False

    def _response(self, status: int, fields: HeaderFields, body: bytes) -> Response:
        return self._premises.answers.response(self._invite, status, fields, body, to_tag=self.tag)

    def _reply(self, event: RequestReceived, status: int, fields: HeaderFields = ()) -> None:
        response = self._premises.answers.response(event.request, status, fields)
        self._premises.stack.respond(event.key, response)

    def _about(self) -> HeaderFields:
        return (
            ("Contact", self._contact),
            ("Allow", ", ".join(METHODS)),
            ("Supported", ", ".join(SUPPORTED)),
        )

    def _session_timer(self, role: str) -> HeaderFields:
        """RFC 4028: this side refreshes, so it asks nothing of a caller without timers.

        ``role`` is what this side is in the transaction that carries the fields.
        """
        if self._manner.session_expires is None:
            return ()
        fields: HeaderFields = (
            ("Session-Expires", f"{self._manner.session_expires};refresher={role}"),
        )
        if "timer" in {tag.lower() for tag in self._invite.tokens("Supported")}:
            return (("Require", "timer"), *fields)
        return fields
