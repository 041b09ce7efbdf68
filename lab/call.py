"""One INVITE at a peer, from its first response to the end of its last dialog."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from lab.call_demands import script_of
from lab.call_leg import Leg
from lab.call_manner import HeaderFields, Step
from lab.call_premises import CallEnd, Premises, happens
from lab.call_sdp import OfferRefused
from sip.transaction import RequestReceived

__all__ = ["LabCall"]

MAX_RINGING = timedelta(seconds=180)
"""A call that nobody picks up by then is answered with 480, as a proxy's timer C would."""

PICKED_UP_LATE = Step(200)


class LabCall:
    """Plays a script for an INVITE that was let in; ``legs`` are its telephones by number."""

    def __init__(self, premises: Premises, event: RequestReceived) -> None:
        self.key = event.key
        self.invite = event.request
        self.end: CallEnd | None = None
        """How it ended before an answer."""
        self._premises, self._manner = premises, premises.behaviour.calls
        self._script = script_of(premises.behaviour, event.request)
        phones = {step.phone for step in self._script if step.status > 100} or {1}
        self.legs = {phone: Leg(premises, event) for phone in sorted(phones)}
        self._stopped = asyncio.Event()
        self._final = False
        self._talks: list[asyncio.Task[object]] = []

    async def run(self) -> None:
        """Ring, answer and talk, until nothing of the call is left."""
        try:
            if self._prepare():
                await self._play()
            if self._talks:
                await asyncio.wait(self._talks)
        finally:
            for leg in self.legs.values():
                leg.finish(self.end or CallEnd.PEER)

    def cancel(self) -> None:
        """A CANCEL came for the INVITE, whose own answer is not this method's business."""
        self._stopped.set()
        for leg in self.legs.values():
            leg.expect_no_prack()

    def leg_over(self) -> None:
        """The caller ended a dialog: without an answer that ends the call (section 15.1.2)."""
        if all(leg.over.is_set() for leg in self.legs.values()):
            self._stopped.set()

    def _prepare(self) -> bool:
        answers = any(200 <= step.status < 300 or step.media for step in self._script)
        if not (answers or self._manner.answers_cancel):
            return True
        try:
            for leg in self.legs.values():
                leg.prepare()
        except OfferRefused as refused:
            self._refuse(488, refused.fields)
        except OSError:
            self._refuse(500)
        return not self._final

    async def _play(self) -> None:
        for step in self._script:
            if await happens(self._stopped, step.wait) and not self._final:
                self._stop()
                return
            if not await self._take(step):
                return
        if self._final:
            return
        if await happens(self._stopped, MAX_RINGING):
            self._stop()
        else:
            self._refuse(480)

    async def _take(self, step: Step) -> bool:
        """Play one step; false when the call went another way."""
        if step.status == 100:
            trying = self._premises.answers.response(self.invite, 100)
            self._premises.stack.respond(self.key, trying)
            return True
        if step.status >= 300:
            self._refuse(step.status, step.header_fields)
            return True
        leg = self.legs[step.phone]
        if leg.over.is_set():
            return True
        if step.status >= 200:
            self._answer(leg, step)
            return True
        if await leg.progress(step):
            return True
        self._refuse(504, end=CallEnd.NO_PRACK)
        return False

    def _stop(self) -> None:
        if self._manner.answers_cancel and not self.legs[1].over.is_set():
            self._answer(self.legs[1], PICKED_UP_LATE)
        else:
            self._refuse(487, end=CallEnd.CANCELLED)

    def _answer(self, leg: Leg, step: Step) -> None:
        self._final = True
        self._talks.append(self._premises.spawn(leg.talk(step)))

    def _refuse(
        self, status: int, fields: HeaderFields = (), *, end: CallEnd = CallEnd.REFUSED
    ) -> None:
        self._final, self.end = True, end
        response = self._premises.answers.response(
            self.invite, status, fields, to_tag=next(iter(self.legs.values())).tag
        )
        self._premises.stack.respond(self.key, response)
