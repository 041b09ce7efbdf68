"""The client transactions: INVITE and any other request (RFC 3261 section 17.1, RFC 6026).

Both machines are the tables below; a row is what happens in a state, the state that follows and the
actions on the way, with the section that asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sip.build import ack_for_non_2xx
from sip.message import Request, Response
from sip.timers import Timers
from sip.transaction_events import (
    ClientKey,
    Flow,
    Outbox,
    ResponseReceived,
    TransactionTerminated,
    TransactionTimedOut,
)
from sip.transaction_machine import Machine, State, Status, Timer, status_class


class ClientTransaction(Machine):
    """Sends a request until it is answered, and passes up each response once.

    What it produces goes to the outbox. After each call, `state` says whether it is over.
    """

    __slots__ = ("_ack", "_data", "_request", "_rules", "key")

    def __init__(
        self,
        key: ClientKey,
        request: Request,
        data: bytes,
        flow: Flow,
        timers: Timers,
        outbox: Outbox,
        now: float,
    ) -> None:
        """Send the request, whose serialized form is `data`."""
        invite = request.method == "INVITE"
        super().__init__(State.CALLING if invite else State.TRYING, flow, timers, outbox)
        self.key = key
        self._request = request
        self._data = data
        self._ack: tuple[bytes, Request] | None = None
        self._rules = INVITE if invite else NON_INVITE
        self.send(data, request, retransmission=False)
        # Timers A and B (17.1.1.2), or E and F (17.1.2.2).
        self.start_retransmitting(timers.a if invite else timers.e, now)
        self.expire_at = now + (timers.b if invite else timers.f)

    def receive_response(self, response: Response, flow: Flow, now: float) -> None:
        """React to a response that matches."""
        step = self._rules.responses.get((self.state, status_class(response.status)))
        if step is not None:
            self.state, actions = step
            for action in actions:
                action(self, response, flow, now)

    def fire(self, now: float) -> None:
        """React to the deadline that passed; the last one when both did."""
        timer = Timer.EXPIRE if self.expire_at <= now else Timer.RETRANSMIT
        self.state, action = self._rules.timers[self.state, timer]
        action(self, now)

    def transport_failed(self) -> bool:
        """React to the failure of the flow; return whether that ends the transaction."""
        failing = self._rules.fails_reliable if self.flow.reliable else self._rules.fails_unreliable
        if self.state not in failing:
            return False
        self.end()
        return True

    def acknowledge(self, response: Response) -> None:
        """Send the ACK that answers a 300-699, the same one each time (17.1.1.2, 17.1.1.3)."""
        repeated = self._ack is not None
        if self._ack is None:
            ack = ack_for_non_2xx(self._request, response)
            self._ack = ack.serialize(), ack
        self.send(*self._ack, retransmission=repeated)

    def retransmit(self, next_interval: float, now: float) -> None:
        """Send the request again."""
        self.send(self._data, self._request, retransmission=True)
        self.retransmit_again(next_interval, now)

    def linger(self, seconds: float, now: float) -> None:
        """Absorb repeated responses; they cannot come over a reliable transport."""
        if self.flow.reliable:
            _finish(self, now)
        else:
            self.expire_in(seconds, now)


ResponseAction = Callable[[ClientTransaction, Response, Flow, float], None]
TimerAction = Callable[[ClientTransaction, float], None]


@dataclass(frozen=True, slots=True)
class Rules:
    """One machine. `fails_*` are the states in which the failure of a flow ends it."""

    responses: Mapping[tuple[State, Status], tuple[State, tuple[ResponseAction, ...]]]
    timers: Mapping[tuple[State, Timer], tuple[State, TimerAction]]
    fails_unreliable: frozenset[State]
    fails_reliable: frozenset[State]


def _pass_up(it: ClientTransaction, response: Response, flow: Flow, now: float) -> None:
    it.outbox.events.append(ResponseReceived(it.key, response, flow))


def _stop_timers(it: ClientTransaction, response: Response, flow: Flow, now: float) -> None:
    it.stop_timers()


def _acknowledge(it: ClientTransaction, response: Response, flow: Flow, now: float) -> None:
    it.acknowledge(response)


def _start_d(it: ClientTransaction, response: Response, flow: Flow, now: float) -> None:
    it.linger(it.timers.d, now)


def _start_k(it: ClientTransaction, response: Response, flow: Flow, now: float) -> None:
    it.linger(it.timers.k, now)


def _start_m(it: ClientTransaction, response: Response, flow: Flow, now: float) -> None:
    # Forked 2xx come from different peers, so a reliable transport changes nothing.
    it.expire_in(it.timers.m, now)


def _retransmit_doubling(it: ClientTransaction, now: float) -> None:
    it.retransmit(2 * it.interval, now)


def _retransmit_doubling_to_t2(it: ClientTransaction, now: float) -> None:
    it.retransmit(min(2 * it.interval, it.timers.t2), now)


def _retransmit_every_t2(it: ClientTransaction, now: float) -> None:
    it.retransmit(it.timers.t2, now)


def _time_out(it: ClientTransaction, now: float) -> None:
    it.end()
    it.outbox.events.append(TransactionTimedOut(it.key))


def _finish(it: ClientTransaction, now: float) -> None:
    it.end()
    it.outbox.events.append(TransactionTerminated(it.key))


_CALLING, _TRYING, _PROCEEDING = State.CALLING, State.TRYING, State.PROCEEDING
_ACCEPTED, _COMPLETED, _TERMINATED = State.ACCEPTED, State.COMPLETED, State.TERMINATED
_1XX, _2XX, _FAILURE = Status.PROVISIONAL, Status.SUCCESS, Status.FAILURE
_RETRANSMIT, _EXPIRE = Timer.RETRANSMIT, Timer.EXPIRE

INVITE: Final = Rules(
    responses={
        (_CALLING, _1XX): (_PROCEEDING, (_stop_timers, _pass_up)),  # 17.1.1.2
        (_CALLING, _2XX): (_ACCEPTED, (_pass_up, _start_m)),  # RFC 6026 8.4
        (_CALLING, _FAILURE): (_COMPLETED, (_pass_up, _acknowledge, _start_d)),  # 17.1.1.2
        (_PROCEEDING, _1XX): (_PROCEEDING, (_pass_up,)),  # 17.1.1.2
        (_PROCEEDING, _2XX): (_ACCEPTED, (_pass_up, _start_m)),  # RFC 6026 8.4
        (_PROCEEDING, _FAILURE): (_COMPLETED, (_pass_up, _acknowledge, _start_d)),  # 17.1.1.2
        (_ACCEPTED, _2XX): (_ACCEPTED, (_pass_up,)),  # RFC 6026 7.2: forked or repeated
        # A forking proxy forwards a 2xx even behind the failure it chose (16.7 step 5); its dialog
        # has to be ended by the transaction user.
        (_COMPLETED, _2XX): (_COMPLETED, (_pass_up,)),
        (_COMPLETED, _FAILURE): (_COMPLETED, (_acknowledge,)),  # 17.1.1.2
    },
    timers={
        (_CALLING, _RETRANSMIT): (_CALLING, _retransmit_doubling),  # timer A, 17.1.1.2
        (_CALLING, _EXPIRE): (_TERMINATED, _time_out),  # timer B, 17.1.1.2
        (_ACCEPTED, _EXPIRE): (_TERMINATED, _finish),  # timer M, RFC 6026 8.4
        (_COMPLETED, _EXPIRE): (_TERMINATED, _finish),  # timer D, 17.1.1.2
    },
    fails_unreliable=frozenset({_CALLING, _COMPLETED}),  # 17.1.1.2
    # The connection that the final response would have come over is gone as well: without Timer B
    # nothing else would tell the transaction user.
    fails_reliable=frozenset({_CALLING, _PROCEEDING}),
)

NON_INVITE: Final = Rules(
    responses={
        (_TRYING, _1XX): (_PROCEEDING, (_pass_up,)),  # 17.1.2.2
        (_TRYING, _2XX): (_COMPLETED, (_pass_up, _start_k)),  # 17.1.2.2
        (_TRYING, _FAILURE): (_COMPLETED, (_pass_up, _start_k)),  # 17.1.2.2
        (_PROCEEDING, _1XX): (_PROCEEDING, (_pass_up,)),  # 17.1.2.2, figure 6
        (_PROCEEDING, _2XX): (_COMPLETED, (_pass_up, _start_k)),  # 17.1.2.2
        (_PROCEEDING, _FAILURE): (_COMPLETED, (_pass_up, _start_k)),  # 17.1.2.2
    },
    timers={
        (_TRYING, _RETRANSMIT): (_TRYING, _retransmit_doubling_to_t2),  # timer E, 17.1.2.2
        (_TRYING, _EXPIRE): (_TERMINATED, _time_out),  # timer F, 17.1.2.2
        (_PROCEEDING, _RETRANSMIT): (_PROCEEDING, _retransmit_every_t2),  # timer E, 17.1.2.2
        (_PROCEEDING, _EXPIRE): (_TERMINATED, _time_out),  # timer F, 17.1.2.2
        (_COMPLETED, _EXPIRE): (_TERMINATED, _finish),  # timer K, 17.1.2.2
    },
    fails_unreliable=frozenset({_TRYING, _PROCEEDING}),  # 17.1.2.2, figure 6
    fails_reliable=frozenset({_TRYING, _PROCEEDING}),
)
