"""The server transactions: INVITE and any other request (RFC 3261 section 17.2, RFC 6026).

Both machines are the tables below; a row is what happens in a state, the state that follows and the
actions on the way, with the section that asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from sip.build import response_to
from sip.message import Request, Response
from sip.timer_queue import NEVER
from sip.timers import Timers
from sip.transaction_events import (
    AckReceived,
    Flow,
    Outbox,
    ServerKey,
    TransactionTerminated,
    TransactionTimedOut,
)
from sip.transaction_machine import Machine, State, Status, Timer, status_class

# Section 17.2.1: without a response from the transaction user by then, 100 is sent in its place, so
# that the peer stops repeating its INVITE.
TRYING_AFTER: Final = 0.2


class ServerTransaction(Machine):
    """Sends what the transaction user answers, and answers repeated requests by itself.

    `flow` is where responses go. What it produces goes to the outbox. After each call, `state` says
    whether it is over.
    """

    __slots__ = ("_last", "_request", "_rules", "accounted", "key")

    def __init__(
        self,
        key: ServerKey,
        request: Request,
        flow: Flow,
        timers: Timers,
        outbox: Outbox,
        now: float,
    ) -> None:
        invite = request.method == "INVITE"
        super().__init__(State.PROCEEDING if invite else State.TRYING, flow, timers, outbox)
        self.key = key
        self.accounted = 0
        """The `size` that its table knows of."""
        self._last: tuple[bytes, Response] | None = None
        self._request: Request | None = request if invite else None
        self._rules = INVITE if invite else NON_INVITE
        if invite:
            self.retransmit_at = now + TRYING_AFTER
        else:
            # By then its sender gave up (timer F) and its last copy arrived (T4): a request that the
            # transaction user forgot must not hold its place for ever.
            self.expire_at = now + timers.f + timers.t4

    def receive_request(self, request: Request, flow: Flow, now: float) -> None:
        """React to a repeated request, or to the ACK of an INVITE."""
        step = self._rules.requests.get((self.state, request.method == "ACK"))
        if step is not None:
            self.state, action = step
            action(self, request, flow, now)

    def send_response(self, response: Response, data: bytes, now: float) -> bool:
        """React to a response of the transaction user; return whether it was sent."""
        step = self._rules.responses.get((self.state, status_class(response.status)))
        if step is None:
            return False
        repeated = self.state is State.ACCEPTED
        self.state, actions = step
        self._last = data, response
        self._request = None
        self.send(data, response, retransmission=repeated)
        for action in actions:
            action(self, now)
        return True

    def fire(self, now: float) -> None:
        """React to the deadline that passed; the last one when both did."""
        timer = Timer.EXPIRE if self.expire_at <= now else Timer.RETRANSMIT
        self.state, action = self._rules.timers[self.state, timer]
        action(self, now)

    @property
    def size(self) -> int:
        """How many characters and bytes from its peer it holds, about."""
        return len(self.key.branch) + (0 if self._last is None else len(self._last[0]))

    @property
    def to_tag(self) -> str | None:
        """The To tag of the last response, None before the first."""
        return None if self._last is None else self._last[1].to.tag

    def resend(self) -> None:
        """Send the last response again, if there is one."""
        if self._last is not None:
            self.send(*self._last, retransmission=True)

    def send_trying(self) -> None:
        """Answer an INVITE with 100 in the place of its transaction user, who has not answered."""
        self.retransmit_at = NEVER
        trying = response_to(cast(Request, self._request), 100)
        self._last = trying.serialize(), trying
        self.send(*self._last, retransmission=False)

    def linger(self, seconds: float, now: float) -> None:
        """Absorb repeated requests; they cannot come over a reliable transport."""
        if self.flow.reliable:
            _finish(self, now)
        else:
            self.expire_in(seconds, now)


RequestAction = Callable[[ServerTransaction, Request, Flow, float], None]
Action = Callable[[ServerTransaction, float], None]


@dataclass(frozen=True, slots=True)
class Rules:
    """One machine. A request is told apart only by whether it is an ACK."""

    requests: Mapping[tuple[State, bool], tuple[State, RequestAction]]
    responses: Mapping[tuple[State, Status], tuple[State, tuple[Action, ...]]]
    timers: Mapping[tuple[State, Timer], tuple[State, Action]]


def _resend(it: ServerTransaction, request: Request, flow: Flow, now: float) -> None:
    it.resend()


def _pass_up_ack(it: ServerTransaction, request: Request, flow: Flow, now: float) -> None:
    it.outbox.events.append(AckReceived(it.key, request, flow))


def _start_i(it: ServerTransaction, request: Request, flow: Flow, now: float) -> None:
    it.linger(it.timers.i, now)


def _start_g_h(it: ServerTransaction, now: float) -> None:
    it.start_retransmitting(it.timers.g, now)
    it.expire_at = now + it.timers.h


def _start_j(it: ServerTransaction, now: float) -> None:
    it.linger(it.timers.j, now)


def _start_l(it: ServerTransaction, now: float) -> None:
    it.expire_in(it.timers.l, now)


def _stop_timers(it: ServerTransaction, now: float) -> None:
    it.stop_timers()


def _send_trying(it: ServerTransaction, now: float) -> None:
    it.send_trying()


def _resend_doubling_to_t2(it: ServerTransaction, now: float) -> None:
    it.resend()
    it.retransmit_again(min(2 * it.interval, it.timers.t2), now)


def _time_out(it: ServerTransaction, now: float) -> None:
    it.end()
    it.outbox.events.append(TransactionTimedOut(it.key))


def _finish(it: ServerTransaction, now: float) -> None:
    it.end()
    it.outbox.events.append(TransactionTerminated(it.key))


_TRYING, _PROCEEDING, _ACCEPTED = State.TRYING, State.PROCEEDING, State.ACCEPTED
_COMPLETED, _CONFIRMED, _TERMINATED = State.COMPLETED, State.CONFIRMED, State.TERMINATED
_1XX, _2XX, _FAILURE = Status.PROVISIONAL, Status.SUCCESS, Status.FAILURE
_RETRANSMIT, _EXPIRE = Timer.RETRANSMIT, Timer.EXPIRE
_REQUEST, _ACK = False, True

INVITE: Final = Rules(
    requests={
        (_PROCEEDING, _REQUEST): (_PROCEEDING, _resend),  # 17.2.1
        (_ACCEPTED, _ACK): (_ACCEPTED, _pass_up_ack),  # RFC 6026 7.1
        (_COMPLETED, _REQUEST): (_COMPLETED, _resend),  # 17.2.1
        (_COMPLETED, _ACK): (_CONFIRMED, _start_i),  # 17.2.1
    },
    responses={
        (_PROCEEDING, _1XX): (_PROCEEDING, (_stop_timers,)),  # 17.2.1
        (_PROCEEDING, _2XX): (_ACCEPTED, (_start_l,)),  # RFC 6026 7.1
        (_PROCEEDING, _FAILURE): (_COMPLETED, (_stop_timers, _start_g_h)),  # 17.2.1
        (_ACCEPTED, _2XX): (_ACCEPTED, ()),  # RFC 6026 7.1: the user repeats it until the ACK
    },
    timers={
        (_PROCEEDING, _RETRANSMIT): (_PROCEEDING, _send_trying),  # 17.2.1
        (_ACCEPTED, _EXPIRE): (_TERMINATED, _finish),  # timer L, RFC 6026 7.1
        (_COMPLETED, _RETRANSMIT): (_COMPLETED, _resend_doubling_to_t2),  # timer G, 17.2.1
        (_COMPLETED, _EXPIRE): (_TERMINATED, _time_out),  # timer H, 17.2.1
        (_CONFIRMED, _EXPIRE): (_TERMINATED, _finish),  # timer I, 17.2.1
    },
)

NON_INVITE: Final = Rules(
    requests={
        (_PROCEEDING, _REQUEST): (_PROCEEDING, _resend),  # 17.2.2
        (_COMPLETED, _REQUEST): (_COMPLETED, _resend),  # 17.2.2
    },
    responses={
        (_TRYING, _1XX): (_PROCEEDING, ()),  # 17.2.2
        (_TRYING, _2XX): (_COMPLETED, (_start_j,)),  # 17.2.2
        (_TRYING, _FAILURE): (_COMPLETED, (_start_j,)),  # 17.2.2
        (_PROCEEDING, _1XX): (_PROCEEDING, ()),  # 17.2.2
        (_PROCEEDING, _2XX): (_COMPLETED, (_start_j,)),  # 17.2.2
        (_PROCEEDING, _FAILURE): (_COMPLETED, (_start_j,)),  # 17.2.2
    },
    timers={
        (_TRYING, _EXPIRE): (_TERMINATED, _time_out),  # see ServerTransaction.__init__
        (_PROCEEDING, _EXPIRE): (_TERMINATED, _time_out),
        (_COMPLETED, _EXPIRE): (_TERMINATED, _finish),  # timer J, 17.2.2
    },
)
