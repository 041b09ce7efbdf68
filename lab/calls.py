"""All calls of one peer: which INVITE begins one, and which request belongs to which."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from lab.answers import Answers
from lab.behaviour import Behaviour
from lab.call import LabCall
from lab.call_demands import refusal_of_call
from lab.call_leg import Leg
from lab.call_premises import METHODS, CallEnd, Premises
from sip.media_verdict import MediaVerdict
from sip.message import Request, Response
from sip.net.stack import SipStack
from sip.timers import Timers
from sip.transaction import (
    AckReceived,
    CancelReceived,
    Event,
    RequestReceived,
    ServerKey,
    StrayResponse,
)
from sip.uri import SipUri

__all__ = ["METHODS", "CallRecord", "Calls"]

MAX_CALLS = 128
"""Calls of a peer at a time; another one gets 503. Each takes four descriptors for its media."""

MAX_RECORDS = 256


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call that is over, or with ``answered`` one telephone of it.

    ``heard`` is what the peer knows of the caller's media, when there was some.
    """

    call_id: str
    user: str | None
    end: CallEnd
    answered: bool
    heard: MediaVerdict | None


class Calls:
    """The calls of one peer on its stack."""

    def __init__(
        self,
        stack: SipStack,
        answers: Answers,
        behaviour: Behaviour,
        address: str,
        timers: Timers,
    ) -> None:
        self.records: deque[CallRecord] = deque(maxlen=MAX_RECORDS)
        """The calls that are over, oldest first."""
        self._premises = Premises(stack, answers, behaviour, address, timers, self._spawn)
        self._live: set[LabCall] = set()
        self._by_invite: dict[ServerKey, LabCall] = {}
        self._legs: dict[tuple[str, str], tuple[LabCall, Leg]] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def live(self) -> int:
        """How many calls there are, ringing ones included."""
        return len(self._live)

    def receive_invite(self, event: RequestReceived) -> None:
        """An INVITE: a new call, or a refresh of one."""
        if event.request.to.tag is not None:
            self.receive_in_dialog(event)
            return
        refusal = self._refusal(event.request)
        if refusal is not None:
            self._premises.stack.respond(event.key, refusal)
            return
        call = LabCall(self._premises, event)
        self._live.add(call)
        self._by_invite[event.key] = call
        for leg in call.legs.values():
            self._legs[event.request.call_id, leg.tag] = call, leg
        self._spawn(self._run(call))

    def receive_in_dialog(self, event: RequestReceived) -> None:
        """A request that a caller sends within a call."""
        found = self._leg_of(event.request)
        if found is None:
            response = self._premises.answers.response(event.request, 481)
            self._premises.stack.respond(event.key, response)
            return
        call, leg = found
        leg.receive(event)
        if leg.over.is_set():
            call.leg_over()

    def observe(self, event: Event) -> None:
        """What else the stack tells: ACK, CANCEL, and responses that nobody waits for."""
        match event:
            case AckReceived(_, request):
                found = self._leg_of(request)
                if found is not None:
                    found[1].receive_ack(request)
            case CancelReceived(key, request, _, invite_key):
                status = 481 if invite_key is None else 200
                response = self._premises.answers.response(request, status)
                self._premises.stack.respond(key, response)
                if invite_key is not None and invite_key in self._by_invite:
                    self._by_invite[invite_key].cancel()
            case StrayResponse(response) if response.status // 100 == 2:
                place = response.call_id, response.from_.tag or ""
                if response.cseq.method == "INVITE" and place in self._legs:
                    self._legs[place][1].acknowledge_again(response)
            case _:
                pass

    async def until_idle(self) -> None:
        """Wait until no call is left."""
        while tasks := tuple(self._tasks):
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Drop every call without a BYE, as a peer does that loses its power; idempotent."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _refusal(self, request: Request) -> Response | None:
        """The refusal of an INVITE outside a dialog."""
        answers = self._premises.answers
        challenge = answers.challenge(request)
        if challenge is not None:
            return challenge
        # Without a Contact there is nobody to send a BYE to (RFC 3261 section 8.1.1.8).
        if not request.contacts or not isinstance(request.contacts[0].uri, SipUri):
            return answers.response(request, 400)
        if len(self._live) >= MAX_CALLS:
            return answers.response(request, 503, (("Retry-After", "30"),))
        refusal = refusal_of_call(self._premises.behaviour, request)
        if refusal is None:
            return None
        return answers.response(request, refusal.status, refusal.header_fields)

    async def _run(self, call: LabCall) -> None:
        try:
            await call.run()
        finally:
            self._live.discard(call)
            # The key of a long call may have been used again, once its transaction was forgotten.
            if self._by_invite.get(call.key) is call:
                del self._by_invite[call.key]
            for leg in call.legs.values():
                del self._legs[call.invite.call_id, leg.tag]
            self._record(call)

    def _record(self, call: LabCall) -> None:
        request = call.invite
        user = request.uri.user if isinstance(request.uri, SipUri) else None
        answered = [leg for leg in call.legs.values() if leg.answered]
        for leg in answered or tuple(call.legs.values())[:1]:
            heard = None if leg.exchange is None else leg.exchange.verdict
            end = leg.end or CallEnd.PEER
            self.records.append(CallRecord(request.call_id, user, end, bool(answered), heard))

    def _leg_of(self, request: Request) -> tuple[LabCall, Leg] | None:
        found = self._legs.get((request.call_id, request.to.tag or ""))
        return found if found is not None and found[1].matches(request) else None

    def _spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            context = {"message": "a call of the lab failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)
