"""A scripted callee, and the process that cleans up behind a dead caller. Neither does I/O.

The callee is a proxy with its phones in one: each tag of its script is a phone of its own, which
rings, answers, repeats its 2xx until the ACK and gives up without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from sip.build import response_to
from sip.dialog import clean_up, clean_up_after
from sip.dialog_state import CallSnapshot
from sip.message import Request, Response
from sip.transaction import (
    AckReceived,
    CancelReceived,
    Flow,
    Outgoing,
    RequestReceived,
    ResponseReceived,
    ServerKey,
    StrayResponse,
    TransactionLayer,
)
from tests.sip.caller import ANSWER, CONTACT, SDP_TYPE, peer_request, tokens
from tests.sip.transactions import flow_between, reversed_flow


@dataclass(frozen=True, slots=True)
class Step:
    """One response of the script, `after` seconds from the INVITE."""

    after: float
    status: int
    tag: str = "a"
    reliable: bool = False


@dataclass(slots=True)
class Phone:
    """One tag: what it has said and heard."""

    answer: Response | None = None
    acks: int = 0
    over: bool = False
    interval: float = 0.5
    repeat_at: float = 0.0
    give_up_at: float = 0.0


class Callee:
    """Plays a script for each INVITE; `calls` counts those, `phones` are all it ever rang."""

    def __init__(self, script: tuple[Step, ...], *, challenge: bool = False) -> None:
        self.layer = TransactionLayer()
        self.calls = 0
        self.phones: dict[str, Phone] = {}
        self.byes = 0
        self.own_byes = 0
        self.refused: list[tuple[str, int]] = []
        self._script, self._challenge = script, challenge
        self._steps: list[tuple[float, Step]] = []
        self._invite: tuple[ServerKey, Request, Flow] | None = None
        self._final = False
        self._rseq = count(7)
        self._unpracked: dict[int, tuple[Response, float]] = {}

    @property
    def is_up(self) -> bool:
        return any(not phone.over for phone in self.phones.values())

    def pump(self, now: float) -> list[Outgoing]:
        while (event := self.layer.next_event()) is not None:
            match event:
                case RequestReceived(key, request, flow):
                    self._request(key, request, flow, now)
                case CancelReceived(key, request, _, invite_key):
                    self._reply(key, request, 200 if invite_key else 481, now)
                    ringing = self._invite is not None and self._invite[0] == invite_key
                    if ringing and not self._final:
                        self._finish(487, "a", now)
                case AckReceived(_, request):
                    phone = self.phones.get(request.to.tag or "")
                    if phone is not None and phone.answer is not None:
                        phone.acks += 1
                case _:
                    pass
        return self.layer.messages_to_send()

    def get_timer(self) -> float | None:
        times = [at for at, _ in self._steps[:1]]
        times += [min(p.repeat_at, p.give_up_at) for p in self._repeating()]
        times += [at for _, at in self._unpracked.values()]
        if (timer := self.layer.get_timer()) is not None:
            times.append(timer)
        return min(times, default=None)

    def handle_timer(self, now: float) -> None:
        self.layer.handle_timer(now)
        while self._steps and self._steps[0][0] <= now:
            self._play(self._steps.pop(0)[1], now)
        for number, (response, at) in tuple(self._unpracked.items()):
            if at <= now and self._invite is not None:
                self.layer.send_response(self._invite[0], response, now)
                self._unpracked[number] = response, now + 4.0
        for tag, phone in self.phones.items():
            if phone in self._repeating() and phone.give_up_at <= now:
                phone.over = True
                self.own_byes += 1
                self._bye(tag, now)
            elif phone in self._repeating() and phone.repeat_at <= now:
                self._send_answer(phone, now)

    def _repeating(self) -> list[Phone]:
        return [p for p in self.phones.values() if p.answer and not p.acks and not p.over]

    def _request(self, key: ServerKey, request: Request, flow: Flow, now: float) -> None:
        phone = self.phones.get(request.to.tag or "")
        if request.method == "INVITE":
            if self._challenge and "Authorization" not in request.headers:
                challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')
                self._reply(key, request, 401, now, (challenge,))
                return
            self.calls += 1
            self._invite, self._final = (key, request, flow), False
            self._steps = [(now + step.after, step) for step in self._script]
            for step in self._script:
                if step.status > 100:
                    self.phones.setdefault(step.tag, Phone())
            self._steps.sort(key=lambda pair: pair[0])
            self.handle_timer(now)
        elif phone is None or phone.over:
            self._reply(key, request, 481, now)
        elif request.method == "PRACK":
            self._unpracked.pop(int((request.headers.get("RAck") or "").split()[0]), None)
            self._reply(key, request, 200, now)
        else:
            phone.over = True
            self.byes += 1
            self._reply(key, request, 200, now)
            if not self._final and not self.is_up:
                self._finish(487, request.to.tag or "", now)

    def _reply(
        self,
        key: ServerKey,
        request: Request,
        status: int,
        now: float,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.refused += [(request.method, status)] if status >= 400 else []
        response = response_to(request, status, to_tag="a", headers=headers)
        self.layer.send_response(key, response, now)

    def _play(self, step: Step, now: float) -> None:
        assert self._invite is not None
        key, invite, _ = self._invite
        if self._final and step.status < 200:
            return
        if step.status >= 300:
            if not self._final:
                self._finish(step.status, step.tag, now)
            return
        phone = self.phones.get(step.tag, Phone())
        headers: list[tuple[str, str]] = [CONTACT]
        if step.reliable:
            number = next(self._rseq)
            headers += [("Require", "100rel"), ("RSeq", str(number))]
        response = response_to(
            invite, step.status, to_tag=step.tag, headers=[*headers, SDP_TYPE], body=ANSWER
        )
        if step.status >= 200:
            self._answer(phone, response, now)
            return
        if step.reliable:
            self._unpracked[number] = response, now + 0.5
        self.layer.send_response(key, response, now)

    def _answer(self, phone: Phone, response: Response, now: float) -> None:
        if phone.over or phone.answer is not None:
            return
        self._final = True
        self._unpracked.clear()
        later = {step.tag for _, step in self._steps if step.status // 100 == 2}
        for tag, other in self.phones.items():
            other.over = other.over or (
                other is not phone and other.answer is None and tag not in later
            )
        phone.answer, phone.give_up_at = response, now + 32.0
        self._send_answer(phone, now)

    def _send_answer(self, phone: Phone, now: float) -> None:
        assert self._invite is not None
        assert phone.answer is not None
        # Straight to the wire: a phone behind a proxy repeats for itself, whatever the others do.
        self.layer.send_response(self._invite[0], phone.answer, now)
        phone.repeat_at = now + phone.interval
        phone.interval = min(2 * phone.interval, 4.0)

    def _finish(self, status: int, tag: str, now: float) -> None:
        assert self._invite is not None
        self._final = True
        self._steps.clear()
        self._unpracked.clear()
        for phone in self.phones.values():
            phone.over = phone.over or phone.answer is None
        key, invite, _ = self._invite
        self.layer.send_response(key, response_to(invite, status, to_tag=tag), now)

    def _bye(self, tag: str, now: float) -> None:
        assert self._invite is not None
        bye = peer_request("BYE", tag=tag)
        self.layer.send_request(bye, reversed_flow(flow_between()), now)


class Cleaner:
    """The process that ends the call of a dead one, from its snapshot alone."""

    def __init__(self, snapshot: CallSnapshot, now: float, *, deaf: bool = False) -> None:
        self.layer = TransactionLayer()
        self._snapshot = CallSnapshot.from_json(snapshot.to_json())
        self._flow = Flow(snapshot.transport, snapshot.local, snapshot.remote)
        self._branch = tokens("z9hG4bKclean-")
        self._deaf = deaf
        self._send(clean_up(self._snapshot, self._branch), now)

    def pump(self, now: float) -> list[Outgoing]:
        while (event := self.layer.next_event()) is not None:
            match event:
                case StrayResponse(response) | ResponseReceived(_, response) if not self._deaf:
                    self._send(clean_up_after(self._snapshot, response, self._branch), now)
                case RequestReceived(key, request):
                    self.layer.send_response(key, response_to(request, 481, to_tag="x"), now)
                case _:
                    pass
        return self.layer.messages_to_send()

    def get_timer(self) -> float | None:
        return self.layer.get_timer()

    def handle_timer(self, now: float) -> None:
        self.layer.handle_timer(now)

    def _send(self, requests: tuple[Request, ...], now: float) -> None:
        for request in requests:
            if request.method == "ACK":
                self.layer.send_without_transaction(request, self._flow)
            else:
                self.layer.send_request(request, self._flow, now)
