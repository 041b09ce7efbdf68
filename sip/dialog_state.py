"""The values of a call made from here: its dialogs, its snapshot and its events.

They are frozen and hold what another process or a ladder needs, as text and numbers. Times are
seconds of the clock that the owner passes to the session.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sip.message import Request, Response, parse_message


@dataclass(frozen=True, slots=True)
class Origin:
    """Our end as it stands in each request: sent-by of Via (IPv6 bare), Contact, User-Agent."""

    via_transport: str
    via_host: str
    via_port: int | None
    contact: str
    user_agent: str


class DialogPhase(StrEnum):
    EARLY = "early"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class DialogState:
    """The state of a dialog at its UAC (RFC 3261 section 12.1.2).

    `local` and `remote` are the values of From and To without tags; `remote_tag` is empty for a peer
    of RFC 2543, which sends none. `route_set` holds the values of Route in our order.
    `invite_cseq` is the number of the INVITE that made the dialog, the one its ACK carries.
    """

    call_id: str
    local: str
    local_tag: str
    remote: str
    remote_tag: str
    remote_target: str
    route_set: tuple[str, ...]
    invite_cseq: int
    local_cseq: int
    remote_cseq: int | None
    phase: DialogPhase
    origin: Origin


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """What another process needs to end a call whose own process died.

    `invite` is the head of the last INVITE as on the wire: branch, Call-ID, From tag, CSeq, target
    and route are in it, and the credentials that its ACK repeats. `pending` says that its final
    answer is not known. `dialogs` are those that may be up, early ones included.
    `transport`, `local` and `remote` are the flow of the INVITE.
    """

    invite: str
    pending: bool
    dialogs: tuple[DialogState, ...]
    transport: str
    local: tuple[str, int]
    remote: tuple[str, int]

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be ended."""
        return not self.pending and not self.dialogs

    def invite_request(self) -> Request:
        """Return the INVITE without its body. Raises ValueError when `invite` is something else."""
        message = parse_message(self.invite.encode())
        if not isinstance(message, Request):
            raise ValueError("the snapshot of a call holds no request")
        return message

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> CallSnapshot:
        """Return what `to_json` wrote. Raises KeyError, TypeError or ValueError else."""
        fields: dict[str, Any] = json.loads(text)
        fields["dialogs"] = tuple(_dialog_state(**dialog) for dialog in fields["dialogs"])
        for name in ("local", "remote"):
            host, port = fields[name]
            fields[name] = (host, port)
        return cls(**fields)


def _dialog_state(
    *, route_set: list[str], phase: str, origin: dict[str, Any], **rest: Any
) -> DialogState:
    return DialogState(
        route_set=tuple(route_set), phase=DialogPhase(phase), origin=Origin(**origin), **rest
    )


# Header fields that tell people why, besides Server, Warning, Reason, Retry-After and Contact.
_TELLING = frozenset(
    {
        "Accept", "Allow", "Min-SE", "Proxy-Authenticate", "Require", "Supported", "Unsupported",
        "WWW-Authenticate", "ms-diagnostics", "ms-diagnostics-public", "P-Hangup-Cause",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """Who sent a message and what it says about its cause, as on the wire.

    `server` is Server or User-Agent. `retry_after` keeps comment and parameters. `contacts` are the
    URIs of a 3xx, reported and never followed. `details` are other telling header fields, those of
    vendors (`X-`) included.
    """

    server: str | None = None
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    retry_after: str | None = None
    contacts: tuple[str, ...] = ()
    details: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, message: Request | Response) -> Said:
        headers = message.headers
        return cls(
            headers.get("Server") or headers.get("User-Agent"),
            headers.get_all("Warning"),
            headers.get_all("Reason"),
            headers.get("Retry-After"),
            tuple(str(contact.uri) for contact in message.contacts),
            tuple(
                (name, value)
                for name, value in headers
                if name in _TELLING or name.lower().startswith("x-")
            ),
        )


@dataclass(frozen=True, slots=True)
class Calling:
    """An INVITE goes out; `attempt` counts from 1, a challenge or a 422 makes the next."""

    at: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Challenged:
    """A 401 or 407 came, to `method`, and is being answered."""

    at: float
    status: int
    method: str
    said: Said


@dataclass(frozen=True, slots=True)
class IntervalRaised:
    """A 422 came and the INVITE is repeated with the Min-SE it asks for, in seconds (RFC 4028)."""

    at: float
    min_se: int


@dataclass(frozen=True, slots=True)
class Trying:
    at: float


@dataclass(frozen=True, slots=True)
class Progress:
    """A provisional response beyond 100; `reliable` when it is acknowledged by PRACK (RFC 3262)."""

    at: float
    status: int
    reason: str
    remote_tag: str
    reliable: bool


@dataclass(frozen=True, slots=True)
class Ringing(Progress):
    """A 180."""


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    """A provisional response brought SDP, the body as it came."""

    at: float
    sdp: bytes
    remote_tag: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The 2xx that makes the call; its ACK is on the way. `sdp` None when it brought none."""

    at: float
    status: int
    reason: str
    sdp: bytes | None
    dialog: DialogState
    said: Said


class FailureCause(StrEnum):
    """Why a call came to nothing."""

    REFUSED = "refused"
    REDIRECTED = "redirected"
    UNAUTHORIZED = "unauthorized"
    NO_REPLY = "no_reply"
    TRANSPORT = "transport"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"
    OFFER_REFUSED = "offer_refused"
    PEER_ENDED = "peer_ended"


@dataclass(frozen=True, slots=True)
class Failed:
    """The call ended without an answer that was wanted; the last but for `OtherForkEnded`.

    `status` is the final response, None when none came; `reason` its phrase, or what happened.
    """

    at: float
    cause: FailureCause
    status: int | None
    reason: str
    said: Said


class EndedBy(StrEnum):
    US = "us"
    PEER = "peer"


@dataclass(frozen=True, slots=True)
class Ended:
    """An answered call is over. `status` answers our BYE, None for the peer's or after silence."""

    at: float
    by: EndedBy
    reason: str
    status: int | None
    said: Said


@dataclass(frozen=True, slots=True)
class OtherForkEnded:
    """A 2xx that was one too many or too late was acknowledged, and its dialog is over."""

    at: float
    remote_tag: str


@dataclass(frozen=True, slots=True)
class PeerRequest:
    """A request of the peer within the call, and the status that answered it."""

    at: float
    method: str
    status: int
    said: Said


SessionEvent = (
    Calling
    | Challenged
    | IntervalRaised
    | Trying
    | Progress
    | EarlyMedia
    | Answered
    | Failed
    | Ended
    | OtherForkEnded
    | PeerRequest
)
