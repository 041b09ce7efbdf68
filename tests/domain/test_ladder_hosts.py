"""Lifelines of a call that was seen between others, as an SBC exports it."""

from __future__ import annotations

from domain.ladder import Ladder, ladder_of
from domain.trace import trace_of
from sip.capture import CapturedMessage
from tests.domain.traces import Way, request, response

CALLER = ("198.51.100.7", 5060)
PROXY = ("192.0.2.20", 5060)
CARRIER = ("203.0.113.5", 5060)
PROXYS_VIA = "Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKproxy"


def proxied(
    *, caller: tuple[str, int] = CALLER, proxy: tuple[str, int] = PROXY
) -> list[CapturedMessage]:
    """An INVITE through a proxy and its refusal, each message as the proxy got and passed it on."""
    near, far = Way(local=caller, remote=proxy), Way(local=proxy, remote=CARRIER)
    return [
        near.sent(0, request("INVITE")),
        far.sent(2, request("INVITE", headers=[PROXYS_VIA])),
        far.received(90, response(486, "Busy Here", headers=[PROXYS_VIA])),
        near.received(92, response(486, "Busy Here")),
    ]


def seen(messages: list[CapturedMessage]) -> Ladder:
    return ladder_of(trace_of(messages), our_name=None)


def test_every_host_has_a_lifeline_and_none_is_ours() -> None:
    ladder = seen(proxied())
    assert [line.address for line in ladder.lifelines] == [CALLER[0], PROXY[0], CARRIER[0]]
    assert [(arrow.source, arrow.target) for arrow in ladder.arrows] == [
        (0, 1),
        (1, 2),
        (2, 1),
        (1, 0),
    ]


def test_what_a_proxy_passes_on_does_not_say_what_the_proxy_is() -> None:
    caller, proxy, carrier = seen(proxied()).lifelines
    assert caller.software == "Trunkline (https://example.com)"
    assert proxy.software is None
    assert carrier.software == "Asterisk PBX 20.9.2"


def test_programs_of_one_address_are_apart_by_their_ports() -> None:
    ladder = seen(proxied(caller=("192.0.2.20", 5080)))
    assert [line.address for line in ladder.lifelines] == [
        "192.0.2.20:5080",
        "192.0.2.20:5060",
        CARRIER[0],
    ]


def test_a_trace_without_messages_has_no_hosts() -> None:
    assert seen([]).lifelines == ()
