"""Messages and small steps that the tests of the transaction layer share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from sip.build import response_to
from sip.headers import NameAddr, Via
from sip.message import Headers, Request, Response, parse_message
from sip.timers import Timers
from sip.transaction import (
    ClientKey,
    Event,
    Flow,
    Outgoing,
    ResponseReceived,
    TransactionLayer,
)
from sip.uri import SipUri

CLIENT = ("192.0.2.1", 5070)
SERVER = ("192.0.2.2", 5060)
TARGET = SipUri("sip", SERVER[0])

EventType = TypeVar("EventType")


def flow_between(
    transport: str = "UDP", local: tuple[str, int] = CLIENT, remote: tuple[str, int] = SERVER
) -> Flow:
    return Flow(transport, local, remote, None if transport == "UDP" else 1)


def reversed_flow(flow: Flow) -> Flow:
    return Flow(flow.transport, flow.remote, flow.local, flow.connection)


def request_of(
    method: str = "OPTIONS",
    *,
    branch: str = "z9hG4bKfirst",
    call_id: str = "call-1",
    cseq: int = 1,
    transport: str = "UDP",
    via: Via | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Request:
    """A request as its sender makes it."""
    top = via or Via(transport, CLIENT[0], CLIENT[1], (("branch", branch), ("rport", None)))
    sender = NameAddr(SipUri("sip", CLIENT[0], "alice"), None, (("tag", "from-1"),))
    items = [
        ("Via", str(top)),
        ("Max-Forwards", "70"),
        ("From", str(sender)),
        ("To", f"<{TARGET}>"),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
        *headers,
    ]
    return Request(method, TARGET, Headers(items))


def received(request: Request) -> Request:
    """The request as its receiver parsed it."""
    again = parse_message(request.serialize())
    assert isinstance(again, Request)
    return again


def answer(request: Request, status: int = 200, *, to_tag: str | None = "to-1") -> Response:
    """A response as its receiver parsed it."""
    again = parse_message(response_to(request, status, to_tag=to_tag).serialize())
    assert isinstance(again, Response)
    return again


def drain(layer: TransactionLayer) -> list[Event]:
    events = []
    while (event := layer.next_event()) is not None:
        events.append(event)
    return events


def only(events: list[Event], kind: type[EventType]) -> EventType:
    (event,) = events
    assert isinstance(event, kind)
    return event


def responses(events: list[Event]) -> list[ResponseReceived]:
    return [event for event in events if isinstance(event, ResponseReceived)]


def run_timers(layer: TransactionLayer, until: float) -> list[tuple[float, Outgoing]]:
    """Move the clock to each deadline up to `until`; return what was sent and when."""
    sent = []
    while (due := layer.get_timer()) is not None and due <= until:
        layer.handle_timer(due)
        sent += [(due, out) for out in layer.messages_to_send()]
    return sent


def started(
    method: str = "OPTIONS", flow: Flow | None = None, timers: Timers | None = None
) -> tuple[TransactionLayer, Request, ClientKey]:
    """A layer that sent one request at time zero, and the request as its receiver got it."""
    layer = TransactionLayer(timers)
    flow = flow or flow_between()
    request = request_of(method, transport=flow.transport)
    key = layer.send_request(request, flow, 0.0)
    (first,) = layer.messages_to_send()
    assert (first.data, first.flow, first.retransmission) == (request.serialize(), flow, False)
    return layer, received(request), key
