"""Requests made from a frame, and the routes that are remembered between them."""

from __future__ import annotations

import itertools

import pytest

from sip.build import options_request
from sip.message import Request, parse_message
from sip.net import transport
from sip.net.probe_report import ProbeIdentity, ProbeTarget
from sip.net.probe_request import MAX_FRAMES, ProbeRequests
from sip.net.stack import RequestFailed, SipStack
from sip.net.wire import source_address
from sip.transaction import Flow
from sip.uri import SipUri
from tests.sip.net.stacks import LOOPBACK, options, serving
from tests.support.loopback import LoopbackBlock

LOCAL = ("192.0.2.10", 40_000)


def requests_of(identity: ProbeIdentity) -> ProbeRequests:
    numbers = itertools.count(1)
    return ProbeRequests(identity, lambda: f"token{next(numbers)}")


def flow_to(target: ProbeTarget) -> Flow:
    return Flow(target.transport.upper(), LOCAL, (target.address, target.port))


def test_it_is_the_request_that_is_built_without_a_frame() -> None:
    target = ProbeTarget("203.0.113.5", 5061, "tls", "pbx.example.com")
    requests = requests_of(ProbeIdentity(user_agent="Probe/1"))
    made = [requests.options(target, flow_to(target)) for _ in range(2)]
    whole = [
        options_request(
            target_uri=SipUri("sip", target.host, port=5061, params=(("transport", "tls"),)),
            from_uri=SipUri("sip", LOCAL[0], "trunkline"),
            from_tag=token,
            call_id=token,
            branch=f"z9hG4bK{token}",
            cseq=1,
            via_transport="TLS",
            via_host=LOCAL[0],
            via_port=LOCAL[1],
            contact=SipUri("sip", LOCAL[0], port=LOCAL[1], params=(("transport", "tls"),)),
            user_agent="Probe/1",
        )
        for token in ("token1", "token2")
    ]
    assert [each.serialize() for each in made] == [each.serialize() for each in whole]


def test_each_request_is_one_of_its_own() -> None:
    target = ProbeTarget("203.0.113.5", 5060, "udp", "pbx.example.com")
    requests = requests_of(ProbeIdentity(user_agent="Probe/1"))
    parsed = [
        parse_message(requests.options(target, flow_to(target)).serialize()) for _ in range(3)
    ]
    assert len({each.via.branch for each in parsed}) == 3
    assert len({each.from_.tag for each in parsed}) == 3
    assert len({each.call_id for each in parsed}) == 3


def test_the_operator_says_who_asks_and_where_to_answer() -> None:
    target = ProbeTarget("203.0.113.5", 5080, "udp", "pbx.example.com")
    identity = ProbeIdentity("Probe/1", from_domain="voice.example", public_address="198.51.100.7")
    request = requests_of(identity).options(target, flow_to(target))
    assert isinstance(request.uri, SipUri)
    assert request.uri.hostport == "pbx.example.com:5080"
    assert str(request.from_.uri) == "sip:trunkline@voice.example"
    assert request.via.host == "198.51.100.7"
    assert [str(each.uri) for each in request.contacts] == ["sip:198.51.100.7:40000"]


def test_more_targets_than_are_remembered_are_served_too() -> None:
    requests = requests_of(ProbeIdentity(user_agent="Probe/1"))

    def request_to(number: int) -> Request:
        target = ProbeTarget("203.0.113.5", 5060, "udp", f"pbx-{number}.example.com")
        return requests.options(target, flow_to(target))

    hosts = [str(request_to(number).uri) for number in range(MAX_FRAMES + 2)]
    assert len(set(hosts)) == MAX_FRAMES + 2
    assert str(request_to(0).uri) == hosts[0]


async def test_a_route_is_asked_for_once_while_the_peer_answers(
    loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(remote: str, port: int) -> str:
        asked.append(remote)
        return source_address(remote, port)

    monkeypatch.setattr(transport, "source_address", counted)
    address = loopback.address()
    async with SipStack(guard=LOOPBACK) as stack:
        async with serving(address):
            for _ in range(3):
                flow = stack.transport.udp_flow((address, 5060))
                await stack.request(options(flow), flow, seconds=2)
        assert asked == [address]
        # An answer that stays away may be the route's fault.
        for _ in range(2):
            flow = stack.transport.udp_flow((address, 5060))
            with pytest.raises(RequestFailed):
                await stack.request(options(flow), flow, seconds=2)
    assert asked == [address] * 2
