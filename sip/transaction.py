"""The transaction layer (RFC 3261 section 17, RFC 6026): reliable requests over any transport.

It does no I/O and reads no clock. Messages go in by `receive_message`, `send_request` and
`send_response`, time by the argument `now` (seconds of a clock that never runs back) and
`handle_timer`. After each of these calls the owner sends what `messages_to_send` returns, drains
`next_event` and calls `handle_timer` at `get_timer`.

The transaction user is left what section 17 leaves it: the ACK to a 2xx and the repetition of a 2xx
until that ACK, both for each forked dialog of its own, the CANCEL of an INVITE (a transaction of
its own under the same branch) and the end of an INVITE that stays in Proceeding.
"""

from __future__ import annotations

from sip.build import with_received
from sip.client_transaction import ClientTransaction
from sip.errors import LocalProtocolError
from sip.message import Message, Request, Response
from sip.server_table import MAX_HELD_BYTES, MAX_SERVER_TRANSACTIONS, ServerTable
from sip.server_transaction import ServerTransaction
from sip.timer_queue import TimerQueue
from sip.timers import Timers
from sip.transaction_events import (
    AckReceived,
    CancelReceived,
    ClientKey,
    Event,
    Flow,
    Outbox,
    Outgoing,
    RequestReceived,
    RequestRefused,
    ResponseReceived,
    ServerKey,
    StrayResponse,
    TransactionKey,
    TransactionTerminated,
    TransactionTimedOut,
    TransportFailed,
)
from sip.transaction_machine import State
from sip.transaction_matching import (
    client_key_of_request,
    client_key_of_response,
    invite_key_of,
    reply_flow,
    server_key_of,
)

__all__ = [
    "AckReceived",
    "CancelReceived",
    "ClientKey",
    "Event",
    "Flow",
    "Outgoing",
    "RequestReceived",
    "RequestRefused",
    "ResponseReceived",
    "ServerKey",
    "StrayResponse",
    "Timers",
    "TransactionKey",
    "TransactionLayer",
    "TransactionTerminated",
    "TransactionTimedOut",
    "TransportFailed",
    "reply_flow",
]

_Transaction = ClientTransaction | ServerTransaction


class TransactionLayer:
    """All transactions of one SIP element."""

    def __init__(
        self,
        timers: Timers | None = None,
        *,
        max_server_transactions: int = MAX_SERVER_TRANSACTIONS,
        max_held_bytes: int = MAX_HELD_BYTES,
    ) -> None:
        """The two limits bound what peers can make this side remember."""
        self.refused_requests = 0
        """New requests that one of the limits left without a transaction, since the start."""
        self.late_responses = 0
        """Responses discarded because their transaction had its final one or was over."""
        self._timers = timers or Timers()
        self._outbox = Outbox()
        self._queue: TimerQueue[_Transaction] = TimerQueue()
        self._clients: dict[ClientKey, ClientTransaction] = {}
        self._servers = ServerTable(max_server_transactions, max_held_bytes)
        self._by_flow: dict[Flow, set[_Transaction]] = {}

    @property
    def live_client_transactions(self) -> int:
        """How many client transactions there are."""
        return len(self._clients)

    @property
    def live_server_transactions(self) -> int:
        """How many server transactions there are."""
        return len(self._servers)

    def send_request(self, request: Request, flow: Flow, now: float) -> ClientKey:
        """Send a request in a new client transaction and return its key.

        The caller makes a unique branch; a CANCEL has that of its INVITE. Raises LocalProtocolError
        for a branch that is in use or lacks the magic cookie, for an ACK (the one to a 2xx is sent
        by `send_without_transaction`, others by the INVITE's transaction), and for a request that
        cannot be serialized.
        """
        if request.method == "ACK":
            raise LocalProtocolError("an ACK has no transaction of its own")
        key = client_key_of_request(request)
        if key in self._clients:
            raise LocalProtocolError("the branch belongs to a live transaction")
        transaction = ClientTransaction(
            key, request, request.serialize(), flow, self._timers, self._outbox, now
        )
        self._clients[key] = transaction
        self._add(transaction)
        return key

    def send_response(self, key: TransactionKey, response: Response, now: float) -> None:
        """Answer the request of a server transaction.

        A response to a transaction that is over, or that had its final one, is discarded and
        counted in `late_responses` (section 17.2). Raises LocalProtocolError when `key` is that of
        a client transaction, or for a response that cannot be serialized.
        """
        if not isinstance(key, ServerKey):
            raise LocalProtocolError("only a server transaction sends responses")
        data = response.serialize()
        transaction = self._servers.get(key)
        if transaction is None or not transaction.send_response(response, data, now):
            self.late_responses += 1
        else:
            self._servers.account(transaction)
            self._settle(transaction)

    def send_without_transaction(
        self, message: Message, flow: Flow, *, retransmission: bool = False
    ) -> None:
        """Send a message once: the ACK to a 2xx (13.2.2.4), or a response kept nowhere (8.2.7).

        `flow` is where it goes; for the response to a request that is `reply_flow`.
        """
        self._outbox.messages.append(Outgoing(message.serialize(), flow, retransmission, message))

    def receive_message(self, message: Message, flow: Flow, now: float) -> None:
        """React to a message that `parse_message` returned and that came over `flow`."""
        if isinstance(message, Request):
            self._receive_request(message, flow, now)
        else:
            self._receive_response(message, flow, now)

    def transport_failed(self, flow: Flow, now: float, reason: str) -> None:
        """React to a connection that closed, or to an ICMP error for something sent over `flow`."""
        for transaction in tuple(self._by_flow.get(flow, ())):
            if isinstance(transaction, ServerTransaction):
                # Said once, so that many errors for one flow stay cheap.
                self._leave_flow(transaction)
            elif transaction.transport_failed():
                self._settle(transaction)
            else:
                continue
            self._outbox.events.append(TransportFailed(transaction.key, reason))

    def abandon(self, key: TransactionKey) -> None:
        """Forget a client transaction without an event; its responses become stray.

        Does nothing when it is over already. Raises LocalProtocolError for a server's key: a
        request that was received is answered.
        """
        if not isinstance(key, ClientKey):
            raise LocalProtocolError("only a client transaction can be abandoned")
        transaction = self._clients.get(key)
        if transaction is not None:
            transaction.end()
            self._settle(transaction)

    def messages_to_send(self) -> list[Outgoing]:
        """Return what is to be sent, oldest first, and forget it."""
        messages = self._outbox.messages
        self._outbox.messages = []
        return messages

    def next_event(self) -> Event | None:
        """Return the oldest event that was not fetched yet, None when there is none."""
        return self._outbox.events.popleft() if self._outbox.events else None

    def get_timer(self) -> float | None:
        """Return when `handle_timer` has something to do, None while nothing is waited for."""
        return self._queue.next_due()

    def handle_timer(self, now: float) -> None:
        """Do what is due by `now`."""
        while (transaction := self._queue.pop_due(now)) is not None:
            transaction.fire(now)
            self._settle(transaction)

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        key = server_key_of(request)
        if request.method == "ACK":
            self._receive_ack(invite_key_of(key), request, flow, now)
            return
        transaction = self._servers.get(key)
        if transaction is not None:
            transaction.receive_request(request, flow, now)
            return
        stamped = with_received(request, *flow.remote)
        cancelled = request.method == "CANCEL" and invite_key_of(key) in self._servers
        # A CANCEL is let in all the same: it ends a transaction, and there is one for each at most.
        if not (self._servers.has_room or cancelled):
            self.refused_requests += 1
            self._outbox.events.append(RequestRefused(stamped, flow))
            return
        transaction = ServerTransaction(
            key, stamped, reply_flow(request, flow), self._timers, self._outbox, now
        )
        merged = self._servers.add(transaction, request)
        self._add(transaction)
        if request.method == "CANCEL":
            invite_key = invite_key_of(key) if cancelled else None
            self._outbox.events.append(CancelReceived(key, stamped, flow, invite_key))
        else:
            self._outbox.events.append(RequestReceived(key, stamped, flow, merged))

    def _receive_ack(self, key: ServerKey, ack: Request, flow: Flow, now: float) -> None:
        transaction = self._servers.get(key)
        if transaction is not None and (
            ack.via.has_rfc3261_branch or ack.to.tag == transaction.to_tag
        ):
            transaction.receive_request(ack, flow, now)
            self._settle(transaction)
        else:
            self._outbox.events.append(AckReceived(None, ack, flow))

    def _receive_response(self, response: Response, flow: Flow, now: float) -> None:
        key = client_key_of_response(response)
        transaction = None if key is None else self._clients.get(key)
        if transaction is None:
            self._outbox.events.append(StrayResponse(response, flow))
        else:
            transaction.receive_response(response, flow, now)
            self._settle(transaction)

    def _add(self, transaction: _Transaction) -> None:
        self._by_flow.setdefault(transaction.flow, set()).add(transaction)
        self._queue.arm(transaction)

    def _settle(self, transaction: _Transaction) -> None:
        """Arm the timers that a step left behind, or forget the transaction that it ended."""
        if transaction.state is not State.TERMINATED:
            self._queue.arm(transaction)
            return
        self._queue.disarm(transaction)
        self._leave_flow(transaction)
        if isinstance(transaction, ClientTransaction):
            del self._clients[transaction.key]
        else:
            self._servers.remove(transaction)

    def _leave_flow(self, transaction: _Transaction) -> None:
        others = self._by_flow.get(transaction.flow)
        if others is not None:
            others.discard(transaction)
            if not others:
                del self._by_flow[transaction.flow]
