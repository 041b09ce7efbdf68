"""One call attempt to one target, from the INVITE to the end of its last dialog (RFC 3261 13-15).

It does no I/O and reads no clock. The owner pumps a `TransactionLayer`, gives each of its events to
`receive_event`, calls `handle_timer` at `get_timer` and drains `next_event`. `save` gets a
`CallSnapshot` whenever it changed, always before the layer gets the message that it is for: an
owner that stores the last one before it sends what `messages_to_send` returns can lose its process
at any time, and another can end the call by `sip.dialog.clean_up`.

No INVITE follows an attempt whose outcome is unknown, so one call never becomes two: only a 401,
407 or 422, which end an attempt for certain, make another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from sip.build import response_to
from sip.dialog_state import CallSnapshot, FailureCause, SessionEvent
from sip.invite_attempt import InviteAttempts
from sip.message import Request
from sip.session_dialogs import SessionDialogs
from sip.session_requests import AnswerOffer, InvitePlan
from sip.timers import Timers
from sip.transaction import (
    AckReceived,
    CancelReceived,
    ClientKey,
    Event,
    Flow,
    RequestReceived,
    ResponseReceived,
    StrayResponse,
    TransactionLayer,
    TransactionTerminated,
    TransactionTimedOut,
    TransportFailed,
)
from sip.uri import Uri


class InviteSession:
    """The calling side of one call.

    `new_token` returns a fresh token each time, for branches (the magic cookie is put before it)
    and cnonces. `answer_offer` decides about the peer's offers. `flow_to` returns the flow to a
    route or Contact, by default that of the INVITE.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        flow: Flow,
        plan: InvitePlan,
        *,
        new_token: Callable[[], str],
        answer_offer: AnswerOffer,
        save: Callable[[CallSnapshot], None],
        flow_to: Callable[[Uri], Flow] | None = None,
        timers: Timers | None = None,
    ) -> None:
        self._layer, self._flow, self._plan = layer, flow, plan
        self._save_snapshot = save
        self._saved: CallSnapshot | None = None
        self._events: deque[SessionEvent] = deque()
        self._dialogs = SessionDialogs(
            layer,
            plan,
            new_token=new_token,
            answer_offer=answer_offer,
            flow_to=flow_to or (lambda uri: flow),
            timers=timers or Timers(),
            save=self._save,
            events=self._events,
        )
        self._attempts = InviteAttempts(
            layer,
            flow,
            plan,
            self._dialogs,
            new_token=new_token,
            answer_offer=answer_offer,
            timers=timers or Timers(),
            save=self._save,
            events=self._events,
        )

    @property
    def snapshot(self) -> CallSnapshot:
        """What another process needs to end this call as it stands."""
        invite = self._attempts.invite
        bare = replace(invite, headers=invite.headers.without("Content-Type"), body=b"")
        return CallSnapshot(
            bare.serialize().decode(),
            self._attempts.outcome_is_unknown,
            self._dialogs.states,
            self._flow.transport,
            self._flow.local,
            self._flow.remote,
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing of this call is left to wait for, forked and repeated 2xx included."""
        return self._attempts.are_over and self._dialogs.are_over

    def start(self, now: float) -> None:
        """Send the INVITE. Raises LocalProtocolError for a plan that cannot be serialized."""
        self._attempts.start(now)

    def hang_up(self, now: float) -> None:
        """End the call: by BYE, by CANCEL as soon as section 9.1 allows, or by not trying again."""
        self._attempts.end(FailureCause.CANCELLED, now)
        self._save()

    def next_event(self) -> SessionEvent | None:
        """Return the oldest event that was not fetched yet, None when there is none."""
        return self._events.popleft() if self._events else None

    def get_timer(self) -> float | None:
        """Return when `handle_timer` has something to do, None while nothing is waited for."""
        waits = (self._attempts.next_due(), self._dialogs.next_due())
        return min((at for at in waits if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due by `now`."""
        self._attempts.handle_timer(now)
        self._dialogs.handle_timer(now)
        self._save()

    def receive_event(self, event: Event, now: float) -> bool:
        """React to an event of the layer; return whether it belongs to this call."""
        ours = self._react(event, now)
        if ours:
            self._save()
        return ours

    def _react(self, event: Event, now: float) -> bool:
        match event:
            case ResponseReceived(key, response):
                return self._attempts.receive_response(key, response, now)
            case StrayResponse(response) if (made := self._attempts.made(response)) is not None:
                return self._attempts.receive_response(made, response, now)
            case RequestReceived(_, request) if self._is_ours(request):
                if self._dialogs.receive_request(event, now):
                    self._attempts.end(FailureCause.PEER_ENDED, now)
                return True
            case AckReceived(_, request):
                return self._dialogs.receive_ack(request)
            case CancelReceived(key, request, _, invite_key) if self._is_ours(request):
                # Requests are answered at once: a CANCEL comes too late to change anything.
                status = 481 if invite_key is None else 200
                self._layer.send_response(key, response_to(request, status), now)
                return True
            case TransactionTimedOut(ClientKey() as key):
                return self._attempts.transaction_failed(key, "no final response", False, now)
            case TransportFailed(ClientKey() as key, reason):
                return self._attempts.transaction_failed(key, reason, True, now)
            case TransactionTerminated(ClientKey() as key):
                return self._attempts.transaction_over(key)
            case _:
                return False

    def _is_ours(self, request: Request) -> bool:
        plan = self._plan
        return request.call_id == plan.call_id and request.to.tag == plan.from_tag

    def _save(self) -> None:
        if (snapshot := self.snapshot) != self._saved:
            self._saved = snapshot
            self._save_snapshot(snapshot)
