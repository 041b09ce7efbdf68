"""Phones that the tests of the calling user agent ring: each plays a script on real sockets."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from sip.build import response_to
from sip.message import Request, Response
from sip.net.stack import Answer, SipStack
from sip.net.udp import UdpSocket
from sip.rtp import is_rtcp
from sip.sdes import CryptoAttribute
from sip.sdp import parse_sdp
from sip.srtp import SrtpSession, SrtpSuite
from sip.transaction import (
    AckReceived,
    CancelReceived,
    Event,
    RequestReceived,
    reply_flow,
)
from sip.uri import SipUri
from tests.sip.net.stacks import LOOPBACK

__all__ = [
    "Call",
    "Phone",
    "Script",
    "answering",
    "deaf_socket",
    "phone_at",
    "plain_answer",
    "secure_answer",
]

Script = Callable[["Call"], Awaitable[None]]

_NUMBERS = itertools.count(1)


def plain_answer(address: str, port: int, *extra: str, formats: str = "0 8 101") -> bytes:
    """An SDP answer in the clear that takes PCMU, PCMA and telephone-event."""
    family = "IP6" if ":" in address else "IP4"
    lines = [
        "v=0",
        f"o=- 1 1 IN {family} {address}",
        "s=-",
        f"c=IN {family} {address}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {formats}",
        "a=rtpmap:101 telephone-event/8000",
        *extra,
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


class Call:
    """One INVITE that reached a phone, and what is done with it."""

    def __init__(self, phone: Phone, event: RequestReceived) -> None:
        self.phone, self.key, self.invite, self.flow = phone, event.key, event.request, event.flow
        self.tag = f"phone{next(_NUMBERS)}"
        self.cancelled = asyncio.Event()
        self.acked = asyncio.Event()
        self.acks = 0
        self.ended = asyncio.Event()
        self.cseq = 0

    def respond(
        self,
        status: int,
        sdp: bytes = b"",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        tag: str | None = None,
        contact: str | None = None,
    ) -> Response:
        """Send a response; one that makes a dialog carries a Contact."""
        fields = list(headers)
        if 100 < status < 300:
            fields.append(("Contact", contact or f"<{self.phone.uri}>"))
        if sdp:
            fields.append(("Content-Type", "application/sdp"))
        response = response_to(
            self.invite, status, to_tag=tag or self.tag, headers=fields, body=sdp
        )
        self.phone.stack.respond(self.key, response)
        return response

    def send_again(self, response: Response) -> None:
        """Put a response on the wire past its transaction, as a proxy does with a late 2xx."""
        self.phone.stack.send_without_transaction(response, reply_flow(self.invite, self.flow))

    async def request(
        self, method: str, sdp: bytes = b"", *, headers: tuple[tuple[str, str], ...] = ()
    ) -> Answer:
        """Send a request within the dialog and wait for its answer."""
        self.cseq += 1
        fields = [
            (
                "Via",
                f"SIP/2.0/{self.flow.transport} {self.phone.address}:{self.phone.port};rport;"
                f"branch=z9hG4bK{secrets.token_hex(6)}",
            ),
            ("Max-Forwards", "70"),
            ("From", f"{self.invite.headers.get('To')};tag={self.tag}"),
            ("To", self.invite.headers.get("From") or ""),
            ("Call-ID", self.invite.call_id),
            ("CSeq", f"{self.cseq} {method}"),
            ("Contact", f"<{self.phone.uri}>"),
            *headers,
        ]
        if sdp:
            fields.append(("Content-Type", "application/sdp"))
        target = self.invite.contacts[0].uri
        request = Request(method, target, type(self.invite.headers)(fields), sdp)
        return await self.phone.stack.request(
            request, reply_flow(self.invite, self.flow), seconds=5
        )


class Phone:
    """Answers at an address with a script for each call; RTP that comes is sent back."""

    def __init__(self, address: str, port: int, script: Script) -> None:
        self.address, self.port = address, port
        self.calls: list[Call] = []
        self.requests: list[Request] = []
        self.acks: list[Request] = []
        self.media: list[bytes] = []
        self.media_from: tuple[str, int] | None = None
        self.echoes = True
        self.echo_of: Callable[[bytes], bytes] = lambda data: data
        self.challenges_bye = False
        self.transport = "udp"
        self._script = script
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.stack = SipStack(guard=LOOPBACK, handler=self._handle, on_event=self._event)
        self._rtp = UdpSocket.bind((address, 0), self._echo, lambda *_: None)

    @property
    def uri(self) -> SipUri:
        params = () if self.transport == "udp" else (("transport", self.transport),)
        return SipUri("sip", self.address, "phone", port=self.port, params=params)

    @property
    def rtp_port(self) -> int:
        return self._rtp.local[1]

    @property
    def sdp(self) -> bytes:
        return plain_answer(self.address, self.rtp_port)

    def methods(self) -> list[str]:
        """The methods of the requests that came, retransmissions left out."""
        return [request.method for request in self.requests]

    async def changed(self) -> None:
        """Wait for the next request, ACK or media packet."""
        self._changed.clear()
        await self._changed.wait()

    async def listen(self, context: ssl.SSLContext | None = None) -> None:
        if context is None:
            self.stack.transport.listen_udp((self.address, self.port))
        await self.stack.transport.listen_stream((self.address, self.port), context)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._rtp.close()
        await self.stack.close()

    def _handle(self, stack: SipStack, event: RequestReceived) -> None:
        request = event.request
        self.requests.append(request)
        self._changed.set()
        if request.method == "INVITE" and request.to.tag is None:
            call = Call(self, event)
            self.calls.append(call)
            task = asyncio.get_running_loop().create_task(self._play(call))
            self._tasks.add(task)
            return
        if request.method == "BYE":
            self._end(event)
        else:
            stack.respond(event.key, response_to(request, 200, to_tag="other"))

    def _end(self, event: RequestReceived) -> None:
        challenge = ("WWW-Authenticate", 'Digest realm="phone", nonce="b", qop="auth"')
        if self.challenges_bye and "Authorization" not in event.request.headers:
            self.stack.respond(event.key, response_to(event.request, 401, headers=(challenge,)))
            return
        for call in self.calls:
            call.ended.set()
        self.stack.respond(event.key, response_to(event.request, 200))

    async def _play(self, call: Call) -> None:
        await self._script(call)

    def _event(self, event: Event) -> None:
        if isinstance(event, AckReceived):
            self.acks.append(event.request)
            self._changed.set()
            for call in self.calls:
                call.acks += 1
                call.acked.set()
        elif isinstance(event, CancelReceived):
            self.requests.append(event.request)
            status = 481 if event.invite_key is None else 200
            self.stack.respond(event.key, response_to(event.request, status, to_tag="cancel"))
            for call in self.calls:
                call.cancelled.set()

    def _echo(self, sock: UdpSocket, data: bytes, remote: tuple[str, int]) -> None:
        self.media.append(data)
        self._changed.set()
        self.media_from = remote
        if self.echoes:
            sock.send(self.echo_of(data), remote)

    def send_media(self, data: bytes, remote: tuple[str, int]) -> None:
        self._rtp.send(data, remote)


@asynccontextmanager
async def phone_at(
    address: str,
    script: Script,
    *,
    port: int = 5060,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Phone]:
    """A phone over UDP and TCP, with a context over TLS alone."""
    phone = Phone(address, port, script)
    if context is not None:
        phone.transport = "tls"
    await phone.listen(context)
    try:
        yield phone
    finally:
        await phone.close()


def secure_answer(call: Call, *, wrong_key: bool = False) -> bytes:
    """An SRTP answer with a key of the phone's own, which its echo uses; or another than it says."""
    offered = parse_sdp(call.invite.body).media[0].crypto[0]
    assert isinstance(offered, CryptoAttribute)
    own = CryptoAttribute(offered.tag, offered.suite, secrets.token_bytes(30))
    said = CryptoAttribute(offered.tag, offered.suite, secrets.token_bytes(30))
    srtp = SrtpSession(SrtpSuite(offered.suite.value), local_key=own.key, remote_key=offered.key)

    def echo_of(data: bytes) -> bytes:
        if is_rtcp(data):
            return srtp.protect_rtcp(srtp.unprotect_rtcp(data))
        return srtp.protect_rtp(srtp.unprotect_rtp(data))

    call.phone.echo_of = echo_of
    answer = call.phone.sdp.replace(b"RTP/AVP", b"RTP/SAVP").decode()
    return f"{answer}a=crypto:{(said if wrong_key else own).wire_value()}\r\n".encode()


async def answering(call: Call) -> None:
    """Rings and answers."""
    call.respond(100)
    call.respond(180)
    call.respond(200, call.phone.sdp)


@contextmanager
def deaf_socket(address: str) -> Iterator[socket.socket]:
    """UDP port 5060 of an address that takes everything and says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind((address, 5060))
        yield deaf
