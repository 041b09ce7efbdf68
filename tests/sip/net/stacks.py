"""SIP stacks that talk to each other in the tests of the transport."""

from __future__ import annotations

import itertools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_network

from sip.build import options_request, response_to
from sip.message import Request
from sip.net.guard import AddressGuard
from sip.net.stack import SipStack
from sip.transaction import Flow, RequestReceived
from sip.uri import SipUri

__all__ = ["LOOPBACK", "answer_ok", "ask", "listener", "options", "serving"]

LOOPBACK = AddressGuard((ip_network("127.0.0.0/8"), ip_network("::1/128")))

_NUMBERS = itertools.count(1)


def options(flow: Flow, *, padding: int = 0) -> Request:
    """A fresh OPTIONS for a flow; ``padding`` makes it longer by that many bytes."""
    number = next(_NUMBERS)
    return options_request(
        target_uri=SipUri("sip", flow.remote[0]),
        from_uri=SipUri("sip", flow.local[0]),
        from_tag=f"t{number}",
        call_id=f"c{number}",
        branch=f"z9hG4bKtest{number}",
        cseq=1,
        via_transport=flow.transport,
        via_host=flow.local[0],
        via_port=flow.local[1],
        contact=SipUri("sip", flow.local[0], port=flow.local[1]),
        user_agent="test",
        headers=(("Subject", "x" * padding),) if padding else (),
    )


def answer_ok(stack: SipStack, event: RequestReceived) -> None:
    """Handler that answers 200 and repeats the Subject of the request."""
    subject = event.request.headers.get("Subject")
    fields = () if subject is None else (("Subject", subject),)
    stack.respond(event.key, response_to(event.request, 200, to_tag="served", headers=fields))


@asynccontextmanager
async def serving(
    address: str, handler: Callable[[SipStack, RequestReceived], None] = answer_ok
) -> AsyncIterator[SipStack]:
    """A stack that answers requests at port 5060 of an address, over UDP and TCP."""
    async with SipStack(guard=LOOPBACK, handler=handler) as stack:
        stack.transport.listen_udp((address, 5060))
        await stack.transport.listen_stream((address, 5060))
        yield stack


@contextmanager
def listener(address: str) -> Iterator[socket.socket]:
    """TCP port 5060 of an address, for a peer that the test plays."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as listening:
        listening.bind((address, 5060))
        listening.listen()
        yield listening


async def ask(stack: SipStack, flow: Flow, *, seconds: float = 5.0) -> int:
    """The status that an OPTIONS over the flow gets."""
    answer = await stack.request(options(flow), flow, seconds=seconds)
    return answer.response.status
