"""Where the requests within a call go, and which addresses of the peer are pointed out."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from ipaddress import ip_network

import pytest

from sip.call_facts import AddressPlace, StopCause
from sip.net.guard import AddressGuard
from sip.net.resolver import Resolver
from tests.sip.net.calls import PLAN, Observer, call
from tests.sip.net.phones import Call, answering, phone_at
from tests.support.dns_server import DnsServer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


def guard_for(*addresses: str) -> AddressGuard:
    return AddressGuard(tuple(ip_network(f"{address}/32") for address in addresses))


async def test_the_contact_of_the_answer_gets_ack_and_bye(loopback: LoopbackBlock) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(phone_at(loopback.address(), answering))

        async def elsewhere(call: Call) -> None:
            call.respond(200, call.phone.sdp, contact=f"<{desk.uri};ob?x=1>")

        front = await stack.enter_async_context(phone_at(loopback.address(), elsewhere))
        facts = await call(PLAN, host=front.address)
    assert front.methods() == ["INVITE"]
    assert desk.methods() == ["BYE"]
    assert len(desk.acks) == 1
    assert str(desk.requests[0].uri) == f"{desk.uri};ob"
    assert facts.invite is not None
    assert facts.invite.bye_status == 200


async def test_a_contact_by_name_is_looked_up(loopback: LoopbackBlock) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(phone_at(loopback.address(), answering))
        zone = {("desk.example.com", "A"): [desk.address]}
        server = await stack.enter_async_context(DnsServer(zone))

        async def elsewhere(call: Call) -> None:
            call.respond(200, call.phone.sdp, contact="<sip:desk@desk.example.com:5060>")

        front = await stack.enter_async_context(phone_at(loopback.address(), elsewhere))
        await call(PLAN, host=front.address, resolver=Resolver([server.address]))
    assert desk.methods() == ["BYE"]


async def test_record_route_is_followed_in_reverse(loopback: LoopbackBlock) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(phone_at(loopback.address(), answering))
        far = f"<sip:{loopback.address()};lr>"
        near = f"<sip:{proxy.address};lr;x=1>"

        async def routed(call: Call) -> None:
            call.respond(
                200,
                call.phone.sdp,
                headers=(("Record-Route", far), ("Record-Route", near)),
            )

        front = await stack.enter_async_context(phone_at(loopback.address(), routed))
        await call(PLAN, host=front.address)
    assert front.methods() == ["INVITE"]
    assert proxy.methods() == ["BYE"]
    for request in (proxy.acks[0], proxy.requests[0]):
        assert request.headers.get_all("Route") == (near, far)
        assert str(request.uri) == str(front.uri)


@pytest.mark.parametrize("header", ["Contact", "Record-Route"])
async def test_a_hop_that_is_not_allowed_is_named_and_the_invites_flow_used(
    loopback: LoopbackBlock, header: str
) -> None:
    async def behind_nat(call: Call) -> None:
        inside = "<sip:10.1.2.3:5062;lr>"
        routes = (("Record-Route", inside),) if header == "Record-Route" else ()
        contact = inside if header == "Contact" else None
        call.respond(180, contact=contact, headers=routes)
        call.respond(200, call.phone.sdp, contact=contact, headers=routes)

    async with phone_at(loopback.address(), behind_nat) as phone:
        facts = await call(PLAN, host=phone.address, guard=guard_for(phone.address))
    assert phone.methods() == ["INVITE", "BYE"]
    place = AddressPlace.CONTACT if header == "Contact" else AddressPlace.RECORD_ROUTE
    found = [(f.place, f.address, f.blocked) for f in facts.addresses]
    assert found == [(place, "10.1.2.3", True)]
    assert "private address" in facts.addresses[0].problem


async def test_a_hop_that_nobody_answers_at_is_left_for_the_invites_connection(
    loopback: LoopbackBlock,
) -> None:
    async def moved(call: Call) -> None:
        contact = f"<sip:phone@{call.phone.address}:5999;transport=tcp>"
        call.respond(200, call.phone.sdp, contact=contact)

    async with phone_at(loopback.address(), moved) as phone:
        facts = await call(PLAN, host=phone.address, transport="tcp")
    assert phone.methods() == ["INVITE", "BYE"]
    assert any("port 5999 could not be connected to" in note for note in facts.notes)


async def test_a_contact_that_cannot_be_resolved_is_noted(loopback: LoopbackBlock) -> None:
    async def lost(call: Call) -> None:
        call.respond(200, call.phone.sdp, contact="<sip:desk@desk.internal>")

    async with (
        DnsServer({("example.com", "A"): ["127.0.0.9"]}) as server,
        phone_at(loopback.address(), lost) as phone,
    ):
        resolver = Resolver([server.address])
        facts = await call(PLAN, host=phone.address, resolver=resolver)
    assert phone.methods() == ["INVITE", "BYE"]
    assert any(note.startswith("desk.internal cannot be resolved") for note in facts.notes)


async def test_a_private_address_in_sdp_gets_no_packet_and_is_named(
    loopback: LoopbackBlock,
) -> None:
    async def behind_nat(call: Call) -> None:
        sdp = call.phone.sdp.replace(call.phone.address.encode(), b"10.1.2.3")
        call.respond(200, sdp)

    async with phone_at(loopback.address(), behind_nat) as phone:
        facts = await call(PLAN, host=phone.address, guard=guard_for(phone.address))
    assert phone.media == []
    assert [(f.place, f.address, f.blocked) for f in facts.addresses] == [
        (AddressPlace.SDP, "10.1.2.3", True)
    ]
    assert facts.media is not None
    assert (facts.media.packets_out, facts.media.dtmf_sent) == (0, None)
    assert facts.stopped is StopCause.FINISHED


async def test_a_chatty_peer_cannot_make_us_look_up_names_for_ever(
    loopback: LoopbackBlock,
) -> None:
    async def chatty(call: Call) -> None:
        for number in range(40):
            call.respond(183, tag=f"t{number}", contact=f"<sip:x@n{number}.example.com>")
        call.respond(486)

    observer = Observer()
    async with (
        DnsServer({("example.com", "A"): ["127.0.0.9"]}) as server,
        phone_at(loopback.address(), chatty) as phone,
    ):
        resolver = Resolver([server.address])
        await call(PLAN, observer, host=phone.address, resolver=resolver)
        hosts = {question.name.removeprefix("_sip._udp.") for question in server.asked}
    assert 0 < len(hosts) <= 8


async def test_a_connection_that_the_peer_closed_is_opened_again_for_the_bye(
    loopback: LoopbackBlock,
) -> None:
    async def closing(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        await asyncio.sleep(0.1)
        call.phone.stack.transport.close_flow(call.flow)

    async with phone_at(loopback.address(), closing) as phone:
        phone.transport = "tcp"
        facts = await call(PLAN, host=phone.address, transport="tcp")
    assert phone.methods() == ["INVITE", "BYE"]
    assert facts.invite is not None
    assert facts.invite.bye_status == 200
    assert not facts.left_up


async def test_the_address_that_the_peer_sees_us_at_is_noted(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        facts = await call(PLAN, host=phone.address, public_address="192.0.2.7")
    assert "the peer sees us at 127.0.0.1, not at 192.0.2.7" in facts.notes
