"""Which target of a destination gets the INVITE, and when the next one does (RFC 3263 section 4.3)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

import pytest

from sip.call_facts import CallFacts, TargetOutcome
from sip.dialog_state import FailureCause
from sip.net.guard import AddressGuard
from sip.net.resolver import Resolver
from tests.sip.net.calls import PLAN, Observer, call
from tests.sip.net.phones import Call, answering, deaf_socket, phone_at
from tests.support.dns_server import DnsServer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

HOST = "pbx.example.com"
LONG = (("X-Padding", "x" * 900),)


async def unavailable(call: Call) -> None:
    call.respond(503, headers=(("Retry-After", "30"),))


def outcomes(facts: CallFacts) -> list[tuple[str, TargetOutcome]]:
    return [(target.address, target.outcome) for target in facts.targets]


async def call_name(
    addresses: list[str], transport: str, observer: Observer | None = None
) -> CallFacts:
    """Call a name whose SRV records give the addresses in this order."""
    prefix = f"_sip._{transport}"
    zone = {
        (f"{prefix}.{HOST}", "SRV"): [
            f"{priority} 0 5060 host{priority}.{HOST}." for priority, _ in enumerate(addresses)
        ],
        **{
            (f"host{priority}.{HOST}", "A"): [address] for priority, address in enumerate(addresses)
        },
    }
    async with DnsServer(zone) as server:
        return await call(
            PLAN,
            observer,
            host=HOST,
            transport=transport,
            resolver=Resolver([server.address]),
        )


async def test_a_target_that_refuses_the_connection_gives_way_to_the_next(
    loopback: LoopbackBlock,
) -> None:
    dead = loopback.address()
    async with phone_at(loopback.address(), answering) as phone:
        phone.transport = "tcp"
        facts = await call_name([dead, phone.address], "tcp")
    assert outcomes(facts) == [
        (dead, TargetOutcome.REFUSED),
        (phone.address, TargetOutcome.CALLED),
    ]
    assert phone.methods() == ["INVITE", "BYE"]
    assert str(phone.requests[0].uri) == f"sip:+15550111@{HOST};transport=tcp"
    assert not facts.dns.literal
    assert facts.dns.targets == 2
    assert f"SRV _sip._tcp.{HOST}: 2 records" in facts.dns.lookups


async def test_a_target_that_answers_503_gives_way_to_the_next(loopback: LoopbackBlock) -> None:
    observer = Observer()
    async with AsyncExitStack() as stack:
        full = await stack.enter_async_context(phone_at(loopback.address(), unavailable))
        free = await stack.enter_async_context(phone_at(loopback.address(), answering))
        free.transport = "tcp"
        facts = await call_name([full.address, free.address], "tcp", observer)
    assert outcomes(facts) == [
        (full.address, TargetOutcome.UNAVAILABLE),
        (free.address, TargetOutcome.CALLED),
    ]
    assert full.methods() == ["INVITE"]
    assert free.methods() == ["INVITE", "BYE"]
    first, second = observer.sent("INVITE")
    assert (first.call_id, first.from_.tag) == (second.call_id, second.from_.tag)
    assert second.cseq.number == first.cseq.number + 1
    assert first.via.branch != second.via.branch
    assert [ack.cseq.number for ack in observer.sent("ACK")] == [1, 2]


async def test_the_last_target_keeps_its_503(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), unavailable) as full:
        facts = await call(PLAN, host=full.address)
    assert outcomes(facts) == [(full.address, TargetOutcome.CALLED)]
    assert facts.invite is not None
    assert facts.invite.final is not None
    assert facts.invite.final.status == 503
    assert facts.invite.final.said.retry_after == "30"


@pytest.mark.parametrize("status", [486, 500, 603])
async def test_any_other_refusal_ends_the_call(loopback: LoopbackBlock, status: int) -> None:
    async def refusing(call: Call) -> None:
        call.respond(status)

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(phone_at(loopback.address(), refusing))
        second = await stack.enter_async_context(phone_at(loopback.address(), answering))
        facts = await call_name([first.address, second.address], "tcp")
    assert second.requests == []
    assert len(facts.targets) == 1


async def test_of_several_udp_targets_the_first_that_answers_is_called(
    loopback: LoopbackBlock,
) -> None:
    silent, closed = loopback.address(), loopback.address()
    observer = Observer()
    async with AsyncExitStack() as stack:
        stack.enter_context(deaf_socket(silent))
        alive = await stack.enter_async_context(phone_at(loopback.address(), answering))
        spare = await stack.enter_async_context(phone_at(loopback.address(), answering))
        addresses = [closed, silent, alive.address, spare.address]
        facts = await call_name(addresses, "udp", observer)
    assert outcomes(facts) == [
        (closed, TargetOutcome.REFUSED),
        (silent, TargetOutcome.SILENT),
        (alive.address, TargetOutcome.CALLED),
    ]
    assert alive.methods() == ["OPTIONS", "INVITE", "BYE"]
    assert spare.methods() == ["OPTIONS"]
    assert len(observer.sent("INVITE")) == 1


async def test_a_call_does_not_wait_for_targets_behind_one_that_answers(
    loopback: LoopbackBlock,
) -> None:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        alive = await stack.enter_async_context(phone_at(loopback.address(), answering))
        silent = loopback.address()
        stack.enter_context(deaf_socket(silent))
        started = loop.time()
        facts = await call_name([alive.address, silent], "udp")
    assert loop.time() - started < 3
    assert outcomes(facts) == [(alive.address, TargetOutcome.CALLED)]


async def test_an_invite_that_met_silence_is_never_followed_by_another(
    loopback: LoopbackBlock,
) -> None:
    first, second = loopback.address(), loopback.address()
    observer = Observer()
    with deaf_socket(first), deaf_socket(second):
        facts = await call_name([first, second], "udp", observer)
    assert {invite.call_id for invite in observer.sent("INVITE")} == {
        facts.invite.sip_call_id if facts.invite else None
    }
    assert len(observer.sent("INVITE")) == 1
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.NO_REPLY
    assert dict(outcomes(facts))[first] is TargetOutcome.CALLED


async def test_an_invite_that_a_closed_connection_may_have_delivered_is_not_repeated(
    loopback: LoopbackBlock,
) -> None:
    async with phone_at(loopback.address(), answering) as second:
        address = loopback.address()

        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(hang_up, address, 5060)
        async with server:
            facts = await call_name([address, second.address], "tcp")
    assert second.requests == []
    assert outcomes(facts) == [(address, TargetOutcome.CALLED)]
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.TRANSPORT


async def test_a_connection_that_is_gone_before_the_invite_gives_way_to_the_next(
    loopback: LoopbackBlock,
) -> None:
    async def shut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    observer = Observer()
    observer.save_seconds = 0.1
    async with phone_at(loopback.address(), answering) as second:
        second.transport = "tcp"
        address = loopback.address()
        server = await asyncio.start_server(shut, address, 5060)
        async with server:
            facts = await call_name([address, second.address], "tcp", observer)
    assert outcomes(facts) == [
        (address, TargetOutcome.CLOSED),
        (second.address, TargetOutcome.CALLED),
    ]
    assert second.methods() == ["INVITE", "BYE"]


async def test_icmp_for_the_only_target_is_a_refusal(loopback: LoopbackBlock) -> None:
    address = loopback.address()
    facts = await call(PLAN, host=address)
    assert outcomes(facts) == [(address, TargetOutcome.REFUSED)]
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.TRANSPORT


async def test_a_large_invite_goes_by_tcp_when_nobody_demands_udp(
    loopback: LoopbackBlock,
) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        phone.transport = "tcp"
        facts = await call(PLAN, host=phone.address, transport=None, headers=LONG)
    assert [(t.transport, t.outcome) for t in facts.targets] == [("tcp", TargetOutcome.CALLED)]
    assert phone.requests[0].via.transport == "TCP"
    assert phone.methods() == ["INVITE", "BYE"]
    assert facts.invite is not None
    assert facts.invite.offer.size > 1300


async def test_a_large_invite_goes_by_udp_to_a_peer_without_tcp(loopback: LoopbackBlock) -> None:
    address = loopback.address()
    with deaf_socket(address) as deaf:
        observer = Observer()
        facts = await call(
            PLAN,
            observer,
            host=address,
            transport=None,
            headers=LONG,
            limit_seconds=1,
        )
        deaf.setblocking(False)
        assert deaf.recv(65535).startswith(b"INVITE")
    assert [t.transport for t in facts.targets] == ["udp"]
    assert "went by UDP because TCP was not to be had" in facts.notes[0]


async def test_a_large_invite_stays_on_udp_when_it_is_demanded(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        await call(PLAN, host=phone.address, headers=LONG)
    assert phone.requests[0].via.transport == "UDP"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_target_that_is_not_allowed_gets_nothing(
    loopback: LoopbackBlock, transport: str
) -> None:
    observer = Observer()
    async with phone_at(loopback.address(), answering) as phone:
        facts = await call(
            PLAN, observer, host=phone.address, transport=transport, guard=AddressGuard()
        )
    assert outcomes(facts) == [(phone.address, TargetOutcome.NOT_ALLOWED)]
    assert "loopback" in (facts.targets[0].detail or "")
    assert (phone.requests, observer.records, facts.invite) == ([], [], None)


async def test_a_name_that_does_not_exist_is_reported() -> None:
    async with DnsServer({("other.example.com", "A"): ["127.0.0.9"]}) as server:
        facts = await call(
            PLAN, host="no.example.com", transport=None, resolver=Resolver([server.address])
        )
    assert facts.targets == ()
    assert facts.dns.failure is not None
    assert any("nxdomain" in line for line in facts.dns.lookups)


async def test_a_range_without_free_media_ports_is_a_limit_of_ours(
    loopback: LoopbackBlock,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1] & ~1
        async with phone_at(loopback.address(), answering) as phone:
            facts = await call(PLAN, host=phone.address, media_ports=range(port, port + 2))
    assert outcomes(facts) == [(phone.address, TargetOutcome.LOCAL_LIMIT)]
    assert phone.requests == []
