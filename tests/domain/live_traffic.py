"""Messages of made-up calls as an operator's proxy exports them: each received one and each sent one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from domain.live_call import LiveCall
from domain.live_call_placing import CallLimits
from domain.live_call_sighting import SeenMessage
from domain.live_calls import CallAssembler
from tests.domain.traces import sdp

START = datetime(2026, 3, 9, 12, 0, 0, 250_000, tzinfo=UTC)
NOW = START + timedelta(minutes=1)

Address = tuple[str, int]
Way = tuple[Address, Address]

CALLER: Address = ("192.0.2.10", 5060)
PROXY: Address = ("198.51.100.1", 5060)
CALLEE: Address = ("203.0.113.5", 5060)
OTHER: Address = ("203.0.113.6", 5060)

TO_PROXY: Way = (CALLER, PROXY)
TO_CALLEE: Way = (PROXY, CALLEE)
FROM_CALLEE: Way = (CALLEE, PROXY)
TO_CALLER: Way = (PROXY, CALLER)

OFFER = sdp()
ANSWER = sdp(address="203.0.113.5").replace(" 0 8 101", " 8 101")


def back(way: Way) -> Way:
    """The way of the responses to what went on ``way``."""
    return way[1], way[0]


def moment(milliseconds: float) -> datetime:
    return START + timedelta(milliseconds=milliseconds)


@dataclass
class Traffic:
    """One call's messages, in the order in which they were captured. Times are in ms from ``START``."""

    call_id: str = "a84b4c76e66710@192.0.2.10"
    caller_tag: str = "9fxced76sl"
    node: str | None = "edge-1"
    correlation: str | None = None
    messages: list[SeenMessage] = field(default_factory=list)

    def send(self, at: float, way: Way, data: bytes, transport: str = "UDP") -> None:
        self.messages.append(
            SeenMessage(
                at=moment(at),
                transport=transport,
                source=way[0],
                destination=way[1],
                data=data,
                correlation_id=self.correlation,
                node=self.node,
            )
        )

    def request(
        self,
        at: float,
        way: Way,
        method: str,
        *,
        cseq: int = 1,
        to_tag: str = "",
        by_callee: bool = False,
        uri: str = "sip:+14155550100@sip.example.com",
        hops: int = 1,
        headers: Sequence[str] = (),
        body: str = "",
    ) -> None:
        self.send(
            at,
            way,
            self._data(
                f"{method} {uri} SIP/2.0",
                way,
                (method, cseq),
                to_tag,
                hops,
                [*([] if by_callee else ["User-Agent: Acme PBX 1.0"]), *headers],
                body,
                by_callee=by_callee,
            ),
        )

    def response(
        self,
        at: float,
        way: Way,
        status: int,
        reason: str,
        *,
        method: str = "INVITE",
        cseq: int = 1,
        to_tag: str = "314159",
        by_callee: bool = False,
        hops: int = 1,
        headers: Sequence[str] = (),
        body: str = "",
    ) -> None:
        self.send(
            at,
            way,
            self._data(
                f"SIP/2.0 {status} {reason}",
                back(way),
                (method, cseq),
                to_tag,
                hops,
                headers,
                body,
                by_callee=by_callee,
            ),
        )

    def _data(
        self,
        start: str,
        way: Way,
        cseq: tuple[str, int],
        to_tag: str,
        hops: int,
        headers: Sequence[str],
        body: str,
        *,
        by_callee: bool,
    ) -> bytes:
        caller = f"<sip:+14155550199@192.0.2.10>;tag={self.caller_tag}"
        callee = "<sip:+14155550100@sip.example.com>" + (f";tag={to_tag}" if to_tag else "")
        method, number = cseq
        kind = "INVITE" if method == "CANCEL" else method
        branch = f"z9hG4bK{kind}{number}{way[0][0]}-{way[1][0]}-{way[1][1]}".replace(".", "")
        vias = [f"Via: SIP/2.0/UDP {way[0][0]}:{way[0][1]};branch={branch}"]
        vias += [
            f"Via: SIP/2.0/UDP hop{hop}.example.com;branch=z9hG4bKhop{hop}"
            for hop in range(1, hops)
        ]
        lines = [
            start,
            *vias,
            f"From: {callee if by_callee else caller}",
            f"To: {caller if by_callee else callee}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
            *headers,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def invites(
        self, at: float = 0, *, cseq: int = 1, headers: Sequence[str] = (), body: str = OFFER
    ) -> None:
        """The INVITE through the proxy, and its 100."""
        self.request(at, TO_PROXY, "INVITE", cseq=cseq, headers=headers, body=body)
        self.response(at + 1, TO_CALLER, 100, "Trying", cseq=cseq, to_tag="")
        self.request(at + 2, TO_CALLEE, "INVITE", cseq=cseq, hops=2, headers=headers, body=body)

    def passes(
        self,
        at: float,
        status: int,
        reason: str,
        *,
        cseq: int = 1,
        to_tag: str = "314159",
        headers: Sequence[str] = (),
        body: str = "",
    ) -> None:
        """The callee's response through the proxy."""
        head = ["Server: Beta SBC 2.0", *headers]
        self.response(
            at,
            FROM_CALLEE,
            status,
            reason,
            cseq=cseq,
            to_tag=to_tag,
            hops=2,
            headers=head,
            body=body,
        )
        self.response(
            at + 1, TO_CALLER, status, reason, cseq=cseq, to_tag=to_tag, headers=head, body=body
        )

    def acks(self, at: float, *, cseq: int = 1, to_tag: str = "314159", body: str = "") -> None:
        """The caller's ACK through the proxy."""
        self.request(at, TO_PROXY, "ACK", cseq=cseq, to_tag=to_tag, body=body)
        self.request(at + 1, TO_CALLEE, "ACK", cseq=cseq, to_tag=to_tag, hops=2, body=body)

    def answered(self, at: float = 4000, *, cseq: int = 1, to_tag: str = "314159") -> None:
        """180 after a second, 200 with an answer, ACK."""
        self.passes(at - 3000, 180, "Ringing", cseq=cseq, to_tag=to_tag)
        self.passes(at, 200, "OK", cseq=cseq, to_tag=to_tag, body=ANSWER)
        self.acks(at + 2, cseq=cseq, to_tag=to_tag)

    def caller_hangs_up(
        self, at: float, *, cseq: int = 2, to_tag: str = "314159", headers: Sequence[str] = ()
    ) -> None:
        """The caller's BYE through the proxy, and its 200."""
        self.request(at, TO_PROXY, "BYE", cseq=cseq, to_tag=to_tag, headers=headers)
        self.request(at + 1, TO_CALLEE, "BYE", cseq=cseq, to_tag=to_tag, hops=2, headers=headers)
        self.response(
            at + 2, FROM_CALLEE, 200, "OK", method="BYE", cseq=cseq, to_tag=to_tag, hops=2
        )
        self.response(at + 3, TO_CALLER, 200, "OK", method="BYE", cseq=cseq, to_tag=to_tag)

    def callee_hangs_up(
        self, at: float, *, to_tag: str = "314159", headers: Sequence[str] = ()
    ) -> None:
        """The callee's BYE through the proxy, and its 200."""
        self.request(at, FROM_CALLEE, "BYE", by_callee=True, to_tag=to_tag, headers=headers)
        self.request(
            at + 1, TO_CALLER, "BYE", by_callee=True, to_tag=to_tag, hops=2, headers=headers
        )
        self.response(
            at + 2, TO_PROXY, 200, "OK", method="BYE", by_callee=True, to_tag=to_tag, hops=2
        )
        self.response(at + 3, TO_CALLEE, 200, "OK", method="BYE", by_callee=True, to_tag=to_tag)

    def repeats(self, at: float, index: int) -> None:
        """A retransmission of an earlier message."""
        self.messages.append(replace(self.messages[index], at=moment(at)))

    def without(self, *indexes: int) -> list[SeenMessage]:
        """The messages but for those whose packets were lost."""
        return [each for at, each in enumerate(self.messages) if at not in indexes]


def normal_call(call_id: str = "a84b4c76e66710@192.0.2.10", length: float = 30_000) -> Traffic:
    """Rings after 1 s, is answered after 4 s, and the caller hangs up ``length`` ms later."""
    traffic = Traffic(call_id)
    traffic.invites()
    traffic.answered()
    traffic.caller_hangs_up(4001 + length)
    return traffic


def assembled(
    messages: Iterable[SeenMessage], limits: CallLimits | None = None
) -> tuple[CallAssembler, LiveCall]:
    """An assembler that received everything at ``NOW``, and its only call."""
    assembler = CallAssembler(limits)
    for message in messages:
        assembler.receive(message, NOW)
    (call,) = assembler.changed()
    return assembler, call


def call_of(messages: Iterable[SeenMessage]) -> LiveCall:
    return assembled(messages)[1]


def later(assembler: CallAssembler, after: timedelta) -> LiveCall:
    """The call's next change when nothing is heard for so long."""
    moments = NOW
    while moments < NOW + after:
        moments += timedelta(seconds=5)
        assembler.expire(moments)
    (call,) = assembler.changed()
    return call
