"""The session under test on a transaction layer of its own, and requests of its peer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count

from sip.build import response_to
from sip.dialog_state import CallSnapshot, SessionEvent
from sip.headers import NameAddr, Via
from sip.invite_session import InviteSession
from sip.message import Headers, Message, Request, Response, parse_message
from sip.session_requests import AnswerOffer, Credentials, InvitePlan
from sip.transaction import Event, Flow, Outgoing, TransactionLayer
from sip.uri import SipUri, Uri
from tests.sip.transactions import CLIENT, SERVER, TARGET, EventType, flow_between

OFFER = b"v=0\r\no=us\r\n"
ANSWER = b"v=0\r\no=them\r\n"
SDP_TYPE = ("Content-Type", "application/sdp")
CONTACT = ("Contact", f"<sip:callee@{SERVER[0]}:{SERVER[1]}>")
CREDENTIALS = Credentials("alice", "secret")
PLAN = InvitePlan(
    target=SipUri("sip", SERVER[0], "100"),
    sender=NameAddr(SipUri("sip", "example.com", "alice")),
    from_tag="from-1",
    call_id="call-1",
    via_host=CLIENT[0],
    via_port=CLIENT[1],
    contact=SipUri("sip", CLIENT[0], "alice", None, CLIENT[1]),
    user_agent="test",
    offer=OFFER,
)


def tokens(prefix: str = "t") -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{prefix}{next(numbers)}"


class Caller:
    """The session under test on a layer of its own, and all it sent, told and saved."""

    def __init__(
        self,
        plan: InvitePlan = PLAN,
        *,
        transport: str = "UDP",
        answer_offer: AnswerOffer = lambda offer: ANSWER,
        flow_to: Callable[[Uri], Flow] | None = None,
    ) -> None:
        self.layer = TransactionLayer()
        self.flow = flow_between(transport)
        self.saved: list[CallSnapshot] = []
        self.events: list[SessionEvent] = []
        self.sent: list[Outgoing] = []
        self.foreign: list[Event] = []
        self.now = 0.0
        self.session = InviteSession(
            self.layer,
            self.flow,
            plan,
            new_token=tokens(),
            answer_offer=answer_offer,
            save=self.saved.append,
            flow_to=flow_to,
        )

    def start(self) -> Request:
        self.session.start(self.now)
        self.pump()
        return self.last("INVITE")

    def hang_up(self) -> None:
        self.session.hang_up(self.now)
        self.pump()

    def pump(self) -> list[Outgoing]:
        """Hand the layer's events to the session; return what is to be sent now."""
        while (event := self.layer.next_event()) is not None:
            if not self.session.receive_event(event, self.now):
                self.foreign.append(event)
        while (told := self.session.next_event()) is not None:
            self.events.append(told)
        out = self.layer.messages_to_send()
        self.sent += out
        for sent in out:
            assert sent.retransmission or self._is_saved(sent.message)
        return out

    def _is_saved(self, message: Message) -> bool:
        """Whether a snapshot that knows of a request of ours is there before it goes out."""
        if not isinstance(message, Request) or message.method not in ("INVITE", "PRACK", "BYE"):
            return True
        if message.method == "INVITE":
            return message.via == self.saved[-1].invite_request().via and self.saved[-1].pending
        return any(
            (state.remote_tag, state.local_cseq) == (message.to.tag or "", message.cseq.number)
            for snapshot in self.saved
            for state in snapshot.dialogs
        )

    def receive(self, message: Message) -> None:
        parsed = parse_message(message.serialize())
        self.layer.receive_message(parsed, self.flow, self.now)
        self.pump()

    def get_timer(self) -> float | None:
        timers = (self.layer.get_timer(), self.session.get_timer())
        return min((at for at in timers if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        self.now = now
        self.layer.handle_timer(now)
        self.session.handle_timer(now)

    def advance(self, until: float) -> None:
        while (due := self.get_timer()) is not None and due <= until:
            self.handle_timer(due)
            self.pump()
        self.now = until

    def requests(self, method: str, *, copies: bool = False) -> list[Request]:
        return [
            out.message
            for out in self.sent
            if isinstance(out.message, Request)
            and out.message.method == method
            and (copies or not out.retransmission)
        ]

    def last(self, method: str) -> Request:
        return self.requests(method)[-1]

    def responses(self) -> list[Response]:
        return [out.message for out in self.sent if isinstance(out.message, Response)]

    def of(self, kind: type[EventType]) -> list[EventType]:
        return [event for event in self.events if isinstance(event, kind)]

    def respond(
        self,
        status: int,
        *,
        to: Request | None = None,
        tag: str | None = "a",
        headers: Iterable[tuple[str, str]] = (CONTACT,),
        sdp: bytes = b"",
    ) -> None:
        fields = (*headers, SDP_TYPE) if sdp else headers
        request = to or self.last("INVITE")
        self.receive(response_to(request, status, to_tag=tag, headers=fields, body=sdp))

    def answered(self, tag: str = "a") -> Request:
        """Go through INVITE, 180 and 200 with SDP; return the INVITE."""
        invite = self.start()
        self.respond(180, tag=tag)
        self.respond(200, tag=tag, sdp=ANSWER)
        return invite


def peer_request(
    method: str,
    *,
    cseq: int = 1,
    tag: str = "a",
    local_tag: str | None = "from-1",
    call_id: str = "call-1",
    headers: Iterable[tuple[str, str]] = (CONTACT,),
    sdp: bytes = b"",
    branch: str | None = None,
) -> Request:
    """A request of the callee in the dialog."""
    via = Via("UDP", *SERVER, (("branch", branch or f"z9hG4bKpeer-{method}-{cseq}-{tag}"),))
    to = "<sip:alice@example.com>" + (f";tag={local_tag}" if local_tag else "")
    items = [
        ("Via", str(via)),
        ("Max-Forwards", "70"),
        ("From", f"<{TARGET}>;tag={tag}"),
        ("To", to),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
        *headers,
    ]
    if sdp:
        items.append(SDP_TYPE)
    return Request(method, PLAN.contact, Headers(items), sdp)
