"""The requests of a call made from here: how they are built, repeated and, the peer's, answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from sip.authenticator import Credentials as Credentials
from sip.build import DEFAULT_MAX_FORWARDS, response_to
from sip.dialog import Dialog
from sip.dialog_state import DialogPhase, Origin
from sip.headers import NameAddr, Via
from sip.message import Headers, Message, Request, Response
from sip.timers import Timers
from sip.transaction import ServerKey
from sip.uas import refusal_of
from sip.uri import SipUri

METHODS: Final = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE")
"""What Allow lists: all that is really answered within a call."""

SDP: Final = "application/sdp"

AnswerOffer = Callable[[bytes | None], bytes | None]
"""Takes the peer's SDP offer and returns our answer; for None it returns an offer of ours.

Returns None to refuse. It is called once for each offer.
"""


@dataclass(frozen=True, slots=True)
class InvitePlan:
    """One call attempt to one target, with its random parts.

    `target` is the Request-URI, `routes` are values of Route (an outbound proxy), `headers` come
    behind the usual ones. `sender` is From without tag; To is `to`, by default the target without
    port and parameters. `offer` None lets the peer make the offer. `ring_seconds` from the first
    INVITE to a CANCEL. `supported` are option tags; without `100rel` no PRACK is ever sent.
    """

    target: SipUri
    sender: NameAddr
    from_tag: str
    call_id: str
    via_host: str
    via_port: int | None
    contact: SipUri
    user_agent: str
    to: NameAddr | None = None
    offer: bytes | None = None
    routes: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    supported: tuple[str, ...] = ("100rel",)
    first_cseq: int = 1
    ring_seconds: float = 60.0
    credentials: Credentials | None = None

    def origin(self, transport: str) -> Origin:
        """Return our end for a dialog whose INVITE went over `transport`."""
        return Origin(transport, self.via_host, self.via_port, str(self.contact), self.user_agent)


def invite_request(plan: InvitePlan, transport: str, branch: str) -> Request:
    """Return the first INVITE of a plan (RFC 3261 section 13.2.1)."""
    to = plan.to or NameAddr(SipUri(plan.target.scheme, plan.target.host, plan.target.user))
    tag: tuple[str, str | None] = ("tag", plan.from_tag)
    sender = replace(plan.sender, params=(*plan.sender.params, tag))
    via = Via(transport, plan.via_host, plan.via_port, (("branch", branch), ("rport", None)))
    items = [
        ("Via", str(via)),
        ("Max-Forwards", str(DEFAULT_MAX_FORWARDS)),
        *(("Route", route) for route in plan.routes),
        ("From", str(sender)),
        ("To", str(to)),
        ("Call-ID", plan.call_id),
        ("CSeq", f"{plan.first_cseq} INVITE"),
        ("Contact", f"<{plan.contact}>"),
        ("Allow", ", ".join(METHODS)),
        ("Accept", SDP),
        ("User-Agent", plan.user_agent),
        *plan.headers,
    ]
    if plan.supported:
        items.append(("Supported", ", ".join(plan.supported)))
    if plan.offer is not None:
        items.append(("Content-Type", SDP))
    return Request("INVITE", plan.target, Headers(items), plan.offer or b"")


def renewed(
    request: Request, branch: str, number: int, headers: Iterable[tuple[str, str]]
) -> Request:
    """Return `request` in a new transaction: other branch, CSeq and added header fields.

    Each of `headers` replaces the fields of its name; several of one name stand side by side.
    """
    via = request.via
    params = tuple((n, branch if n == "branch" else value) for n, value in via.params)
    added = tuple(headers)
    fields = request.headers
    for name, _ in added:
        fields = fields.without(name)
    fields = fields.with_set("Via", str(replace(via, params=params)))
    fields = fields.with_set("CSeq", f"{number} {request.method}")
    for name, value in added:
        fields = fields.with_added(name, value)
    return replace(request, headers=fields)


def sdp_of(message: Message) -> bytes | None:
    """Return the SDP that is the body of a message, None when it has none."""
    return message.body if message.body and message.content_type == SDP else None


@dataclass(slots=True)
class Repetition:
    """Our 2xx to a re-INVITE, sent again until its ACK comes (RFC 3261 section 13.3.1.4)."""

    key: ServerKey
    response: Response
    due: float
    interval: float
    give_up_at: float

    @classmethod
    def start(cls, key: ServerKey, response: Response, timers: Timers, now: float) -> Repetition:
        return cls(key, response, now + timers.t1, timers.t1, now + timers.h)

    def next_due(self) -> float:
        return min(self.due, self.give_up_at)

    def repeated(self, timers: Timers, now: float) -> None:
        self.interval = min(2 * self.interval, timers.t2)
        self.due = now + self.interval


@dataclass(slots=True, eq=False)
class Leg:
    """One dialog of the call and what the session knows of it.

    `negotiated` says that offer and answer are exchanged, `lost` that it ended by a failure of the
    transport, so that the peer may still hold it. `acks` counts the copies of its ACK.
    """

    dialog: Dialog
    ack: Request | None = None
    acks: int = 0
    rseq: int | None = None
    negotiated: bool = False
    ending: bool = False
    over: bool = False
    lost: bool = False
    repetition: Repetition | None = None

    @property
    def is_up(self) -> bool:
        return self.ack is not None and not self.over

    def takes_reliable(self, number: int) -> bool:
        """Whether a reliable provisional is the next in order (RFC 3262 section 4)."""
        if self.rseq is not None and number != self.rseq + 1:
            return False
        self.rseq = number
        return True


def reliable_number(response: Response) -> int | None:
    """Return the RSeq of a provisional that asks for a PRACK, else None (RFC 3262 section 4)."""
    number = response.headers.get("RSeq")
    asks = any(tag.lower() == "100rel" for tag in response.tokens("Require"))
    return int(number) if asks and number is not None else None


def answer_in_dialog(
    request: Request, leg: Leg, answer_offer: AnswerOffer, contact: SipUri
) -> Response:
    """Return the answer to a peer's request in a dialog, whose number is in order.

    A BYE is obeyed whatever it requires or carries: to refuse it would keep a call up that its peer
    has left. A refresh (RFC 4028) is answered as any re-INVITE, without timer of ours.
    """
    if request.method == "BYE":
        return response_to(request, 200)
    refusal = refusal_of(request, allowed_methods=METHODS)
    if refusal is not None:
        return refusal
    about = (("Contact", f"<{contact}>"), ("Allow", ", ".join(METHODS)))
    if request.method == "OPTIONS":
        return response_to(request, 200, headers=(*about, ("Accept", SDP)))
    offer = sdp_of(request)
    if _in_glare(request, leg, offer):
        return response_to(request, 491)
    if offer is None and request.method == "UPDATE":
        return response_to(request, 200, headers=about)
    body = answer_offer(offer)
    if body is None:
        return response_to(request, 488)
    return response_to(request, 200, headers=(*about, ("Content-Type", SDP)), body=body)


def _in_glare(request: Request, leg: Leg, offer: bytes | None) -> bool:
    """Whether an INVITE or an offer of ours is still open (RFC 3261 14.2, RFC 3311 5.2)."""
    if leg.repetition is not None:
        return request.method == "INVITE" or offer is not None
    if leg.dialog.state.phase is DialogPhase.CONFIRMED:
        return False
    return request.method == "INVITE" or (offer is not None and not leg.negotiated)
