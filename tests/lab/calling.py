"""A caller for tests of the lab: `InviteSession` on sockets, and what it saw."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lab import LabPeer
from lab.calls import CallRecord
from lab.catalogue import DEMO_PASSWORD, DEMO_USERNAME
from sip.dialog_state import Answered, Ended, Failed, SessionEvent
from sip.headers import NameAddr
from sip.invite_session import InviteSession
from sip.media_verdict import MediaVerdict
from sip.message import Request, Response, parse_message
from sip.net.tls import TlsProfile
from sip.net.transport import TransportLayer
from sip.offer_answer import SrtpPolicy
from sip.sdp_attributes import PCMA, PCMU, AudioCodec
from sip.session_requests import Credentials, InvitePlan
from sip.timers import Timers
from sip.transaction import Flow, TransactionLayer
from sip.uri import SipUri
from tests.lab.caller_media import GUARD, CallerMedia
from tests.sip.transactions import EventType

DEMO = Credentials(DEMO_USERNAME, DEMO_PASSWORD)


class LabCaller:
    """One call. `events` are what the session told, `received` every message of the peer."""

    def __init__(self, *, codecs: tuple[AudioCodec, ...], srtp: SrtpPolicy) -> None:
        self.events: list[SessionEvent] = []
        self.received: list[Request | Response] = []
        self.plan: InvitePlan
        self.deaf = False
        """Whether what comes is noted and not acted upon."""
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._transport = TransportLayer(self, GUARD)
        self._layer = TransactionLayer(Timers(t1=0.1, t2=0.4, t4=0.5))
        self.media = CallerMedia(codecs, srtp)
        self._session: InviteSession | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def call(
        self, peer: LabPeer, *, transport: str = "UDP", tls: TlsProfile | None = None, **plan: Any
    ) -> None:
        """Send the INVITE; `plan` changes fields of the InvitePlan, `user` its Request-URI."""
        if transport == "UDP":
            flow = self._transport.udp_flow((peer.address, 5060))
        else:
            port = 5061 if transport == "TLS" else 5060
            flow = await self._transport.stream_flow((peer.address, port), tls, seconds=5)
        host, port = flow.local
        target = SipUri("sip", peer.address, plan.pop("user", "100"))
        first = InvitePlan(
            target=target,
            sender=NameAddr(SipUri("sip", host, "alice")),
            from_tag=secrets.token_hex(4),
            call_id=secrets.token_hex(8),
            via_host=host,
            via_port=port,
            contact=SipUri("sip", host, "alice", None, port),
            user_agent="tests",
            offer=self.media.offer,
        )
        self.plan = dataclasses.replace(first, **plan)
        self._session = InviteSession(
            self._layer,
            flow,
            self.plan,
            new_token=lambda: secrets.token_hex(8),
            answer_offer=self.media.answer_offer,
            save=lambda snapshot: None,
            timers=Timers(t1=0.1, t2=0.4, t4=0.5),
        )
        self._session.start(self._loop.time())
        self._pump()

    def in_dialog(
        self, method: str, tag: str, *lines: str, cseq: int = 7, body: bytes = b""
    ) -> bytes:
        """A request in the dialog with the peer's tag, as another socket of ours may send it."""
        plan = self.plan
        head = [
            f"{method} {plan.target} SIP/2.0",
            f"Via: SIP/2.0/UDP client.test;branch=z9hG4bK{secrets.token_hex(6)};rport",
            "Max-Forwards: 70",
            f"From: {plan.sender};tag={plan.from_tag}",
            f"To: <{plan.target}>;tag={tag}",
            f"Call-ID: {plan.call_id}",
            f"CSeq: {cseq} {method}",
            f"Content-Length: {len(body)}",
            *lines,
        ]
        if body:
            head.append("Content-Type: application/sdp")
        return ("\r\n".join(head) + "\r\n\r\n").encode() + body

    def hang_up(self) -> None:
        assert self._session is not None
        self._session.hang_up(self._loop.time())
        self._pump()

    async def sees(self, kind: type[EventType], *, seconds: float = 5.0) -> EventType:
        """The first event of a kind, when it is there or comes in time."""
        return (await self.sees_all(kind, 1, seconds=seconds))[0]

    async def sees_all(
        self, kind: type[EventType], count: int, *, seconds: float = 5.0
    ) -> list[EventType]:
        async with asyncio.timeout(seconds):
            while True:
                found: list[EventType] = [e for e in self.events if isinstance(e, kind)]
                if len(found) >= count:
                    return found
                await self._change()

    async def receives(self, *start: str | int, seconds: float = 5.0) -> None:
        """Wait until as many messages with these methods or status codes came in this order."""
        async with asyncio.timeout(seconds):
            while not _in_order(start, self.heard):
                await self._change()

    @property
    def heard(self) -> list[str | int]:
        return [m.method if isinstance(m, Request) else m.status for m in self.received]

    async def settles(self, *, seconds: float = 5.0) -> None:
        """Wait until the call is answered or has failed."""
        async with asyncio.timeout(seconds):
            while not any(isinstance(event, Answered | Failed) for event in self.events):
                await self._change()

    async def is_over(self, *, seconds: float = 8.0) -> None:
        assert self._session is not None
        async with asyncio.timeout(seconds):
            while not any(isinstance(e, Ended | Failed) for e in self.events):
                await self._change()

    async def talk(self, seconds: float) -> MediaVerdict:
        """Wait for the answer, talk, hang up and return what the media proved."""
        await self.sees(Answered)
        await asyncio.sleep(seconds)
        self.hang_up()
        await self.is_over()
        return self.media.verdict()

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.media.close()
        await self._transport.close()

    def message_arrived(self, data: bytes, flow: Flow) -> None:
        message = parse_message(data)
        self.received.append(message)
        if not self.deaf:
            self._layer.receive_message(message, flow, self._loop.time())
        self._pump()

    def flow_failed(self, flow: Flow, reason: str) -> None:
        self._layer.transport_failed(flow, self._loop.time(), reason)
        self._pump()

    def not_sip(self, flow: Flow, reason: str) -> None:
        raise AssertionError(f"the peer sent what is no SIP: {reason}")

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _pump(self) -> None:
        assert self._session is not None
        now = self._loop.time()
        while (event := self._layer.next_event()) is not None:
            self._session.receive_event(event, now)
        while (told := self._session.next_event()) is not None:
            self.events.append(told)
            if isinstance(told, Answered) and told.sdp is not None:
                self.media.begin(told.sdp)
        for out in self._layer.messages_to_send():
            self._transport.send(out.data, out.flow)
        due = [at for at in (self._layer.get_timer(), self._session.get_timer()) if at is not None]
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(min(due), self._wake) if due else None
        self._changed.set()

    def _wake(self) -> None:
        assert self._session is not None
        now = self._loop.time()
        self._layer.handle_timer(now)
        self._session.handle_timer(now)
        self._pump()


def _in_order(wanted: tuple[str | int, ...], seen: list[str | int]) -> bool:
    rest = iter(seen)
    return all(item in rest for item in wanted)


async def last_record(peer: LabPeer) -> CallRecord:
    """What the peer noted of its last call, once all of them are over."""
    async with asyncio.timeout(5):
        await peer.until_idle()
    assert peer.live_calls == 0
    return peer.call_records[-1]


@asynccontextmanager
async def caller(
    *, codecs: tuple[AudioCodec, ...] = (PCMU, PCMA), srtp: SrtpPolicy = SrtpPolicy.OFF
) -> AsyncIterator[LabCaller]:
    """A caller that is closed at the end, whatever its call is doing."""
    calling = LabCaller(codecs=codecs, srtp=srtp)
    try:
        yield calling
    finally:
        await calling.close()
