"""The INVITEs of one call: progress, answer, refusal, another try and CANCEL.

A part of `InviteSession`. RFC 3261 sections 9.1, 13.2.2 and 22, RFC 3262, RFC 4028 section 7.3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from sip.authenticator import Authenticator
from sip.build import cancel_for
from sip.dialog_state import (
    Answered,
    Calling,
    Challenged,
    EarlyMedia,
    Failed,
    FailureCause,
    IntervalRaised,
    Progress,
    Ringing,
    Said,
    SessionEvent,
    Trying,
)
from sip.message import Request, Response
from sip.session_dialogs import SessionDialogs
from sip.session_requests import (
    AnswerOffer,
    InvitePlan,
    Leg,
    invite_request,
    reliable_number,
    renewed,
    sdp_of,
)
from sip.timers import Timers
from sip.transaction import ClientKey, Flow, TransactionLayer

_RETRIED: Final = frozenset({401, 407, 422})


class InviteAttempts:
    """The INVITE that is out, and those that were refused before it.

    `save` is called before each message. Events go to `events`.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        flow: Flow,
        plan: InvitePlan,
        dialogs: SessionDialogs,
        *,
        new_token: Callable[[], str],
        answer_offer: AnswerOffer,
        timers: Timers,
        save: Callable[[], None],
        events: deque[SessionEvent],
    ) -> None:
        self.invite = invite_request(plan, flow.transport, dialogs.new_branch())
        self.lost = False
        """Whether the transport failed before the final answer."""
        self._layer, self._flow, self._plan, self._dialogs = layer, flow, plan, dialogs
        self._answer_offer, self._timers = answer_offer, timers
        self._save, self._events = save, events
        self._authenticator = Authenticator(plan.credentials, new_token)
        self._key: ClientKey | None = None
        self._invites: dict[ClientKey, Request] = {}
        self._cancels: set[ClientKey] = set()
        self._live: set[ClientKey] = set()
        self._pending = self._provisional = self._interval_raised = False
        self._hung_up: FailureCause | None = None
        self._ring_until: float | None = None
        self._give_up_at: float | None = None

    @property
    def outcome_is_unknown(self) -> bool:
        """Whether the peer may be ringing or have answered without our knowledge."""
        return self._pending or self.lost

    @property
    def are_over(self) -> bool:
        """Whether an INVITE was sent and no response to any of them is waited for."""
        return self._key is not None and not self._pending and not self._live

    def start(self, now: float) -> None:
        self._ring_until = now + self._plan.ring_seconds
        self._call(self.invite, now)

    def next_due(self) -> float | None:
        waits = (self._ring_until, self._give_up_at)
        return min((at for at in waits if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        if self._ring_until is not None and self._ring_until <= now:
            self.end(FailureCause.NO_ANSWER, now)
        if self._give_up_at is not None and self._give_up_at <= now:
            # Section 9.1: after 64*T1 without a final response the INVITE counts as cancelled.
            for key in self._live:
                self._layer.abandon(key)
            self._live.clear()
            self._fail(self._cause(), None, "no final response after CANCEL", now)

    def made(self, response: Response) -> ClientKey | None:
        """Return the key of the INVITE that a response without transaction answers, if any."""
        key = ClientKey(response.via.branch or "", response.cseq.method)
        return key if key in self._invites else None

    def _call(self, invite: Request, now: float) -> None:
        self.invite, self._pending, self._provisional = invite, True, False
        self._events.append(Calling(now, len(self._invites) + 1))
        self._save()
        self._key = self._layer.send_request(invite, self._flow, now)
        self._invites[self._key] = invite
        self._live.add(self._key)

    def receive_response(self, key: ClientKey, response: Response, now: float) -> bool:
        invite = self._invites.get(key)
        if invite is None:
            self._dialogs.receive_response(key, response, now)
            return key in self._dialogs.sent or key in self._cancels
        current = self._pending and key == self._key
        if 200 <= response.status < 300:
            leg = self._dialogs.leg_of(key, invite, response)
            if leg is not None:
                self._receive_success(leg, key, response, current, now)
        elif current and response.status < 200:
            self._receive_provisional(key, response, now)
        elif current:
            self._receive_failure(response, now)
        return True

    def _receive_provisional(self, key: ClientKey, response: Response, now: float) -> None:
        self._provisional = True
        if response.status == 100:
            self._events.append(Trying(now))
        elif response.to.tag is not None:
            leg = self._dialogs.leg_of(key, self.invite, response)
            if leg is not None and not leg.over:
                self._receive_progress(leg, response, now)
        self._cancel(now)

    def _receive_progress(self, leg: Leg, response: Response, now: float) -> None:
        number = reliable_number(response)
        if number is not None and not leg.takes_reliable(number):
            return
        tag = leg.dialog.state.remote_tag
        kind = Ringing if response.status == 180 else Progress
        self._events.append(kind(now, response.status, response.reason, tag, number is not None))
        sdp = sdp_of(response)
        if sdp is not None:
            self._events.append(EarlyMedia(now, sdp, tag))
        if number is not None:
            answer = self._negotiate(leg, sdp, now)
            rack = ("RAck", f"{number} {response.cseq}")
            self._dialogs.request(leg, "PRACK", now, (rack,), answer)

    def _negotiate(self, leg: Leg, sdp: bytes | None, now: float) -> bytes:
        """Take the SDP of a reliable response; return the answer that it is owed, or nothing."""
        if sdp is None or leg.negotiated:
            return b""
        leg.negotiated = True
        answer = b"" if self._plan.offer is not None else self._answer_offer(sdp)
        if answer is None:
            self.end(FailureCause.OFFER_REFUSED, now)
        return answer or b""

    def _receive_success(
        self, leg: Leg, key: ClientKey, response: Response, current: bool, now: float
    ) -> None:
        invite = self._invites[key]
        if leg.ack is not None:
            self._dialogs.acknowledge(leg, invite, b"")
            return
        leg.dialog.confirm(response)
        self.lost = self.lost and key != self._key
        wanted = current and self._hung_up is None
        if current:
            self._settle()
        sdp = sdp_of(response)
        answer = self._negotiate(leg, sdp, now)
        self._dialogs.acknowledge(leg, invite, answer)
        said = Said.of(response)
        if wanted:
            self._dialogs.main = leg
            state = leg.dialog.state
            self._events.append(Answered(now, response.status, response.reason, sdp, state, said))
        elif current:
            self._events.append(Failed(now, self._cause(), response.status, response.reason, said))
        if not wanted or self._hung_up is not None:
            self._dialogs.bye(leg, now)

    def _receive_failure(self, response: Response, now: float) -> None:
        status = response.status
        if self._hung_up is None and status in _RETRIED and self._try_again(response, now):
            return
        if self._hung_up is not None and (status == 487 or status in _RETRIED):
            cause = self._hung_up
        elif status in (401, 407):
            cause = FailureCause.UNAUTHORIZED
        else:
            cause = FailureCause.REDIRECTED if status < 400 else FailureCause.REFUSED
        self._fail(cause, status, response.reason, now, Said.of(response))

    def _try_again(self, response: Response, now: float) -> bool:
        """Send the INVITE once more as its refusal asks; return whether it does."""
        headers: tuple[tuple[str, str], ...]
        if response.status == 422:
            wanted = response.headers.get("Min-SE")
            if wanted is None or self._interval_raised:
                return False
            self._interval_raised = True
            seconds = int(wanted.partition(";")[0])
            headers = (("Min-SE", str(seconds)),)
            self._events.append(IntervalRaised(now, seconds))
        else:
            headers = self._authenticator.answer(self.invite, response)
            if not headers:
                return False
            said = Said.of(response)
            self._events.append(Challenged(now, response.status, "INVITE", said))
        self._dialogs.drop_early()
        number = self.invite.cseq.number + 1
        branch = self._dialogs.new_branch()
        self._call(renewed(self.invite, branch, number, headers), now)
        return True

    def end(self, cause: FailureCause, now: float) -> None:
        self._ring_until = None
        if self._dialogs.main is not None:
            self._dialogs.bye(self._dialogs.main, now)
        elif self._hung_up is None:
            self._hung_up = cause
            self._cancel(now)

    def _cancel(self, now: float) -> None:
        """Send the CANCEL that is wanted, once, and only behind a provisional (section 9.1)."""
        if self._hung_up is None or not (self._pending and self._provisional):
            return
        if self._give_up_at is None:
            self._give_up_at = now + 64 * self._timers.t1
            self._save()
            cancel = cancel_for(self.invite)
            key = self._layer.send_request(cancel, self._flow, now)
            self._cancels.add(key)
            self._live.add(key)

    def _cause(self) -> FailureCause:
        """Return why a call failed that got no refusal."""
        if self._hung_up is None or (
            self._hung_up is FailureCause.NO_ANSWER and not self._provisional
        ):
            return FailureCause.NO_REPLY
        return self._hung_up

    def transaction_failed(self, key: ClientKey, reason: str, lost: bool, now: float) -> bool:
        if self._pending and key == self._key:
            # What the peer made of the INVITE is unknown after a failure of the transport.
            self.lost = lost
            cause = FailureCause.TRANSPORT if lost else self._cause()
            self._fail(cause, None, reason, now)
        self._dialogs.request_failed(key, reason, lost, now)
        return self.transaction_over(key)

    def transaction_over(self, key: ClientKey) -> bool:
        self._live.discard(key)
        if key == self._key and not self.lost:
            self._dialogs.drop_early()
        return key in self._invites or key in self._cancels or key in self._dialogs.sent

    def _fail(
        self,
        cause: FailureCause,
        status: int | None,
        reason: str,
        now: float,
        said: Said | None = None,
    ) -> None:
        self._settle()
        if not self.lost:
            self._dialogs.drop_early()
        self._events.append(Failed(now, cause, status, reason, said or Said()))

    def _settle(self) -> None:
        """Note that the INVITE has its final answer, or never gets one."""
        self._pending = False
        self._ring_until = self._give_up_at = None
