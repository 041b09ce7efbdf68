"""The dialogs of one call: requests of ours within them, and those of the peer.

A part of `InviteSession`, which decides what the call as a whole does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from sip.authenticator import Authenticator
from sip.build import response_to
from sip.dialog import Dialog, credentials_of
from sip.dialog_state import (
    Challenged,
    DialogState,
    Ended,
    EndedBy,
    OtherForkEnded,
    PeerRequest,
    Said,
    SessionEvent,
)
from sip.message import Request, Response
from sip.session_requests import (
    AnswerOffer,
    InvitePlan,
    Leg,
    Repetition,
    answer_in_dialog,
    renewed,
)
from sip.timers import Timers
from sip.transaction import ClientKey, Flow, RequestReceived, TransactionLayer
from sip.uri import Uri

MAX_LEGS: Final = 16
"""Dialogs of one call that are followed; a forking proxy rings a few phones, not a street."""

_TARGET_REFRESH: Final = frozenset({"INVITE", "UPDATE"})
_Sent = tuple[Leg, Request, Authenticator]

MAX_ACKS: Final = 64
"""Copies of the ACK to one 2xx; 64*T1 of timers G and H let a peer ask for eleven."""


class SessionDialogs:
    """All dialogs that the INVITEs of one call made, and `main`, the one that is the call.

    `save` is called before each message. Events go to `events`.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        plan: InvitePlan,
        *,
        new_token: Callable[[], str],
        answer_offer: AnswerOffer,
        flow_to: Callable[[Uri], Flow],
        timers: Timers,
        save: Callable[[], None],
        events: deque[SessionEvent],
    ) -> None:
        self.main: Leg | None = None
        self.sent: set[ClientKey] = set()
        """The keys of all requests that were sent here."""
        self._layer, self._plan, self._timers = layer, plan, timers
        self._new_token, self._answer_offer, self._flow_to = new_token, answer_offer, flow_to
        self._save, self._events = save, events
        self._legs: dict[tuple[ClientKey, str], Leg] = {}
        self._waiting: dict[ClientKey, _Sent] = {}

    @property
    def states(self) -> tuple[DialogState, ...]:
        """The dialogs that may be up at the peer."""
        legs = self._legs.values()
        return tuple(leg.dialog.state for leg in legs if leg.lost or not leg.over)

    @property
    def are_over(self) -> bool:
        """Whether no dialog is up and no request waits for its answer."""
        return not self._waiting and not any(leg.is_up for leg in self._legs.values())

    def new_branch(self) -> str:
        return f"z9hG4bK{self._new_token()}"

    def leg_of(self, key: ClientKey, invite: Request, response: Response) -> Leg | None:
        """Return the dialog of a response to an INVITE, None when there are too many already."""
        place = key, response.to.tag or ""
        leg = self._legs.get(place)
        if leg is None and len(self._legs) < MAX_LEGS:
            origin = self._plan.origin(invite.via.transport)
            leg = Leg(Dialog.of_response(invite, response, origin))
            self._legs[place] = leg
        return leg

    def drop_early(self) -> None:
        """Forget the early dialogs: their INVITE was refused or is over (section 13.2.2.3)."""
        self._legs = {
            place: leg for place, leg in self._legs.items() if leg.over or leg.ack is not None
        }

    def acknowledge(self, leg: Leg, invite: Request, body: bytes) -> None:
        """Send the ACK to a 2xx, and the same one to each repetition (section 13.2.2.4).

        A peer repeats its 2xx about ten times. Some answer each ACK with another 2xx: that ends at
        `MAX_ACKS`.
        """
        if leg.acks >= MAX_ACKS:
            return
        flow = self._flow_to(leg.dialog.next_hop)
        if leg.ack is None:
            leg.ack = leg.dialog.ack(
                self.new_branch,
                transport=flow.transport,
                credentials=credentials_of(invite),
                body=body,
            )
        self._save()
        self._layer.send_without_transaction(leg.ack, flow, retransmission=leg.acks > 0)
        leg.acks += 1

    def request(
        self,
        leg: Leg,
        method: str,
        now: float,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> None:
        """Send a request in a dialog."""
        flow = self._flow_to(leg.dialog.next_hop)
        request = leg.dialog.request(
            method, self.new_branch, transport=flow.transport, headers=headers, body=body
        )
        self._send(leg, request, Authenticator(self._plan.credentials, self._new_token), flow, now)

    def bye(self, leg: Leg, now: float) -> None:
        """End a dialog, once."""
        if not (leg.over or leg.ending):
            leg.ending = True
            leg.repetition = None
            self.request(leg, "BYE", now)

    def receive_response(self, key: ClientKey, response: Response, now: float) -> None:
        """React to a response to one of our requests in a dialog."""
        if response.status < 200 or key not in self._waiting:
            return
        leg, request, authenticator = self._waiting.pop(key)
        if response.status in (401, 407):
            headers = authenticator.answer(request, response)
            if headers:
                said = Said.of(response)
                self._events.append(Challenged(now, response.status, request.method, said))
                number = leg.dialog.take_number()
                again = renewed(request, self.new_branch(), number, headers)
                flow = self._flow_to(leg.dialog.next_hop)
                self._send(leg, again, authenticator, flow, now)
                return
        if request.method == "BYE":
            # Any final answer: section 15.1.1 leaves no dialog behind a BYE.
            self._left(
                leg, Ended(now, EndedBy.US, response.reason, response.status, Said.of(response))
            )

    def request_failed(self, key: ClientKey, reason: str, lost: bool, now: float) -> None:
        """React to silence, or to the failure of the transport, after one of our requests."""
        if key in self._waiting:
            leg, request, _ = self._waiting.pop(key)
            if request.method == "BYE" and not leg.over:
                leg.lost = lost
                self._left(leg, Ended(now, EndedBy.US, reason, None, Said()))

    def receive_request(self, event: RequestReceived, now: float) -> bool:
        """Answer a peer's request; return whether it ended an early dialog."""
        request = event.request
        leg = self.leg_of_request(request)
        if leg is None:
            response = response_to(request, 481)
        elif not leg.dialog.takes_number_of(request):
            response = response_to(request, 500)
        elif leg.ending and request.method != "BYE":
            response = response_to(request, 481)
        else:
            response = answer_in_dialog(request, leg, self._answer_offer, self._plan.contact)
        said = Said.of(request)
        self._events.append(PeerRequest(now, request.method, response.status, said))
        if leg is not None and response.status == 200 and request.method in _TARGET_REFRESH:
            leg.dialog.refresh_target(request)
            leg.negotiated = leg.negotiated or bool(response.body)
        self._save()
        self._layer.send_response(event.key, response, now)
        if leg is None or response.status != 200:
            return False
        if request.method == "INVITE":
            leg.repetition = Repetition.start(event.key, response, self._timers, now)
        elif request.method == "BYE":
            reason = said.reasons[0] if said.reasons else "BYE"
            self._left(leg, Ended(now, EndedBy.PEER, reason, None, said))
            return leg.ack is None
        return False

    def receive_ack(self, ack: Request) -> bool:
        """Note the ACK to a re-INVITE's 2xx; return whether it is in a dialog of this call."""
        leg = self.leg_of_request(ack)
        if leg is None:
            return False
        repetition = leg.repetition
        if repetition is not None and repetition.response.cseq.number == ack.cseq.number:
            leg.repetition = None
        return True

    def leg_of_request(self, request: Request) -> Leg | None:
        """Return the dialog that a peer's request is in and that is not over."""
        for leg in self._legs.values():
            if not leg.over and leg.dialog.matches(request):
                return leg
        return None

    def next_due(self) -> float | None:
        """Return when the next 2xx to a re-INVITE is to be repeated or given up."""
        legs = self._legs.values()
        return min((leg.repetition.next_due() for leg in legs if leg.repetition), default=None)

    def handle_timer(self, now: float) -> None:
        for leg in tuple(self._legs.values()):
            repetition = leg.repetition
            if repetition is None or repetition.next_due() > now:
                continue
            if repetition.give_up_at <= now:
                # Section 14.2: without the ACK nobody knows which session is the valid one.
                self.bye(leg, now)
            else:
                self._layer.send_response(repetition.key, repetition.response, now)
                repetition.repeated(self._timers, now)

    def _send(
        self, leg: Leg, request: Request, authenticator: Authenticator, flow: Flow, now: float
    ) -> None:
        self._save()
        key = self._layer.send_request(request, flow, now)
        self._waiting[key] = leg, request, authenticator
        self.sent.add(key)

    def _left(self, leg: Leg, ended: Ended) -> None:
        """Note the end of a dialog, once: BYEs can cross."""
        if leg.over:
            return
        leg.over = True
        leg.repetition = None
        if leg is self.main:
            self._events.append(ended)
        elif leg.ack is not None:
            self._events.append(OtherForkEnded(ended.at, leg.dialog.state.remote_tag))
