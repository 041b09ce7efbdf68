"""What goes into and comes out of the transaction layer, apart from the messages themselves."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from sip.message import Message, Request, Response


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a message came from or goes to.

    `transport` is upper case (`UDP`, `TCP`, `TLS`), an address is an IP literal without brackets
    and a port. `connection` is the transport's own number of a stream, None for datagrams.
    """

    transport: str
    local: tuple[str, int]
    remote: tuple[str, int]
    connection: int | None = None

    @property
    def reliable(self) -> bool:
        """Whether the transport itself delivers or fails (RFC 3261 section 17)."""
        return self.transport != "UDP"


class ClientKey(NamedTuple):
    """What a response shares with its request (RFC 3261 section 17.1.3)."""

    branch: str
    method: str


class ServerKey(NamedTuple):
    """What all copies of a request share (RFC 3261 section 17.2.3).

    For a peer without RFC 3261 branches, `branch` holds the fields that RFC 2543 compared.
    """

    branch: str
    sent_by: str
    method: str


TransactionKey = ClientKey | ServerKey


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Bytes for the transport, and what they say. `retransmission` marks a repeated message."""

    data: bytes
    flow: Flow
    retransmission: bool
    message: Message


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """A response to a request of ours. `flow` is the one it really came over."""

    key: ClientKey
    response: Response
    flow: Flow


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A new request, its top Via stamped with `received` and `rport`; answer it by `key`.

    `merged` says that the same request is in progress under another branch, which a user agent
    answers with 482 (RFC 3261 section 8.2.2.2).
    """

    key: ServerKey
    request: Request
    flow: Flow
    merged: bool = False


@dataclass(frozen=True, slots=True)
class AckReceived:
    """An ACK for the transaction user.

    Without `key` it belongs to no transaction: the ACK to a 2xx, found by its dialog. With `key`
    its branch is that of an INVITE answered with 2xx, as some peers send it.
    """

    key: ServerKey | None
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class CancelReceived:
    """A CANCEL, itself to be answered by `key` (RFC 3261 section 9.2).

    `invite_key` is the INVITE transaction it asks to end (200, and 487 to the INVITE), None when
    there is none any more (481).
    """

    key: ServerKey
    request: Request
    flow: Flow
    invite_key: ServerKey | None


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A new request that got no transaction because too many are live.

    It can be answered by `send_without_transaction` or left to its sender's retransmissions.
    """

    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class StrayResponse:
    """A response that no live transaction of ours waits for."""

    response: Response
    flow: Flow


@dataclass(frozen=True, slots=True)
class TransactionTimedOut:
    """The transaction ended because the peer stayed silent.

    No final response came (timers B, F), or no ACK (timer H). For a request other than INVITE that
    was received here: its transaction user did not answer while its sender waited.
    """

    key: TransactionKey


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """The flow under a transaction failed; `reason` is the transport's.

    A client transaction ended with it. A server transaction goes on (RFC 6026 section 8.8) and says
    so once.
    """

    key: TransactionKey
    reason: str


@dataclass(frozen=True, slots=True)
class TransactionTerminated:
    """The transaction ran its course and is forgotten."""

    key: TransactionKey


Event = (
    ResponseReceived
    | RequestReceived
    | AckReceived
    | CancelReceived
    | RequestRefused
    | StrayResponse
    | TransactionTimedOut
    | TransportFailed
    | TransactionTerminated
)


class Outbox:
    """What transactions produced and nobody fetched yet, in order."""

    __slots__ = ("events", "messages")

    def __init__(self) -> None:
        self.messages: list[Outgoing] = []
        self.events: deque[Event] = deque()
